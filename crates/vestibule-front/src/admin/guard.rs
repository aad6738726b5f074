//! Who may ask, and for what.
//!
//! Owns the one place that every request to the admin address goes through, before any route. Must
//! never look at a socket, and never say why in more than a constant.
//!
//! A page from elsewhere can make a browser on this machine send requests to a loopback port, and by
//! DNS rebinding read the answers. So the Host must be a name that nobody else can point at us, the
//! Origin, if there is one, must be that same Host. A page that only sends, without being able to read, names no
//! Origin; a browser then says by itself where it comes from. What changes something is POST and always needs a
//! token in a field, also on loopback: no page can set that field without asking first, and we never say yes.

use std::fmt;
use std::hint::black_box;
use std::io;
use std::net::IpAddr;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderName, ORIGIN, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Uri};
use rustix::rand::{GetRandomFlags, getrandom};

use super::route::Route;

/// Shortest token: 16 random characters of 64 are out of reach for guessing over a network.
pub const TOKEN_MIN: usize = 16;

/// Where a browser says from which side a request comes (Fetch Metadata, section 2.4).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where the token may stand, and what a child must not inherit.
pub const TOKEN_VARIABLE: &str = "VESTIBULE_ADMIN_TOKEN";

/// What must be shown to be admitted. Never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Box<str>);

/// A text that can't be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has {TOKEN_MIN} or more printable characters, and no spaces")]
pub struct TokenSyntax;

/// What every request is held against.
#[derive(Clone, Debug)]
pub struct Guard {
    names: Vec<String>,
    addresses: Addresses,
    token: Option<Token>,
    /// The service's own, good for its reports and for nothing else.
    startup: Option<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Addresses {
    /// This one, beside loopback.
    Bound(Option<IpAddr>),
    /// Whichever the client used: we listen on all. A rebinding attack needs a name.
    Any,
}

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// Neither GET nor HEAD, where nothing else is served.
    Method,
    /// Not POST, where nothing else is served.
    NotPost,
    /// No Host, several, or one that is not ours.
    Host,
    /// It comes from a page of another origin.
    Origin,
    /// It announces a body where there is none, or too large a one.
    Body,
    /// It lacks the token.
    Token,
    /// There is no such path.
    NoRoute,
}

impl Token {
    /// Takes a text as token, without the white space around it, as files end with a newline.
    ///
    /// # Errors
    /// It is too short to be one, or holds what a field can't.
    pub fn new(text: &str) -> Result<Self, TokenSyntax> {
        let text = text.trim();
        let good = text.len() >= TOKEN_MIN && text.bytes().all(|byte| byte.is_ascii_graphic());
        if good { Ok(Self(text.into())) } else { Err(TokenSyntax) }
    }

