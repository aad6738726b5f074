//! Help, manual, completions, versions, and what is said to a slip: whoever asks for it gets it, even if
//! nobody reads on.
//!
//! Breaks it with the tools that read these pages, where the machine has them, and with lines that a hand
//! gets wrong.

use std::process::{Command, Output, Stdio};

use crate::door::Door;
use crate::stage::{Stage, words};

const OWN: &str = env!("CARGO_BIN_EXE_vestibule");
const COMMANDS: [&str; 9] =
    ["run", "serve", "check-config", "doctor", "wait", "race", "demo", "completions", "man"];

fn vestibule(line: &[&str]) -> Output {
    Command::new(OWN).args(line).stdin(Stdio::null()).output().unwrap()
}

fn page(line: &[&str]) -> String {
    let output = vestibule(line);
    assert!(output.status.success() && output.stderr.is_empty(), "{line:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Feeds a page to a tool; `None`, said aloud, where there is no such tool.
fn fed(tool: &[&str], page: &str) -> Option<Output> {
    use std::io::Write;
    let mut command = Command::new(tool[0]);
    command.args(&tool[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.env("LC_ALL", "C.UTF-8").env("MANPAGER", "cat").spawn() else {
        let said = format!("NOT MADE {}: it is not here\n", tool[0]);
        std::io::stdout().lock().write_all(said.as_bytes()).unwrap();
        return None;
    };
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap())
}

#[tokio::test]
async fn help_is_no_mistake() {
    let stage = Stage::new();
    let asked =
        COMMANDS.iter().flat_map(|name| [[*name, "--help"], [*name, "-h"], ["help", *name]]);
    let lines = asked.map(|line| words(&line)).chain([words(&["--help"]), words(&["--version"])]);
    for line in lines {
        let mut door = Door::start(&stage, &[], &line);
        assert_eq!(door.exit().await, 0, "{line:?}");
        assert!(door.stdout().await.contains("vestibule"), "{line:?}");
        assert!(door.log().is_empty(), "{:?}", door.log());
    }
}

#[tokio::test]
async fn f21_help_that_nobody_reads_is_no_failure() {
    let stage = Stage::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Door::command(&stage, &[], &words(&["--help"]));
    let mut door = Door::spawn(command.stdout(writer).stderr(Stdio::piped()), false);
    assert_eq!(door.exit().await, 0);
    assert!(door.log().is_empty(), "{:?}", door.log());
}

#[tokio::test]
async fn without_a_command_it_says_how_to_be_used() {
    let stage = Stage::new();
    let mut door = Door::start(&stage, &[], &[]);
    assert_eq!(door.exit().await, 78);
    door.logs("Usage: vestibule").await;
}

/// One message and what to do, whatever is wrong with the line.
#[test]
fn a_slip_is_78_with_a_message_and_a_hint() {
    for (line, wanted) in [
        (&["rnu", "--", "app"][..], "did you mean `vestibule run`?"),
        (&["uvicorn", "app:app"], "vestibule run -- uvicorn app:app"),
        (&["race", "python", "app.py"], "a command stands behind `--`"),
        (&["race", "--cleints", "5", "--", "app"], "did you mean `--clients`?"),
        (&["race", "--spread", "5", "--", "app"], "100ms"),
        (&["race"], "<CMD>"),
        (&["man", "rnu"], "one for each of run"),
        (&["completions", "csh"], "bash"),
        (&["demo", "extra"], "vestibule demo --help"),
    ] {
        let output = vestibule(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{line:?}: {said}");
        assert!(said.starts_with("error: ") && said.contains("\nhint: "), "{line:?}: {said}");
        assert!(said.contains(wanted), "{line:?}: {said}");
        assert!(said.lines().all(|line| line.starts_with("error: ") || line.starts_with("hint: ")));
        assert!(output.stdout.is_empty());
    }
}

/// Settings have many mistakes at once, and each says on its own line what to do.
#[test]
fn each_mistake_in_a_setting_says_what_to_do() {
    for (line, wanted) in [
        (
            &["run", "uvicorn", "app:app"][..],
            "a command stands behind `--`: vestibule run [FLAGS] -- CMD",
        ),
        (&["run", "--hodl", "5s", "--", "app"], "did you mean --hold?"),
        (&["run"], "Usage: vestibule run [FLAGS] -- CMD"),
        (&["serve"], "--upstream"),
    ] {
        let output = vestibule(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{line:?}: {said}");
        assert!(said.starts_with("error: ") && said.contains(wanted), "{line:?}: {said}");
    }
}

#[test]
fn the_version_is_one_line_and_its_long_form_the_same_each_time() {
    for flag in ["--version", "-V"] {
        assert_eq!(page(&[flag]), concat!("vestibule ", env!("CARGO_PKG_VERSION"), "\n"));
    }
    let long = page(&["--version", "--verbose"]);
    assert_eq!(long, page(&["-V", "-v"]));
    for fact in ["commit: ", "rustc: rustc 1.", "target: ", "profile: ", "features: "] {
        assert!(long.contains(&format!("\n{fact}")), "{long}");
    }
    let commit = long.lines().find_map(|line| line.strip_prefix("commit: ")).unwrap();
    assert!(commit == "unknown" || commit.bytes().all(|byte| byte.is_ascii_hexdigit()), "{commit}");
}

/// Colour for a terminal that has it, and for nobody else.
#[test]
fn nothing_is_coloured_for_a_pipe_a_dumb_terminal_or_with_no_color() {
    let small = ["race", "--clients", "3", "--spread", "50ms", "--", OWN, "demo-backend"];
    let backend = ["--port={port}", "--bind-after", "0", "--ready-after", "0"];
    let race = [&small[..], &backend[..]].concat();
    for line in [&["--help"][..], &["run", "-h"], &["rnu"], &race] {
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm-256color")] {
            let output = Command::new(OWN).args(line).env(name, value).output().unwrap();
            let all = [output.stdout, output.stderr].concat();
            assert!(!all.contains(&0x1b), "{line:?} with {name}={value}");
        }
        let forced = |name| {
            let mut command = Command::new(OWN);
            command.args(line).env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1").env(name, "1");
            command.output().unwrap().stdout.contains(&0x1b)
        };
        assert!(!forced("NO_COLOR") || line[0] != "race", "{line:?}");
        assert!(forced("CLICOLOR_FORCE") || line[0] == "rnu", "{line:?}");
    }
}

#[test]
fn completions_are_understood_by_their_shells() {
    for (shell, check) in [
        ("bash", &["bash", "-n"][..]),
        ("zsh", &["zsh", "-n"]),
        ("fish", &["fish", "--no-execute"]),
    ] {
        let script = page(&["completions", shell]);
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(!script.contains("demo-backend"), "{shell}");
        if let Some(output) = fed(check, &script) {
            assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
        }
    }
    assert!(page(&["completions", "powershell"]).contains("Register-ArgumentCompleter"));
    assert!(page(&["completions", "elvish"]).contains("vestibule"));
}

/// What bash offers when it is really asked.
#[test]
fn bash_completes_our_words() {
    let script = page(&["completions", "bash"]);
    let ask = "\nCOMP_WORDS=(vestibule se); COMP_CWORD=1; _vestibule vestibule se vestibule; \
               echo \"${COMPREPLY[@]}\"\n\
               COMP_WORDS=(vestibule run --ho); COMP_CWORD=2; _vestibule vestibule --ho run; \
               echo \"${COMPREPLY[@]}\"\n";
    if let Some(output) = fed(&["bash", "--norc"], &(script + ask)) {
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "serve\n--hold\n", "bash");
    }
}

#[test]
fn the_manual_is_understood_by_man() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("man1");
    assert_eq!(page(&["man", "--out", out.to_str().unwrap()]), "");
    for command in COMMANDS {
        let written = std::fs::read_to_string(out.join(format!("vestibule-{command}.1"))).unwrap();
        assert_eq!(written, page(&["man", command]));
        // groff warns on stderr about what it does not understand.
        if let Some(output) = fed(&["man", "--warnings", "-l", "-"], &written) {
            assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains("EXIT STATUS"), "{text}");
        }
        if let Some(output) = fed(&["mandoc", "-T", "lint", "-W", "error"], &written) {
            assert!(output.status.success(), "{command}: {output:?}");
        }
    }
    let own = std::fs::read_to_string(out.join("vestibule.1")).unwrap();
    assert_eq!(own, page(&["man"]));
    assert!(own.contains("vestibule\\-run(1)"), "{own}");
}

#[test]
fn a_manual_that_cannot_be_written_is_71_with_a_hint() {
    let output = vestibule(&["man", "--out", "/proc/nowhere"]);
    assert_eq!(output.status.code(), Some(71));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: cannot write to /proc/nowhere") && said.contains("\nhint: "));
}
