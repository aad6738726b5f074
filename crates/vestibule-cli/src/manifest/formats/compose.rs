//! Docker compose.
//!
//! Owns its fields (the Compose Specification, "Services top-level element"). Must never put a value in the place of
//! a `${VARIABLE}`: who starts it knows it, and we don't.

use std::time::Duration;

use super::pods;
use super::words::split;
use crate::duration::duration;
use crate::manifest::model::{Container, Length, Platform, Port, User, Variable, Workload};
use crate::manifest::yaml::{Node, Text};

/// Addresses that only the host itself reaches.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// Every service.
pub(super) fn read(document: &Node) -> Vec<Workload> {
    let services = document.get("services").map(Node::entries).unwrap_or_default();
    services.into_iter().map(|(name, node)| service(name, node)).collect()
}

fn service(name: Text, node: &Node) -> Workload {
    let ports = node.list("ports").iter().chain(node.list("expose"));
    let container = Container {
        image: node.get("image").and_then(Node::text),
        build: build(node),
        command: node.get("entrypoint").and_then(words),
        args: node.get("command").and_then(words),
        variables: variables(node.get("environment")),
        ports: ports.map(port).collect(),
        stop_signal: node.get("stop_signal").and_then(Node::text),
        user: user(node.get("user")),
        ..Container::new(name.at)
    };
    Workload {
        containers: vec![container],
        grace: node.get("stop_grace_period").and_then(length),
        ..Workload::new(Platform::Compose, name, node.at)
    }
}

/// The Dockerfile, or the directory where it is.
fn build(node: &Node) -> Option<Text> {
    let build = node.get("build")?;
    if let Some(place) = build.text() {
        return Some(place);
    }
    let context = build.get("context")?.text()?;
    match build.get("dockerfile").and_then(Node::as_str) {
        Some(file) => Some(Text::new(context.at, format!("{}/{file}", context.text))),
        None => Some(context),
    }
}

/// A text is split by compose itself: no shell is asked.
fn words(node: &Node) -> Option<Vec<Text>> {
    match node.as_str() {
        Some(line) => Some(split(line, node.at)).filter(|words| !words.is_empty()),
        None => pods::words(node.items()),
    }
}

fn variables(node: Option<&Node>) -> Vec<Variable> {
    let Some(node) = node else { return Vec::new() };
    let of_line = |item: &Node| {
        let text = item.as_str()?;
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(Text::new(item.at, value))),
            None => (text, None),
        };
        Some(Variable { name: Text::new(item.at, name), value })
    };
    let of_map = node.entries().into_iter();
    let of_map = of_map.map(|(name, value)| Variable { name, value: value.text() });
    node.items().iter().filter_map(of_line).chain(of_map).collect()
}

/// `8080`, `80:8080`, `127.0.0.1:80:8080/tcp`, or the long form.
fn port(node: &Node) -> Port {
    let field = |key: &str| node.get(key).and_then(Node::as_str);
    let (target, address, is_published) = match node.as_str() {
        Some(text) => {
            let mut parts = text.split('/').next().unwrap_or_default().rsplitn(3, ':');
            let (target, host, address) = (parts.next(), parts.next(), parts.next());
            (target, address, host.is_some())
        }
        None => (field("target"), field("host_ip"), field("published").is_some()),
    };
    let address = address.map(|address| address.trim_matches(['[', ']']));
    let is_local = address.is_some_and(|address| LOOPBACK.contains(&address));
    Port {
        at: node.at,
        number: target.and_then(|target| target.parse().ok()),
        name: None,
        is_open: is_published && !is_local,
    }
}

/// `1m30s`, `90s`, `10`: compose's own spelling of a length of time.
fn length(node: &Node) -> Option<Length> {
    let text = node.as_str()?;
    let seconds = text.parse().ok().map(Duration::from_secs);
    Some(Length { at: node.at, value: seconds.or_else(|| duration(text).ok())? })
}

fn user(node: Option<&Node>) -> User {
    let Some(node) = node else { return User::default() };
    let name = node.as_str().unwrap_or_default().split(':').next();
    let is_root = name.is_some_and(|name| matches!(name, "root" | "0"));
    User { root: is_root.then_some(node.at), is_other: !is_root }
}
