//! What the arguments of the admin address mean.
//!
//! Owns its default, and who may reach it. Must never let a token be shown.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use vestibule::environment::EnvSource;
use vestibule_front::admin::guard::{Guard, TOKEN_VARIABLE, Token, TokenSyntax};
use vestibule_front::listener::Listen;

use crate::args::admin::{AdminAddress, AdminArgs};
use crate::config::layers::Settled;
use crate::config::{Mistake, Origin, file};

/// `VEST` on a telephone's keys; few others are at home there.
const PORT_DEFAULT: u16 = 8378;
/// The largest token file that is read: half of what a request's head may have, so that the token can be shown.
const TOKEN_BYTES_MAX: usize = 4096;

/// The admin address, ready for use.
#[derive(Debug)]
pub(crate) struct Admin {
    /// Where it is.
    pub(crate) listen: Listen,
    /// The user asked for it: without it we do not start.
    pub(crate) is_asked_for: bool,
    /// Who may ask.
    pub(crate) guard: Guard,
}

/// Makes settings of the arguments; `None` if it is off.
pub(super) fn admin<A>(
    args: &AdminArgs,
    public: &Listen,
    given: &mut Settled<A>,
    source: &dyn EnvSource,
) -> Option<Admin> {
    let (listen, is_asked_for) = match &args.admin {
        Some(AdminAddress::Off) => return None,
        Some(AdminAddress::At(listen)) => (listen.clone(), true),
        None => (by_default(), false),
    };
    if is_asked_for && listen == *public && !is_chosen_by_the_kernel(&listen) {
        wrong(given, "admin", &listen, "that is where clients connect; use another");
    }
    let token = token(args.admin_token_file.as_deref(), given, source);
    let bound = bound(&listen);
    let is_remote = bound.is_some_and(|ip| !ip.is_loopback());
    if is_remote && !args.admin_allow_remote {
        let message = "other machines could reach it; use 127.0.0.1:PORT, or allow it with \
                       admin_allow_remote";
        wrong(given, "admin", &listen, message);
    } else if is_remote && token.is_none() && given.is_sound(&["admin_token_file"]) {
        let message = "other machines reach it, and it has no token; set VESTIBULE_ADMIN_TOKEN or \
                       admin_token_file";
        wrong(given, "admin", &listen, message);
    }
    for name in args.admin_host.iter().filter(|name| !is_name(name)) {
        wrong(given, "admin_host", name, "use a host name without a port");
    }
    let guard = Guard::new(bound, args.admin_host.clone(), token);
    Some(Admin { listen, is_asked_for, guard })
}

/// Where it is if nobody says so.
pub(super) fn by_default() -> Listen {
    Listen::Tcp((Ipv4Addr::LOCALHOST, PORT_DEFAULT).into())
}

fn wrong<A>(given: &mut Settled<A>, key: &str, value: &dyn Display, message: &str) {
    let origin = given.origin(key).cloned().unwrap_or(Origin::Flag);
    given.mistakes.push(Mistake::in_text(origin, key, &value.to_string(), message));
}

/// Two of these never meet.
const fn is_chosen_by_the_kernel(listen: &Listen) -> bool {
    match listen {
        Listen::Everywhere(port) => *port == 0,
        Listen::Tcp(address) => address.port() == 0,
        Listen::Unix(_) => false,
    }
}

/// The address that is bound; none for a Unix socket, which the file system guards.
const fn bound(listen: &Listen) -> Option<IpAddr> {
    match listen {
        Listen::Everywhere(_) => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        Listen::Tcp(address) => Some(address.ip()),
        Listen::Unix(_) => None,
    }
}

fn token<A>(file: Option<&Path>, given: &mut Settled<A>, source: &dyn EnvSource) -> Option<Token> {
    let Some(path) = file else {
        let text = source.get(TOKEN_VARIABLE).filter(|text| !text.is_empty())?;
        return Token::new(&text).map_err(|error| unfit_variable(given, &error)).ok();
    };
    // The error says what a token looks like, and nothing of this one.
    let token = file::read(path, TOKEN_BYTES_MAX, "its path").and_then(|bytes| {
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let text = if bytes.len() > TOKEN_BYTES_MAX { "" } else { text };
        Token::new(text).map_err(|error| error.to_string())
    });
    token.map_err(|message| wrong(given, "admin_token_file", &path.display(), &message)).ok()
}

fn unfit_variable<A>(given: &mut Settled<A>, error: &TokenSyntax) {
    let origin = Origin::Variable(TOKEN_VARIABLE.to_owned());
    given.mistakes.push(Mistake::in_words(origin, TOKEN_VARIABLE, error.to_string()));
}

fn is_name(name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !name.is_empty() && name.chars().all(part)
}
