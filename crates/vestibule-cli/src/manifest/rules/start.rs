//! How the container is started, and with what.
//!
//! Owns the rules about commands, variables, ports and users. Must never show a variable's value.

use super::{Part, table};
use crate::manifest::door::AdminIs;
use crate::manifest::finding::{Findings, Severity};
use crate::manifest::model::{Container, Platform, Variable, Workload};

/// What ends the names of variables that hold secrets.
const SECRETS: [&str; 6] =
    ["PASSWORD", "SECRET", "SECRET_KEY", "API_KEY", "PRIVATE_KEY", "ACCESS_TOKEN"];
/// Origins that only the user's own machine has.
const OWN_MACHINE: [&str; 3] = ["http://localhost", "http://127.0.0.1", "http://[::1]"];

pub(super) fn of_workload(workload: &Workload, found: &mut Findings) {
    for container in &workload.containers {
        for variable in &container.variables {
            secret(variable, found);
            origins(variable, workload, found);
        }
        latest(container, found);
    }
}

fn secret(variable: &Variable, found: &mut Findings) {
    let Some(value) = variable.value.as_ref().filter(|value| !value.text.trim().is_empty()) else {
        return;
    };
    let name = variable.name.text.as_str();
    if value.text.contains('$') {
        return;
    }
    let upper = name.to_ascii_uppercase();
    let is_named = SECRETS.iter().any(|end| upper.ends_with(end));
    if is_named || has_password(&value.text) {
        found.add(&table::PLAIN_SECRET, value.at, format!("{name} holds a secret in the clear"));
    }
}

/// Whether a URL names a user with a password (RFC 3986, section 3.2.1).
fn has_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty())
}

fn origins(variable: &Variable, workload: &Workload, found: &mut Findings) {
    let name = variable.name.text.to_ascii_uppercase();
    let is_list = name.ends_with("ORIGINS") || name.ends_with("ALLOW_ORIGIN") || name == "ORIGIN";
    // Compose is mostly somebody's own machine.
    if !is_list || workload.platform == Platform::Compose {
        return;
    }
    let Some(value) = &variable.value else { return };
    let mut each = value.text.split([',', ' ', ';']).map(str::trim);
    let is_open = |origin: &str| {
        let is_own = OWN_MACHINE.iter().any(|own| origin.starts_with(own));
        origin == "*" || (origin.starts_with("http://") && !is_own)
    };
    if each.any(is_open) {
        let what = format!("{} allows an origin that is not https", variable.name.text);
        found.add(&table::ORIGINS, value.at, what);
    }
}

fn latest(container: &Container, found: &mut Findings) {
    let Some(image) = container.image.as_ref().filter(|_| container.build.is_none()) else {
        return;
    };
    let name = image.text.rsplit('/').next().unwrap_or_default();
    let tag = name.split_once(':').map(|(_, tag)| tag);
    if image.text.contains(['@', '$']) || tag.is_some_and(|tag| tag != "latest") {
        return;
    }
    found.add(&table::LATEST, image.at, "the image has no tag of its own");
}

pub(super) fn of_door(part: &Part<'_>, found: &mut Findings) {
    let Part { workload, container, door, .. } = part;
    if let Some(shell) = door.shell.filter(|shell| !shell.execs) {
        let finding = found.add(&table::SHELL, shell.at, "a shell starts the door without exec");
        if workload.platform != Platform::Image {
            finding.mended_by("command: [\"vestibule\", \"run\", \"--\", \"CMD\"]");
        }
    }
    if let Some(signal) = &container.stop_signal {
        let name = signal.text.trim().trim_start_matches("SIG");
        if !matches!(name, "TERM" | "15" | "INT" | "2") {
            found.add(&table::STOP_SIGNAL, signal.at, "it is ended by another signal");
        }
    }
    if matches!(door.admin, AdminIs::Remote(_)) && !door.has_token {
        let what = "the admin address is open to other machines, without a token";
        found.add(&table::ADMIN_OPEN, door.place("admin"), what);
    }
    let beside = workload.containers.len() > 1 && !container.is_sidecar;
    if workload.platform == Platform::Kubernetes && door.serves && beside {
        found
            .add(&table::SIDECAR, container.at, "the door is no sidecar of its service")
            .mended_by("initContainers:\n  - name: door\n    restartPolicy: Always");
    }
    if let Some(file) = &door.unread {
        found.add(&table::FILE_UNSEEN, file.at, "the door's file was not given with --config");
    }
    let lists = [
        (&table::WRONG_SETTING, &door.wrong),
        (&table::UNKNOWN_SETTING, &door.unknown),
        (&table::CONFLICT, &door.conflicts),
    ];
    for (rule, list) in lists {
        for text in list {
            found.add(rule, text.at, text.text.as_str());
        }
    }
    ports(part, found);
    user(part, found);
    lame_duck(part, found);
}

fn ports(part: &Part<'_>, found: &mut Findings) {
    let Part { workload, container, door, .. } = part;
    let sets_port = matches!(workload.platform, Platform::CloudRun | Platform::Knative);
    let port = container.variables.iter().find(|variable| variable.name.text == "PORT");
    if let Some(variable) = port.filter(|_| sets_port) {
        found.add(&table::PORT_SET, variable.name.at, "PORT is set in the manifest");
    }
    let Some(own) = door.port.filter(|_| door.knows("listen")) else { return };
    let numbers: Vec<u16> = container.ports.iter().filter_map(|port| port.number).collect();
    if numbers.is_empty() || numbers.contains(&own) {
        return;
    }
    let what = format!("the door listens at {own}, and the container's port is {}", numbers[0]);
    let finding = found.add(&table::PORT_MISMATCH, container.ports[0].at, what);
    if workload.platform == Platform::Image {
        finding.only(Severity::Note).mended_by(format!("EXPOSE {own}"));
    } else if workload.platform != Platform::Compose {
        finding.mended_by(format!("ports:\n  - containerPort: {own}"));
    }
}

fn user(part: &Part<'_>, found: &mut Findings) {
    let Part { workload, container, .. } = part;
    let root = container.user.root.or(workload.user.root.filter(|_| !container.user.is_other));
    let is_image = workload.platform == Platform::Image;
    if let Some(at) = root {
        let finding = found.add(&table::ROOT, at, "the user is root");
        if is_image {
            finding.mended_by("USER 65532:65532");
        }
    } else if !container.user.is_other && !workload.user.is_other {
        let severity = match workload.platform {
            Platform::Image => Severity::Warning,
            Platform::Kubernetes => Severity::Note,
            _ => return,
        };
        let finding = found.add(
            &table::ROOT,
            container.at,
            "no user is named: root, unless the image names one",
        );
        finding.only(severity);
        if is_image {
            finding.mended_by("USER 65532:65532");
        }
    }
}

fn lame_duck(part: &Part<'_>, found: &mut Findings) {
    let Part { workload, container, door, .. } = part;
    let waits = !door.lame_duck.is_zero() || container.pre_stop.is_some_and(|stop| !stop.is_zero());
    if workload.platform == Platform::Kubernetes && !waits && door.knows("lame_duck") {
        let what = "lame duck is 0, and no preStop sleeps";
        found.add(&table::ENDPOINTS_LAG, door.place("lame_duck"), what);
    }
}
