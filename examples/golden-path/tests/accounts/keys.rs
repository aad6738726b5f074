//! Keys that change while tokens live.

use std::time::Duration;

use golden_path::clock::now_ms;
use golden_path::store::{KeyRow, Store};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde_json::Value;
use tokio::time::{Instant, interval};

use crate::house::{House, PASSWORD};
use crate::tokens::part;

const HOUR: i64 = 3_600_000;

fn key(kid: &str, made_ms: i64) -> KeyRow {
    let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    KeyRow { kid: kid.into(), private: private.as_ref().to_vec(), made_ms }
}

/// A house whose database has these keys, however old.
async fn house(keys: &[KeyRow]) -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("house.db").display());
    let store = Store::open(&url).await.expect("a database");
    for key in keys {
        assert!(store.add_key(key, i64::MAX, i64::MIN).await.unwrap());
    }
    House::with(store, folder, &[]).await
}

async fn published(house: &House) -> Vec<String> {
    let list = house.ask("GET /.well-known/jwks.json", &[], "").await.json();
    let kid = |key: &Value| key["kid"].as_str().expect("a name").to_owned();
    list["keys"].as_array().expect("keys").iter().map(kid).collect()
}

fn kid(access: &str) -> String {
    part(access, 0)["kid"].as_str().expect("a name").to_owned()
}

/// Breaks if a new key signs before every instance and every cache can know it.
#[tokio::test]
async fn a_new_key_is_published_before_it_signs() {
    let house = house(&[key("old", now_ms() - 25 * HOUR)]).await;
    let ann = house.sign_up("ann").await;
    assert_eq!(kid(&ann.access), "old");
    let list = published(&house).await;
    assert_eq!(list.len(), 2, "{list:?}");
    assert_eq!(list[0], "old");
}

/// Breaks if a token ends with the turn of its key, or if a key that nothing needs stays for ever.
#[tokio::test]
async fn a_token_outlives_the_turn_of_its_key() {
    let now = now_ms();
    let keys = [
        key("over", now - 60 * HOUR),
        key("old", now - 30 * HOUR),
        key("last", now - 24 * HOUR - 120_000),
    ];
    let [_, old, _] = &keys;
    let house = house(&keys).await;
    let ann = house.sign_up("ann").await;
    assert_eq!(kid(&ann.access), "last");
    let list = published(&house).await;
    // The 24 h of the last are over, too: it signs until its follower is known. The others have signed nothing that
    // still counts.
    assert_eq!(list.len(), 2, "{list:?}");
    assert_eq!(list[0], "last");

    let house = self::house(&[old.clone(), key("new", now - 120_000)]).await;
    let ann = house.sign_up("ann").await;
    assert_eq!(kid(&ann.access), "new");
    let (head, said) = (part(&ann.access, 0), part(&ann.access, 1));
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.typ = head["typ"].as_str().map(str::to_owned);
    header.kid = Some("old".into());
    let by_old = jsonwebtoken::EncodingKey::from_ed_der(&old.private);
    let token = jsonwebtoken::encode(&header, &said, &by_old).expect("a token");
    assert_eq!(house.get_as(&token, "/api/me").await.status, 200);
}

/// Breaks if an instance refuses for long what another has signed with a key that is new to it.
#[tokio::test]
async fn a_key_that_another_instance_made_is_soon_known() {
    let house = house(&[key("first", now_ms() - HOUR)]).await;
    let ann = house.sign_up("ann").await;
    let other = key("other", now_ms());
    assert!(house.app.store.add_key(&other, i64::MAX, i64::MIN).await.unwrap());
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.typ = Some("at+jwt".into());
    header.kid = Some("other".into());
    let private = jsonwebtoken::EncodingKey::from_ed_der(&other.private);
    let token = jsonwebtoken::encode(&header, &part(&ann.access, 1), &private).expect("a token");
    let by = Instant::now() + Duration::from_secs(30);
    let mut again = interval(Duration::from_millis(100));
    loop {
        again.tick().await;
        let answer = house.get_as(&token, "/api/me").await;
        if answer.status == 200 {
            break;
        }
        answer.is_problem(401);
        assert!(Instant::now() < by, "the key was never read");
    }
}

/// Breaks if the keys change hands in another way than they do in the first days of a service, at any pace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_stay_good_while_keys_take_turns() {
    let told = [("KEY_FOR", "400ms"), ("NAME_ATTEMPTS", "10000"), ("ADDRESS_ATTEMPTS", "10000")];
    let house = House::open(&told).await;
    let mut tokens = vec![house.sign_up("ann").await.access];
    let mut seen = vec![kid(&tokens[0])];
    let by = Instant::now() + Duration::from_secs(30);
    while seen.len() < 4 {
        assert!(Instant::now() < by, "keys do not take turns: {seen:?}");
        let before = published(&house).await;
        let token = house.log_in("ann", PASSWORD).await.user().access;
        let kid = kid(&token);
        if seen.last() != Some(&kid) {
            assert!(!seen.contains(&kid), "an old key signs again");
            assert!(before.contains(&kid), "it signed before it was published");
            seen.push(kid);
            tokens.push(token);
        }
        for token in &tokens {
            assert_eq!(house.get_as(token, "/api/me").await.status, 200);
        }
    }
}
