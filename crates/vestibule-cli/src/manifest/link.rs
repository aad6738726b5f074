//! What belongs together in a deployment.
//!
//! Owns finding the doors, and which image a container is of, if its Dockerfile was given too. Must never join what
//! could be meant in two ways.

use super::door::{ConfigFile, Door};
use super::model::{Container, Deployment, Platform, Workload};
use super::yaml::Text;

/// Gives containers what their image says, and finds each one's door.
pub(super) fn link(deployment: &mut Deployment, names: &[&str], config: Option<&ConfigFile>) {
    let (images, mut others): (Vec<Workload>, Vec<Workload>) =
        deployment.workloads.drain(..).partition(|one| one.platform == Platform::Image);
    build_of_compose(&images, &mut others, names);
    only_one(&images, &mut others);
    deployment.workloads = images.into_iter().chain(others).collect();
    for workload in &mut deployment.workloads {
        let (platform, name) = (workload.platform, workload.name.text.clone());
        for container in &mut workload.containers {
            container.door = Door::find(container, platform, &name, config);
        }
    }
}

/// A service of compose that is built says of which file.
fn build_of_compose(images: &[Workload], others: &mut [Workload], names: &[&str]) {
    let compose = others.iter_mut().filter(|one| one.platform == Platform::Compose);
    for container in compose.flat_map(|one| &mut one.containers) {
        let Some(build) = &container.build else { continue };
        let beside = names.get(build.at.file).copied().unwrap_or_default();
        let meant = places(beside, build);
        let image = images.iter().find(|image| {
            let name = names.get(image.spec.file).copied().unwrap_or_default();
            meant.contains(&plain(name))
        });
        if let Some(image) = image.and_then(|image| image.containers.first()) {
            inherit(container, image);
        }
    }
}

/// The file itself, or the `Dockerfile` in it, from where compose's own file is.
fn places(beside: &str, build: &Text) -> [String; 2] {
    let folder = beside.rsplit_once('/').map_or("", |(folder, _)| folder);
    let place = plain(&format!("{folder}/{}", build.text));
    let inside = plain(&format!("{place}/Dockerfile"));
    [place, inside]
}

/// A path without `.`, `..` and doubled slashes.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A single Dockerfile that starts a door is the image of the single container of pods that can be meant: one with a
/// port, and no command of its own.
fn only_one(images: &[Workload], others: &mut [Workload]) {
    let [image] = images else { return };
    let Some(image) = image.containers.first() else { return };
    if Door::find(image, Platform::Image, "", None).is_none() {
        return;
    }
    let of_pods = others.iter_mut().filter(|one| one.platform != Platform::Compose);
    let is_it = |one: &&mut Container| one.command.is_none() && !one.ports.is_empty();
    let mut meant = of_pods.flat_map(|one| &mut one.containers).filter(is_it);
    if let (Some(container), None) = (meant.next(), meant.next()) {
        inherit(container, image);
    }
}

/// What a container does not say itself is the image's.
fn inherit(container: &mut Container, image: &Container) {
    if container.command.is_none() {
        container.command.clone_from(&image.command);
        if container.args.is_none() {
            container.args.clone_from(&image.args);
        }
    }
    for variable in &image.variables {
        if container.variables.iter().all(|own| own.name.text != variable.name.text) {
            container.variables.push(variable.clone());
        }
    }
    if container.stop_signal.is_none() {
        container.stop_signal.clone_from(&image.stop_signal);
    }
    if container.user.root.is_none() && !container.user.is_other {
        container.user = image.user;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_compared_as_it_is_meant() {
        for (path, wanted) in
            [("./a//b/../c", "a/c"), ("../x", "../x"), ("a/..", ""), ("../../y/.", "../../y")]
        {
            assert_eq!(plain(path), wanted);
        }
    }
}
