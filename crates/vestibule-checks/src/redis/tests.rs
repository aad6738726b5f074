//! Breaks the reading of addresses by what drivers accept, and looks for secrets in whatever is shown.

use super::*;

#[test]
fn places_are_read_as_drivers_write_them() {
    let table = [
        ("redis://cache", "cache:6379"),
        ("redis://cache:7000/0", "cache:7000"),
        ("REDIS://:p%2Fw@cache/3", "cache:6379/3"),
        ("valkey://user:p@cache", "cache:6379"),
        ("redis://:p@[2001:db8::7]:7000", "[2001:db8::7]:7000"),
        ("redis+unix:///run/redis.sock?db=2&pass=canary", "/run/redis.sock/2"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
    ];
    for (url, target) in table {
        let redis = Redis::new(&Options::url(url)).unwrap();
        assert_eq!(redis.target(), target, "{url}");
        assert!(!format!("{redis:?}").contains("canary"), "{url}");
    }
    let redis = Redis::new(&Options::url("redis://u%40x:p%2Fw%23@cache")).unwrap();
    assert_eq!((redis.login.username(), redis.login.password()), (Some("u@x"), Some("p/w#")));
}

#[test]
fn a32_no_mistake_repeats_a_secret_and_no_secret_becomes_a_place() {
    let table = [
        "canary",
        "http://canary:canary@cache",
        "redis://canary:canary/canary@cache",
        "redis://canary:12/canary@cache",
        "redis://:12/canary@cache",
        "redis://canary:12?canary@cache",
        "redis://canary:12#canary@cache",
        "redis://canary:canary@cache/canary",
        "redis://canary:canary@cache:canary",
        "redis://cache?protocol=canary",
        "redis+unix://canary",
    ];
    for url in table {
        let Err(flaws) = Redis::new(&Options::url(url)) else { panic!("{url} is accepted") };
        assert!(!format!("{flaws:?}").contains("canary"), "{url}: {flaws:?}");
    }
    let plain = Options::url("redis://cache").with("ca_file", crate::Value::Text("ca.pem".into()));
    assert_eq!(Redis::new(&plain).unwrap_err()[0].key, "ca_file");
}

#[test]
fn the_role_decides_about_writes() {
    let role = |word: &str| Value::Array(vec![Value::BulkString(word.as_bytes().to_vec())]);
    assert!(takes_writes(&role("master")).is_ok());
    for (answer, wanted) in [
        (role("slave"), Reason::ReadOnly),
        (role("sentinel"), Reason::Protocol),
        (Value::Okay, Reason::Protocol),
        (Value::Array(Vec::new()), Reason::Protocol),
    ] {
        assert_eq!(takes_writes(&answer).unwrap_err().reason(), wanted);
    }
}
