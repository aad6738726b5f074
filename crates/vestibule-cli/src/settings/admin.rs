//! What the arguments of the admin address mean.
//!
//! Owns its default, and who may reach it. Must never let a token be shown.

use std::net::Ipv4Addr;
use std::path::Path;

use vestibule::environment::EnvSource;
use vestibule_front::admin::guard::{Guard, TOKEN_VARIABLE, Token};
use vestibule_front::listener::Listen;

use super::places::{IS_THE_DOOR, bound, meet};
use crate::args::admin::{AdminAddress, AdminArgs};
use crate::config::layers::Settled;
use crate::config::variables::text_of;
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
pub(super) fn admin<A: clap::Args>(
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
    if is_asked_for && given.is_sound(&["listen"]) && meet(&listen, public) {
        given.reject("admin", 0, IS_THE_DOOR);
    }
    let token = token(args.admin_token_file.as_deref(), given, source);
    let bound = bound(&listen).map(|address| address.ip());
    let is_remote = bound.is_some_and(|ip| !ip.is_loopback());
    if is_remote && !args.admin_allow_remote {
        let message = "other machines could reach it; use 127.0.0.1:PORT, or allow it with \
                       admin_allow_remote";
        given.reject("admin", 0, message);
    } else if is_remote && token.is_none() && given.is_sound(&["admin_token_file"]) {
        let message = "other machines reach it, and it has no token; set VESTIBULE_ADMIN_TOKEN or \
                       admin_token_file";
        given.reject("admin", 0, message);
    }
    for (nth, _) in args.admin_host.iter().enumerate().filter(|(_, name)| !is_name(name)) {
        given.reject("admin_host", nth, "use a host name without a port");
    }
    let guard = Guard::new(bound, args.admin_host.clone(), token);
    Some(Admin { listen, is_asked_for, guard })
}

/// Where it is if nobody says so.
pub(super) fn by_default() -> Listen {
    Listen::Tcp((Ipv4Addr::LOCALHOST, PORT_DEFAULT).into())
}

/// The token, from its file or else its variable. One that is there and unfit must not count as none.
fn token<A: clap::Args>(
    file: Option<&Path>,
    given: &mut Settled<A>,
    source: &dyn EnvSource,
) -> Option<Token> {
    // The error says what a token looks like, and nothing of this one.
    let made = |text: &str| Token::new(text).map_err(|error| error.to_string());
    if let Some(path) = file {
        let read = file::read_text(path, TOKEN_BYTES_MAX).and_then(|text| made(&text));
        return read.map_err(|message| given.reject("admin_token_file", 0, &message)).ok();
    }
    let text = text_of(source, TOKEN_VARIABLE);
    let token = text.and_then(|text| {
        let token = text.filter(|text| !text.is_empty()).map(|text| made(&text)).transpose();
        let origin = Origin::Variable(TOKEN_VARIABLE.to_owned());
        token.map_err(|message| Mistake::in_words(origin, TOKEN_VARIABLE, message))
    });
    token.map_err(|mistake| given.mistakes.push(mistake)).ok().flatten()
}

fn is_name(name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    !name.is_empty() && name.chars().all(part)
}
