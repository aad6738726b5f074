//! Signals, as the first process of a namespace and not.
//!
//! Breaks them with children that end well, late, or only when killed, and with every signal that is theirs.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::door::Door;
use crate::stage::{AS_PID_1, Stage, can_be_pid_1, python, words};

/// Plain, and as PID 1 where that can be.
async fn both_ways() -> Vec<&'static [&'static str]> {
    if can_be_pid_1().await { vec![&[], AS_PID_1] } else { vec![&[]] }
}

#[tokio::test]
async fn f36_asked_to_leave_it_ends_with_the_childs_own_status() {
    for before in both_ways().await {
        for signal in [Signal::TERM, Signal::INT] {
            let stage = Stage::new();
            let mut door = stage.start(before, &[], &stage.app(&["term=7"]));
            stage.notes("bound").await;
            door.signal(signal).await;
            assert_eq!(door.exit().await, 7, "{before:?} {signal:?} {:#?}", door.log());
            stage.nothing_is_left("SIGTERM").await;
            // Ctrl-C is for us; the child is told by SIGTERM, and once.
            let told: Vec<_> =
                stage.noted().into_iter().filter(|(w, _)| w.starts_with("SIG")).collect();
            assert!(told.len() == 1 && told[0].0 == "SIGTERM", "{told:?}");
        }
    }
}

#[tokio::test]
async fn f38_a_child_that_ignores_sigterm_is_killed_at_the_end_of_its_grace() {
    for before in both_ways().await {
        let stage = Stage::new();
        let flags = ["--drain", "1s", "--child-grace", "400ms"];
        let mut door = stage.start(before, &flags, &stage.app(&["term=ignore"]));
        stage.notes("bound").await;
        door.signal(Signal::TERM).await;
        stage.notes("SIGTERM").await;
        let begun = Instant::now();
        assert_eq!(door.exit().await, 137, "{before:?}");
        assert!(begun.elapsed() > Duration::from_millis(300), "{:?}", begun.elapsed());
        door.logs("killing it").await;
        stage.nothing_is_left("SIGKILL").await;
    }
}

/// In each part of the drain: while tunnels are closed, and while the child has its grace.
#[tokio::test]
async fn f35_asked_twice_it_ends_at_once() {
    for before in both_ways().await {
        for with_tunnel in [false, true] {
            let stage = Stage::new();
            let flags = ["--drain", "50s", "--child-grace", "25s", "--lame-duck", "20s"];
            let flags = if with_tunnel { &flags[..] } else { &flags[..4] };
            let mut door = stage.start(before, flags, &stage.app(&["term=ignore"]));
            let mut client = door.client().await;
            client.is_served().await;
            if !with_tunnel {
                drop(client);
                door.logs("tunnel ended").await;
            }
            door.signal(Signal::TERM).await;
            door.logs(if with_tunnel { "draining" } else { "drained" }).await;
            let begun = Instant::now();
            door.signal(Signal::TERM).await;
            if with_tunnel {
                door.logs("drain").await;
                stage.notes("SIGTERM").await;
                door.signal(Signal::INT).await;
            }
            assert_eq!(door.exit().await, 137, "{before:?}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
            stage.nothing_is_left("a second SIGTERM").await;
        }
    }
}

#[tokio::test]
async fn f36_the_childs_own_signals_reach_it() {
    for before in both_ways().await {
        let stage = Stage::new();
        let mut door = stage.start(before, &[], &stage.app(&["term=0"]));
        // Before readiness and after.
        stage.notes("started").await;
        for (signal, name) in [
            (Signal::HUP, "SIGHUP"),
            (Signal::USR1, "SIGUSR1"),
            (Signal::USR2, "SIGUSR2"),
            (Signal::WINCH, "SIGWINCH"),
            (Signal::QUIT, "SIGQUIT"),
        ] {
            door.signal(signal).await;
            stage.notes(name).await;
        }
        door.client().await.is_served().await;
        door.signal(Signal::TERM).await;
        assert_eq!(door.exit().await, 0, "{before:?}");
    }
}

/// Whoever starts us may have blocked every signal: we hear SIGTERM and the child's end all the same.
#[tokio::test]
async fn a37_an_inherited_signal_mask_makes_nobody_deaf() {
    let block = "import os, signal, sys\n\
                 signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n\
                 os.execv(sys.argv[1], sys.argv[1:])";
    let python = python();
    for own_end in [false, true] {
        let stage = Stage::new();
        let mut line = words(&["run", "--listen", "127.0.0.1:0", "--"]);
        line.extend(stage.app(&["end", "term=7", "code=5"]));
        let mut command = Door::command(&stage, &[&python, "-c", block], &line);
        let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut door = Door::spawn(command, false);
        stage.notes("bound").await;
        if own_end {
            stage.touch("end");
        } else {
            door.signal(Signal::TERM).await;
        }
        assert_eq!(door.exit().await, if own_end { 5 } else { 7 }, "{:#?}", door.log());
    }
    let stage = Stage::new();
    let line = words(&["serve", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:9"]);
    let mut command = Door::command(&stage, &[&python, "-c", block], &line);
    let mut door = Door::spawn(command.stderr(Stdio::piped()), false);
    door.listening().await;
    door.signal(Signal::TERM).await;
    assert_eq!(door.exit().await, 0);
}
