//! Breaks the wrapper with every way to cut a stream: no byte may be lost, no read may go past a head while a
//! hold is expected, and a byte during a hold must be told.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

const HEAD: &[u8] = b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n";

fn run<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Whether the future is still waiting after a few turns of everybody else.
async fn waits<F: Future + Unpin>(future: &mut F) -> bool {
    for _ in 0..5 {
        tokio::select! {
            biased;
            _ = &mut *future => return false,
            () = tokio::task::yield_now() => {}
        }
    }
    true
}

/// Whether a hold that begins now is ended.
async fn early_bytes(link: &Link) -> bool {
    let hold = link.hold();
    !waits(&mut Box::pin(hold.early_bytes())).await
}

#[tokio::test]
async fn t01_what_is_pipelined_behind_a_head_never_reaches_the_servers_buffer_with_it() {
    let (mut client, server) = duplex(64 * 1024);
    let mut watched = Watched::new(server, Expectation::default());
    client.write_all(&[HEAD, HEAD, b"x"].concat()).await.unwrap();
    let mut buffer = [0; 1_024];
    let read = watched.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..read], HEAD);
    let link = watched.link().clone();
    assert!(early_bytes(&link).await);
    let read = watched.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..read], HEAD);
    assert_eq!((watched.read(&mut buffer).await.unwrap(), buffer[0]), (1, b'x'));
    assert!(!early_bytes(&link).await);
}

#[tokio::test]
async fn a04_a_byte_during_a_hold_is_told_and_one_after_it_is_not() {
    let (mut client, server) = duplex(64 * 1024);
    let mut watched = Watched::new(server, Expectation::default());
    let link = watched.link().clone();
    let hold = link.hold();
    let mut held = Box::pin(hold.early_bytes());
    assert!(waits(&mut held).await);
    client.write_all(b"x").await.unwrap();
    watched.read_u8().await.unwrap();
    assert!(!waits(&mut held).await);
    drop(held);
    drop(hold);

    client.write_all(b"y").await.unwrap();
    watched.read_u8().await.unwrap();
    assert!(!early_bytes(&link).await);
}

/// Breaks if a client that sends empty lines alone makes the server read them from the first again for each few:
/// 800 KB of them kept a processor busy for minutes.
#[tokio::test]
async fn a18_empty_lines_before_a_head_are_not_cut_and_its_end_still_is() {
    let (mut client, server) = duplex(64 * 1024);
    let mut watched = Watched::new(server, Expectation::default());
    let mut buffer = [0; 1_024];
    for _ in 0..3 {
        client.write_all(&b"\r\n".repeat(400)).await.unwrap();
        assert_eq!(watched.read(&mut buffer).await.unwrap(), 800);
    }
    for empty in [&b"\r\n\r\n"[..], b"\n", b""] {
        client.write_all(&[empty, HEAD, b"x"].concat()).await.unwrap();
        assert_eq!(watched.read(&mut buffer).await.unwrap(), empty.len() + HEAD.len());
        assert!(early_bytes(&watched.link().clone()).await);
        assert_eq!(watched.read(&mut buffer).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_warm_service_reads_as_much_as_comes() {
    let (mut client, server) = duplex(64 * 1024);
    let expects = Expectation::default();
    let mut watched = Watched::new(server, expects.clone());
    client.write_all(&[HEAD, HEAD].concat()).await.unwrap();
    let mut buffer = [0; 1_024];
    assert_eq!(watched.read(&mut buffer).await.unwrap(), HEAD.len());
    expects.set(false);
    client.write_all(HEAD).await.unwrap();
    // What was kept comes first, then everything as it comes.
    assert_eq!(watched.read(&mut buffer).await.unwrap(), HEAD.len());
    client.write_all(HEAD).await.unwrap();
    assert_eq!(watched.read(&mut buffer).await.unwrap(), 2 * HEAD.len());
}

proptest! {
    #[test]
    fn invariant_4_no_byte_is_lost_whatever_the_cuts(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'a')], 0..400),
        writes in proptest::collection::vec(1..40_usize, 1..20),
        reads in proptest::collection::vec(1..50_usize, 1..20),
    ) {
        let seen = run(async {
            let (mut client, server) = duplex(4 * 1_024);
            let mut watched = Watched::new(server, Expectation::default());
            let (mut seen, mut rest) = (Vec::new(), &bytes[..]);
            let (mut writes, mut reads) = (writes.iter().cycle(), reads.iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(*writes.next().unwrap()));
                client.write_all(now).await.unwrap();
                let mut buffer = vec![0; *reads.next().unwrap()];
                let read = watched.read(&mut buffer).await.unwrap();
                seen.push(buffer[..read].to_vec());
                rest = later;
            }
            drop(client);
            let mut buffer = [0; 16];
            while let read @ 1.. = watched.read(&mut buffer).await.unwrap() {
                seen.push(buffer[..read].to_vec());
            }
            seen
        });
        prop_assert_eq!(&seen.concat(), &bytes);
        // No read goes past the end of what may be a head.
        let mut whole = Splitter::default();
        let ends: Vec<_> = (1..=bytes.len()).filter(|at| whole.end(&bytes[at - 1..*at]).is_some()).collect();
        let mut from = 0;
        for read in seen {
            let to = from + read.len();
            prop_assert!(!ends.iter().any(|end| from < *end && *end < to));
            from = to;
        }
    }
}
