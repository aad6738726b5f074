//! The formats that are read, told apart by what stands in them.
//!
//! Owns which document is whose. Must never guess: what is of an unknown kind is left out, and that is said.

mod compose;
mod dockerfile;
mod pods;
mod routes;
pub(crate) mod words;

use super::model::{Deployment, Platform, Workload};
use super::yaml::{self, Broken, Node, Text, Value};

/// Marks of Cloud Run on a Knative service (Cloud Run, "YAML reference": its annotations and labels).
const CLOUD_RUN_MARKS: [&str; 2] = ["run.googleapis.com/", "cloud.googleapis.com/"];

/// Reads one file into the deployment.
///
/// # Errors
/// It is no text of a format that we know.
pub(crate) fn read(text: &str, file: usize, found: &mut Deployment) -> Result<(), Broken> {
    // An editor's mark for UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if dockerfile::is_one(text) {
        found.workloads.push(dockerfile::read(text, file));
        return Ok(());
    }
    for document in yaml::read(text, file)? {
        take(&document, found);
    }
    Ok(())
}

fn take(document: &Node, found: &mut Deployment) {
    let field = |key: &str| document.get(key).and_then(Node::as_str).unwrap_or_default();
    let (kind, version) = (field("kind"), field("apiVersion"));
    let group = version.split_once('/').map_or("", |(group, _)| group);
    match (group, kind) {
        ("", "List") => {
            for item in document.list("items") {
                take(item, found);
            }
        }
        ("serving.knative.dev", "Service") => found.workloads.extend(knative(document)),
        ("", "Pod") | ("apps" | "extensions", "Deployment" | "StatefulSet" | "DaemonSet") => {
            found.workloads.extend(kubernetes(document, kind));
        }
        ("", "Service") => found.services.extend(routes::service(document)),
        ("networking.k8s.io" | "extensions", "Ingress") => {
            found.ingresses.extend(routes::ingress(document));
        }
        ("cloud.google.com", "BackendConfig") => found.backends.extend(routes::backend(document)),
        ("", "") if version.is_empty() && is_compose(document) => {
            found.workloads.extend(compose::read(document));
        }
        _ if document.value == Value::Null => {}
        _ => {
            let what = if kind.is_empty() {
                "no manifest of a kind that is known: left out".to_owned()
            } else {
                format!("{kind} ({version}) is not looked at")
            };
            found.skipped.push(Text::new(document.at, what));
        }
    }
}

fn is_compose(document: &Node) -> bool {
    matches!(document.get("services").map(|node| &node.value), Some(Value::Map(_)))
}

/// A service of Knative or Cloud Run.
fn knative(document: &Node) -> Option<Workload> {
    let template = document.path(&["spec", "template"])?;
    let annotations = ["metadata", "annotations"];
    let labels = ["metadata", "labels"];
    let places = [document.path(&annotations), template.path(&annotations)];
    let marked = [places[0], places[1], document.path(&labels), template.path(&labels)];
    let mut keys = marked.into_iter().flatten().flat_map(Node::entries);
    let is_mark = |key: &Text| CLOUD_RUN_MARKS.iter().any(|mark| key.text.starts_with(mark));
    let is_googles = keys.any(|(key, _)| is_mark(&key));
    let platform = if is_googles { Platform::CloudRun } else { Platform::Knative };
    let mut workload = pods::pod(template.get("spec")?, platform);
    workload.name = document.path(&["metadata", "name"])?.text()?;
    workload.annotations = pairs(places[1]);
    workload.annotations.extend(pairs(places[0]));
    Some(workload)
}

/// A Pod, or what makes pods of a template.
fn kubernetes(document: &Node, kind: &str) -> Option<Workload> {
    let template = if kind == "Pod" { document } else { document.path(&["spec", "template"])? };
    let mut workload = pods::pod(template.get("spec")?, Platform::Kubernetes);
    workload.name = document.path(&["metadata", "name"])?.text()?;
    workload.labels = pairs(template.path(&["metadata", "labels"]));
    workload.annotations = pairs(template.path(&["metadata", "annotations"]));
    Some(workload)
}

/// Pairs of texts; what is no text is left out.
fn pairs(node: Option<&Node>) -> Vec<(Text, Text)> {
    let entries = node.map(Node::entries).unwrap_or_default();
    entries.into_iter().filter_map(|(key, value)| Some((key, value.text()?))).collect()
}
