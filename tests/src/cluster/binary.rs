//! The two binaries as users get them: built without the features that tests switch on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Folder with both binaries, set where they were built beforehand.
const VARIABLE: &str = "BARNABAS_BIN";

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Path of `barnabas-broker`, built if it is not there or is older than its source.
pub fn broker_binary() -> PathBuf {
    folder().join("barnabas-broker")
}

/// Path of `barnabas`, likewise.
pub fn tool_binary() -> PathBuf {
    folder().join("barnabas")
}

fn folder() -> &'static Path {
    FOLDER.get_or_init(|| match std::env::var_os(VARIABLE) {
        Some(folder) => PathBuf::from(folder),
        None => build(),
    })
}

/// Builds both with cargo, which does nothing where they are fresh. One command of its own, so
/// that no feature of this crate is unified into them.
fn build() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ has a parent");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--bins"])
        .args([
            "--package",
            "barnabas-broker",
            "--package",
            "barnabas-client",
        ])
        .current_dir(root)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the binaries do not build: {built}");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("debug")
}
