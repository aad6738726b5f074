//! Breaks the notify socket: strangers, floods, descriptors, leftovers, and the real senders of the
//! world.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::time::timeout;
use vestibule_front::process::child::{Child, Launch};
use vestibule_front::process::exit::Exit;
use vestibule_front::process::notify::{MESSAGE_MAX, Notification, NotifySocket};

use crate::support::{BOUND, Running, launch, words_of};

/// Sends its first argument to `$NOTIFY_SOCKET`, as the usual libraries do.
const SEND: &str = "import os, socket, sys
address = os.environ['NOTIFY_SOCKET']
if address[0] == '@': address = '\\0' + address[1:]
def send(data, *control):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(address)
    s.sendmsg([data], *control)
";

fn bind() -> (tempfile::TempDir, NotifySocket) {
    let place = tempfile::tempdir().unwrap();
    let socket = NotifySocket::bind(&[place.path().to_owned()]).unwrap();
    (place, socket)
}

fn start(socket: &NotifySocket, program: &str, args: &[&str]) -> Child {
    let env = vec![("NOTIFY_SOCKET".into(), socket.env())];
    Child::spawn(&Launch { env, ..launch(program, args) }).unwrap()
}

fn python(socket: &NotifySocket, script: &str) -> Child {
    start(socket, "python3", &["-c", &format!("{SEND}{script}")])
}

