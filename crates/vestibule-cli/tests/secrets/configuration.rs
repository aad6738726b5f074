//! Settings: right ones that are shown, wrong ones that are told.
//!
//! The rule: a mistake shows the key. It shows the value where the key is ours and no secret's, without
//! what an address keeps secret and unless it names a secret itself; the value of a key, a flag or a
//! variable that we do not know is never shown, nor a table, nor the words of a command that are wrong.

use std::process::{Command, Output};

use crate::ledger::{Allowed, Ledger};

/// Command line, variables and file of one run.
struct Case {
    place: &'static str,
    line: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    file: Option<&'static str>,
}

const fn case(place: &'static str) -> Case {
    Case { place, line: &[], variables: &[], file: None }
}

/// What is right and shown, or wrong and told.
const CASES: [Case; 40] = [
    Case { line: &["--", "app", "--password=CANARY", "--api-key", "CANARY"], ..case("a command") },
    Case { line: &["--", "sh", "-c", "PGPASSWORD=x exec app --pass CANARY"], ..case("a script") },
    Case {
        line: &["--", "env", "DB=postgres://me:CANARY@db/x?k=CANARY", "app"],
        ..case("a command's url")
    },
    Case {
        line: &["--", "curl", "-H", "Authorization: Bearer CANARY"],
        ..case("a command's header")
    },
    Case { line: &["--ready", "http:/health?key=CANARY", "--", "app"], ..case("a query") },
    Case { line: &["--upstream", "http://me:CANARY@db:80"], ..case("an address with a user") },
    Case { line: &["--upstream", "me:CANARY@db:80x"], ..case("an address with a user alone") },
    Case { line: &["--upstream", "me:/CANARY@db"], ..case("a password with a slash") },
    Case {
        line: &["--hold", "host=db password=CANARY", "--", "app"],
        ..case("a string of a driver")
    },
    Case {
        line: &["--hold", "Authorization: Bearer CANARY", "--", "app"],
        ..case("a header as a value")
    },
    Case { line: &["--trust-proxy", "redis://:CANARY@r/0", "--", "app"], ..case("a network") },
    Case { line: &["--admin-tokn=CANARY", "--", "app"], ..case("an unknown flag with =") },
    Case { line: &["--admin-tokn", "CANARY", "--", "app"], ..case("an unknown flag and a word") },
    Case {
        line: &["--admin-token-file", "CANARY", "--", "app"],
        ..case("a token as its file's name")
    },
    Case { line: &["postgres://me:CANARY@db"], ..case("a url where no word belongs") },
    Case { line: &["app", "--password", "CANARY"], ..case("a command without --") },
    Case { variables: &[("VESTIBULE_HOLD", "redis://:CANARY@r")], ..case("a variable's url") },
    Case { variables: &[("VESTIBULE_ADMIN_TOKN", "CANARY")], ..case("an unknown variable") },
    Case { variables: &[("VESTIBULE_DB_PASSWORD", "CANARY")], ..case("another unknown variable") },
    Case {
        variables: &[("VESTIBULE_ADMIN_TOKEN", "CANARY with blanks")],
        ..case("an unfit token")
    },
    Case { variables: &[("VESTIBULE_ADMIN_TOKEN", "CANARY")], ..case("a token") },
    Case {
        variables: &[("VESTIBULE_ADMIN_TOKEN_FILE", "CANARY")],
        ..case("a token as its file's name, in a variable")
    },
    Case { variables: &[("PORT", "tcp://me:CANARY@h:1")], ..case("a PORT that is a url") },
    Case {
        variables: &[("ENVIRONMENT", "token CANARY")],
        ..case("an ENVIRONMENT that is no word")
    },
    Case { file: Some("admin_tokn = \"CANARY\""), ..case("an unknown key") },
    Case { file: Some("admin_token_file = 1\nadmin_token = \"CANARY\""), ..case("a secret's key") },
    Case { file: Some("[auth]\npassword = \"CANARY\""), ..case("an unknown table") },
    Case { file: Some("hold = { seconds = \"CANARY\" }"), ..case("a table as a value") },
    Case { file: Some("trust_proxy = [[{ a = \"CANARY\" }]]"), ..case("a table in a list") },
    Case { file: Some("command = \"app -p CANARY\""), ..case("a command as a text") },
    Case {
        file: Some("command = [\"app\", \"-p\", \"CANARY\", 5]"),
        ..case("a command with a number")
    },
    Case {
        file: Some("password: CANARY\nCANARY\n\"CANARY\" \"CANARY\"\nx = CANARY"),
        ..case("no TOML")
    },
    Case {
        file: Some("command = [\"app\", \"--token\", \"CANARY\"]\nhodl = 1"),
        ..case("a good command beside a mistake")
    },
    Case {
        line: &["--check", "db=postgres://me:CANARY@127.0.0.1:1/x", "--", "app"],
        ..case("a check's url")
    },
    Case { line: &["--check", "postgres://me:CANARY@db/x", "--", "app"], ..case("no check") },
    Case {
        variables: &[("DB_URL", "postgres://me:CANARY@127.0.0.1:1/x")],
        file: Some("[[check]]\nname = \"db\"\nurl = \"${DB_URL}\"\nattempts = 1"),
        ..case("a variable in a check")
    },
    Case {
        variables: &[("DB_URL", "CANARY"), ("WAIT", "CANARY")],
        file: Some("[[check]]\nname = \"db\"\nurl = \"${DB_URL}\"\ntimeout = \"${WAIT}\""),
        ..case("wrong variables in a check")
    },
    Case {
        file: Some(
            "[[check]]\nname = \"a\"\nurl = \"nats://h\"\npasword = \"CANARY\"\ntls = \"CANARY\"",
        ),
        ..case("a check's unknown keys")
    },
    Case {
        file: Some(
            "[[check]]\nname = \"a\"\nurl = \"http://h/\"\nheaders = \"Cookie: CANARY\"\nbody = 5\nstatus = [\"CANARY\"]",
        ),
        ..case("a check's wrong values")
    },
    Case {
        variables: &[("VESTIBULE_CHECK_DB_PASSWORD", "CANARY"), ("VESTIBULE_CHECK", "CANARY")],
        ..case("variables of no check")
    },
];

