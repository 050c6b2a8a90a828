//! The checkout as a list of files.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ has a parent")
        .to_path_buf()
}

/// Every file below the root whose name ends in `.ending`, with its text; build output left out.
pub(crate) fn files(ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the checkout can be read") {
            let path = entry.expect("an entry can be read").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    folders.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                let text = std::fs::read_to_string(&path).expect("a source file is text");
                let short = path
                    .strip_prefix(root())
                    .expect("below the root")
                    .to_path_buf();
                found.push((short, text));
            }
        }
    }
    found.sort();
    assert!(
        !found.is_empty(),
        "no .{ending} file found: the rules below would check nothing"
    );
    found
}
