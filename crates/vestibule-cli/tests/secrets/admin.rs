//! The admin address as an output, and as an input of its own.
//!
//! Owns reading every page of it.

use tokio::task::JoinHandle;

use crate::client::Client;
use crate::door::Door;
use crate::ledger::Ledger;
use crate::stage::Stage;

/// Everything that may be read there, but for the events.
const PAGES: [&str; 7] =
    ["/", "/livez", "/readyz", "/startupz", "/health", "/metrics", "/no-such-page"];

/// The admin address of a door that was started with [`Desk::FLAGS`].
pub(crate) struct Desk {
    address: String,
    token: String,
    events: JoinHandle<Vec<u8>>,
}

impl Desk {
    pub(crate) const FLAGS: [&'static str; 2] = ["--admin", "127.0.0.1:0"];

    /// Finds it in the log, and follows its events from now on.
    pub(crate) async fn of(door: &Door, token: &str) -> Self {
        // In one form of the log and in the other.
        let line = door.logs("admin").await;
        let at = line.split("address").nth(1).expect("it has an address");
        let at = at.trim_start_matches(['=', '"', ':']);
        let address = at.split([' ', '"', ',']).next().unwrap().to_owned();
        let mut client = Client::connect(&address).await.unwrap();
        client.send(&request("/events", &format!("Authorization: Bearer {token}\r\n"))).await;
        let events = tokio::spawn(client.rest());
        Self { address, token: token.to_owned(), events }
    }

    /// Reads every page with the token.
    pub(crate) async fn read(&self, ledger: &Ledger, when: &str) {
        let shown = format!("Authorization: Bearer {}\r\n", self.token);
        for page in PAGES {
            let answer = self.ask(&request(page, &shown)).await;
            ledger.came_out(&format!("{page} of the admin address, {when}"), answer);
        }
    }

    /// What it answers to this, as text.
    pub(crate) async fn ask(&self, words: &str) -> String {
        let mut client = Client::connect(&self.address).await.unwrap();
        client.send(words).await;
        let answer = client.answer().await;
        answer.head.replace("\r\n", "\n") + &answer.body
    }

    /// Takes down all events of a door that has ended.
    pub(crate) async fn take_down(self, ledger: &Ledger) {
        let events = String::from_utf8(self.events.await.unwrap()).unwrap();
        assert!(events.contains("event: "), "{events}");
        ledger.came_out("/events of the admin address", events.replace("\r\n", "\n"));
    }
}

fn request(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

/// What somebody says who has no token, or shows it in the wrong place, is not repeated, and not even the
/// token that would have been right is told.
#[tokio::test]
async fn a30_a32_the_admin_address_keeps_what_it_is_told_to_itself() {
    for form in ["text", "json"] {
        let (stage, ledger) = (Stage::new(), Ledger::default());
        let token = ledger.secret("the admin token");
        std::fs::write(stage.path("token"), format!("{token}\n")).unwrap();
        let file = stage.path("token");
        let flags = [&Desk::FLAGS[..], &["--admin-token-file", &file, "--log", form, "--verbose"]];
        let mut door = stage.run(&flags.concat(), &stage.app(&["term=0"])).await;
        let desk = Desk::of(&door, &token).await;
        door.client().await.is_served().await;
        for (place, path, fields) in [
            ("a wrong token", "/health", "Authorization: Bearer CANARY\r\n"),
            ("another scheme", "/health", "Authorization: Basic CANARY\r\n"),
            ("a token in the query", "/health?token=CANARY", ""),
            ("a path of the admin address", "/CANARY", ""),
            ("a host of the admin address", "/health", "Host: CANARY.test\r\n"),
            ("an origin", "/health", "Origin: https://CANARY.test\r\n"),
            ("a cookie for the admin address", "/health", "Cookie: a=CANARY\r\n"),
            ("a length", "/health", "Content-Length: CANARY\r\n"),
            ("a field that is none", "/health", "CANARY\r\n"),
            ("an encoded control", "/%1b[2J%0d%0aCANARY", ""),
            ("a raw control", "/\u{1b}[2JCANARY", ""),
            ("a control in a field", "/health", "X: \u{1b}[2J\u{9b}CANARY\r\n"),
        ] {
            let canary = ledger.secret(place);
            let words = request(path, fields).replace("CANARY", &canary);
            ledger.came_out(&format!("the answer to {place}"), desk.ask(&words).await);
        }
        let in_query = request(&format!("/health?token={token}"), "");
        ledger.came_out("the answer to the token in the query", desk.ask(&in_query).await);
        desk.read(&ledger, "afterwards").await;
        door.signal(rustix::process::Signal::TERM).await;
        assert_eq!(door.exit().await, 0);
        desk.take_down(&ledger).await;
        ledger.came_out("the log", door.log().join("\n"));
        ledger.judge(&[]);
    }
}
