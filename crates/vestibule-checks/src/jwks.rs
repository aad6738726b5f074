//! `jwks`: keys with which tokens can be verified.
//!
//! Owns what makes a key of a JSON Web Key Set (RFC 7517) usable: a known type with all its parameters, meant
//! for signatures. Must never count a key that no library could use, nor show one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

use crate::http::{Answer, Request, ask, wrong_status};
use crate::options::{Flaw, Key, Options, Wants};

/// The keys of this kind.
pub const KEYS: &[Key] = &[
    Key {
        name: "url",
        wants: Wants::Text,
        about: "the key set; without a path /.well-known/jwks.json",
    },
    Key { name: "ca_file", wants: Wants::Text, about: "PEM file of whom to trust; the system's" },
    Key { name: "min_keys", wants: Wants::Number, about: "as many usable keys, at least; 1" },
    Key {
        name: "kid",
        wants: Wants::Text,
        about: "the identifier of a key that must be among them",
    },
];

/// Where key sets usually are (OpenID Connect providers, RFC 8615 for the prefix).
const USUAL_PATH: &str = "/.well-known/jwks.json";

/// No RSA key is shorter (RFC 7518, section 3.3), in bits.
const RSA_MIN: usize = 2048;

/// Usable keys in a key set.
#[derive(Debug)]
pub struct Jwks {
    request: Request,
    min_keys: u64,
    kid: Option<String>,
}

impl Jwks {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let min_keys = options.number("min_keys").unwrap_or(1);
        let mut flaws = Vec::new();
        if min_keys == 0 {
            flaws.push(Flaw::new("min_keys", "use at least 1"));
        }
        let request = Request::new(options).map_err(|found| flaws.extend(found));
        let kid = options.text("kid").map(str::to_owned);
        match request {
            Ok(request) if flaws.is_empty() => {
                Ok(Self { request: request.or_path(USUAL_PATH), min_keys, kid })
            }
            _ => Err(flaws),
        }
    }

    fn judge(&self, answer: &Answer) -> Result<Saw, Trouble> {
        if !answer.status.is_success() {
            return Err(wrong_status(answer));
        }
        if answer.cut {
            return Err(Trouble::new(Reason::TooLarge, "a key set beyond 64 KiB"));
        }
        let other = |what: &str| Trouble::new(Reason::BodyMismatch, what);
        let Ok(set) = serde_json::from_slice::<Value>(&answer.body) else {
            return Err(other("the body is no JSON"));
        };
        let Some(keys) = set.get("keys").and_then(Value::as_array) else {
            return Err(other("no list of keys in the JSON"));
        };
        self.count(keys)
    }

    fn count(&self, keys: &[Value]) -> Result<Saw, Trouble> {
        let mut usable = Vec::new();
        let mut why = "the set is empty";
        let mut has_kid = false;
        for key in keys {
            match signs(key) {
                Ok(sort) => {
                    usable.push(sort);
                    has_kid |= self.kid.is_some() && key["kid"].as_str() == self.kid.as_deref();
                }
                Err(unusable) => why = unusable,
            }
        }
        let trouble = |detail: String| Err(Trouble::new(Reason::NoUsableKey, detail));
        if usable.is_empty() {
            return trouble(format!("{} keys, none of use: {why}", keys.len()));
        }
        if (usable.len() as u64) < self.min_keys {
            return trouble(format!("{} usable keys, {} are wanted", usable.len(), self.min_keys));
        }
        if self.kid.is_some() && !has_kid {
            return trouble(format!("{} usable keys, but not the one wanted", usable.len()));
        }
        usable.sort_unstable();
        usable.dedup();
        Ok(Saw::new(format!("{} keys, {}", keys.len(), usable.join(", "))))
    }
}

