//! Breaks what is read of a request beside the policy: clocks of clients, traces, probers, routes.

use std::time::Duration;

use crate::kit::{handshake, handshake_for, plain};

#[test]
fn a_held_handshake_is_small_and_prints_nothing() {
    assert!(size_of_val(&handshake(&[])) <= 80);
    let secret = handshake_for("/x?token=hunter2", &["Authorization: Bearer hunter2"]);
    let request = plain(&["GET /?token=hunter2 HTTP/1.1", "Host: a", "Cookie: hunter2"]);
    assert!(!format!("{secret:?}{request:?}").contains("hunter2"));
}

#[test]
fn equal_paths_share_a_route_whatever_the_query() {
    let route = |target: &str| handshake_for(target, &[]).route();
    assert_eq!(route("/chat?a"), route("/chat?b"));
    assert_ne!(route("/chat"), route("/news"));
}

#[test]
fn known_clients_have_known_clocks() {
    let rows = [
        (
            "/chat",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            Some(20),
        ),
        (
            "/chat",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
            Some(240),
        ),
        (
            "/chat",
            "Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome/141.0.0.0 Safari/537.36",
            Some(240),
        ),
        ("/chat", "Python/3.12 websockets/15.0", Some(10)),
        ("/chat", "Go-http-client/1.1", Some(45)),
        ("/chat", "curl/8.9", None),
        ("/chat", "Python/3.12 aiohttp/3.9", None),
        ("/chat", "NotFirefox", None),
        ("/socket.io/?EIO=4", "curl/8.9", Some(20)),
        ("/socket.io/?EIO=4", "Mozilla/5.0 Chrome/141.0.0.0 Safari/537.36", Some(20)),
        ("/socket.io/?EIO=4", "Python/3.12 websockets/15.0", Some(10)),
        ("/socket.iox", "curl/8.9", None),
    ];
    for (target, agent, seconds) in rows {
        let agent_field = format!("User-Agent: {agent}");
        let clock = handshake_for(target, &[&agent_field]).client_clock();
        assert_eq!(clock, seconds.map(Duration::from_secs), "{target} {agent}");
    }
}

#[test]
fn traces_are_read_strictly_from_either_field() {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let rows = [
        (format!("traceparent: 00-{id}-00f067aa0ba902b7-01"), Some(("00f067aa0ba902b7", true))),
        (format!("traceparent: 00-{id}-00f067aa0ba902b7-00"), Some(("00f067aa0ba902b7", false))),
        (
            format!("traceparent: 01-{id}-00f067aa0ba902b7-03-more"),
            Some(("00f067aa0ba902b7", true)),
        ),
        (format!("traceparent: 00-{id}-00f067aa0ba902b7-01-more"), None),
        (format!("traceparent: ff-{id}-00f067aa0ba902b7-01"), None),
        (format!("traceparent: 00-{}-00f067aa0ba902b7-01", id.to_uppercase()), None),
        (format!("traceparent: 00-{}-00f067aa0ba902b7-01", "0".repeat(32)), None),
        (format!("traceparent: 00-{id}-0000000000000000-01"), None),
        (format!("traceparent: 00-+{}-00f067aa0ba902b7-01", &id[1..]), None),
        (format!("X-Cloud-Trace-Context: {id}/255;o=1"), Some(("00000000000000ff", true))),
        (format!("X-Cloud-Trace-Context: {id}"), Some(("0000000000000000", false))),
        (format!("X-Cloud-Trace-Context: {id}/+5;o=1"), None),
        (format!("X-Cloud-Trace-Context: {id}/5;o=1\u{e4}"), None),
        ("X-Cloud-Trace-Context: x".to_owned(), None),
    ];
    for (field, expected) in rows {
        let expected = expected.map(|(span, sampled)| (format!("{id}-{span}"), sampled));
        let traces =
            [handshake(&[&field]).trace(), plain(&["GET / HTTP/1.1", "Host: a", &field]).trace()];
        for trace in traces {
            assert_eq!(trace.map(|trace| (trace.to_string(), trace.sampled)), expected, "{field}");
        }
    }
}

#[test]
fn probers_are_known_by_their_agent() {
    for (agent, known) in [
        ("kube-probe/1.31", true),
        ("GoogleHC/1.0", true),
        ("ELB-HealthChecker/2.0", true),
        ("Mozilla/5.0 kube-probe/1.31", false),
        ("", false),
    ] {
        let field = format!("User-Agent: {agent}");
        assert_eq!(plain(&["GET / HTTP/1.1", "Host: a", &field]).is_prober, known, "{agent}");
    }
}