/// A value of ours that is wrong is shown: who reads it could not find it otherwise.
const SHOWN: Case =
    Case { line: &["--hold", "CANARY", "--", "app"], ..case("a value of a key of ours") };

const FILE: &str = "vestibule.toml";

/// Everything that reads settings and then ends.
const READERS: [&[&str]; 8] = [
    &["check-config", "run"],
    &["check-config", "run", "--json"],
    &["check-config", "serve"],
    &["check-config", "serve", "--json"],
    &["doctor", "run"],
    &["doctor", "run", "--json"],
    &["doctor", "serve"],
    &["doctor", "serve", "--json"],
];

/// The same of what would start something: a mistake of its own keeps it from that.
const STARTERS: [&[&str]; 2] = [&["run", "--drain", "never"], &["serve", "--drain", "never"]];

fn vestibule(reader: &[&str], case: &Case, fill: impl Fn(&str) -> String) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.current_dir(directory.path()).env_clear().args(reader);
    if let Some(text) = case.file {
        std::fs::write(directory.path().join(FILE), fill(text)).unwrap();
        command.args(["--config", FILE]);
    }
    command.args(case.line.iter().map(|word| fill(word)));
    command.envs(case.variables.iter().map(|(name, value)| (fill(name), fill(value))));
    command.output().unwrap()
}

fn came_out(ledger: &Ledger, name: &str, output: &Output) {
    ledger
        .came_out(&format!("stdout of {name}"), String::from_utf8(output.stdout.clone()).unwrap());
    ledger
        .came_out(&format!("stderr of {name}"), String::from_utf8(output.stderr.clone()).unwrap());
}

#[test]
fn a32_no_setting_and_no_mistake_shows_a_secret() {
    let ledger = Ledger::default();
    let mut told = 0;
    for case in CASES.iter().chain([&SHOWN]) {
        let secret = ledger.secret(case.place);
        for reader in READERS {
            let output = vestibule(reader, case, |text| text.replace("CANARY", &secret));
            told += usize::from(output.status.code() == Some(78));
            came_out(&ledger, &format!("{reader:?} with {}", case.place), &output);
        }
    }
    assert!(told > CASES.len(), "only {told} mistakes were told");
    let schema = vestibule(&["check-config", "--schema"], &case("the schema"), str::to_owned);
    came_out(&ledger, "the schema", &schema);
    ledger.judge(&[Allowed {
        place: SHOWN.place,
        output: "std",
        because: "a wrong value of a key that is no secret's could not be found otherwise",
    }]);
}

/// The same mistakes end `run` and `serve`; what would start a command is not run here.
#[test]
fn a32_what_ends_run_and_serve_shows_no_secret() {
    let ledger = Ledger::default();
    for case in &CASES {
        let secret = ledger.secret(case.place);
        let fill = |text: &str| text.replace("CANARY", &secret);
        for command in STARTERS {
            let output = vestibule(command, case, fill);
            assert_eq!(output.status.code(), Some(78), "{}: {output:?}", case.place);
            came_out(&ledger, &format!("{command:?} with {}", case.place), &output);
        }
    }
    ledger.judge(&[]);
}

