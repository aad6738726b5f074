//! Breaks a command with ones that fail, hang, flood, fork, and are not there.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::options::Value;

fn command(words: &[&str]) -> Command {
    let words = words.iter().map(|&word| word.to_owned()).collect();
    let options = Options::default().with("command", Value::Words(words));
    Command::new(&options, Arc::new(Plainly)).unwrap()
}

async fn run(words: &[&str]) -> Result<Saw, Trouble> {
    command(words).try_once(&Stage::default()).await
}

/// Waits for what a script writes there.
async fn written(path: &Path) -> String {
    for _ in 0..500 {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("nothing was written to {}", path.display());
}

/// Waits for a process to be gone, or a zombie of somebody else.
async fn gone(pid: &str) {
    for _ in 0..500 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        match stat.rsplit(')').next().map(str::trim_start) {
            Some(state) if !state.is_empty() && !state.starts_with(['Z', 'X']) => {
                sleep(Duration::from_millis(10)).await;
            }
            _ => return,
        }
    }
    panic!("{pid} is still there");
}

#[tokio::test]
async fn status_0_passes_and_every_other_tells_its_first_words() {
    assert_eq!(run(&["true"]).await.unwrap().as_str(), "status 0");
    assert_eq!(run(&["echo", "accepting"]).await.unwrap().as_str(), "accepting");
    let failed = run(&["sh", "-c", "echo; echo no response >&2; exit 2"]).await.unwrap_err();
    assert_eq!(failed.to_string(), "command_failed: status 2: no response");
    let killed = run(&["sh", "-c", "kill -9 $$"]).await.unwrap_err();
    assert_eq!(killed.to_string(), "command_failed: ended by signal 9");
}

#[tokio::test]
async fn a33_its_words_can_steer_no_terminal() {
    let failed = run(&["printf", "%b", "\\033[2Jgone\\n"]).await.unwrap();
    assert_eq!(failed.as_str(), " [2Jgone");
}

#[tokio::test]
async fn what_cannot_be_started_is_told_from_what_fails() {
    for words in [&["vestibule-no-such-program"][..], &["/etc/passwd"]] {
        assert_eq!(run(words).await.unwrap_err().reason(), Reason::NotStarted, "{words:?}");
    }
    assert_eq!(not_started(&io::ErrorKind::WouldBlock.into()).reason(), Reason::OutOfResources);
}

#[tokio::test]
async fn arguments_meet_no_shell_and_are_not_shown() {
    let saw = run(&["echo", "$HOME;`id`"]).await.unwrap();
    assert_eq!(saw.as_str(), "$HOME;`id`");
    let check = command(&["/usr/bin/curl", "--user", "me:secret"]);
    assert_eq!(check.target(), "curl");
    assert!(!format!("{check:?}").contains("secret"));
}

#[tokio::test]
async fn a_try_that_is_cut_off_ends_the_whole_group() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pids");
    let script = format!("sleep 60 & echo $$ $! > {}; wait", path.display());
    let check = command(&["sh", "-c", &script]);
    let stage = Stage::default();
    let pids = tokio::select! {
        _ = check.try_once(&stage) => panic!("it ended"),
        pids = written(&path) => pids,
    };
    assert_eq!(stage.cut_off().reason(), Reason::TimedOut);
    for pid in pids.split(' ') {
        gone(pid).await;
    }
}

#[tokio::test]
async fn a_background_process_that_holds_the_output_is_not_waited_for_and_ends() {
    let began = Instant::now();
    let saw = run(&["sh", "-c", "sleep 60 & echo $!"]).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(30));
    gone(saw.as_str()).await;
}

#[tokio::test]
async fn a_flood_of_words_is_forgotten_and_does_not_stop_it() {
    let flood = "head -c 1000000 /dev/zero | tr '\\0' x; echo end >&2; exit 3";
    let failed = timeout(Duration::from_secs(30), run(&["sh", "-c", flood])).await.unwrap();
    assert_eq!(failed.unwrap_err().to_string(), "command_failed: status 3: end");
}

#[tokio::test]
async fn its_input_is_empty() {
    assert_eq!(run(&["sh", "-c", "cat; echo over"]).await.unwrap().as_str(), "over");
}

#[test]
fn an_empty_command_is_a_mistake() {
    let empty = Options::default().with("command", Value::Words(vec![String::new()]));
    for options in [Options::default(), empty] {
        assert_eq!(Command::new(&options, Arc::new(Plainly)).unwrap_err()[0].key, "command");
    }
}
