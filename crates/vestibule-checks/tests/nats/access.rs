//! Who we are, and that nobody else learns it.

use vestibule::check::{Reason, Stage};
use vestibule_checks::{Kind, Options, build};

use crate::asked::{check, text};
use crate::nats_server::{Nats, PASSWORD, PASSWORD_IN_URL, TOKEN};
use crate::{declared, of};

#[tokio::test]
async fn nats_takes_the_right_token_and_names_a_wrong_one() {
    let server = Nats::start(&format!("authorization {{ token: \"{TOKEN}\" }}")).await;
    let port = server.port();
    assert_eq!(of(format!("nats://{TOKEN}@127.0.0.1:{port}")).passes().await, "NATS 2.9.10");
    declared(&Options::url(server.url()).with("token", text(TOKEN))).passes().await;
    for wrong in
        [Options::url(server.url()), Options::url(server.url()).with("token", text("wrong"))]
    {
        let (reason, text, tries) = declared(&wrong).fails().await;
        assert_eq!((reason, tries), (Reason::WrongCredentials, 1));
        assert_eq!(text, "Authorization Violation");
    }
}

#[tokio::test]
async fn nats_takes_the_right_password_and_names_a_wrong_one() {
    let users = format!("authorization {{ user: \"ada\", password: \"{PASSWORD}\" }}");
    let server = Nats::start(&users).await;
    let port = server.port();
    of(format!("nats://ada:{PASSWORD_IN_URL}@127.0.0.1:{port}")).passes().await;
    let options = Options::url(server.url()).with("user", text("ada"));
    declared(&options.clone().with("password", text(PASSWORD))).passes().await;
    let (reason, _, tries) = declared(&options.with("password", text("wrong"))).fails().await;
    assert_eq!((reason, tries), (Reason::WrongCredentials, 1));
}

#[tokio::test]
async fn nats_tells_what_a_user_may_not_do() {
    let users = "authorization { users: [ { user: ada, password: pw, \
                 permissions: { publish: { deny: \"$JS.API.>\" } } } ] }\n\
                 jetstream { store_dir: \"FOLDER/js\" }";
    let server = Nats::start(users).await;
    let options = Options::url(format!("nats://ada:pw@127.0.0.1:{}", server.port()));
    let (reason, text, tries) = declared(&options.with("stream", text("EVENTS"))).fails().await;
    assert_eq!((reason, tries), (Reason::NotPermitted, 1));
    assert!(text.contains("$JS.API.INFO"), "{text}");
}

#[tokio::test]
async fn a32_nothing_of_a_nats_check_shows_who_we_are() {
    let server = Nats::start("authorization { token: other }").await;
    let port = server.port();
    let url = format!("nats://canary-user:{PASSWORD_IN_URL}@127.0.0.1:{port}");
    let token = Options::url(server.url()).with("token", text(TOKEN));
    for options in [Options::url(url), token] {
        let check = check(Kind::Nats, &options);
        let trouble = check.try_once(&Stage::default()).await.unwrap_err();
        let shown = format!("{} {trouble} {trouble:?} {options:?}", check.target());
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(check.target(), format!("nats://127.0.0.1:{port}"));
    }
}

#[test]
fn a32_no_mistake_in_a_nats_check_shows_who_we_are() {
    let canary = |url: &str| Options::url(url).with("ca_file", text("/canary-token/ca.pem"));
    for options in [
        canary("http://canary:canary@h"),
        canary("nats://canary:canary@"),
        canary("nats://canary:canary@h:99999999"),
        canary("nats://canary:canary@h/canary?canary"),
        canary("canary canary"),
        canary(""),
        Options::url("nats://h").with("token", text("canary")).with("user", text("canary")),
        Options::url("nats://h").with("password", text("canary")),
        Options::url("nats://h").with("stream", text("canary\r\nPUB x 0")),
    ] {
        let flaws = build(Kind::Nats, &options).err().expect("a mistake");
        let url_or_access: Vec<_> = flaws.iter().filter(|flaw| flaw.key != "ca_file").collect();
        assert!(!url_or_access.is_empty());
        assert!(!format!("{url_or_access:?}").contains("canary"), "{url_or_access:?}");
    }
}
