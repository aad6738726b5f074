//! Breaks the door's idea of where a request goes: hosts and targets that name two places.

use crate::kit::{handshake_for, plain, plain_head, upgrade_head, verdict};

#[test]
fn a13_ambiguous_hosts_and_targets_are_refused_with_and_without_an_upgrade() {
    let rows: &[(&str, &str, &[&str], &str)] = &[
        ("no Host", "/", &[], "host_missing"),
        ("two Hosts", "/", &["Host: a", "Host: b"], "host_repeated"),
        ("two equal Hosts", "/", &["Host: a", "host: a"], "host_repeated"),
        ("empty Host", "/", &["Host:"], "host_invalid"),
        ("list of hosts", "/", &["Host: a, b"], "host_invalid"),
        ("space in Host", "/", &["Host: a b"], "host_invalid"),
        ("path in Host", "/", &["Host: a/b"], "host_invalid"),
        ("userinfo in Host", "/", &["Host: u@a"], "host_invalid"),
        ("query in Host", "/", &["Host: a?b"], "host_invalid"),
        ("backslash in Host", "/", &["Host: a\\b"], "host_invalid"),
        ("percent in Host", "/", &["Host: a%2eb"], "host_invalid"),
        ("beyond ASCII in Host", "/", &["Host: \u{e4}.test"], "host_invalid"),
        ("Host with a word for a port", "/", &["Host: a:b"], "host_invalid"),
        ("Host with an empty port", "/", &["Host: a:"], "host_invalid"),
        ("Host with two ports", "/", &["Host: a:1:2"], "host_invalid"),
        ("Host with a port of 17 bits", "/", &["Host: a:65536"], "host_invalid"),
        ("Host with a signed port", "/", &["Host: a:+80"], "host_invalid"),
        ("Host that is only a port", "/", &["Host: :80"], "host_invalid"),
        ("Host with an empty label", "/", &["Host: A..B"], "host_invalid"),
        ("Host with an empty first label", "/", &["Host: .a"], "host_invalid"),
        ("Host that is the root", "/", &["Host: ."], "host_invalid"),
        ("Host with two last dots", "/", &["Host: a.."], "host_invalid"),
        ("Host with a tilde", "/", &["Host: ~a"], "host_invalid"),
        ("Host with a sub-delimiter", "/", &["Host: a!b"], "host_invalid"),
        ("Host of a short address", "/", &["Host: 127.1"], "host_invalid"),
        ("Host of a number", "/", &["Host: 2130706433"], "host_invalid"),
        ("Host of a hexadecimal number", "/", &["Host: 0x7f.0.0.0x1"], "host_invalid"),
        ("Host of an octal address", "/", &["Host: 0177.0.0.1"], "host_invalid"),
        ("Host of five numbers", "/", &["Host: 1.2.3.4.5"], "host_invalid"),
        ("Host of a large number", "/", &["Host: 1.2.3.256"], "host_invalid"),
        ("Host of an address in the root", "/", &["Host: 127.0.0.1."], "host_invalid"),
        ("Host with port 0", "/", &["Host: a:0"], "host_invalid"),
        ("Host with a padded port", "/", &["Host: a:00080"], "host_invalid"),
        ("future address in brackets", "/", &["Host: [v1.a]"], "host_invalid"),
        ("IPv4 in brackets", "/", &["Host: [127.0.0.1]"], "host_invalid"),
        ("empty brackets", "/", &["Host: []"], "host_invalid"),
        ("encoded zone in brackets", "/", &["Host: [fe80::1%25eth0]"], "host_invalid"),
        ("open bracket", "/", &["Host: [::1"], "host_invalid"),
        ("no address in brackets", "/", &["Host: [a]"], "host_invalid"),
        ("text behind brackets", "/", &["Host: [::1]a"], "host_invalid"),
        ("zone in brackets", "/", &["Host: [fe80::1%eth0]"], "host_invalid"),
        ("other authority", "http://b/", &["Host: a"], "authority_mismatch"),
        ("other port", "http://a:81/", &["Host: a"], "authority_mismatch"),
        ("metadata server", "ws://169.254.169.254/", &["Host: a"], "authority_mismatch"),
        ("userinfo", "http://u:p@a/", &["Host: a"], "target_invalid"),
        ("userinfo that hides a host", "http://a@b/", &["Host: a"], "target_invalid"),
        ("no authority", "http:///x", &["Host: a"], "target_invalid"),
        ("other scheme", "ftp://a/", &["Host: a"], "target_invalid"),
        ("file", "file:///etc/passwd", &["Host: a"], "target_invalid"),
        ("authority-form", "a:80", &["Host: a"], "target_invalid"),
        ("no slash", "chat", &["Host: a"], "target_invalid"),
        ("asterisk", "*", &["Host: a"], "target_invalid"),
        ("fragment", "/a#b", &["Host: a"], "target_invalid"),
        ("fragment that hides a path", "/public#/../admin", &["Host: a"], "target_invalid"),
        ("backslash in the path", "/a\\..\\admin", &["Host: a"], "target_invalid"),
        ("beyond ASCII", "/\u{e4}", &["Host: a"], "target_invalid"),
        ("angle bracket", "/<script>", &["Host: a"], "target_invalid"),
        ("query first", "?a", &["Host: a"], "target_invalid"),
    ];
    for (why, target, hosts, code) in rows {
        let line = format!("GET {target} HTTP/1.1");
        let lines = [&[line.as_str()][..], hosts].concat();
        assert_eq!(verdict(&plain_head(&lines)), *code, "{why}, plain");
        assert_eq!(verdict(&upgrade_head(&lines)), *code, "{why}, upgrade");
    }
}

