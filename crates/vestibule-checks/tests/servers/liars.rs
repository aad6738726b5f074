//! `postgres` and `redis` against peers that say too much, too little, or something else.
//!
//! Breaks the bounds of a try: bytes without end, lengths and counts of gigabytes, rows that are too short, a
//! login that wants a billion hashes. No try may panic, hang beyond its time, or keep its thread from others.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use vestibule::check::{Reason, Stage, Trouble};
use vestibule_checks::{Kind, Options};

use crate::asked::check;

/// What a liar says behind each word that it hears, and then over and over until nobody listens.
#[derive(Clone)]
struct Script {
    says: Vec<Vec<u8>>,
    endless: Vec<u8>,
}

fn says<const N: usize>(words: [&[u8]; N]) -> Script {
    Script { says: words.map(<[u8]>::to_vec).to_vec(), endless: Vec::new() }
}

impl Script {
    fn then_without_end(self, endless: &[u8]) -> Self {
        Self { endless: endless.to_vec(), ..self }
    }
}

/// What one try meets, and that it ends in time and holds no canary.
async fn meets(kind: Kind, url: &str, script: Script) -> Trouble {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let liar = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let _gone = lie(stream, script).await;
    });
    let check = check(kind, &Options::url(url.replace("PORT", &port.to_string())));
    let stage = Stage::default();
    let tried = timeout(Duration::from_secs(3), check.try_once(&stage)).await;
    liar.abort();
    let trouble = tried.map_or_else(|_| stage.cut_off(), |met| met.unwrap_err());
    assert!(!format!("{trouble:?}").contains("canary"), "{trouble}");
    trouble
}

async fn lie(mut stream: TcpStream, script: Script) -> std::io::Result<()> {
    let mut heard = [0; 4096];
    for word in script.says {
        if stream.read(&mut heard).await? == 0 {
            return Ok(());
        }
        // A login that is to look right repeats what the client said of itself.
        let nonce = heard
            .windows(3)
            .position(|at| at == b",r=")
            .map_or(&[][..], |at| &heard[at + 3..at + 27]);
        let word = replace(&word, NONCE, nonce);
        stream.write_all(&word).await?;
    }
    while !script.endless.is_empty() {
        stream.write_all(&script.endless).await?;
    }
    stream.shutdown().await?;
    while stream.read(&mut heard).await? > 0 {}
    Ok(())
}

fn replace(word: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    match word.windows(what.len()).position(|at| at == what) {
        Some(at) => [&word[..at], by, &word[at + what.len()..]].concat(),
        None => word.to_vec(),
    }
}

/// Stands for what the client said, and is as long.
const NONCE: &[u8] = b"NONCENONCENONCENONCENONC";

/// A message of PostgreSQL's protocol.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[tag], &length[..], body].concat()
}

/// An error with this code, whose text repeats everything that it should not.
fn error(code: &str, text: &str) -> Vec<u8> {
    message(
        b'E',
        format!("SFATAL\0VFATAL\0C{code}\0M{text} canary_user canary-pass\0\0").as_bytes(),
    )
}

const PLAIN: &str = "postgres://canary_user:canary-pass@127.0.0.1:PORT/db?sslmode=disable";

async fn postgres(script: Script) -> Trouble {
    meets(Kind::Postgres, PLAIN, script).await
}

