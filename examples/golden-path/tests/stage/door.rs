//! Where the door's program is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program `vestibule`, which stands beside the service's. Where only this package was built, it is built now, with
/// the same profile; a build that is older than the door's source is the builder's to renew.
pub(crate) fn vestibule() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let beside = Path::new(env!("CARGO_BIN_EXE_golden-path")).with_file_name("vestibule");
        if !beside.exists() {
            build(&beside);
        }
        beside.to_str().unwrap().to_owned()
    })
}

fn build(program: &Path) {
    let profile = program.parent().unwrap();
    let target: PathBuf = profile.parent().unwrap().to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "-p", "vestibule-cli", "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(status.success() && program.exists(), "the door can't be built");
}
