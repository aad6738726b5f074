//! Breaks the service's idea of who the client is: removed fields, forged addresses, twins with underscores.

use std::net::IpAddr;

use proptest::prelude::*;
use vestibule_front::head::{
    forwarded::{Cidr, CidrError, Trust},
    policy::Request,
};

use crate::kit::{
    judge_as, judge_bytes, outbound_fields, peer, plain, plain_head, upgrade_head, values, verdict,
};

const GET: &str = "GET / HTTP/1.1";

#[test]
fn a11_connection_may_not_name_a_protected_field() {
    let rows = [
        ("Host", "connection_protected"),
        ("X-Forwarded-For", "connection_protected"),
        ("x-forwarded-for", "connection_protected"),
        ("X-FORWARDED-Whatever", "connection_protected"),
        ("close, x-real-ip", "connection_protected"),
        ("forwarded", "connection_protected"),
        ("Authorization", "connection_protected"),
        ("cookie", "connection_protected"),
        ("Content-Length", "connection_protected"),
        ("Transfer-Encoding", "connection_protected"),
        ("Sec-WebSocket-Key", "connection_protected"),
        ("sec-websocket-protocol", "connection_protected"),
        ("Sec-Fetch-Site", "connection_protected"),
        ("X-Forwarded", "connection_protected"),
        ("keep-alive, ORIGIN", "connection_protected"),
        ("content-type", "connection_protected"),
        ("Content-Encoding", "connection_protected"),
        ("Expect", "connection_protected"),
        ("close, foo bar", "connection_invalid"),
        ("\"close\"", "connection_invalid"),
        ("close;x", "connection_invalid"),
        ("\u{212a}eep-alive", "connection_invalid"),
    ];
    for (options, code) in rows {
        let field = format!("Connection: {options}");
        assert_eq!(verdict(&plain_head(&[GET, "Host: a", &field])), code, "{options}, plain");
        assert_eq!(verdict(&upgrade_head(&[GET, "Host: a", &field])), code, "{options}, upgrade");
    }
    let many = format!("Connection: {}", "a,".repeat(33));
    assert_eq!(verdict(&plain_head(&[GET, "Host: a", &many])), "connection_invalid");
}

#[test]
fn a11_fields_that_connection_names_go_no_further() {
    let lines =
        [GET, "Host: a", "X-Secret: 1", "x-kept: 2", "Connection: X-SECRET, close", "x-secret: 3"];
    let stripped = plain(&lines);
    assert!(!stripped.fields.contains_key("x-secret") && stripped.fields.contains_key("x-kept"));
    let Ok(Request::Handshake(stripped)) = judge_bytes(&upgrade_head(&lines)) else {
        panic!("not a handshake")
    };
    let sent = outbound_fields(stripped.outbound());
    assert!(values(&sent, "x-secret").is_empty() && values(&sent, "x-kept") == ["2"]);
}

/// Fields that a client might forge, as one list of lines.
const FORGED: [&str; 8] = [
    "X-Forwarded-For: 10.0.0.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.test",
    "X-Forwarded-Port: 443",
    "X-Forwarded-User: root",
    "Forwarded: for=10.0.0.1",
    "x-real-ip: 10.0.0.1",
    "X_Forwarded_For: 10.0.0.2",
];

/// What goes upstream, of a handshake and of a plain request: it must be the same.
fn sent_by(
    address: Option<IpAddr>,
    trust: &Trust,
    extra: &[&str],
) -> (Vec<(String, String)>, Option<IpAddr>) {
    let lines = [&[GET, "Host: a.test"][..], extra].concat();
    let Ok(Request::Handshake(held)) = judge_as(&upgrade_head(&lines), address, trust) else {
        panic!("not a handshake")
    };
    let Ok(Request::Plain(plain)) = judge_as(&plain_head(&lines), address, trust) else {
        panic!("not plain")
    };
    let is_forwarding =
        |name: &str| name.starts_with("x-forwarded") || ["forwarded", "x-real-ip"].contains(&name);
    let held_fields: Vec<_> = outbound_fields(held.outbound())
        .into_iter()
        .filter(|(name, _)| is_forwarding(name))
        .collect();
    for name in plain.fields.keys().filter(|name| is_forwarding(name.as_str())) {
        let plain_values: Vec<_> =
            plain.fields.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(plain_values, values(&held_fields, name.as_str()));
    }
    assert_eq!(held.client(), plain.client);
    (held_fields, held.client())
}

