//! The repository's text files, read once.
//!
//! Owns what is skipped; must never judge what it reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What was built or installed, not written (`.git` is a file in a linked work tree).
const NAMES_SKIPPED: &[&str] = &[".git", "node_modules", "__pycache__", ".venv", ".pytest_cache"];

/// Deeper than any folder of ours: a loop of links ends here.
const DEPTH_MAX: usize = 16;

/// Text files by their path relative to the root.
pub(super) struct Files(BTreeMap<String, String>);

impl Files {
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| path.ends_with(".rs"))
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|&(path, text)| (path.to_owned(), text.to_owned())).collect())
    }
}

/// Reads every file under `root` that is UTF-8.
pub(super) fn read(root: &Path) -> Result<Files, String> {
    let mut files = BTreeMap::new();
    read_folder(root, "", 0, &mut files).map_err(|error| format!("{}: {error}", root.display()))?;
    Ok(Files(files))
}

fn read_folder(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut BTreeMap<String, String>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if is_skipped(&name) {
            continue;
        }
        if kind.is_dir() && depth < DEPTH_MAX {
            read_folder(&entry.path(), &format!("{prefix}{name}/"), depth + 1, files)?;
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.insert(format!("{prefix}{name}"), text);
        }
    }
    Ok(())
}

fn is_skipped(name: &str) -> bool {
    NAMES_SKIPPED.contains(&name) || name == "target" || name.starts_with("target-")
}

#[cfg(test)]
mod tests {
    use super::is_skipped;

    #[test]
    fn built_and_installed_folders_are_not_read() {
        assert!(is_skipped("target") && is_skipped("target-2") && is_skipped("node_modules"));
        assert!(!is_skipped("targets") && !is_skipped("src"));
    }
}
