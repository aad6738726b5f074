//! The way from a user to the door.
//!
//! Owns the rules about ingresses, services and their annotations. Must never judge a way that leads elsewhere.

use super::table;
use crate::manifest::Known;
use crate::manifest::finding::Findings;
use crate::manifest::model::{Deployment, Ingress, Platform, Service, Workload, value};

/// Silence that a WebSocket may keep, in seconds.
const SILENCE: u64 = 3600;
/// How annotations of ingress-nginx begin.
const NGINX: &str = "nginx.ingress.kubernetes.io/";
/// Certificates that no `tls` names: GKE's and AWS's.
const CERTIFICATES: [&str; 4] = [
    "networking.gke.io/managed-certificates",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
    "networking.gke.io/certmap",
    "alb.ingress.kubernetes.io/certificate-arn",
];
/// What names a BackendConfig.
const BACKEND_CONFIGS: [&str; 2] =
    ["cloud.google.com/backend-config", "beta.cloud.google.com/backend-config"];

pub(super) fn of_workload(workload: &Workload, found: &mut Findings) {
    for port in workload.containers.iter().flat_map(|container| &container.ports) {
        let is_googles = matches!(workload.platform, Platform::CloudRun | Platform::Knative);
        if let Some(name) = port.name.as_ref().filter(|name| is_googles && name.text == "h2c") {
            found.add(&table::END_TO_END_H2, name.at, "the port is named h2c");
        }
    }
    if workload.platform != Platform::CloudRun {
        return;
    }
    let affinity = workload.annotation("run.googleapis.com/sessionAffinity");
    if affinity.is_none_or(|value| value.text != "true") {
        let at = affinity.map_or(workload.spec, |value| value.at);
        found.add(&table::AFFINITY, at, "run.googleapis.com/sessionAffinity is not \"true\"");
    }
    let ingress = workload.annotation("run.googleapis.com/ingress");
    if let Some(ingress) = ingress.filter(|ingress| ingress.text == "internal") {
        found.add(&table::INGRESS_CLOSED, ingress.at, "ingress is internal");
    }
    let boost = workload.annotation("run.googleapis.com/startup-cpu-boost");
    let scale = workload.annotation("autoscaling.knative.dev/minScale");
    let scale = scale.or_else(|| workload.annotation("run.googleapis.com/minScale"));
    let starts_from_zero = scale.is_none_or(|scale| scale.text.trim() == "0");
    if starts_from_zero && boost.is_none_or(|value| value.text != "true") {
        let at = boost.map_or(workload.spec, |value| value.at);
        found.add(
            &table::NO_BOOST,
            at,
            "no instance is kept, and startup-cpu-boost is not \"true\"",
        );
    }
}

pub(super) fn of_ways(deployment: &Deployment, known: &Known, found: &mut Findings) {
    let leads = |service: &&Service| {
        let selected = |workload: &&Workload| {
            workload.platform == Platform::Kubernetes && service.selects(workload)
        };
        let mut workloads = deployment.workloads.iter().filter(selected);
        workloads.any(|workload| known.websockets || workload.doors().next().is_some())
    };
    let services: Vec<_> = deployment.services.iter().filter(leads).collect();
    for service in &services {
        of_service(service, deployment, found);
    }
    for ingress in &deployment.ingresses {
        if services.iter().any(|service| ingress.backends.contains(&service.name.text)) {
            of_ingress(ingress, found);
        }
    }
}

fn of_service(service: &Service, deployment: &Deployment, found: &mut Findings) {
    for port in &service.ports {
        if let Some(protocol) = port.protocol.as_ref().filter(|one| one.text.ends_with("h2c")) {
            found.add(
                &table::END_TO_END_H2,
                protocol.at,
                "the service's port is said to speak h2c",
            );
        }
        let target = port.target.as_ref().and_then(|target| target.text.parse::<u16>().ok());
        let selected = deployment.workloads.iter().filter(|one| service.selects(one));
        let doors: Vec<_> = selected.flat_map(Workload::doors).collect();
        // A port of another container is none of the door's business.
        if let (Some(target), [(_, door)]) = (target, doors.as_slice())
            && let Some(own) = door.port.filter(|own| *own != target)
            && door.knows("listen")
            && (door.child_port == Some(target) || door.upstream == Some(target))
        {
            let what = format!("the service leads to {target}, past the door at {own}");
            found.add(&table::PORT_MISMATCH, port.at, what).mended_by(format!("targetPort: {own}"));
        }
    }
    let names = BACKEND_CONFIGS.iter().find_map(|key| value(&service.annotations, key));
    let Some(names) = names else { return };
    for backend in &deployment.backends {
        if !names.text.contains(&format!("\"{}\"", backend.name.text)) {
            continue;
        }
        let seconds = backend.timeout.map_or(30, |timeout| timeout.value);
        if seconds < SILENCE {
            let at = backend.timeout.map_or(backend.name.at, |timeout| timeout.at);
            let what = format!("BackendConfig {}: {seconds} s", backend.name.text);
            found.add(&table::BACKEND_TIMEOUT, at, what);
        }
    }
}

fn of_ingress(ingress: &Ingress, found: &mut Findings) {
    let has = |key: &&str| value(&ingress.annotations, key).is_some();
    let off = format!("{NGINX}ssl-redirect");
    let off = value(&ingress.annotations, &off).filter(|value| value.text == "false");
    if !ingress.has_tls && !CERTIFICATES.iter().any(has) {
        found.add(&table::NO_TLS, ingress.name.at, "no tls, and no certificate's annotation");
    } else if let Some(off) = off {
        let finding = found.add(&table::NO_TLS, off.at, "plain HTTP is not led to HTTPS");
        finding.mended_by(format!("{NGINX}ssl-redirect: \"true\""));
    }
    let by_class = ingress.class.as_ref().is_some_and(|class| class.text.contains("nginx"));
    let is_nginx =
        by_class || ingress.annotations.iter().any(|(key, _)| key.text.starts_with(NGINX));
    if !is_nginx {
        return;
    }
    for name in ["proxy-read-timeout", "proxy-send-timeout"] {
        let given = value(&ingress.annotations, &format!("{NGINX}{name}"));
        let seconds = given.map_or(Some(60), |given| given.text.trim_end_matches('s').parse().ok());
        if seconds.is_some_and(|seconds: u64| seconds < SILENCE) {
            let at = given.map_or(ingress.name.at, |given| given.at);
            let what = format!("{name} is {} s", seconds.unwrap_or_default());
            let finding = found.add(&table::NGINX_TIMEOUT, at, what);
            finding.mended_by(format!("{NGINX}{name}: \"{SILENCE}\""));
        }
    }
}
