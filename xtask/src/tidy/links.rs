//! Links between documents lead somewhere.

use crate::tidy::Violation;

/// Checks each relative link of one document; `exists` is asked for paths relative to the root.
pub(super) fn check(path: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for target in targets(line) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !resolve(folder, file).is_some_and(|file| exists(&file)) {
                let message =
                    format!("the link to `{target}` leads nowhere: correct it, or write the file");
                found.push(Violation::new(path, index + 1, message));
            }
        }
    }
    found
}

/// What stands in `](…)` and is a path.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let after = line.split("](").skip(1);
    let targets = after.filter_map(|rest| rest.split([')', ' ']).next());
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
}

/// `None` for a path that leaves the repository.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_link_to_nothing_is_found() {
        let exists = |path: &str| path == "docs/drain.md" || path == "README.md";
        let text = "[a](drain.md#top) [b](../README.md)\n[c](gone.md) [d](https://a.b/c) [e](#here)\n[f](../../x)\n";
        let lines: Vec<usize> =
            check("docs/why.md", text, exists).iter().map(|found| found.line).collect();
        assert_eq!(lines, [2, 3]);
    }
}
