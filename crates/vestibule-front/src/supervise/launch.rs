//! The child's command line and environment.
//!
//! Owns what the child is told about its port. Must never run anything.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::admin::guard::TOKEN_VARIABLE;
use crate::process::child::Launch;
use crate::process::guard::FAMILY;

/// What stands for the private port in an argument.
const PORT_MARK: &[u8] = b"{port}";

/// Variables by which servers are told their port: the common one, uvicorn's and Flask's.
const PORT_VARIABLES: [&str; 3] = ["PORT", "UVICORN_PORT", "FLASK_RUN_PORT"];

/// The command as it is started: `{port}` in any argument becomes the private port, and the
/// environment says the same. `family` marks all that it starts.
pub fn launch(
    program: &OsStr,
    args: &[OsString],
    port: u16,
    public_port: Option<u16>,
    notify_socket: Option<OsString>,
    family: Option<OsString>,
) -> Launch {
    let text = port.to_string();
    let mut env: Vec<(OsString, OsString)> =
        PORT_VARIABLES.iter().map(|name| (name.into(), text.clone().into())).collect();
    if let Some(public) = public_port {
        env.push(("VESTIBULE_PUBLIC_PORT".into(), public.to_string().into()));
    }
    // A socket that we were given is ours, not the child's: empty means none to sd_notify(3).
    env.push(("NOTIFY_SOCKET".into(), notify_socket.unwrap_or_default()));
    // Nor is the token: whoever may read a process's environment may not ask us everything.
    env.push((TOKEN_VARIABLE.into(), OsString::new()));
    env.extend(family.map(|family| (FAMILY.into(), family)));
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
        let launch = launch(OsStr::new("app"), &[], 81, Some(80), None, Some("a,b".into()));
        let of =
            |name: &str| launch.env.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        for (name, wanted) in [
            ("PORT", "81"),
            ("UVICORN_PORT", "81"),
            ("VESTIBULE_PUBLIC_PORT", "80"),
            ("NOTIFY_SOCKET", ""),
            ("VESTIBULE_ADMIN_TOKEN", ""),
            ("VESTIBULE_FAMILY", "a,b"),
        ] {
            assert_eq!(of(name), Some(&wanted.into()), "{name}");
        }
    }
}