#[test]
fn a13_names_and_labels_are_no_longer_than_dns_has_them() {
    let (label, longer) = ("a".repeat(63), "a".repeat(64));
    let name = |last: usize| [&*label, &*label, &*label, &label[..last]].join(".");
    let rows = [
        (label.clone(), "plain"),
        (longer, "host_invalid"),
        (name(61), "plain"),
        (format!("{}.", name(61)), "plain"),
        (name(62), "host_invalid"),
    ];
    for (host, code) in rows {
        assert_eq!(verdict(&plain_head(&["GET / HTTP/1.1", &format!("Host: {host}")])), code);
    }
}

#[test]
fn a18_a_method_is_no_longer_than_any_that_exists() {
    for (length, code) in [(32, "plain"), (33, "method_too_long"), (5000, "method_too_long")] {
        let line = format!("{} / HTTP/1.1", "M".repeat(length));
        assert_eq!(verdict(&plain_head(&[&line, "Host: a"])), code, "{length} bytes");
    }
    assert_eq!(vestibule_front::head::HeadError::MethodTooLong.status(), 501);
}

#[test]
fn a05_connect_and_trace_are_never_served() {
    for method in ["CONNECT", "TRACE", "connect", "Trace"] {
        for target in ["a:443", "/", "http://a/"] {
            let line = format!("{method} {target} HTTP/1.1");
            assert_eq!(verdict(&plain_head(&[&line, "Host: a"])), "method_not_served", "{line}");
            assert_eq!(verdict(&upgrade_head(&[&line, "Host: a"])), "method_not_served", "{line}");
        }
    }
}

#[test]
fn sound_targets_become_origin_form_in_both_kinds() {
    let rows = [
        ("/", "/", "/"),
        ("/chat?room=1&x=%20", "/chat?room=1&x=%20", "/chat"),
        ("/a%2Fb//c/../d", "/a%2Fb//c/../d", "/a%2Fb//c/../d"),
        ("/?q={}|^\\`", "/?q={}|^\\`", "/"),
        ("http://a.test", "/", "/"),
        ("WS://A.test/x", "/x", "/x"),
        ("https://a.test?q", "/?q", "/"),
        ("wss://a.test/x?y=/z", "/x?y=/z", "/x"),
        ("//b.test/x", "//b.test/x", "//b.test/x"),
    ];
    for (target, origin, path) in rows {
        let request = plain(&[&format!("GET {target} HTTP/1.1"), "Host: a.test"]);
        assert_eq!((request.target.as_str(), request.path()), (origin, path), "{target}");
        let handshake = handshake_for(target, &[]);
        let line = format!("GET {origin} HTTP/1.1\r\nHost: a.test\r\n");
        assert!(handshake.outbound().starts_with(line.as_bytes()), "{target}");
        assert_eq!(handshake.path(), path, "{target}");
    }
}

#[test]
fn options_may_ask_for_the_whole_server() {
    for target in ["*", "http://a.test"] {
        let request = plain(&[&format!("OPTIONS {target} HTTP/1.1"), "Host: a.test"]);
        assert_eq!(request.target.as_str(), "*", "{target}");
    }
}

#[test]
fn hosts_that_resolve_are_accepted() {
    for host in [
        "a",
        "a.test",
        "a.test.:8080",
        "127.0.0.1:1",
        "1.a",
        "0xa.test",
        "a:65535",
        "[::ffff:127.0.0.1]:80",
        "[::1]",
        "[2001:db8::1]:443",
        "my_host-1",
        "xn--bcher-kva.test",
    ] {
        let field = format!("Host: {host}");
        let request = plain(&["GET / HTTP/1.1", &field]);
        assert_eq!(request.fields["host"], host);
        assert_eq!(verdict(&upgrade_head(&["GET / HTTP/1.1", &field])), "handshake", "{host}");
    }
    assert!(plain(&["GET / HTTP/1.0"]).fields.get("host").is_none(), "HTTP/1.0 knew no Host");
}
