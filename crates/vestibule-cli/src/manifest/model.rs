//! What all formats have in common.
//!
//! Owns the words in which rules speak of a deployment: workloads, their containers, and what leads to them. Every
//! value keeps its place. Must never hold a default of a platform: what is not written is not there, and the rules
//! know what that means.

use std::time::Duration;

use super::door::Door;
use super::yaml::{At, Text};

/// Whose format it is, and so whose rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    CloudRun,
    /// Off Google.
    Knative,
    Kubernetes,
    Compose,
    /// A Dockerfile: whoever runs it.
    Image,
}

/// Everything that was given, read.
#[derive(Debug, Default)]
pub(crate) struct Deployment {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) services: Vec<Service>,
    pub(crate) ingresses: Vec<Ingress>,
    pub(crate) backends: Vec<Backend>,
    /// What was left out, and why.
    pub(crate) skipped: Vec<Text>,
}

/// What is started: a service of Cloud Run, a pod's template, a service of compose, an image.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) platform: Platform,
    /// Its name, and where it stands.
    pub(crate) name: Text,
    /// Where a key of its specification would stand.
    pub(crate) spec: At,
    /// Of the pods.
    pub(crate) labels: Vec<(Text, Text)>,
    /// Of the template, then of the service.
    pub(crate) annotations: Vec<(Text, Text)>,
    pub(crate) containers: Vec<Container>,
    /// After so many seconds the platform ends a request.
    pub(crate) request_timeout: Option<Number>,
    /// Requests that one instance may have at a time.
    pub(crate) concurrency: Option<Number>,
    /// From SIGTERM to SIGKILL.
    pub(crate) grace: Option<Length>,
    /// As whom all containers run.
    pub(crate) user: User,
}

impl Workload {
    /// One that nothing is known of.
    pub(crate) fn new(platform: Platform, name: Text, spec: At) -> Self {
        Self {
            platform,
            name,
            spec,
            labels: Vec::new(),
            annotations: Vec::new(),
            containers: Vec::new(),
            request_timeout: None,
            concurrency: None,
            grace: None,
            user: User::default(),
        }
    }

    /// Its doors, each with its container.
    pub(crate) fn doors(&self) -> impl Iterator<Item = (&Container, &Door)> {
        self.containers.iter().filter_map(|one| Some((one, one.door.as_ref()?)))
    }

    /// The value of this annotation.
    pub(crate) fn annotation(&self, name: &str) -> Option<&Text> {
        value(&self.annotations, name)
    }
}

/// One container.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) at: At,
    pub(crate) image: Option<Text>,
    /// The directory of the Dockerfile that it is built of, or that file.
    pub(crate) build: Option<Text>,
    /// In place of the image's entry point.
    pub(crate) command: Option<Vec<Text>>,
    /// In place of the image's arguments.
    pub(crate) args: Option<Vec<Text>>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) ports: Vec<Port>,
    pub(crate) startup: Option<Probe>,
    pub(crate) readiness: Option<Probe>,
    pub(crate) liveness: Option<Probe>,
    /// What runs before SIGTERM: how long that surely takes.
    pub(crate) pre_stop: Option<Duration>,
    /// What ends it, if not SIGTERM.
    pub(crate) stop_signal: Option<Text>,
    pub(crate) user: User,
    /// It starts before the others and ends behind them.
    pub(crate) is_sidecar: bool,
    /// The door in it, if there is one.
    pub(crate) door: Option<Door>,
}

impl Container {
    /// One that nothing is known of.
    pub(crate) fn new(at: At) -> Self {
        Self {
            at,
            image: None,
            build: None,
            command: None,
            args: None,
            variables: Vec::new(),
            ports: Vec::new(),
            startup: None,
            readiness: None,
            liveness: None,
            pre_stop: None,
            stop_signal: None,
            user: User::default(),
            is_sidecar: false,
            door: None,
        }
    }

    /// The words that start it, as far as they are written.
    pub(crate) fn words(&self) -> Vec<Text> {
        [&self.command, &self.args].into_iter().flatten().flatten().cloned().collect()
    }
}

/// A variable; without a value if something else holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: Text,
    pub(crate) value: Option<Text>,
}

/// A port of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) at: At,
    pub(crate) number: Option<u16>,
    pub(crate) name: Option<Text>,
    /// The host shows it to other machines.
    pub(crate) is_open: bool,
}

/// A whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) at: At,
    pub(crate) value: u64,
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) at: At,
    pub(crate) value: Duration,
}

/// What a platform asks to know how a container is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) at: At,
    pub(crate) asks: Asks,
    pub(crate) delay: Option<u64>,
    pub(crate) period: Option<u64>,
    pub(crate) failures: Option<u64>,
}

/// In which way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    Http { path: Option<Text>, port: Option<Text> },
    Tcp,
    Grpc,
    Command,
}

/// As whom it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    /// The user is root by name or number, and where that stands.
    pub(crate) root: Option<At>,
    /// The user is another, or may not be root.
    pub(crate) is_other: bool,
}

/// What gives pods an address in a cluster.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: Text,
    pub(crate) selector: Vec<(Text, Text)>,
    pub(crate) annotations: Vec<(Text, Text)>,
    pub(crate) ports: Vec<ServicePort>,
}

/// A port of it.
#[derive(Debug)]
pub(crate) struct ServicePort {
    pub(crate) at: At,
    /// A number or a name.
    pub(crate) target: Option<Text>,
    pub(crate) protocol: Option<Text>,
}

/// What leads to services from outside.
#[derive(Debug)]
pub(crate) struct Ingress {
    pub(crate) name: Text,
    pub(crate) class: Option<Text>,
    pub(crate) annotations: Vec<(Text, Text)>,
    pub(crate) has_tls: bool,
    /// Names of services.
    pub(crate) backends: Vec<String>,
}

/// What GKE's load balancer is told about a service: a BackendConfig.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) name: Text,
    pub(crate) timeout: Option<Number>,
}

/// The value of this name in a list of pairs.
pub(crate) fn value<'a>(pairs: &'a [(Text, Text)], name: &str) -> Option<&'a Text> {
    pairs.iter().find(|(key, _)| key.text == name).map(|(_, value)| value)
}

impl Service {
    /// Whether its selector finds these pods. Without one, it is somebody else's to say.
    pub(crate) fn selects(&self, workload: &Workload) -> bool {
        let has = |(key, wanted): &(Text, Text)| {
            value(&workload.labels, &key.text).is_some_and(|found| found.text == wanted.text)
        };
        !self.selector.is_empty() && self.selector.iter().all(has)
    }
}