#[test]
fn a12_without_trust_every_forged_field_is_replaced() {
    let proxies = Trust::Proxies(vec!["10.0.0.0/8".parse().unwrap()]);
    for trust in [Trust::Nobody, proxies] {
        let (sent, client) = sent_by(peer(), &trust, &FORGED);
        assert_eq!(values(&sent, "x-forwarded-for"), ["203.0.113.9"]);
        assert_eq!(values(&sent, "x-forwarded-proto"), ["http"]);
        assert_eq!(values(&sent, "x-forwarded-host"), ["a.test"]);
        assert_eq!(sent.len(), 3, "{sent:?}");
        assert_eq!(client, peer());
    }
}

#[test]
fn a12_a_trusted_peer_is_believed_and_named() {
    let proxies = Trust::Proxies(vec!["203.0.113.0/24".parse().unwrap()]);
    let (sent, client) = sent_by(peer(), &proxies, &FORGED);
    assert_eq!(values(&sent, "x-forwarded-for"), ["10.0.0.1, 203.0.113.9"]);
    assert_eq!(values(&sent, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&sent, "x-forwarded-host"), ["evil.test"]);
    assert_eq!(values(&sent, "x-real-ip"), ["10.0.0.1"]);
    assert_eq!(client, "10.0.0.1".parse().ok());
}

/// What a platform writes itself is believed; what it only passes on from whoever asked is not.
#[test]
fn a12_a_platform_is_believed_about_scheme_and_chain_alone() {
    let (sent, client) = sent_by(peer(), &Trust::Platform, &FORGED);
    assert_eq!(values(&sent, "x-forwarded-for"), ["10.0.0.1, 203.0.113.9"]);
    assert_eq!(values(&sent, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&sent, "x-forwarded-host"), ["a.test"]);
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert_eq!(client, "10.0.0.1".parse().ok());
    // The nearest hop wrote last, on a line of its own or behind a comma.
    for (lines, scheme) in [
        (&["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"][..], "http"),
        (&["X-Forwarded-Proto: http, https"], "https"),
        (&["X-Forwarded-Proto: gopher"], "http"),
    ] {
        let (sent, _) = sent_by(peer(), &Trust::Platform, lines);
        assert_eq!(values(&sent, "x-forwarded-proto"), [scheme], "{lines:?}");
    }
}

#[test]
fn a12_a_name_that_could_be_spelt_as_another_and_httpoxy_go_no_further() {
    let twins = ["X_Forwarded_User", "X.Real.IP", "Sec_WebSocket_Key", "x!y", "Proxy", "proxy"];
    for twin in twins {
        let field = format!("{twin}: root");
        let sent = plain(&[GET, "Host: a", &field, "X-Kept: 1"]);
        assert!(!sent.fields.contains_key(twin) && sent.fields.contains_key("x-kept"), "{twin}");
        let Ok(Request::Handshake(sent)) = judge_bytes(&upgrade_head(&[GET, "Host: a", &field]))
        else {
            panic!("not a handshake")
        };
        assert!(!sent.outbound().windows(4).any(|window| window == b"root"), "{twin}");
    }
}

#[test]
fn a12_a_field_that_says_who_or_what_comes_once() {
    for name in ["Authorization", "authorization", "Origin", "Content-Type"] {
        let field = format!("{name}: a");
        let lines = [GET, "Host: a", &field, "X: y", &field.to_lowercase()];
        assert_eq!(verdict(&plain_head(&lines)), "field_repeated", "{name}, plain");
        assert_eq!(verdict(&upgrade_head(&lines)), "field_repeated", "{name}, upgrade");
    }
}

#[test]
fn a_trusted_peer_that_says_nothing_gets_the_defaults() {
    let (sent, client) = sent_by(peer(), &Trust::Platform, &[]);
    assert_eq!(values(&sent, "x-forwarded-for"), ["203.0.113.9"]);
    assert_eq!(
        (values(&sent, "x-forwarded-proto"), values(&sent, "x-forwarded-host")),
        (vec!["http"], vec!["a.test"])
    );
    assert_eq!(client, peer());
}

