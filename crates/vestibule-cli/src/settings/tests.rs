//! What missing flags mean, and that all mistakes are told at once.

use std::collections::HashMap;
use std::time::Duration;

use super::*;
use crate::config::Sources;
use crate::config::flags::{Asked, read};

fn settle(flags: &[&str], environment: &[(&str, &str)]) -> Result<Door, Vec<Mistake>> {
    let words = ["vestibule", "serve", "--upstream", "81"].iter().chain(flags);
    let line: Vec<_> = words.map(Into::into).collect();
    let Some(Asked::Do(command, typed)) = read(&line) else { panic!("{line:?}") };
    let source: HashMap<String, String> =
        environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let sources = Sources::new(typed, &source, command);
    serve(sources.settle(), &source).map(|serve| serve.door)
}

/// Flags, variables, and the port that follows.
type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], u16);

#[test]
fn the_port_comes_from_flag_then_variable_then_default() {
    let rows: [Row<'_>; 3] = [
        (&["--listen", "1"], &[("PORT", "2")], 1),
        (&[], &[("PORT", "2")], 2),
        (&[], &[], PORT_DEFAULT),
    ];
    for (flags, environment, port) in rows {
        assert_eq!(settle(flags, environment).unwrap().listen, Listen::Everywhere(port));
    }
}

#[test]
fn cloud_run_is_patient_believes_its_platform_and_logs_json() {
    let on_cloud_run = settle(&[], &[("K_SERVICE", "chat"), ("K_REVISION", "chat-1")]).unwrap();
    assert_eq!(on_cloud_run.front.patience.startup, Duration::from_secs(240));
    assert_eq!(on_cloud_run.front.request_timeout, Some(Duration::from_secs(300)));
    assert!(matches!(on_cloud_run.front.trust, Trust::Platform));
    assert!(on_cloud_run.log.json);
    let at_home = settle(&[], &[]).unwrap();
    assert_eq!(at_home.front.patience.startup, Duration::from_secs(60));
    assert!(matches!(at_home.front.trust, Trust::Nobody));
    assert!(!at_home.log.json);
}

#[test]
fn a_clients_share_is_a_tenth_where_somebody_vouches_for_it_and_else_what_the_user_says() {
    let cloud_run = [("K_SERVICE", "chat"), ("K_REVISION", "chat-1")];
    let trusting = ["--trust-proxy", "10.0.0.0/8"];
    let few = ["--trust-proxy", "10.0.0.0/8", "--max-held", "20"];
    type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], usize);
    let rows: [Row<'_>; 6] = [
        (&[], &[], 0),
        (&[], &cloud_run, 1_000),
        (&trusting, &[], 1_000),
        (&few, &[], 8),
        (&["--max-held-per-client", "3"], &[], 3),
        (&["--max-held-per-client", "0"], &cloud_run, 0),
    ];
    for (flags, environment, wanted) in rows {
        let share = settle(flags, environment).unwrap().front.limits.held_per_client_max;
        assert_eq!(share.map_or(0, NonZeroUsize::get), wanted, "{flags:?} {environment:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let flags = [
        "--drain-code",
        "1006",
        "--drain",
        "1s",
        "--child-grace",
        "2s",
        "--hold",
        "0",
        "--head-fields-max",
        "1",
    ];
    let mistakes = settle(&flags, &[("PORT", "http")]).unwrap_err();
    let text = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for mistake in ["--drain-code 1006", "--child-grace", "--hold 0", "--head-fields-max", "PORT"] {
        assert!(text.contains(mistake), "{mistake} in {text}");
    }
}

/// Would break if a file that never ends filled the memory, or a pipe kept a reload waiting for its writer: it
/// would be the last one.
#[test]
fn a_token_file_that_is_no_regular_file_is_refused_unread() {
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    for path in ["/dev/zero", pipe.to_str().unwrap()] {
        let mistakes = settle(&["--admin-token-file", path], &[]).unwrap_err();
        let text = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains("no regular file"), "{text}");
    }
    let long = home.path().join("long");
    std::fs::write(&long, "a".repeat(5_000)).unwrap();
    let mistakes = settle(&["--admin-token-file", long.to_str().unwrap()], &[]).unwrap_err();
    assert!(mistakes[0].to_string().contains("larger than 4096 bytes"), "{}", mistakes[0]);
}
