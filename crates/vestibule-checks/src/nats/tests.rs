//! Breaks the declaration with addresses of every form, and the choice between several troubles.

use super::*;

fn target(url: &str) -> Result<String, Vec<&'static str>> {
    let made = Nats::new(&Options::url(url));
    made.map(|nats| nats.target()).map_err(|flaws| flaws.iter().map(|flaw| flaw.key).collect())
}

#[test]
fn addresses_are_read_in_every_form_that_nats_clients_take() {
    assert_eq!(target("nats://bus"), Ok("nats://bus:4222".to_owned()));
    assert_eq!(target("bus:4333"), Ok("nats://bus:4333".to_owned()));
    assert_eq!(
        target("nats://[::1]:1, user:pass@b:2 ,"),
        Ok("nats://[::1]:1, nats://b:2".to_owned())
    );
    let many = vec!["nats://bus"; 17].join(",");
    for wrong in
        ["", " , ", "ws://bus", "nats://", "nats://bus/x", "nats://bus?x", "nats://bus:x", &many]
    {
        assert_eq!(target(wrong), Err(vec!["url"]), "{wrong}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = |text: &str| crate::Value::Text(text.to_owned());
    let options = Options::url("").with("password", text("x")).with("stream", text("a.b"));
    let flaws = Nats::new(&options).unwrap_err();
    let keys: Vec<_> = flaws.iter().map(|flaw| flaw.key).collect();
    assert_eq!(keys, ["url", "password", "stream"]);
}

#[test]
fn what_a_server_said_outweighs_that_another_is_absent() {
    let trouble = |reason| Trouble::new(reason, "x");
    let both = vec![trouble(Reason::Refused), trouble(Reason::WrongCredentials)];
    assert_eq!(telling(both).reason(), Reason::WrongCredentials);
    assert_eq!(telling(vec![trouble(Reason::Refused)]), trouble(Reason::Refused));
}
