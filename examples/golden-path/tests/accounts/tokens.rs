//! Access tokens that say what is not so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::house::House;

/// A part of a token, as it is read.
pub(crate) fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a part");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

fn coded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// What a forger may have: a good token, the key that signed it (which no forger has), and the public one.
struct Forge {
    house: House,
    good: String,
    private: Vec<u8>,
    head: Value,
    said: Value,
}

impl Forge {
    async fn open() -> Self {
        let house = House::open(&[]).await;
        let good = house.sign_up("ann").await.access;
        let private = house.app.store.keys().await.unwrap().remove(0).private;
        let (head, said) = (part(&good, 0), part(&good, 1));
        Self { house, good, private, head, said }
    }

    /// A token with this head and these claims, signed by this key (PKCS #8).
    fn signed(head: &Value, said: &Value, key: &[u8]) -> String {
        let text = format!("{}.{}", coded(head), coded(said));
        let pair = Ed25519KeyPair::from_pkcs8(key).expect("a key");
        let signature = URL_SAFE_NO_PAD.encode(pair.sign(text.as_bytes()));
        format!("{text}.{signature}")
    }

    /// A token of ours but for this claim, or without it.
    fn but(&self, name: &str, value: Option<Value>) -> String {
        let mut said = self.said.clone();
        let claims = said.as_object_mut().expect("claims");
        match value {
            Some(value) => drop(claims.insert(name.into(), value)),
            None => drop(claims.remove(name)),
        }
        Self::signed(&self.head, &said, &self.private)
    }

    /// A token of ours but for this field of its head.
    fn headed(&self, name: &str, value: Value) -> String {
        let mut head = self.head.clone();
        head[name] = value;
        Self::signed(&head, &self.said, &self.private)
    }

    async fn status(&self, token: &str) -> u16 {
        let answer = self.house.get_as(token, "/api/me").await;
        if answer.status != 200 {
            answer.is_problem(401);
            let told = answer.field("www-authenticate").expect("a challenge");
            assert!(told.starts_with("Bearer ") && told.contains("invalid_token"), "{told}");
        }
        answer.status
    }
}

#[tokio::test]
async fn a_token_says_what_rfc_9068_wants() {
    let forge = Forge::open().await;
    assert_eq!(forge.head["alg"], "EdDSA");
    assert_eq!(forge.head["typ"], "at+jwt");
    let said = &forge.said;
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 15 * 60);
    for name in ["iss", "aud", "sub", "sid", "jti", "nbf"] {
        assert!(!said[name].is_null(), "{name}: {said}");
    }
    let again = Forge::signed(&forge.head, said, &forge.private);
    assert_eq!(
        forge.status(&again).await,
        200,
        "what the forge makes is good but for what it changes"
    );
    let listed = forge.house.ask("GET /.well-known/jwks.json", &[], "").await.json();
    let keys = listed["keys"].as_array().expect("keys");
    assert!(keys.iter().any(|key| key["kid"] == forge.head["kid"]), "{listed}");
    for key in keys {
        let names: Vec<&String> = key.as_object().expect("a key").keys().collect();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"], "no private part");
    }
}

/// Breaks if a token is believed for what it says of itself, or of us, or of the time.
#[tokio::test]
async fn a_token_that_says_what_is_not_so_is_refused() {
    let forge = Forge::open().await;
    let now = forge.said["iat"].as_i64().unwrap();
    let id = json!("00000000-0000-4000-8000-000000000000");
    let wrong = [
        ("aud", Some(json!("another"))),
        ("aud", Some(json!(["another", "third"]))),
        ("aud", None),
        ("iss", Some(json!("another"))),
        ("iss", Some(json!(["another"]))),
        ("iss", None),
        ("exp", Some(json!(now - 60))),
        ("exp", Some(json!(0))),
        ("exp", Some(json!(-1))),
        ("exp", Some(json!("tomorrow"))),
        ("exp", None),
        ("nbf", Some(json!(now + 120))),
        ("nbf", None),
        ("sub", None),
        ("sub", Some(json!("ann"))),
        ("sid", Some(id)),
        ("sid", None),
    ];
    for (name, value) in wrong {
        let token = forge.but(name, value.clone());
        assert_eq!(forge.status(&token).await, 401, "{name}: {value:?}");
    }
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", Value::Null),
        ("kid", json!("another")),
        ("kid", json!("' OR 1=1 --")),
        ("kid", json!("../../etc/passwd")),
        ("kid", Value::Null),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("ES256")),
    ] {
        let token = forge.headed(name, value.clone());
        assert_eq!(forge.status(&token).await, 401, "{name}: {value}");
    }
    assert_eq!(forge.status(&forge.good).await, 200);
}

/// Breaks if whoever lacks the private key can write a token.
#[tokio::test]
async fn a_token_that_we_have_not_signed_is_refused() {
    let forge = Forge::open().await;
    let (head, said, good) = (&forge.head, &forge.said, &forge.good);
    let parts: Vec<&str> = good.split('.').collect();
    let (text, signature) = (format!("{}.{}", parts[0], parts[1]), parts[2]);
    let pair = Ed25519KeyPair::from_pkcs8(&forge.private).expect("a key");
    let public = pair.public_key().as_ref();
    let kid = head["kid"].as_str().unwrap().to_owned();
    // The public key as if it were a secret that both sides have (RFC 8725 section 2.1), raw and as the list has it.
    let x = URL_SAFE_NO_PAD.encode(public);
    let shared = [public, x.as_bytes()].map(|secret| {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".into());
        header.kid = Some(kid.clone());
        encode(&header, said, &EncodingKey::from_secret(secret)).unwrap()
    });
    let own = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let own_x =
        URL_SAFE_NO_PAD.encode(Ed25519KeyPair::from_pkcs8(own.as_ref()).unwrap().public_key());
    let mut brings_its_key = head.clone();
    brings_its_key["jwk"] = json!({ "kty": "OKP", "crv": "Ed25519", "x": own_x });
    let none = json!({ "alg": "none", "typ": "at+jwt", "kid": kid });
    let mut later = said.clone();
    later["exp"] = json!(said["exp"].as_i64().unwrap() + 3600);
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let mut tokens = vec![
        Forge::signed(head, said, own.as_ref()),
        Forge::signed(&brings_its_key, said, own.as_ref()),
        format!("{}.{}.", coded(&none), parts[1]),
        format!("{}.{}.{signature}", coded(&none), parts[1]),
        format!("{}.{}.{signature}", parts[0], coded(&later)),
        format!("{text}."),
        text.clone(),
        format!("{text}.{first}{}", &signature[1..]),
        format!("{text}.{}", &signature[..signature.len() - 2]),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!("..{signature}"),
        "..".into(),
        "e30.e30.e30".into(),
    ];
    tokens.extend(shared);
    for token in tokens {
        assert_eq!(forge.status(&token).await, 401, "{token}");
    }
    assert_eq!(forge.status(good).await, 200);
}
