//! `dns`: a name has addresses.
//!
//! Owns asking the system's resolver, as the service does. Must never dial what it finds.

use std::net::{IpAddr, SocketAddr};

use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

use crate::options::{Flaw, Key, Options, Wants};
use crate::socket::addresses;

/// The keys of this kind.
pub const KEYS: &[Key] = &[
    Key { name: "host", wants: Wants::Text, about: "the name" },
    Key { name: "url", wants: Wants::Text, about: "dns://NAME, in place of host" },
    Key { name: "expect", wants: Wants::Words, about: "addresses that must be among the name's" },
];

/// A name that has addresses.
#[derive(Debug)]
pub struct Dns {
    host: String,
    expect: Vec<IpAddr>,
}

impl Dns {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let host = match (options.text("host"), options.text("url")) {
            (Some(_), Some(_)) => Err(Flaw::new("host", "use host or url, not both")),
            (Some(host), None) if is_name(host) => Ok(host.to_owned()),
            (Some(_), None) => Err(Flaw::new("host", "use a name alone")),
            (None, Some(url)) => {
                let name = url.strip_prefix("dns://").map(|rest| rest.trim_end_matches('/'));
                let name = name.filter(|name| is_name(name)).map(str::to_owned);
                name.ok_or_else(|| Flaw::new("url", "use dns://NAME"))
            }
            (None, None) => Err(Flaw::new("host", "which name?")),
        };
        let host = host.map_err(|flaw| flaws.push(flaw));
        let expect = options.words("expect").iter().map(|word| word.parse());
        let expect: Result<Vec<IpAddr>, _> = expect.collect();
        let expect = expect.map_err(|_| flaws.push(Flaw::new("expect", "use addresses")));
        match (host, expect) {
            (Ok(host), Ok(expect)) => Ok(Self { host, expect }),
            _ => Err(flaws),
        }
    }

    fn judge(&self, found: &[SocketAddr]) -> Result<Saw, Trouble> {
        let found: Vec<_> = found.iter().map(|address| address.ip().to_string()).collect();
        let missing = self.expect.iter().find(|wanted| !found.contains(&wanted.to_string()));
        match missing {
            Some(wanted) => {
                let detail = format!("{wanted} is not among {}", found.join(", "));
                Err(Trouble::new(Reason::BodyMismatch, detail))
            }
            None => Ok(Saw::new(found.join(", "))),
        }
    }
}

/// Whether it can be a name: the resolver says whether it is one.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    !text.is_empty() && text.len() <= 253 && text.chars().all(fits)
}

impl Check for Dns {
    fn kind(&self) -> &'static str {
        "dns"
    }

    fn target(&self) -> String {
        self.host.clone()
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        Box::pin(async move { self.judge(&addresses(&self.host, 0, stage).await?) })
    }
}

#[cfg(test)]
mod tests {
    //! Breaks a name's check with names that are none, and addresses that are others.

    use super::*;
    use crate::options::Value;

    fn dns(url: &str, expect: &[&str]) -> Result<Dns, Vec<Flaw>> {
        let expect = expect.iter().map(|&word| word.to_owned()).collect();
        Dns::new(&Options::url(url).with("expect", Value::Words(expect)))
    }

    #[tokio::test]
    async fn localhost_has_its_address_and_no_other() {
        let stage = Stage::default();
        let saw = dns("dns://localhost", &["127.0.0.1"]).unwrap().try_once(&stage).await.unwrap();
        assert!(saw.as_str().contains("127.0.0.1"), "{saw:?}");
        let other = dns("dns://localhost", &["192.0.2.9"]).unwrap().try_once(&stage).await;
        assert_eq!(other.unwrap_err().reason(), Reason::BodyMismatch);
    }

    #[tokio::test]
    async fn f26_a_name_under_invalid_does_not_exist_or_nobody_can_be_asked() {
        // RFC 6761, section 6.4: it never exists. Without a network the resolver fails instead.
        let check = dns("dns://nowhere.invalid", &[]).unwrap();
        let trouble = check.try_once(&Stage::default()).await.unwrap_err();
        assert!(matches!(trouble.reason(), Reason::NameNotFound | Reason::DnsFailed), "{trouble}");
        assert!(trouble.detail().starts_with("nowhere.invalid: "), "{trouble}");
    }

    #[test]
    fn mistakes_are_told_together() {
        let flaws = dns("dns://a name", &["localhost"]).unwrap_err();
        assert_eq!(flaws.iter().map(|flaw| flaw.key).collect::<Vec<_>>(), ["url", "expect"]);
        assert!(Dns::new(&Options::default()).is_err());
    }
}
