//! The programs that are measured.
//!
//! Owns finding them. Must never build or install anything: `bench/run` and `./test` do.

use std::path::PathBuf;

/// Where the programs lie.
#[derive(Debug)]
pub(crate) struct Tools {
    /// The release binary.
    pub(crate) vestibule: PathBuf,
    axum: PathBuf,
    python: PathBuf,
    backends: PathBuf,
}

impl Tools {
    /// Looks beside this binary, and in the checkout.
    pub(crate) fn find() -> Result<Self, String> {
        let ours = std::env::current_exe().map_err(|error| error.to_string())?;
        let root = std::env::current_dir().map_err(|error| error.to_string())?;
        let tools = Self {
            vestibule: ours.with_file_name("vestibule"),
            axum: ours.with_file_name("slow-axum"),
            python: root.join("target/venv/bin/python"),
            backends: root.join("examples/slow-backends"),
        };
        let modules = tools.backends.join("node/node_modules");
        for needed in [&tools.vestibule, &tools.axum, &tools.python, &modules] {
            if !needed.exists() {
                return Err(format!("{} is missing: run ./test once", needed.display()));
            }
        }
        Ok(tools)
    }

    /// The command of one slow backend.
    pub(crate) fn backend(&self, name: &str) -> Vec<String> {
        let text = |path: PathBuf| path.display().to_string();
        match name {
            "axum" => vec![text(self.axum.clone())],
            "uvicorn" => {
                vec![text(self.python.clone()), text(self.backends.join("fastapi/app.py"))]
            }
            _ => vec!["node".to_owned(), text(self.backends.join("node/server.mjs"))],
        }
    }
}
