//! The child: its command line, its environment and its own words.
//!
//! What it prints is its own and goes past the door; what it says over `sd_notify`, and what the door says
//! of it, is looked at here.

use std::process::Stdio;

use rustix::process::Signal;

use crate::admin::Desk;
use crate::door::Door;
use crate::ledger::{Allowed, Ledger};
use crate::stage::{Stage, words};

const FORMS: [&str; 2] = ["text", "json"];

/// A door before a command that has secrets around it.
fn door(stage: &Stage, ledger: &Ledger, flags: &[&str], command: &[String]) -> Door {
    let mut line = words(&["run", "--listen", "127.0.0.1:0", "--verbose"]);
    line.extend(words(flags));
    line.push("--".into());
    line.extend_from_slice(command);
    line.push(format!("--password={}", ledger.secret("the command's --password")));
    let mut command = Door::command(stage, &[], &line);
    command.env("DATABASE_URL", format!("postgres://me:{}@db", ledger.secret("DATABASE_URL")));
    command.env("API_KEY", ledger.secret("API_KEY"));
    command.env(
        "ENVIRONMENT",
        format!("\u{1b}[2J{}", ledger.secret("an ENVIRONMENT that is no name")),
    );
    Door::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()), false)
}

async fn ended(ledger: &Ledger, mut door: Door) {
    door.exit().await;
    ledger.came_out("the log", door.log().join("\n"));
    ledger.came_out("stdout", door.stdout().await);
}

/// Its status is there to be read by people; nothing else of its messages is repeated.
#[tokio::test]
async fn a32_a33_of_a_childs_messages_only_its_status_is_logged_and_made_harmless() {
    for form in FORMS {
        let (stage, ledger) = (Stage::new(), Ledger::default());
        let status = ledger.secret("STATUS=");
        let other =
            ["X_TOKEN", "FDNAME", "ERRNO", "MAINPID", "BUSERROR", "EXTEND_TIMEOUT_USEC", "status"];
        let lines: Vec<_> = other
            .iter()
            .map(|name| format!("{name}=\u{1b}]0;{}\u{7}", ledger.secret(name)))
            .collect();
        let message = format!(
            "notify=READY=1\\n{}\\nSTATUS=\u{1b}]0;{status}\u{7}\u{9b}31m\u{202e}\r\u{2028}\\n",
            lines.join("\\n")
        );
        let flags = [&["--log", form, "--ready", "notify"][..], &Desk::FLAGS].concat();
        let door = door(&stage, &ledger, &flags, &stage.app(&[&message, "term=0"]));
        door.logs(&status).await;
        let desk = Desk::of(&door, "none").await;
        door.client().await.is_served().await;
        desk.read(&ledger, "while ready").await;
        door.signal(Signal::TERM).await;
        ended(&ledger, door).await;
        desk.take_down(&ledger).await;
        ledger.judge(&[Allowed {
            place: "STATUS=",
            output: "the log",
            because: "it is the service's word to its operator (sd_notify(3)), bounded and made harmless",
        }]);
    }
}

#[tokio::test]
async fn a32_a_child_that_is_never_ready_or_crashes_takes_its_secrets_with_it() {
    for form in FORMS {
        let (stage, ledger) = (Stage::new(), Ledger::default());
        let ready = format!("http:/health?key={}", ledger.secret("the query of --ready"));
        let budget = ["--startup-timeout", "500ms", "--log", form];
        let flags = [&["--ready", &ready][..], &budget, &Desk::FLAGS].concat();
        let never = door(&stage, &ledger, &flags, &stage.app(&["ready", "term=0"]));
        let desk = Desk::of(&never, "none").await;
        desk.read(&ledger, "while never ready").await;
        never.logs("not ready in time").await;
        ended(&ledger, never).await;
        desk.take_down(&ledger).await;
        ledger.judge(&[]);

        let ledger = Ledger::default();
        let flags = [&["--restart", "on-failure"][..], &budget, &["--admin", "off"]].concat();
        let script = format!("exit 3; : {}", ledger.secret("a shell's script"));
        let crashing = door(&stage, &ledger, &flags, &words(&["sh", "-c", &script]));
        crashing.logs("starting it again").await;
        ended(&ledger, crashing).await;
        ledger.judge(&[]);
    }
}

/// A variable in the program's place is not found, and told by its name alone.
#[tokio::test]
async fn a32_a33_a_command_that_cannot_be_started_is_told_without_its_secrets() {
    for form in FORMS {
        let stage = Stage::new();
        let file = stage.path("\u{1b}[2J\u{9b}\u{202e}app");
        std::fs::write(&file, "no program").unwrap();
        for program in
            ["PGPASSWORD=CANARY", "DB=postgres://me:CANARY@db", "\u{1b}]0;\u{7}\u{202e}app", &file]
        {
            let ledger = Ledger::default();
            let program = program.replace("CANARY", &ledger.secret("the program's place"));
            let flags = ["--log", form, "--admin", "off"];
            let door = door(&stage, &ledger, &flags, &words(&[&program, "serve"]));
            door.logs("could not be started").await;
            ended(&ledger, door).await;
            ledger.judge(&[]);
        }
    }
}
