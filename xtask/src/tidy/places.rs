//! Files know nothing of the machine they were written on.

use crate::tidy::Violation;

/// Starts of absolute paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &["/home/", "/root/", "/work/", "/Users/"];

/// Hosts that a package is fetched from: its name and version are enough, and the client of
/// whoever builds knows its registry.
const REGISTRY_HOSTS: &[&str] = &[
    "static.crates.io",
    "index.crates.io",
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "pypi.org",
    "files.pythonhosted.org",
    "deb.debian.org",
];

/// This file lists what it looks for.
const EXEMPT: &str = "xtask/src/tidy/places.rs";

pub(super) fn check(path: &str, text: &str) -> Vec<Violation> {
    if path == EXEMPT {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(start) = MACHINE_PATHS.iter().find(|start| contains_path(line, start)) {
            let message = format!(
                "a path under `{start}` is of one machine: make it relative, or take it from a variable"
            );
            found.push(Violation::new(path, index + 1, message));
        }
        if let Some(host) = REGISTRY_HOSTS.iter().find(|host| line.contains(*host)) {
            let message =
                format!("`{host}`: name the package and its version, not where it is fetched");
            found.push(Violation::new(path, index + 1, message));
        }
    }
    found
}

/// At the start of a word: the path of a URL does not count.
fn contains_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| {
            c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '/' | '*' | '~' | '$')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_machine_path_and_a_registry_are_found() {
        assert_eq!(check("a.md", "run `/home/me/vestibule`").len(), 1);
        assert_eq!(check("test", "cd /root/x").len(), 1);
        assert_eq!(
            check("package-lock.json", "\"resolved\": \"https://registry.npmjs.org/ws\"").len(),
            1
        );
    }

    #[test]
    fn relative_paths_and_urls_pass() {
        assert_eq!(check("a.md", "https://a.b/work/c, ./work/c, $D/root/d, ../home/e").len(), 0);
    }
}