#[tokio::test]
async fn a25_a_postgres_that_lies_fails_its_try_and_nothing_else() {
    let welcome = [message(b'R', &[0, 0, 0, 0]), message(b'Z', b"I")].concat();
    let notice = message(b'N', b"SNOTICE\0C00000\0Mcanary\0\0");
    let columns = message(b'T', b"\0\x01a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0");
    let short_row = message(b'D', b"\0\x05\0\0\0\x01");
    let half_row =
        [columns.clone(), short_row, message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat();
    let table = [
        (says([b"HTTP/1.1 400 Bad Request\r\n\r\n"]), Reason::Protocol, "HTTP/1.1 400"),
        (says([b"SSH-2.0-OpenSSH_9.2\r\n"]), Reason::Protocol, "SSH-2.0"),
        (says([b"J\0\0\0\x0a8.0.36\0"]), Reason::Protocol, "8.0.36"),
        (says([b"R\x7f\xff\xff\xff"]).then_without_end(&[0; 8192]), Reason::Protocol, "R\\x7f"),
        (says([&message(b'R', &[0, 0, 0, 0])]).then_without_end(&notice), Reason::TooLarge, ""),
        (says([&welcome]).then_without_end(&notice), Reason::TooLarge, ""),
        (says([&welcome, b"D\x7f\xff\xff\xff"]).then_without_end(&[0; 8192]), Reason::TooLarge, ""),
        (says([&welcome, b"D\0\0\0\x01"]), Reason::Protocol, "length"),
        (says([&message(b'R', &[0, 0, 0, 99])]), Reason::Protocol, ""),
        (says([&message(b'R', &[0, 0])]), Reason::Reset, ""),
        (says([b""]), Reason::Reset, "without a word"),
        (says([&error("XX000", "anything")]), Reason::QueryFailed, "XX000"),
        (says([&error("57P03", "the database system is shutting down")]), Reason::ShuttingDown, ""),
        (says([&error("57P03", "le système démarre")]), Reason::StartingUp, ""),
        (
            says([&error("08P01", "no more connections allowed (max_client_conn)")]),
            Reason::Overloaded,
            "",
        ),
        (says([&error("08P01", "pgbouncer cannot connect to server")]), Reason::NotServing, ""),
        (says([&error("08P01", "no such database: db")]), Reason::NoSuchDatabase, ""),
        (says([&error("08P01", "unsupported startup parameter")]), Reason::Protocol, ""),
        (
            says([&error("28000", "no pg_hba.conf entry for host")]),
            Reason::WrongCredentials,
            "pg_hba.conf",
        ),
    ];
    for (row, (script, wanted, word)) in table.into_iter().enumerate() {
        let trouble = postgres(script).await;
        assert_eq!(trouble.reason(), wanted, "row {row}: {trouble}");
        assert!(trouble.detail().contains(word), "row {row}: {trouble}");
    }
    // Whatever is made of a row that is too short: no panic.
    let met = postgres(says([&welcome, &half_row, &half_row])).await;
    assert!(matches!(met.reason(), Reason::Protocol | Reason::Reset), "{met}");
}

#[tokio::test]
async fn a25_a_login_that_wants_a_billion_hashes_costs_none() {
    let wants_scram = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    let billion =
        message(b'R', b"\0\0\0\x0br=NONCENONCENONCENONCENONCx,s=QUJDREVGR0g=,i=1000000000");
    let began = Instant::now();
    let met = postgres(says([&wants_scram, &billion])).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(met.reason(), Reason::Protocol, "{met}");
    assert!(met.detail().contains("more hashes"), "{met}");
}

#[tokio::test]
async fn a25_a_redis_that_lies_fails_its_try_and_nothing_else() {
    let nested = b"*1\r\n".repeat(4000);
    let table = [
        (says([b"HTTP/1.1 400 Bad Request\r\n\r\n"]), Reason::Protocol, "HTTP/1.1 400"),
        (says([b"SSH-2.0-OpenSSH_9.2\r\n"]), Reason::Protocol, "SSH-2.0"),
        (says([b"\x15\x03\x03\0\x02\x02\x28"]), Reason::Protocol, "\\x15"),
        (says([b""]), Reason::Reset, "without a word"),
        (says([b"+PONG"]), Reason::Reset, "amid an answer"),
        (says([b"+PING\r\n"]), Reason::Protocol, "something else"),
        (says([b"$2147483647\r\n"]).then_without_end(&[b'x'; 4096]), Reason::TooLarge, ""),
        (says([b"*2147483647\r\n"]).then_without_end(b":1\r\n"), Reason::TooLarge, ""),
        (says([b"%2147483647\r\n"]).then_without_end(b":1\r\n"), Reason::TooLarge, ""),
        (says([b"$-9223372036854775808\r\n"]), Reason::Protocol, ""),
        (says([b"*99999999999999999999\r\n"]), Reason::Protocol, ""),
        (says([b"+"]).then_without_end(&[b'x'; 4096]), Reason::TooLarge, ""),
        (says([b"+"]).then_without_end(&[b'\n'; 4096]), Reason::TooLarge, ""),
        (says([&nested]), Reason::Protocol, ""),
        (says([b"-ERR max number of clients reached\r\n"]), Reason::Overloaded, ""),
        (says([b"-LOADING canary\r\n"]), Reason::StartingUp, "LOADING"),
        (says([b"-MASTERDOWN canary\r\n"]), Reason::MasterDown, "MASTERDOWN"),
        (says([b"-MISCONF canary\r\n"]), Reason::NotServing, "MISCONF"),
        (says([b"-CLUSTERDOWN canary\r\n"]), Reason::NotServing, "CLUSTERDOWN"),
        (says([b"-MOVED 1 canary:6379\r\n"]), Reason::Protocol, "MOVED"),
        (says([b"-DENIED canary\r\n"]), Reason::NotPermitted, "DENIED"),
        (says([b"-canary-pass is no code\r\n"]), Reason::QueryFailed, "by an error"),
        (says([b"-ERR unknown command 'canary'\r\n"]), Reason::Protocol, ""),
        (says([b"-ERR invalid password\r\n"]), Reason::WrongCredentials, ""),
    ];
    for (row, (script, wanted, word)) in table.into_iter().enumerate() {
        let trouble = meets(Kind::Redis, "redis://127.0.0.1:PORT", script).await;
        assert_eq!(trouble.reason(), wanted, "row {row}: {trouble}");
        assert!(trouble.detail().contains(word), "row {row}: {trouble}");
    }
}
