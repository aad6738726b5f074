//! A file that is wrong at a SIGHUP.
//!
//! Its mistakes go to the log, which others read than those who wrote the file.

use rustix::process::Signal;

use crate::ledger::Ledger;
use crate::stage::{Stage, eventually};

const FILES: [(&str, &str); 7] = [
    ("a misspelt key", "admin_tokn = \"CANARY\"\n"),
    ("a table", "[database]\npassword = \"CANARY\"\n"),
    ("a table as a value", "hold = { key = \"CANARY\" }\n"),
    ("a list with a table", "trust_proxy = [{ key = \"CANARY\" }]\n"),
    ("an address with a user", "upstream = \"postgres://me:CANARY/x@db/app?k=CANARY\"\n"),
    ("no TOML", "CANARY\n= CANARY\nhold = CANARY CANARY\n\"CANARY\n"),
    ("a control", "hold = \"\\u001b]0;\\u0007\\u009b\\u202e5s\"\n\"\\u001b[2J\" = \"CANARY\"\n"),
];

#[tokio::test]
async fn a32_a33_a_reload_that_is_refused_shows_no_secret() {
    for form in ["text", "json"] {
        let (stage, ledger) = (Stage::new(), Ledger::default());
        let file = stage.path("vestibule.toml");
        let good = "upstream = \"127.0.0.1:9\"\nadmin = \"off\"\n";
        std::fs::write(&file, good).unwrap();
        let mut door = stage.serve(&["--config", &file, "--log", form, "--verbose"]).await;
        for (place, text) in FILES {
            let refused =
                || door.log().iter().filter(|line| line.contains("configuration refused")).count();
            let before = refused();
            std::fs::write(&file, text.replace("CANARY", &ledger.secret(place))).unwrap();
            door.signal(Signal::HUP).await;
            eventually("it is refused", || refused() > before).await;
        }
        door.signal(Signal::TERM).await;
        assert_eq!(door.exit().await, 0);
        ledger.came_out("the log", door.log().join("\n"));
        ledger.judge(&[]);
    }
}
