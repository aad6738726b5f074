//! The real service, bare or behind the real door.
//!
//! Owns its settings and its address. It has a database of its own unless it is given another's.

use std::collections::BTreeMap;
use std::time::Duration;

use super::door::vestibule;
use super::eventually;
use super::ports::free_port;
use super::process::Process;

const GOLDEN_PATH: &str = env!("CARGO_BIN_EXE_golden-path");

/// How long an instance may take to be ready, beyond the cold start that it is given.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How an instance is set up.
#[derive(Clone)]
pub(crate) struct Setup {
    env: BTreeMap<String, String>,
    flags: Vec<String>,
    port: Option<u16>,
}

/// A running instance.
pub(crate) struct Service {
    pub(crate) process: Process,
    /// Where clients come: `127.0.0.1:PORT`.
    pub(crate) address: String,
    _scratch: tempfile::TempDir,
}

impl Setup {
    /// With a cold start, such as `600ms` or `database=600ms`.
    pub(crate) fn cold(cold_start: &str) -> Self {
        let fast =
            [("COLD_START", cold_start), ("MODEL_PACE", "5ms"), ("ADDRESS_ATTEMPTS", "100000")];
        let env = fast.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { env: env.into(), flags: Vec::new(), port: None }
    }

    /// With this variable, too.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With this flag for the door, too.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Where another was before.
    pub(crate) fn at(mut self, address: &str) -> Self {
        self.port = Some(address.rsplit(':').next().unwrap().parse().unwrap());
        self
    }

    /// The service as a command of its own, for whoever starts it.
    pub(crate) fn launch(self) -> vestibule_race::Launch {
        let env = self.env.into_iter().collect();
        vestibule_race::Launch { argv: vec![GOLDEN_PATH.to_owned()], env }
    }

    /// Starts the service itself, as a platform without a door would. Its port is open when this returns.
    pub(crate) async fn bare(self) -> Service {
        let service = self.start_alone();
        service.process.logs("listening").await;
        service
    }

    /// Starts the service itself, and waits for nothing.
    pub(crate) fn start_alone(self) -> Service {
        let port = self.port.unwrap_or_else(free_port);
        self.with("PORT", &port.to_string()).start(&[GOLDEN_PATH.to_owned()], port)
    }

    /// Starts it behind the door, which listens when this returns.
    pub(crate) async fn behind_the_door(self) -> Service {
        let port = self.port.unwrap_or_else(free_port);
        let listen = format!("127.0.0.1:{port}");
        let door = [vestibule(), "run", "--log", "json", "--admin", "off", "--listen", &listen];
        let mut line: Vec<String> = door.map(str::to_owned).to_vec();
        line.extend(self.flags.iter().cloned());
        line.extend(["--".to_owned(), GOLDEN_PATH.to_owned()]);
        let service = self.start(&line, port);
        service.process.logs("listening").await;
        service
    }

    fn start(mut self, line: &[String], port: u16) -> Service {
        let scratch = tempfile::tempdir().unwrap();
        let own = format!("sqlite:{}", scratch.path().join("golden-path.db").display());
        self.env.entry("DATABASE_URL".to_owned()).or_insert(own);
        self.env.insert("XDG_RUNTIME_DIR".to_owned(), scratch.path().display().to_string());
        let process = Process::start(line, &self.env);
        Service { process, address: format!("127.0.0.1:{port}"), _scratch: scratch }
    }
}

impl Service {
    /// Waits until it says that it is ready.
    pub(crate) async fn is_ready(&self) {
        self.process.logs("the service is ready").await;
    }

    /// Whether it has said so.
    pub(crate) fn has_been_ready(&self) -> bool {
        self.process.log().iter().any(|line| line.contains("the service is ready"))
    }

    /// The service's own lines with this step.
    pub(crate) fn steps(&self, step: &str) -> Vec<serde_json::Value> {
        let lines = self.process.log().into_iter();
        let parsed = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
        parsed.filter(|line| line.get("step").is_some_and(|found| found == step)).collect()
    }

    /// Waits until a step was logged so often.
    pub(crate) async fn logs_step(&self, step: &str, count: usize) {
        let what = format!("{count} lines of {step}");
        eventually(&what, READY_WITHIN, || self.steps(step).len() >= count).await;
    }
}
