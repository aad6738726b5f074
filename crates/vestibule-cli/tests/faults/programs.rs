//! Commands that are no programs, or not for this machine.
//!
//! Breaks it with files of every such kind: the log says which it is, the status is a shell's.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::machine;
use crate::stage::{Stage, words};

/// The kind of a file, its content and mode, the statuses it may end with, and the reason that is said.
type Row<'a> = (&'a str, &'a [u8], u32, &'a [i32], &'a str);

/// The start of a program for a machine that this one is not (elf(5)).
fn foreign() -> Vec<u8> {
    let other: u16 = if cfg!(target_arch = "aarch64") { 62 } else { 183 };
    // To a shell that takes it for a script, the rest is a comment.
    let mut file = b"\x7fELF\x02\x01\x01\n#".to_vec();
    file.resize(16, 0);
    file.extend([2, 0]);
    file.extend(other.to_le_bytes());
    file.resize(64, 0);
    file
}

#[tokio::test]
async fn a_command_that_cannot_run_is_named_with_the_reason() {
    let rows: [Row<'_>; 6] = [
        ("mode", b"#!/bin/sh\n", 0o644, &[126], "is it executable?"),
        ("interpreter", b"#!/no/such/interpreter\n", 0o755, &[126], "the interpreter or loader"),
        ("foreign", &foreign(), 0o755, &[2, 126, 127], "built for another machine"),
        // Nothing to do is done at once: as in a shell.
        ("empty", b"", 0o755, &[0], "exited with status 0"),
        ("directory", b"", 0, &[126], "it is a directory"),
        ("missing", b"", 0, &[127], "was not found"),
    ];
    for (kind, content, mode, statuses, reason) in rows {
        let stage = Stage::new();
        let path = stage.path(kind);
        match kind {
            "directory" => fs::create_dir(&path).unwrap(),
            "missing" => {}
            _ => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        let line = ["run", "--listen", "127.0.0.1:0", "--", &path];
        let mut door = machine::start(&stage, &words(&["env"]), &line, &[]);
        let status = door.exit().await;
        assert!(statuses.contains(&status), "{kind}: {status}: {:?}", door.log());
        door.logs(reason).await;
        stage.nothing_is_left(kind).await;
    }
}

/// The same, where a held client waits for it: it hears that there is no service, and nothing of files.
#[tokio::test]
async fn what_is_said_to_a_client_names_no_file() {
    let stage = Stage::new();
    let line = ["run", "--listen", "127.0.0.1:0", "--restart", "on-failure", "--"];
    let mut door = machine::start(&stage, &words(&["env"]), &line, &words(&["/etc/passwd"]));
    door.logs("the command could not be started").await;
    if let Ok(mut client) = crate::client::Client::connect(&door.listening().await).await
        && client.ask_for_a_websocket("").await.is_ok()
        && let Ok(answer) = client.try_answer().await
    {
        answer.is_refusal("failed");
        assert!(!answer.body.contains("passwd"), "{answer:?}");
    }
    assert_eq!(door.exit().await, 126);
}