/// The sort of a key that verifies signatures, or why it does not (RFC 7518, section 6; RFC 8037).
fn signs(key: &Value) -> Result<&'static str, &'static str> {
    let length = |name: &str| {
        let text = key.get(name).and_then(Value::as_str)?;
        URL_SAFE_NO_PAD.decode(text).ok().map(|bytes| bytes.len())
    };
    if key.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err("it is not for signatures (use)");
    }
    if let Some(operations) = key.get("key_ops").and_then(Value::as_array)
        && !operations.iter().any(|operation| operation == "verify")
    {
        return Err("it is not to verify with (key_ops)");
    }
    let curve = key.get("crv").and_then(Value::as_str).unwrap_or_default();
    match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => match (length("n"), length("e")) {
            (Some(n), Some(1..)) if n * 8 >= RSA_MIN => Ok("RSA"),
            (Some(_), Some(1..)) => Err("an RSA key below 2048 bits"),
            _ => Err("an RSA key without n or e"),
        },
        Some("EC") => {
            let (sort, size) = match curve {
                "P-256" => ("EC P-256", 32),
                "secp256k1" => ("EC secp256k1", 32),
                "P-384" => ("EC P-384", 48),
                "P-521" => ("EC P-521", 66),
                _ => return Err("an EC key of an unknown curve"),
            };
            let whole = length("x") == Some(size) && length("y") == Some(size);
            if whole { Ok(sort) } else { Err("an EC key without x or y") }
        }
        Some("OKP") => {
            let (sort, size) = match curve {
                "Ed25519" => ("Ed25519", 32),
                "Ed448" => ("Ed448", 57),
                _ => return Err("an OKP key that signs nothing"),
            };
            if length("x") == Some(size) { Ok(sort) } else { Err("an OKP key without x") }
        }
        Some("oct") => Err("a secret that should not be published (oct)"),
        _ => Err("a key of an unknown type"),
    }
}

impl Check for Jwks {
    fn kind(&self) -> &'static str {
        "jwks"
    }

    fn target(&self) -> String {
        self.request.target()
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async move { self.judge(&ask(&self.request, true, stage).await?) })
    }
}

#[cfg(test)]
mod tests {
    //! Breaks key sets: empty, encrypted for, published secrets, halves of keys, too few, another than wanted.

    use serde_json::json;

    use super::*;
    use crate::options::Value as Given;

    fn text(bytes: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![7; bytes])
    }

    fn rsa() -> Value {
        json!({ "kty": "RSA", "n": text(256), "e": "AQAB", "kid": "a" })
    }

    fn jwks() -> Options {
        Options::url("http://auth")
    }

    fn judged(options: &Options, keys: &[Value]) -> Result<Saw, Trouble> {
        Jwks::new(options).unwrap().count(keys)
    }

    #[test]
    fn a_key_of_each_type_is_usable_and_half_of_one_is_not() {
        let good = [
            rsa(),
            json!({ "kty": "EC", "crv": "P-256", "x": text(32), "y": text(32), "use": "sig" }),
            json!({ "kty": "EC", "crv": "P-521", "x": text(66), "y": text(66) }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": text(32), "key_ops": ["verify"] }),
        ];
        for key in &good {
            assert!(signs(key).is_ok(), "{key}");
        }
        let bad = [
            json!({ "kty": "RSA", "n": text(256) }),
            json!({ "kty": "RSA", "n": text(128), "e": "AQAB" }),
            json!({ "kty": "RSA", "n": "not base64!", "e": "AQAB" }),
            json!({ "kty": "RSA", "n": text(256), "e": "AQAB", "use": "enc" }),
            json!({ "kty": "RSA", "n": text(256), "e": "AQAB", "key_ops": ["encrypt"] }),
            json!({ "kty": "EC", "crv": "P-256", "x": text(32) }),
            json!({ "kty": "EC", "crv": "P-257", "x": text(32), "y": text(32) }),
            json!({ "kty": "OKP", "crv": "X25519", "x": text(32) }),
            json!({ "kty": "oct", "k": text(32) }),
            json!({ "kty": 7 }),
            json!("RSA"),
        ];
        for key in &bad {
            let trouble = judged(&jwks(), std::slice::from_ref(key)).unwrap_err();
            assert_eq!(trouble.reason(), Reason::NoUsableKey, "{key}");
        }
        assert_eq!(
            judged(&jwks(), &good).unwrap().as_str(),
            "4 keys, EC P-256, EC P-521, Ed25519, RSA"
        );
    }

    #[test]
    fn too_few_and_another_than_wanted_are_told() {
        let few = jwks().with("min_keys", Given::Number(2));
        assert!(judged(&few, &[rsa()]).unwrap_err().detail().contains("2 are wanted"));
        let other = jwks().with("kid", Given::Text("b".to_owned()));
        assert!(judged(&other, &[rsa()]).unwrap_err().detail().contains("not the one wanted"));
        let this = jwks().with("kid", Given::Text("a".to_owned()));
        assert!(judged(&this, &[rsa()]).is_ok());
        assert!(judged(&jwks(), &[]).unwrap_err().detail().contains("empty"));
        assert!(Jwks::new(&jwks().with("min_keys", Given::Number(0))).is_err());
    }

    #[test]
    fn a_set_without_a_path_is_where_they_usually_are() {
        assert_eq!(Jwks::new(&jwks()).unwrap().target(), "http://auth/.well-known/jwks.json");
        let named = Options::url("http://auth/keys?token=x");
        assert_eq!(Jwks::new(&named).unwrap().target(), "http://auth/keys");
    }
}
