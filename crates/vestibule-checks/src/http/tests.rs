//! Breaks requests with every status, with redirects, and with what a declaration may hold.

use super::*;
use crate::options::Value;

fn words(words: &[&str]) -> Value {
    Value::Words(words.iter().map(|&word| word.to_owned()).collect())
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status: http::StatusCode::from_u16(status).unwrap(),
        location: None,
        retry_after: false,
        body: body.into(),
        cut: false,
        not_after: None,
    }
}

fn keys(options: &Options) -> Vec<&'static str> {
    Http::new(options).unwrap_err().iter().map(|flaw| flaw.key).collect()
}

#[test]
fn statuses_from_200_to_399_are_good_unless_others_are_named() {
    let usual = Http::new(&Options::url("http://db/")).unwrap();
    for (status, good) in [(199, false), (200, true), (399, true), (400, false), (500, false)] {
        assert_eq!(usual.judge(&answer(status, "")).is_ok(), good, "{status}");
    }
    let named = Options::url("http://db/").with("status", words(&["204", "401 - 403"]));
    let named = Http::new(&named).unwrap();
    for (status, good) in [(200, false), (204, true), (401, true), (403, true), (404, false)] {
        assert_eq!(named.judge(&answer(status, "")).is_ok(), good, "{status}");
    }
    for wrong in ["", "2xx", "99", "600", "300-200"] {
        let options = Options::url("http://db/").with("status", words(&[wrong]));
        assert_eq!(keys(&options), ["status"], "{wrong}");
    }
}

#[test]
fn who_says_how_long_to_stay_away_is_overloaded() {
    let usual = Http::new(&Options::url("http://db/")).unwrap();
    let reason = |answer: &Answer| usual.judge(answer).unwrap_err().reason();
    assert_eq!(reason(&answer(503, "")), Reason::Status);
    assert_eq!(reason(&Answer { retry_after: true, ..answer(503, "") }), Reason::Overloaded);
    assert_eq!(reason(&answer(429, "")), Reason::Overloaded);
}

#[test]
fn a_body_is_looked_at_where_it_was_read() {
    let options = Options::url("http://db/").with("body", Value::Text("ready".to_owned()));
    let check = Http::new(&options).unwrap();
    assert!(check.judge(&answer(200, "{\"state\":\"ready\"}")).is_ok());
    let trouble = check.judge(&Answer { cut: true, ..answer(200, "no") }).unwrap_err();
    assert_eq!(trouble.reason(), Reason::BodyMismatch);
    assert!(trouble.detail().contains("the first 64 KiB"), "{trouble}");
    assert_eq!(keys(&options.with("method", Value::Text("HEAD".to_owned()))), ["body"]);
}

#[test]
fn a_certificate_must_be_good_for_long_enough() {
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let week = Duration::from_secs(7 * 86_400);
    assert!(enough_left(Some(at(week.as_secs())), week, at(0)).is_ok());
    let soon = enough_left(Some(at(week.as_secs())), week, at(1)).unwrap_err();
    assert_eq!(soon.to_string(), "expires_soon: its certificate expires at 1970-01-08T00:00:00Z");
    let past = enough_left(Some(at(5)), week, at(9)).unwrap_err();
    assert_eq!(past.reason(), Reason::ExpiresSoon);
    assert_eq!(enough_left(None, week, at(0)).unwrap_err().reason(), Reason::TlsFailed);
}

#[test]
fn a32_nothing_secret_of_a_declaration_is_shown() {
    let options = Options::url("https://db:8443/health?token=canary")
        .with("headers", words(&["Authorization: Bearer canary"]));
    let check = Http::new(&options).unwrap();
    assert_eq!(check.target(), "https://db:8443/health");
    assert!(!format!("{check:?}").contains("canary"));
    let mistakes = Options::url("http://me:canary@db/")
        .with("headers", words(&["canary without a colon", "Host: canary"]))
        .with("method", Value::Text("canary".to_owned()));
    let flaws = Http::new(&mistakes).unwrap_err();
    assert_eq!(flaws.iter().map(|flaw| flaw.key).collect::<Vec<_>>(), ["url", "headers", "method"]);
    assert!(!format!("{flaws:?}").contains("canary"), "{flaws:?}");
}

#[test]
fn only_https_has_a_certificate() {
    let plain = Options::url("http://db/")
        .with("ca_file", Value::Text("/ca.pem".to_owned()))
        .with("expires_within", Value::Time(Duration::from_secs(1)));
    assert_eq!(keys(&plain), ["ca_file"]);
    for wrong in ["ftp://db/", "db", "http://", "https://[::1"] {
        assert_eq!(keys(&Options::url(wrong)), ["url"], "{wrong}");
    }
}

#[test]
fn a31_a_redirect_is_named_and_not_followed() {
    let sent = Answer { location: Some("https://elsewhere/".to_owned()), ..answer(302, "") };
    let usual = Http::new(&Options::url("http://db/")).unwrap();
    let saw = usual.judge(&sent).unwrap();
    assert_eq!(saw.as_str(), "302 Found, to https://elsewhere/, which is not followed");
    let strict = Options::url("http://db/").with("status", words(&["200"]));
    let trouble = Http::new(&strict).unwrap().judge(&sent).unwrap_err();
    assert_eq!(trouble.reason(), Reason::Status);
    assert!(trouble.detail().contains("https://elsewhere/"), "{trouble}");
}