/// A container whose entry point is `vestibule` and whose command is the service's: what was meant is shown
/// in its log.
#[test]
fn a32_a_command_that_is_no_command_of_ours_is_repeated_without_its_secrets() {
    let ledger = Ledger::default();
    for line in [
        &["uvicorn", "--password=CANARY"][..],
        &["gunicorn", "--api-token", "CANARY", "app:app"],
        &["DB=postgres://me:CANARY@db", "app"],
        &["sh", "-c", "PGPASSWORD=CANARY app"],
        &["completions", "https://me:CANARY@h"],
        &["man", "--token=CANARY"],
        &["demo", "--pasword", "--token=CANARY"],
    ] {
        let secret = ledger.secret(&format!("{line:?}"));
        let words = line.iter().map(|word| word.replace("CANARY", &secret));
        let output = Command::new(env!("CARGO_BIN_EXE_vestibule")).args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(78), "{line:?}: {output:?}");
        came_out(&ledger, &format!("{line:?}"), &output);
    }
    ledger.judge(&[]);
}

/// Controls in every place where a text may have them.
#[test]
fn a33_no_setting_and_no_mistake_acts_on_a_terminal() {
    let ledger = Ledger::default();
    ledger.secret("nothing: only controls are put in");
    let cases = [
        Case { line: &["--WICKED", "--", "app"], ..case("a flag") },
        Case { line: &["--hold", "WICKED", "--", "app"], ..case("a value") },
        Case { line: &["--log", "WICKED", "--", "app"], ..case("a choice") },
        Case { line: &["WICKED", "--", "app"], ..case("a word") },
        Case {
            line: &["--listen", "unix:/nowhere/WICKED", "--", "WICKED", "--a=WICKED"],
            ..case("a path")
        },
        Case { line: &["--upstream", "WICKED:80"], ..case("a host") },
        Case { line: &["--config", "WICKED", "--", "app"], ..case("a file's name") },
        Case { line: &["--admin-host", "WICKED", "--trust-proxy", "WICKED"], ..case("a list") },
        Case { variables: &[("VESTIBULE_WICKED", "x")], ..case("a variable's name") },
        Case { variables: &[("VESTIBULE_HOLD", "WICKED")], ..case("a variable") },
        Case {
            variables: &[("PORT", "WICKED"), ("ENVIRONMENT", "WICKED")],
            ..case("a platform's")
        },
        Case { line: &["--check", "WICKED=tcp://h:1", "--", "app"], ..case("a check's flag") },
        Case { variables: &[("VESTIBULE_CHECK_WICKED", "WICKED")], ..case("a check's variable") },
        Case {
            file: Some("[[check]]\nname = \"WICKED\"\nkind = \"WICKED\"\n\"WICKED\" = 1"),
            ..case("a check's table")
        },
        Case {
            file: Some(
                "[[check]]\nname = \"a\"\nurl = \"http://127.0.0.1:1/WICKED\"\nbody = \"WICKED\"",
            ),
            ..case("a check's values")
        },
        Case { file: Some("\"WICKED\" = 1\nhold = \"WICKED\""), ..case("a file") },
        Case {
            file: Some("command = [\"WICKED\"]\nlisten = \"unix:/WICKED\""),
            ..case("a good file")
        },
    ];
    let raw = "\u{1b}]0;\u{7}\u{9b}31m\u{202e}\u{2028}\u{2066}\u{61c}\r\u{7f}";
    let escaped = "\\u001b]0;\\u0007\\u009b31m\\u202e\\u2028\\u2066\\u061c\\r\\u007f";
    for case in &cases {
        let forms = if case.file.is_some() { vec![raw, escaped] } else { vec![raw] };
        for wicked in forms {
            for reader in READERS.iter().chain(&STARTERS) {
                let output = vestibule(reader, case, |text| text.replace("WICKED", wicked));
                came_out(&ledger, &format!("{reader:?} with {}", case.place), &output);
            }
        }
    }
    let listen = format!("unix:/nowhere/{raw}");
    let own = env!("CARGO_BIN_EXE_vestibule");
    let output =
        Command::new(own).args(["run", "--listen", &listen, "--", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(71), "{output:?}");
    ledger.came_out(
        "stderr of an address that can't be had",
        String::from_utf8(output.stderr).unwrap(),
    );
    ledger.judge(&[]);
}
