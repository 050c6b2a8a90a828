//! Size, names and words of source files. Each rule is a function from text to offences, so that
//! a control can show that it fails where it must.

use std::path::Path;

use crate::tree;

/// Hard end of a file's length, in lines.
const FILE_LINES_MAX: usize = 800;

/// File names that say nothing about what is inside.
const NAMELESS: [&str; 8] = [
    "util", "utils", "common", "helper", "helpers", "manager", "types", "misc",
];

type Rule = fn(&Path, &str) -> Vec<String>;

fn length(_: &Path, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        vec![format!(
            "{lines} lines: look for the second noun in it and give that its own file"
        )]
    } else {
        Vec::new()
    }
}

fn name(path: &Path, _: &str) -> Vec<String> {
    path.iter()
        .filter_map(|part| Path::new(part).file_stem()?.to_str())
        .filter(|part| NAMELESS.contains(part))
        .map(|part| format!("`{part}` names nothing: call the file after the one noun in it"))
        .collect()
}

fn purpose(_: &Path, text: &str) -> Vec<String> {
    if text.starts_with("//!") {
        Vec::new()
    } else {
        vec!["does not begin with `//!`: say in one sentence what the file is for".into()]
    }
}

fn left_open(_: &Path, text: &str) -> Vec<String> {
    // Spelled in two halves so that this file does not offend itself.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("#[ig", "nore"),
    ];
    text.lines()
        .enumerate()
        .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)))
        .map(|(number, _)| {
            format!(
                "line {}: left open: finish it, or file an issue",
                number + 1
            )
        })
        .collect()
}

/// Paths of znodes are spelled in one crate only.
fn znode(path: &Path, text: &str) -> Vec<String> {
    let home = path.starts_with("zk-schema") || path.starts_with("tests");
    let in_tests = path
        .iter()
        .any(|part| part == "tests" || part == "tests.rs");
    if home || in_tests {
        return Vec::new();
    }
    let roots = [
        "\"/brokers",
        "\"/controller",
        "\"/admin/",
        "\"/config/",
        "\"/isr_change",
    ];
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .enumerate()
        .filter(|(_, line)| roots.iter().any(|root| line.contains(root)))
        .map(|(number, _)| {
            format!(
                "line {}: spell the path of a znode in zk-schema",
                number + 1
            )
        })
        .collect()
}

const RULES: [Rule; 5] = [length, name, purpose, left_open, znode];

fn offences(path: &Path, text: &str) -> Vec<String> {
    RULES.iter().flat_map(|rule| rule(path, text)).collect()
}

#[test]
fn every_source_file_keeps_the_rules() {
    let bad: Vec<String> = tree::files("rs")
        .iter()
        .flat_map(|(path, text)| {
            offences(path, text)
                .into_iter()
                .map(|say| format!("{}: {say}", path.display()))
        })
        .collect();
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
}

/// The control: each rule finds its offence, and nothing else does.
#[test]
fn each_rule_fails_where_it_must() {
    let long = "//! Long.\n".repeat(FILE_LINES_MAX + 1);
    let open = format!("//! Open.\n// {}: later\n", concat!("TO", "DO"));
    let znode = "//! Znode.\nconst P: &str = \"/brokers/ids\";\n";
    let cases: [(&str, &str); 5] = [
        ("broker/src/long.rs", &long),
        ("broker/src/util.rs", "//! Nameless.\n"),
        ("broker/src/a.rs", "fn main() {}\n"),
        ("broker/src/open.rs", &open),
        ("broker/src/znode.rs", znode),
    ];
    for (path, text) in cases {
        assert_eq!(offences(Path::new(path), text).len(), 1, "{path}");
    }
    assert_eq!(
        offences(Path::new("broker/src/log.rs"), "//! Fine.\n"),
        Vec::<String>::new()
    );
}
