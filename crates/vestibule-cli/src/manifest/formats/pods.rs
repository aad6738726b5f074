//! Pods, as Kubernetes, Knative and Cloud Run write them.
//!
//! Owns their fields (Kubernetes API reference, "PodSpec", "Container", "Probe"; Cloud Run, "YAML reference"). Must
//! never fill in what is not written.

use std::time::Duration;

use crate::manifest::model::{
    Asks, Container, Length, Number, Platform, Port, Probe, User, Variable, Workload,
};
use crate::manifest::yaml::{Node, Text};

/// What a pod's specification says.
pub(super) fn pod(spec: &Node, platform: Platform) -> Workload {
    let mut containers: Vec<_> = spec.list("containers").iter().map(container).collect();
    // Those that end before the others begin are no part of the service.
    let stays = |node: &&Node| node.get("restartPolicy").and_then(Node::as_str) == Some("Always");
    containers.extend(spec.list("initContainers").iter().filter(stays).map(|node| {
        let mut sidecar = container(node);
        sidecar.is_sidecar = true;
        sidecar
    }));
    let grace = number(spec.get("terminationGracePeriodSeconds"));
    Workload {
        containers,
        request_timeout: number(spec.get("timeoutSeconds")),
        concurrency: number(spec.get("containerConcurrency")),
        grace: grace.map(|n| Length { at: n.at, value: Duration::from_secs(n.value) }),
        user: user(spec.get("securityContext")),
        ..Workload::new(platform, Text::new(spec.at, ""), spec.at)
    }
}

/// The number of a field, with its place.
pub(super) fn number(node: Option<&Node>) -> Option<Number> {
    let node = node?;
    Some(Number { at: node.at, value: node.number()? })
}

fn container(node: &Node) -> Container {
    let probe = |key: &str| node.get(key).and_then(probe);
    Container {
        image: node.get("image").and_then(Node::text),
        command: words(node.list("command")),
        args: words(node.list("args")),
        variables: node.list("env").iter().filter_map(variable).collect(),
        ports: node.list("ports").iter().map(port).collect(),
        startup: probe("startupProbe"),
        readiness: probe("readinessProbe"),
        liveness: probe("livenessProbe"),
        pre_stop: node.path(&["lifecycle", "preStop"]).map(pre_stop),
        stop_signal: node.path(&["lifecycle", "stopSignal"]).and_then(Node::text),
        user: user(node.get("securityContext")),
        ..Container::new(node.at)
    }
}

/// The words of a list, if there are any.
pub(super) fn words(list: &[Node]) -> Option<Vec<Text>> {
    let list: Vec<Text> = list.iter().filter_map(Node::text).collect();
    (!list.is_empty()).then_some(list)
}

fn variable(node: &Node) -> Option<Variable> {
    let value = node.get("value").and_then(Node::text);
    Some(Variable { name: node.get("name")?.text()?, value })
}

fn port(node: &Node) -> Port {
    let number = node.get("containerPort");
    Port {
        at: number.map_or(node.at, |port| port.at),
        number: number.and_then(Node::number).and_then(|n| n.try_into().ok()),
        name: node.get("name").and_then(Node::text),
        is_open: false,
    }
}

fn probe(node: &Node) -> Option<Probe> {
    let asks = if let Some(http) = node.get("httpGet") {
        let field = |key: &str| http.get(key).and_then(Node::text);
        Asks::Http { path: field("path"), port: field("port") }
    } else if node.get("tcpSocket").is_some() {
        Asks::Tcp
    } else if node.get("grpc").is_some() {
        Asks::Grpc
    } else if node.get("exec").is_some() {
        Asks::Command
    } else {
        return None;
    };
    let seconds = |key: &str| node.get(key).and_then(Node::number);
    Some(Probe {
        at: node.at,
        asks,
        delay: seconds("initialDelaySeconds"),
        period: seconds("periodSeconds"),
        failures: seconds("failureThreshold"),
    })
}

/// A `sleep` is told by its words; what anything else does is not known, and counts as nothing.
fn pre_stop(node: &Node) -> Duration {
    let own = node.path(&["sleep", "seconds"]).and_then(Node::number);
    let words = node.get("exec").map(|exec| exec.list("command")).unwrap_or_default();
    let script = words.iter().filter_map(Node::as_str).collect::<Vec<_>>().join(" ");
    let mut rest = script.split_whitespace().skip_while(|word| !word.ends_with("sleep")).skip(1);
    let slept = rest.next().and_then(|word| word.trim_end_matches('s').parse().ok());
    Duration::from_secs(own.or(slept).unwrap_or_default())
}

fn user(context: Option<&Node>) -> User {
    let Some(context) = context else { return User::default() };
    let refuses_root = context.get("runAsNonRoot").and_then(Node::truth).unwrap_or_default();
    let id = number(context.get("runAsUser"));
    User {
        root: id.filter(|id| id.value == 0).map(|id| id.at),
        is_other: refuses_root || id.is_some_and(|id| id.value > 0),
    }
}
