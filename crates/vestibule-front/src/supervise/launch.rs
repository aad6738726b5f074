//! The child's command line and environment.
//!
//! Owns what the child is told: about its port, and where it may report. Must never run anything.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::admin::guard::{TOKEN_VARIABLE, Token};
use crate::process::child::Launch;
use crate::process::guard::FAMILY;

/// What stands for the private port in an argument.
const PORT_MARK: &[u8] = b"{port}";

/// Where a child finds the address for its reports.
pub const STARTUP_URL: &str = "VESTIBULE_STARTUP_URL";
/// And what to show there.
pub const STARTUP_TOKEN: &str = "VESTIBULE_STARTUP_TOKEN";

/// Variables by which servers are told their port: the common one, uvicorn's and Flask's.
const PORT_VARIABLES: [&str; 3] = ["PORT", "UVICORN_PORT", "FLASK_RUN_PORT"];

/// Where a service may report how far its start has come, and what it shows there.
#[derive(Clone, Debug)]
pub struct Reports {
    /// The address of `POST /startup/phase`.
    pub url: String,
    /// Good for that, and for nothing else.
    pub token: Token,
}

/// What the child is told beside its port.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The port on which clients connect.
    pub public_port: Option<u16>,
    /// Where it may speak `sd_notify`.
    pub notify_socket: Option<OsString>,
    /// Where it may speak HTTP.
    pub reports: Option<Reports>,
    /// Marks all that it starts.
    pub family: Option<OsString>,
}

/// The command as it is started: `{port}` in any argument becomes the private port, and the
/// environment says the same.
pub fn launch(program: &OsStr, args: &[OsString], port: u16, told: Told) -> Launch {
    let text = port.to_string();
    let mut env: Vec<(OsString, OsString)> =
        PORT_VARIABLES.iter().map(|name| (name.into(), text.clone().into())).collect();
    if let Some(public) = told.public_port {
        env.push(("VESTIBULE_PUBLIC_PORT".into(), public.to_string().into()));
    }
    // A socket that we were given is ours, not the child's: empty means none to sd_notify(3).
    env.push(("NOTIFY_SOCKET".into(), told.notify_socket.unwrap_or_default()));
    // Nor is the token: whoever may read a process's environment may not ask us everything.
    env.push((TOKEN_VARIABLE.into(), OsString::new()));
    // What a front around us gave us for our own reports is not the child's, either.
    let (url, token) = match &told.reports {
        Some(reports) => (reports.url.as_str(), reports.token.secret()),
        None => ("", ""),
    };
    env.push((STARTUP_URL.into(), url.into()));
    env.push((STARTUP_TOKEN.into(), token.into()));
    env.extend(told.family.map(|family| (FAMILY.into(), family)));
    let args = args.iter().map(|arg| with_port(arg, text.as_bytes())).collect();
    Launch { program: program.into(), args, env }
}

fn with_port(arg: &OsStr, port: &[u8]) -> OsString {
    let mut rest = arg.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while let Some(at) = rest.windows(PORT_MARK.len()).position(|window| window == PORT_MARK) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(port);
        rest = &rest[at + PORT_MARK.len()..];
    }
    out.extend_from_slice(rest);
    OsString::from_vec(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_becomes_the_port_and_everything_else_stays() {
        let rows = [
            ("{port}", "81"),
            ("--bind=127.0.0.1:{port}", "--bind=127.0.0.1:81"),
            ("{port}{port}", "8181"),
            ("{ports}", "{ports}"),
            ("", ""),
        ];
        for (arg, wanted) in rows {
            assert_eq!(with_port(OsStr::new(arg), b"81"), OsString::from(wanted));
        }
        let odd = OsStr::from_bytes(b"\xff{port}");
        assert_eq!(with_port(odd, b"81").as_bytes(), b"\xff81");
    }

    #[test]
    fn the_environment_says_the_port_in_every_common_way() {
        let told = Told { public_port: Some(80), family: Some("a,b".into()), ..Told::default() };
        let launch = launch(OsStr::new("app"), &[], 81, told);
        let of =
            |name: &str| launch.env.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        for (name, wanted) in [
            ("PORT", "81"),
            ("UVICORN_PORT", "81"),
            ("VESTIBULE_PUBLIC_PORT", "80"),
            ("NOTIFY_SOCKET", ""),
            ("VESTIBULE_ADMIN_TOKEN", ""),
            ("VESTIBULE_STARTUP_URL", ""),
            ("VESTIBULE_STARTUP_TOKEN", ""),
            ("VESTIBULE_FAMILY", "a,b"),
        ] {
            assert_eq!(of(name), Some(&wanted.into()), "{name}");
        }
    }
}
