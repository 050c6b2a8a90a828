//! Dependencies point one way: the table of ARCHITECTURE.md, held against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::tree;

/// What each crate may use of the others. `tests` may use every library and is left out.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("barnabas-wire-derive", &[]),
    ("barnabas-wire", &["barnabas-wire-derive"]),
    ("barnabas-connection", &["barnabas-wire"]),
    ("barnabas-client", &["barnabas-connection", "barnabas-wire"]),
    ("barnabas-zk-schema", &["barnabas-wire"]),
    ("barnabas-zk-session", &["barnabas-zk-schema"]),
    ("barnabas-config", &[]),
    (
        "barnabas-controller",
        &["barnabas-wire", "barnabas-zk-schema"],
    ),
    ("barnabas-replica", &["barnabas-wire", "barnabas-zk-schema"]),
    ("barnabas-log", &["barnabas-wire"]),
    (
        "barnabas-broker",
        &[
            "barnabas-config",
            "barnabas-connection",
            "barnabas-controller",
            "barnabas-log",
            "barnabas-replica",
            "barnabas-wire",
            "barnabas-zk-schema",
            "barnabas-zk-session",
        ],
    ),
];

/// Crates that decide and therefore may neither wait nor draw lots.
const PURE: [&str; 4] = [
    "barnabas-wire",
    "barnabas-zk-schema",
    "barnabas-controller",
    "barnabas-replica",
];

/// What a pure crate must not depend on, nor may the log, which has no threads of its own.
const IMPURE: [&str; 6] = [
    "tokio",
    "zookeeper-client",
    "zookeeper-async",
    "rand",
    "fastrand",
    "socket2",
];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Normal and build dependencies of every member, by name.
fn graph() -> Graph {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(tree::root())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let used = package["dependencies"].as_array().expect("dependencies");
            let used = used.iter().filter(|one| one["kind"] != "dev");
            (
                text(&package["name"]),
                used.map(|one| text(&one["name"])).collect(),
            )
        })
        .collect()
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().expect("a name").to_owned()
}

fn offences(graph: &Graph) -> Vec<String> {
    let mut bad = Vec::new();
    for (name, used) in graph.iter().filter(|(name, _)| *name != "barnabas-tests") {
        let Some((_, allowed)) = MAY_USE.iter().find(|(member, _)| member == name) else {
            bad.push(format!("{name} is not in the table: give it its row"));
            continue;
        };
        for other in used.iter().filter(|other| other.starts_with("barnabas-")) {
            if !allowed.contains(&other.as_str()) {
                bad.push(format!("{name} may not use {other}"));
            }
        }
        if PURE.contains(&name.as_str()) || name == "barnabas-log" {
            let impure = used.iter().filter(|other| IMPURE.contains(&other.as_str()));
            bad.extend(impure.map(|other| format!("{name} is pure and may not use {other}")));
        }
    }
    bad
}

#[test]
fn dependencies_point_one_way() {
    let graph = graph();
    for (name, _) in MAY_USE {
        assert!(
            graph.contains_key(name),
            "{name} is in the table and not in the workspace"
        );
    }
    assert_eq!(offences(&graph), Vec::<String>::new());
}

/// The control: a wrong arrow, an impure crate and an unknown crate are each found.
#[test]
fn a_wrong_arrow_is_found() {
    let cases = [
        ("barnabas-wire", "barnabas-log"),
        ("barnabas-controller", "tokio"),
        ("barnabas-nobody", "serde"),
    ];
    for (name, used) in cases {
        let graph = Graph::from([(name.to_owned(), BTreeSet::from([used.to_owned()]))]);
        assert_eq!(offences(&graph).len(), 1, "{name} -> {used}");
    }
}

#[test]
fn the_map_names_every_crate() {
    let map = std::fs::read_to_string(tree::root().join("ARCHITECTURE.md")).expect("the map");
    for name in graph().keys() {
        assert!(
            map.contains(name.as_str()),
            "ARCHITECTURE.md does not name {name}"
        );
    }
}