    /// A token that nobody can guess.
    ///
    /// # Errors
    /// The system has no random bytes for us.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; 32];
        // As few as these come whole or not at all (getrandom(2)).
        getrandom(&mut bytes, GetRandomFlags::empty())?;
        Ok(Self::of_random(bytes))
    }

    /// Six bits of each byte.
    fn of_random(bytes: [u8; 32]) -> Self {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let letters = bytes.map(|byte| char::from(LETTERS[usize::from(byte % 64)]));
        Self(letters.iter().collect::<String>().into())
    }

    /// The token itself, for whoever is to show it.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }

    fn is_shown(&self, fields: &HeaderMap) -> bool {
        let shown = single(fields, &AUTHORIZATION).unwrap_or_default();
        // The scheme's case does not matter (RFC 9110 section 11.1).
        shown.split_once(' ').is_some_and(|(scheme, shown)| {
            scheme.eq_ignore_ascii_case("bearer") && self.is(shown.trim().as_bytes())
        })
    }

    /// Whether `shown` is this token. The time it takes tells its length at most.
    fn is(&self, shown: &[u8]) -> bool {
        let ours = self.0.as_bytes();
        let differs =
            ours.iter().zip(shown).fold(0, |differs, (a, b)| black_box(differs | (a ^ b)));
        ours.len() == shown.len() && differs == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Guard {
    /// Admits whoever calls us by a loopback name, by the address `bound`, or by one of `names`, and
    /// shows the token if there is one.
    pub fn new(bound: Option<IpAddr>, names: Vec<String>, token: Option<Token>) -> Self {
        let everywhere = bound.is_some_and(|bound| bound.is_unspecified());
        let addresses = if everywhere { Addresses::Any } else { Addresses::Bound(bound) };
        Self { names, addresses, token, startup: None }
    }

    /// The same, which takes this token, too, for reports on the start.
    #[must_use]
    pub fn with_startup_token(self, token: Token) -> Self {
        Self { startup: Some(token), ..self }
    }

    /// The route that a request may have.
    ///
    /// # Errors
    /// The first reason to turn it away.
    pub fn admit<B>(&self, request: &Request<B>) -> Result<Route, Turned> {
        let fields = request.headers();
        let route = Route::of(request.uri().path());
        let may_write = *request.method() == Method::POST && route.is_some_and(Route::is_write);
        if !may_write && !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Turned::Method);
        }
        let host = host(fields, request.uri()).ok_or(Turned::Host)?;
        self.admit_from(host, fields)?;
        if !may_write && has_body(fields) {
            return Err(Turned::Body);
        }
        // Who has no token does not learn which paths there are, either.
        let is_open = route.is_some_and(Route::is_open);
        let is_admitted =
            if may_write { self.may_report(fields) } else { is_open || self.may_read(fields) };
        match route {
            _ if !is_admitted => Err(Turned::Token),
            Some(route) if route.is_write() && !may_write => Err(Turned::NotPost),
            Some(route) => Ok(route),
            None => Err(Turned::NoRoute),
        }
    }

    /// Whether a gRPC call may be answered, whose authority is its Host. What it can ask for is as open as probes:
    /// a kubelet has no token, and calls us by the pod's address.
    ///
    /// # Errors
    /// The first reason to turn it away.
    pub fn admit_call<B>(&self, request: &Request<B>) -> Result<(), Turned> {
        if *request.method() != Method::POST {
            return Err(Turned::NotPost);
        }
        let authority = request.uri().authority().ok_or(Turned::Host)?.as_str();
        let fields = request.headers();
        let agrees = !fields.contains_key(HOST) || single(fields, &HOST) == Some(authority);
        if !agrees {
            return Err(Turned::Host);
        }
        self.admit_from(authority, fields)
    }

    /// Whether we are called by a name of ours, and not on behalf of a page.
    fn admit_from(&self, host: &str, fields: &HeaderMap) -> Result<(), Turned> {
        if !self.knows(host) {
            return Err(Turned::Host);
        }
        if fields.contains_key(ORIGIN) && !is_same_origin(single(fields, &ORIGIN), host) {
            return Err(Turned::Origin);
        }
        // "none" is a person's own doing: an address that was typed, a bookmark.
        let is_sent_from_elsewhere = fields.contains_key(SEC_FETCH_SITE)
            && !matches!(single(fields, &SEC_FETCH_SITE), Some("same-origin" | "none"));
        if is_sent_from_elsewhere { Err(Turned::Origin) } else { Ok(()) }
    }

    /// Whether a Host names us. Its port does not matter: port forwarding changes it.
    fn knows(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(name).parse::<IpAddr>() {
            // IPv6 stands in brackets, and IPv4 never does (RFC 3986 section 3.2.2).
            return bare.is_some() == address.is_ipv6() && self.is_ours(address);
        }
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        is("localhost") || self.names.iter().any(|known| is(known))
    }

    fn is_ours(&self, address: IpAddr) -> bool {
        let is_loopback = address == IpAddr::from([127, 0, 0, 1])
            || address == IpAddr::from([0_u16, 0, 0, 0, 0, 0, 0, 1]);
        match self.addresses {
            Addresses::Any => true,
            Addresses::Bound(bound) => is_loopback || bound == Some(address),
        }
    }

    fn may_read(&self, fields: &HeaderMap) -> bool {
        self.token.as_ref().is_none_or(|token| token.is_shown(fields))
    }

    /// Where there is no token, nobody may.
    fn may_report(&self, fields: &HeaderMap) -> bool {
        [&self.token, &self.startup].into_iter().flatten().any(|token| token.is_shown(fields))
    }
}

impl Turned {
    /// The status that says it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Method | Self::NotPost => 405,
            Self::Host | Self::Origin => 403,
            Self::Body => 413,
            Self::Token => 401,
            Self::NoRoute => 404,
        }
    }

    /// What is said; the same for everybody.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Method => "only GET and HEAD\n",
            Self::NotPost => "only POST\n",
            Self::Host => "this Host is not known here: see --admin-host\n",
            Self::Origin => "not from another origin\n",
            Self::Body => "no body here, or a shorter one\n",
            Self::Token => "a bearer token is needed\n",
            Self::NoRoute => "no such path: see /\n",
        }
    }
}

/// The one Host of a request; an absolute target must say the same (RFC 9112 section 3.2.2).
fn host<'r>(fields: &'r HeaderMap, target: &Uri) -> Option<&'r str> {
    let host = single(fields, &HOST)?;
    let agrees = target.authority().is_none_or(|named| named.as_str().eq_ignore_ascii_case(host));
    agrees.then_some(host)
}

/// The value of a field that may stand once.
fn single<'r>(fields: &'r HeaderMap, name: &HeaderName) -> Option<&'r str> {
    let mut values = fields.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

fn is_same_origin(origin: Option<&str>, host: &str) -> bool {
    let named = origin
        .and_then(|origin| origin.strip_prefix("http://").or(origin.strip_prefix("https://")));
    named.is_some_and(|named| named.eq_ignore_ascii_case(host))
}

fn has_body(fields: &HeaderMap) -> bool {
    let announces = fields.get_all(CONTENT_LENGTH).iter().any(|length| length != "0");
    announces || fields.contains_key(TRANSFER_ENCODING)
}

/// The host's name, if what follows it is a port or nothing.
fn without_port(host: &str) -> Option<&str> {
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let (name, port) = host.split_at(end);
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(name)
}

#[cfg(test)]
mod tests;
