//! Help: whoever asks for it gets it, even if nobody reads on.

use std::process::Stdio;

use crate::door::Door;
use crate::stage::{Stage, words};

#[tokio::test]
async fn help_is_no_mistake() {
    let stage = Stage::new();
    for line in [
        &["--help"][..],
        &["--version"],
        &["run", "--help"],
        &["serve", "--help"],
        &["race", "--help"],
        &["demo", "--help"],
    ] {
        let mut door = Door::start(&stage, &[], &words(line));
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
    for line in [&[][..], &["run"], &["serve"]] {
        let mut door = Door::start(&stage, &[], &words(line));
        assert_eq!(door.exit().await, 78, "{line:?}");
        door.logs("Usage: vestibule").await;
    }
}
