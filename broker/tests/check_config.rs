//! `barnabas-broker check-config` as people call it: what it prints, where, and its exit code.

use std::path::Path;
use std::process::{Command, Output};

#[expect(clippy::panic, reason = "a binary that does not start fails the test")]
fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_barnabas-broker"));
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied());
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "an output is looked at once")]
fn check(output: Output, code: i32, out: &str, err: &str) {
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    assert!(stdout.contains(out), "{out} is not in {stdout}");
    assert!(stderr.contains(err), "{err} is not in {stderr}");
}

fn shipped() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."));
    root.join("config/server.toml").display().to_string()
}

#[test]
fn it_prints_every_value_with_its_origin() {
    let shipped = shipped();
    let table = [
        "check-config",
        "--config",
        &shipped,
        "--only-set",
        "--override",
        "port=7",
    ];
    let output = run(&table, &[("KAFKA_BROKER_RACK", "r1")]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |key: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{key} ")));
        line.map(|line| {
            line.split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(row("port").as_deref(), Some("7 --override"));
    assert_eq!(
        row("broker.rack").as_deref(),
        Some("r1 environment KAFKA_BROKER_RACK")
    );
    assert!(row("broker.id").unwrap().starts_with("0 /"), "{text}");
    assert_eq!(row("log.roll.hours"), None, "only what is set");
    check(output, 0, "", "");
}

#[test]
fn json_is_one_object_with_settings_and_warnings() {
    let arguments = [
        "check-config",
        "--output",
        "json",
        "--override",
        "zookeeper.connect=z:1/k",
    ];
    let output = run(&arguments, &[("KAFKA_LOG_RETENTION_HOURS", "1")]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let settings = json["settings"].as_array().unwrap();
    let connect = settings
        .iter()
        .find(|row| row["key"] == "zookeeper.connect")
        .unwrap();
    assert_eq!(
        (&connect["value"], &connect["source"]),
        (&"z:1/k".into(), &"--override".into())
    );
    assert!(connect["default"].is_null());
    assert_eq!(json["warnings"].as_array().map(Vec::len), Some(1), "{json}");
    check(output, 0, "", "");
}

#[test]
fn what_is_wrong_ends_with_code_2_and_nothing_on_standard_output() {
    let unknown = ["check-config", "--override", "brokr.id=1"];
    check(run(&unknown, &[]), 2, "", "did you mean \"broker.id\"?");
    check(
        run(&["check-config"], &[]),
        2,
        "",
        "zookeeper.connect is not set",
    );
    check(
        run(&["check-config", "--nonsense"], &[]),
        2,
        "",
        "--nonsense",
    );
    check(
        run(&["start", "--config", "/nowhere.toml"], &[]),
        2,
        "",
        "/nowhere.toml",
    );
    let level = [
        "start",
        "--override",
        "zookeeper.connect=z",
        "--log-level",
        "loud",
    ];
    check(run(&level, &[]), 2, "", "--log-level: got \"loud\"");
}

#[test]
fn help_and_version_are_answers_not_mistakes() {
    check(run(&["--help"], &[]), 0, "check-config", "");
    check(run(&["--version"], &[]), 0, env!("CARGO_PKG_VERSION"), "");
}
