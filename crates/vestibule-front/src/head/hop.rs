//! Fields that concern one hop only, and what Connection may say about them (RFC 9110 §7.6.1).
//!
//! Owns the list of hop-by-hop names and the reading of Connection.
//! Must never let Connection remove a field that the service relies on.

use super::{HeadError, list};

/// The most options Connection may list. Real clients list two; each is compared with every field.
const OPTIONS_MAX: usize = 32;

/// `Proxy` is here for what CGI makes of it, HTTP_PROXY, which HTTP clients of the service then obey
/// (CVE-2016-5385). No standard knows the field.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "upgrade",
];

const PROTECTED: [&str; 9] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "origin",
    "transfer-encoding",
];

/// Whether this field ends at us whatever Connection says. Transfer-Encoding is not here: it is
/// framing, which is read and written anew; Trailer announces what we do relay.
pub(crate) fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// What the Connection fields of one head say.
pub(super) struct ConnectionOptions<'h> {
    listed: Vec<&'h str>,
}

impl<'h> ConnectionOptions<'h> {
    /// Reads all Connection fields of a head as one list.
    pub(super) fn read(values: impl Iterator<Item = &'h [u8]>) -> Result<Self, HeadError> {
        let mut listed = Vec::new();
        for option in values.flat_map(list::tokens) {
            let option = option.map_err(|_| HeadError::Connection)?;
            if listed.len() == OPTIONS_MAX {
                return Err(HeadError::Connection);
            }
            if is_protected(option) {
                return Err(HeadError::ConnectionProtected);
            }
            listed.push(option);
        }
        Ok(Self { listed })
    }

    /// Whether an option, or the field of that name, is listed; in any case.
    pub(super) fn lists(&self, name: &str) -> bool {
        self.listed.iter().any(|listed| listed.eq_ignore_ascii_case(name))
    }
}

/// Whether removing this field would change who the client is, where it goes, or how it is framed.
fn is_protected(option: &str) -> bool {
    PROTECTED.iter().any(|known| option.eq_ignore_ascii_case(known))
        || super::is_forwarding_name(option)
        // Fetch metadata too (`Sec-Fetch-Site`): a service may tell strangers by it.
        || starts_with_ignore_case(option, "sec-")
}

/// Whether a name is made of letters, digits and hyphens. CGI-like services write everything else as
/// an underscore, and hyphens too: `X_Forwarded_For` or `X.Forwarded.For` would be a second voice.
pub(crate) fn has_one_spelling(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `str::starts_with` in any case of ASCII.
pub(super) fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
