//! What leads to pods: Service, Ingress, BackendConfig.
//!
//! Owns their fields (Kubernetes API reference, "Service", "Ingress"; GKE, "Ingress configuration"). Must never
//! look at a pod.

use super::pairs;
use super::pods::number;
use crate::manifest::model::{Backend, Ingress, Service, ServicePort};
use crate::manifest::yaml::Node;

/// How a class was said before there was a field for it.
const CLASS: &str = "kubernetes.io/ingress.class";

/// A Service.
pub(super) fn service(document: &Node) -> Option<Service> {
    let spec = document.get("spec")?;
    Some(Service {
        name: document.path(&["metadata", "name"])?.text()?,
        selector: pairs(spec.get("selector")),
        annotations: pairs(document.path(&["metadata", "annotations"])),
        ports: spec.list("ports").iter().map(port).collect(),
    })
}

fn port(node: &Node) -> ServicePort {
    let target = node.get("targetPort").or(node.get("port"));
    ServicePort {
        at: target.map_or(node.at, |target| target.at),
        target: target.and_then(Node::text),
        protocol: node.get("appProtocol").and_then(Node::text),
    }
}

/// An Ingress.
pub(super) fn ingress(document: &Node) -> Option<Ingress> {
    let spec = document.get("spec")?;
    let annotations = pairs(document.path(&["metadata", "annotations"]));
    let class = annotations.iter().find(|(key, _)| key.text == CLASS);
    let class = class.map(|(_, class)| class.clone());
    let whole = ["defaultBackend", "backend"].into_iter().filter_map(|key| spec.get(key));
    let paths = spec.list("rules").iter().filter_map(|rule| rule.get("http"));
    let of_paths = paths.flat_map(|http| http.list("paths")).filter_map(|path| path.get("backend"));
    Some(Ingress {
        name: document.path(&["metadata", "name"])?.text()?,
        class: spec.get("ingressClassName").and_then(Node::text).or(class),
        backends: whole.chain(of_paths).filter_map(named).collect(),
        annotations,
        has_tls: !spec.list("tls").is_empty(),
    })
}

/// The service of a backend, as it is written now and as it was.
fn named(backend: &Node) -> Option<String> {
    let name = backend.path(&["service", "name"]).or(backend.get("serviceName"))?;
    name.as_str().map(ToOwned::to_owned)
}

/// A BackendConfig.
pub(super) fn backend(document: &Node) -> Option<Backend> {
    let name = document.path(&["metadata", "name"])?.text()?;
    Some(Backend { name, timeout: number(document.path(&["spec", "timeoutSec"])) })
}
