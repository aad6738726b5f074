//! A service on the wrong port, in a process that tries not to be found.
use std::net::{SocketAddr, TcpListener};

use vestibule_front::process::child::Child;
use vestibule_front::process::listen::listening_ports;

use crate::support::{launch, words_of};

const SERVICE: &str = "import os, socket, sys, time
def serve(name, family, address):
    listener = socket.socket(family); listener.bind((address, 0)); listener.listen()
    with open(sys.argv[1] + name, 'w') as out: out.write('%d\\n' % listener.getsockname()[1])
    time.sleep(1000)
if os.fork() == 0:
    os.setsid()
    serve('/hidden', socket.AF_INET, '127.0.0.1')
serve('/plain', socket.AF_INET, '0.0.0.0')";

#[tokio::test]
async fn every_port_of_the_service_is_found_and_no_other() {
    let scratch = tempfile::tempdir().unwrap();
    let ours = TcpListener::bind("127.0.0.1:0").unwrap();
    let child =
        Child::spawn(&launch("python3", &["-c", SERVICE, scratch.path().to_str().unwrap()]))
            .unwrap();
    let plain = words_of(&scratch.path().join("plain")).await.remove(0);
    let hidden = words_of(&scratch.path().join("hidden")).await.remove(0);
    let mut expected: Vec<SocketAddr> = vec![
        format!("0.0.0.0:{plain}").parse().unwrap(),
        format!("127.0.0.1:{hidden}").parse().unwrap(),
    ];
    expected.sort();
    let found = listening_ports(child.pid());
    assert_eq!(found, expected);
    assert!(!found.contains(&ours.local_addr().unwrap()));
    // The hidden one is no member of the group, and this process no subreaper: it is ended by hand.
    for pid in std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
    {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        if line
            .windows(scratch.path().as_os_str().len())
            .any(|part| part == scratch.path().as_os_str().as_encoded_bytes())
        {
            let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
        }
    }
}
