//! Who we are, and that nobody else learns it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
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

/// What an operator, an account or a user says of another, signed by nkeys and not by us.
fn signed(by: &KeyPair, of: &KeyPair, nats: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let (issuer, subject) = (by.public_key(), of.public_key());
    let claims = format!(
        "{{\"jti\":\"x\",\"iat\":1,\"iss\":\"{issuer}\",\"sub\":\"{subject}\",\"name\":\"x\",\"nats\":{nats}}}"
    );
    let head = part("{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}");
    let body = format!("{head}.{}", part(&claims));
    let signature = by.sign(body.as_bytes()).unwrap();
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn credentials(jwt: &str, key: &KeyPair) -> String {
    let seed = key.seed().unwrap();
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
}

#[tokio::test]
async fn nats_takes_a_credentials_file_and_names_a_wrong_or_missing_one() {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let (user, stranger) = (KeyPair::new_user(), KeyPair::new_user());
    let of_operator = signed(&operator, &operator, "{\"type\":\"operator\",\"version\":2}");
    let limits = "{\"subs\":-1,\"data\":-1,\"payload\":-1,\"imports\":-1,\"exports\":-1,\
                  \"wildcards\":true,\"conn\":-1,\"leaf\":-1}";
    let nats = format!("{{\"type\":\"account\",\"version\":2,\"limits\":{limits}}}");
    let of_account = signed(&operator, &account, &nats);
    let nats = "{\"type\":\"user\",\"version\":2,\"subs\":-1,\"data\":-1,\"payload\":-1}";
    let of_user = signed(&account, &user, nats);
    let public = account.public_key();
    let server = Nats::start(&format!(
        "operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{ {public}: {of_account} }}"
    ))
    .await;
    let file = server.file("user.creds", &credentials(&of_user, &user));
    let path = file.display().to_string();
    let asked = declared(&Options::url(server.url()).with("credentials_file", text(path)));
    assert_eq!(asked.passes().await, "NATS 2.9.10");

    server.file("user.creds", &credentials(&of_user, &stranger));
    let (reason, words, tries) = asked.fails().await;
    assert_eq!((reason, tries), (Reason::WrongCredentials, 1), "{words}");
    assert!(!words.contains(&stranger.seed().unwrap()) && !words.contains(&of_user), "{words}");

    std::fs::remove_file(file).unwrap();
    assert_eq!(asked.fails().await.0, Reason::NoFile);
    server.file("user.creds", &credentials(&of_user, &user));
    assert_eq!(asked.passes().await, "NATS 2.9.10");
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
