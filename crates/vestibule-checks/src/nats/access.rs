//! Who we are to a NATS server.
//!
//! Owns the secrets, and the one line in which they leave. Must never be shown: it has no debug form, and a
//! server that repeats them is not repeated.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use vestibule::check::Trouble;

use super::credentials::Credentials;
use super::ops::Info;
use crate::options::{Flaw, Options};

/// Who we are.
pub(super) enum Access {
    Nobody,
    Token(String),
    User(String, String),
    /// A `.creds` file, read at each try, since such files are renewed.
    File(PathBuf),
}

impl Access {
    /// What was declared beside the URL.
    pub(super) fn declared(options: &Options) -> Result<Self, Flaw> {
        let (token, user) = (options.text("token"), options.text("user"));
        let (password, file) = (options.text("password"), options.text("credentials_file"));
        match (token, user, password, file) {
            (None, None, None, None) => Ok(Self::Nobody),
            (Some(token), None, None, None) => Ok(Self::Token(token.to_owned())),
            (None, Some(user), password, None) => {
                Ok(Self::User(user.to_owned(), password.unwrap_or_default().to_owned()))
            }
            (None, None, None, Some(file)) => Ok(Self::File(file.into())),
            (None, None, Some(_), None) => Err(Flaw::new("password", "it needs a user")),
            _ => {
                let message = "use one of token, user with password, and credentials_file";
                Err(Flaw::new("token", message))
            }
        }
    }

    /// The line that says who we are, in answer to this INFO; and the rest of what a client declares
    /// (docs.nats.io, "NATS Protocol", CONNECT).
    pub(super) async fn connect(&self, info: &Info, tls: bool) -> Result<String, Trouble> {
        let mut said = Map::new();
        let mut say = |name: &str, value: Value| said.insert(name.to_owned(), value);
        say("verbose", json!(false));
        say("pedantic", json!(false));
        say("tls_required", json!(tls));
        say("name", json!("vestibule"));
        say("lang", json!("rust"));
        say("version", json!(env!("CARGO_PKG_VERSION")));
        // Asks to be told of lame duck mode (ADR-5), and of requests that nobody answers.
        say("protocol", json!(1));
        say("headers", json!(info.headers));
        say("no_responders", json!(info.headers));
        say("echo", json!(false));
        match self {
            Self::Nobody => {}
            Self::Token(token) => {
                say("auth_token", json!(token));
            }
            Self::User(user, password) => {
                say("user", json!(user));
                say("pass", json!(password));
            }
            Self::File(file) => {
                let credentials = Credentials::read(file).await?;
                say("sig", json!(credentials.sign(&info.nonce)));
                say("jwt", json!(credentials.jwt));
            }
        }
        Ok(format!("CONNECT {}\r\nPING\r\n", Value::Object(said)))
    }

    /// The trouble without its words, if the server repeats a secret in them.
    pub(super) fn without_secrets(&self, trouble: Trouble) -> Trouble {
        let secrets: &[&str] = match self {
            Self::Nobody => &[],
            Self::Token(token) => &[token],
            Self::User(user, password) => &[user, password],
            // The file is read anew at each try; a JWT always begins so (RFC 7519: `{"` in base64).
            Self::File(_) => &["eyJ"],
        };
        let repeats = |secret: &&str| !secret.is_empty() && trouble.detail().contains(*secret);
        if secrets.iter().any(repeats) {
            return Trouble::new(
                trouble.reason(),
                "its words are not shown: they repeat who we are",
            );
        }
        trouble
    }
}
