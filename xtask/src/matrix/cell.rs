//! One race of the matrix: which backend, which cold start, behind what.
//!
//! Owns the command lines. Each race is `vestibule race … -- COMMAND`, where the command is the
//! backend alone or with a door before it: the clients, the clock and the count are the same.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::matrix::flags::Flags;

const BACKENDS: [&str; 3] = ["axum", "fastapi", "node"];
const MODES: [&str; 6] = ["unbound", "close1011", "lying", "refuse503", "silent", "crash"];
const FRONTS: [Front; 3] = [Front::Bare, Front::Run, Front::Serve];

/// Starts the backend anew once when it fails, as whoever owns it would.
const BARE_SCRIPT: &str = r#""$@" || exec "$@""#;

/// The same beside a door that does not own it.
const SERVE_SCRIPT: &str = r#"
upstream=$1 door=$2; shift 2
(export PORT="$upstream"; "$@" || exec "$@") &
exec "$door" serve --listen "127.0.0.1:$PORT" --upstream "127.0.0.1:$upstream" --ready-path /health"#;

/// What stands before the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    Bare,
    Run,
    Serve,
}

/// One race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) backend: &'static str,
    pub(super) mode: &'static str,
    pub(super) front: Front,
}

/// Every race, backend by backend, the bare one first.
pub(super) fn all() -> impl Iterator<Item = Cell> {
    BACKENDS.into_iter().flat_map(|backend| {
        MODES.into_iter().flat_map(move |mode| {
            FRONTS.into_iter().map(move |front| Cell { backend, mode, front })
        })
    })
}

/// What a race is made of, found once.
pub(super) struct Tools {
    vestibule: PathBuf,
    axum: PathBuf,
    python: PathBuf,
    backends: PathBuf,
}

impl Tools {
    /// The binaries lie beside this one.
    ///
    /// # Errors
    /// Something is missing, and how to get it.
    pub(super) fn find(root: &Path, release: bool) -> Result<Self, String> {
        let ours = std::env::current_exe().map_err(|error| error.to_string())?;
        let profile = ours.parent().ok_or("this binary lies nowhere")?;
        let folder =
            if release { profile.with_file_name("release") } else { profile.to_path_buf() };
        let how =
            if release { "cargo build --release --workspace" } else { "cargo build --workspace" };
        let tools = Self {
            vestibule: folder.join("vestibule"),
            axum: folder.join("slow-axum"),
            python: root.join("target/venv/bin/python"),
            backends: root.join("examples/slow-backends"),
        };
        let needs = [
            (&tools.vestibule, how),
            (&tools.axum, how),
            (&tools.python, "./test installs it"),
            (&tools.backends.join("node/node_modules"), "./test installs it"),
        ];
        match needs.iter().find(|(path, _)| !path.exists()) {
            Some((path, how)) => Err(format!("{} is missing: {how}", path.display())),
            None => Ok(tools),
        }
    }

    fn backend(&self, name: &str) -> Vec<String> {
        match name {
            "axum" => vec![text(&self.axum)],
            "fastapi" => vec![text(&self.python), text(&self.backends.join("fastapi/app.py"))],
            _ => vec!["node".to_owned(), text(&self.backends.join("node/server.mjs"))],
        }
    }
}

impl Cell {
    pub(super) fn name(&self) -> String {
        let front = match self.front {
            Front::Bare => "bare",
            Front::Run => "run",
            Front::Serve => "serve",
        };
        format!("{} {} {front}", self.backend, self.mode)
    }

    /// The whole command line of this race.
    pub(super) fn race(
        &self,
        tools: &Tools,
        scratch: &Path,
        flags: &Flags,
    ) -> Result<Vec<String>, String> {
        let marker = scratch.join(self.name().replace(' ', "-"));
        let mut argv = vec![
            "env".to_owned(),
            format!("MODE={}", self.mode),
            format!("READY_AFTER={}", flags.ready_after_ms as f64 / 1_000.0),
            format!("CRASH_MARKER={}", marker.display()),
            text(&tools.vestibule),
        ];
        argv.extend(["race", "--json", "--expect-reply", "--path", "/ws"].map(str::to_owned));
        argv.extend(["--clients".to_owned(), flags.clients.to_string()]);
        argv.extend(["--spread".to_owned(), format!("{}ms", flags.spread_ms)]);
        argv.extend(["--timeout".to_owned(), format!("{}ms", flags.timeout_ms)]);
        argv.push("--".to_owned());
        argv.extend(self.target(tools)?);
        Ok(argv)
    }

    /// What the race starts; it gives the port that clients dial as `PORT` and `{port}`.
    fn target(&self, tools: &Tools) -> Result<Vec<String>, String> {
        let mut argv: Vec<String> = match self.front {
            Front::Bare if self.mode == "crash" => {
                ["sh", "-c", BARE_SCRIPT, "sh"].map(str::to_owned).into()
            }
            Front::Bare => Vec::new(),
            Front::Run => {
                let mut run = vec![text(&tools.vestibule)];
                run.extend(
                    ["run", "--listen", "127.0.0.1:{port}", "--ready-path", "/health"]
                        .map(str::to_owned),
                );
                if self.mode == "crash" {
                    run.extend(["--restart", "on-failure"].map(str::to_owned));
                }
                run.push("--".to_owned());
                run
            }
            Front::Serve => {
                let mut serve: Vec<String> =
                    ["sh", "-c", SERVE_SCRIPT, "sh"].map(str::to_owned).into();
                serve.extend([free_port()?.to_string(), text(&tools.vestibule)]);
                serve
            }
        };
        argv.extend(tools.backend(self.backend));
        Ok(argv)
    }
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Cell, Front, Tools, all};
    use crate::matrix::flags::Flags;

    fn command(front: Front, mode: &'static str) -> String {
        let path = PathBuf::from;
        let tools =
            Tools { vestibule: path("v"), axum: path("a"), python: path("p"), backends: path("b") };
        let cell = Cell { backend: "node", mode, front };
        cell.race(&tools, Path::new("s"), &Flags::parse(&[]).unwrap()).unwrap().join(" ")
    }

    #[test]
    fn eighteen_cold_starts_bare_and_behind_both_commands() {
        assert_eq!(all().count(), 54);
        assert_eq!(all().filter(|cell| cell.front != Front::Bare).count() * 200, 7_200);
    }

    #[test]
    fn all_three_are_the_same_race_of_another_target() {
        let race = "env MODE=silent READY_AFTER=2 CRASH_MARKER=s/node-silent-bare v race --json \
                    --expect-reply --path /ws --clients 200 --spread 5000ms --timeout 30000ms \
                    -- node b/node/server.mjs";
        assert_eq!(command(Front::Bare, "silent"), race);
        assert!(command(Front::Run, "crash").contains("--restart on-failure -- node"));
        assert!(command(Front::Serve, "silent").contains("serve --listen"));
    }
}