async fn next(socket: &NotifySocket, child: &Child) -> Notification {
    timeout(BOUND, socket.recv(child.pid())).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_childs_word_is_believed() {
    let (_place, socket) = bind();
    let child = python(
        &socket,
        "send(b'READY=1\\nSTATUS=up\\nMAINPID=%d' % os.getpid()); import time; time.sleep(1000)",
    );
    let notification = next(&socket, &child).await;
    assert!(notification.ready);
    assert_eq!(
        (notification.status.as_deref(), notification.main_pid),
        (Some("up"), Some(child.pid()))
    );
}

#[tokio::test]
async fn systemd_notify_is_believed_and_not_kept_waiting() {
    if !Path::new("/usr/bin/systemd-notify").exists() {
        return;
    }
    let (_place, socket) = bind();
    let script = "/usr/bin/systemd-notify --ready --status='hello there' && exit 5";
    let mut child = start(&socket, "sh", &["-c", script]);
    let notification = next(&socket, &child).await;
    assert_eq!((notification.ready, notification.status.as_deref()), (true, Some("hello there")));
    // It waits until its second message (a barrier with a descriptor) has been read.
    let (exit, _) = tokio::join!(timeout(BOUND, child.wait()), drain(&socket));
    assert_eq!(exit.unwrap(), Exit::Code(5));
}

/// Reads on for a moment, as the front does all its life.
async fn drain(socket: &NotifySocket) {
    let _ = timeout(std::time::Duration::from_millis(300), async {
        loop {
            let _ = socket.recv(1).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_grandchild_with_its_own_session_is_believed() {
    let (_place, socket) = bind();
    let child = python(
        &socket,
        "
if os.fork() == 0:
    os.setsid()
    send(b'READY=1')
    sys.exit()
os.wait()",
    );
    assert!(next(&socket, &child).await.ready);
}

#[tokio::test]
async fn a_sender_that_is_gone_is_believed_if_only_our_user_could_be_it() {
    let (place, socket) = bind();
    let directory = socket.path().unwrap().parent().unwrap().to_owned();
    assert!(directory.starts_with(place.path()));
    assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
    let child = start(&socket, "sleep", &["1000"]);
    let script = format!("{SEND}send(b'READY=1')");
    let sent = Command::new("python3")
        .args(["-c", &script])
        .env("NOTIFY_SOCKET", socket.env())
        .status()
        .unwrap();
    assert!(sent.success());
    assert!(next(&socket, &child).await.ready);

    // At an abstract address anybody could be it.
    let socket = NotifySocket::bind(&[]).unwrap();
    assert_eq!(socket.path(), None);
    assert!(
        Command::new("python3")
            .args(["-c", &script])
            .env("NOTIFY_SOCKET", socket.env())
            .status()
            .unwrap()
            .success()
    );
    let child = python(&socket, "send(b'STATUS=mine'); import time; time.sleep(1000)");
    assert_eq!(next(&socket, &child).await.status.as_deref(), Some("mine"));
    assert_eq!(socket.ignored(), 1);
}

#[tokio::test]
async fn a35_a_stranger_opens_nothing() {
    let (place, socket) = bind();
    // We ourselves, and another process beside the child.
    let ours = UnixDatagram::unbound().unwrap();
    ours.send_to(b"READY=1", socket.path().unwrap()).unwrap();
    let told = place.path().join("told");
    let script = format!(
        "{SEND}send(b'READY=1'); open(sys.argv[1], 'w').write('x\\n'); os.read(os.pipe()[0], 1)"
    );
    let mut command = Command::new("python3");
    let stranger =
        Running::start(command.arg("-c").arg(script).arg(&told).env("NOTIFY_SOCKET", socket.env()));
    words_of(&told).await;
    let number = stranger.0.id();
    let child = python(
        &socket,
        &format!("send(b'STATUS=mine\\nMAINPID={number}'); import time; time.sleep(1000)"),
    );
    let notification = next(&socket, &child).await;
    assert_eq!((notification.ready, notification.status.as_deref()), (false, Some("mine")));
    assert_eq!(notification.main_pid, None, "a stranger is not made the main process");
    assert_eq!(socket.ignored(), 2);
}

#[tokio::test]
async fn a35_descriptors_and_giants_are_dropped_at_the_door() {
    let (place, socket) = bind();
    let bait = place.path().join("bait");
    fs::write(&bait, "").unwrap();
    let script = format!(
        "
import array, time
bait = os.open('{}', os.O_RDONLY)
rights = lambda count: [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [bait] * count))]
send(b'READY=1' + b'x' * {MESSAGE_MAX})
for count in (1, 2, 253): send(b'STATUS=%d' % count, rights(count))
send(b'BARRIER=1', rights(1))
send(b'')
send(b'READY=1')
time.sleep(1000)",
        bait.display()
    );
    let child = python(&socket, &script);
    for count in ["1", "2", "253"] {
        let notification = next(&socket, &child).await;
        assert_eq!((notification.ready, notification.status.as_deref()), (false, Some(count)));
        let held = fs::read_dir("/proc/self/fd").unwrap().flatten();
        assert!(
            held.filter_map(|entry| fs::read_link(entry.path()).ok()).all(|target| target != bait)
        );
    }
    assert_eq!(next(&socket, &child).await, Notification::default());
    assert_eq!(next(&socket, &child).await, Notification::default());
    assert!(next(&socket, &child).await.ready);
    assert_eq!(socket.ignored(), 1, "the giant");
}

#[tokio::test]
async fn f42_the_first_usable_place_is_taken_and_left_clean() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let deep = place.path().join("d".repeat(100));
    fs::create_dir(&deep).unwrap();
    let good = place.path().join("good");
    fs::create_dir(&good).unwrap();
    let candidates: [PathBuf; 4] = [place.path().join("missing"), file, deep.clone(), good.clone()];
    let socket = NotifySocket::bind(&candidates).unwrap();
    assert!(socket.path().unwrap().starts_with(&good));
    assert_eq!(socket.env(), socket.path().unwrap());
    assert_eq!(
        fs::read_dir(&deep).unwrap().count(),
        0,
        "a path too long for a socket leaves nothing"
    );
    drop(socket);
    assert_eq!(fs::read_dir(&good).unwrap().count(), 0);
}

#[tokio::test]
async fn f37_what_a_killed_front_left_is_removed_and_what_lives_is_not() {
    let place = tempfile::tempdir().unwrap();
    let name = |suffix: &str| place.path().join(format!("vestibule-notify-{suffix}"));
    for suffix in ["dead", "living", "starting", "foreign"] {
        fs::create_dir(name(suffix)).unwrap();
    }
    drop(UnixDatagram::bind(name("dead").join("socket")).unwrap());
    let _living = UnixDatagram::bind(name("living").join("socket")).unwrap();
    drop(UnixDatagram::bind(name("foreign").join("socket")).unwrap());
    fs::write(name("foreign").join("letters"), "").unwrap();
    std::os::unix::fs::symlink(name("foreign"), name("link")).unwrap();
    let socket = NotifySocket::bind(&[place.path().to_owned()]).unwrap();
    assert!(!name("dead").exists());
    for suffix in ["living", "starting", "foreign", "link"] {
        assert!(name(suffix).exists(), "{suffix}");
    }
    assert!(socket.path().unwrap().exists());
}