#[test]
fn chains_are_joined_and_the_nearest_untrusted_address_is_the_client() {
    let trust =
        Trust::Proxies(vec!["203.0.113.0/24".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
    let rows: [(&[&str], &str, &str); 5] = [
        (
            &["X-Forwarded-For: 1.1.1.1, 2.2.2.2", "x-forwarded-for: 10.0.0.7"],
            "1.1.1.1, 2.2.2.2, 10.0.0.7, 203.0.113.9",
            "2.2.2.2",
        ),
        (&["X-Forwarded-For: 2.2.2.2:5060"], "2.2.2.2:5060, 203.0.113.9", "2.2.2.2"),
        (&["X-Forwarded-For: [2001:db8::1]:80"], "[2001:db8::1]:80, 203.0.113.9", "2001:db8::1"),
        (
            &["X-Forwarded-For: 1.1.1.1, unknown, 10.0.0.7"],
            "1.1.1.1, unknown, 10.0.0.7, 203.0.113.9",
            "10.0.0.7",
        ),
        (&["X-Forwarded-For: 10.0.0.1, 10.0.0.2"], "10.0.0.1, 10.0.0.2, 203.0.113.9", "10.0.0.1"),
    ];
    for (lines, chain, nearest) in rows {
        let (sent, client) = sent_by(peer(), &trust, lines);
        assert_eq!(values(&sent, "x-forwarded-for"), [chain]);
        assert_eq!(client, nearest.parse().ok(), "{lines:?}");
    }
}

#[test]
fn a_unix_socket_has_no_address_and_is_in_no_range() {
    let everywhere = Trust::Proxies(vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
    let (sent, client) = sent_by(None, &everywhere, &FORGED);
    assert!(values(&sent, "x-forwarded-for").is_empty());
    assert_eq!((values(&sent, "x-forwarded-proto"), client), (vec!["http"], None));
}

#[test]
fn mapped_peers_are_ipv4() {
    let trust = Trust::Proxies(vec!["203.0.113.9".parse().unwrap()]);
    let mapped: IpAddr = "::ffff:203.0.113.9".parse().unwrap();
    assert!(trust.trusts(Some(mapped)));
    let (sent, client) = sent_by(Some(mapped), &Trust::Nobody, &[]);
    assert_eq!((values(&sent, "x-forwarded-for"), client), (vec!["203.0.113.9"], peer()));
}

#[test]
fn ranges_contain_what_they_say() {
    let rows = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ("::ffff:10.0.0.0/104", "10.1.1.1", true),
        ("::ffff:0:0/96", "10.1.1.1", true),
        ("::fffe:0:0/95", "10.1.1.1", false),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7/32", "192.0.2.8", false),
        ("0.0.0.0/0", "198.51.100.1", true),
        ("0.0.0.0/0", "::1", false),
        ("::/0", "10.0.0.1", false),
        ("2001:db8::/33", "2001:db8:7fff::", true),
        ("2001:db8::/33", "2001:db8:8000::", false),
        ("::1", "::1", true),
    ];
    for (range, address, inside) in rows {
        assert_eq!(
            range.parse::<Cidr>().unwrap().contains(address.parse().unwrap()),
            inside,
            "{range} {address}"
        );
    }
}

#[test]
fn texts_that_are_no_range_say_why() {
    let why = |text: &str| text.parse::<Cidr>().unwrap_err();
    assert_eq!(why("10.0.0"), CidrError::Address);
    assert_eq!(why(""), CidrError::Address);
    for (text, found, max) in [
        ("10.0.0.0/33", "33", 32),
        ("::/129", "129", 128),
        ("::/+1", "+1", 128),
        ("10.0.0.0/", "", 32),
    ] {
        assert_eq!(why(text), CidrError::Prefix { found: found.into(), max });
    }
    assert_eq!(
        why("10.0.0.1/8").to_string(),
        "`10.0.0.1/8` has bits set behind its prefix; `10.0.0.0/8` is the range around it"
    );
}

proptest! {
    #[test]
    fn a11_no_connection_list_removes_what_is_ours_or_keeps_what_it_names(
        options in proptest::collection::vec("(x-a|X-A|x-b|close|upgrade|Keep-Alive|te|x-forwarded-for|Host|[a-z-]{1,6})", 0..6),
        separator in "( ?, ?|,,|, \t)",
    ) {
        let field = format!("Connection: {}", options.join(&separator));
        let lines = [GET, "Host: a", "X-A: 1", "X-B: 2", "Cookie: c", &field];
        let named = |name: &str| options.iter().any(|option| option.eq_ignore_ascii_case(name));
        match judge_bytes(&upgrade_head(&lines)) {
            Err(error) => {
                prop_assert_eq!(error.code(), "connection_protected");
                prop_assert!(named("host") || named("x-forwarded-for") || named("cookie"));
            }
            Ok(Request::Plain(_)) => prop_assert!(false, "the upgrade was lost"),
            Ok(Request::Handshake(held)) => {
                let sent = outbound_fields(held.outbound());
                prop_assert_eq!(values(&sent, "x-a").is_empty(), named("x-a"));
                prop_assert_eq!(values(&sent, "x-b").is_empty(), named("x-b"));
                for ours in ["host", "connection", "upgrade", "x-forwarded-for", "x-forwarded-proto", "cookie", "sec-websocket-key"] {
                    prop_assert_eq!(values(&sent, ours).len(), 1, "{}", ours);
                }
            }
        }
    }
}
