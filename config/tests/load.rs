//! What files, environment and overrides become, and what is said when they do not do.

use std::path::PathBuf;

use barnabas_config::{Effective, Inputs, Loaded, Problems, SettingsFile, load};
use expect_test::{Expect, expect};

/// Inputs with one file; `zookeeper.connect` comes from an override so that files may be short.
fn inputs(name: &str, text: &str) -> Inputs {
    let file = SettingsFile {
        path: PathBuf::from(name),
        text: text.to_owned(),
    };
    Inputs {
        file: Some(file),
        environment: Vec::new(),
        overrides: vec!["zookeeper.connect=zk:2181".to_owned()],
    }
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// "value (where)".
fn shown(effective: &Effective, key: &str) -> String {
    effective
        .get(key)
        .map(|a| format!("{} ({})", a.value, a.source))
        .unwrap_or_default()
}

/// The problems or, when there are none, the warnings.
fn said(result: &Result<Loaded, Problems>) -> String {
    match result {
        Ok(loaded) => loaded
            .warnings
            .iter()
            .map(|w| format!("warning: {w}\n"))
            .collect(),
        Err(problems) => format!("{problems}\n"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "expect! makes values")]
fn check(name: &str, text: &str, expected: Expect) {
    expected.assert_eq(&said(&load(&inputs(name, text))));
}

#[test]
fn a_key_may_be_dotted_grouped_or_quoted() {
    let texts = [
        "log.roll.hours = 24\nbroker.rack = 'r'",
        "[log.roll]\nhours = 24\n[broker]\nrack = 'r'",
        "\"log.roll.hours\" = 24\nbroker = { rack = 'r' }",
        "[log]\nroll.hours = \"1d\"\n[broker]\n\"rack\" = 'r'",
    ];
    for text in texts {
        let loaded = load(&inputs("b.toml", text)).unwrap();
        assert_eq!(
            loaded.broker.topic_defaults.segment_ms, 86_400_000,
            "{text}"
        );
        assert_eq!(loaded.broker.identity.rack.as_deref(), Some("r"), "{text}");
    }
}

#[test]
fn later_sources_win_and_each_value_knows_its_own() {
    let mut inputs = inputs("b.toml", "num.partitions = 2\nnum.io.threads = 2\nport = 7");
    inputs.environment = environment(&[("KAFKA_NUM_IO_THREADS", "3"), ("KAFKA_PORT", "8")]);
    inputs
        .overrides
        .extend(["port=9".to_owned(), "port = 10".to_owned()]);
    let effective = load(&inputs).unwrap().effective;
    assert_eq!(shown(&effective, "num.network.threads"), "3 (default)");
    assert_eq!(shown(&effective, "num.partitions"), "2 (b.toml:1)");
    assert_eq!(
        shown(&effective, "num.io.threads"),
        "3 (environment KAFKA_NUM_IO_THREADS)"
    );
    assert_eq!(shown(&effective, "port"), "10 (--override)");
}

#[test]
fn a_mistyped_key_in_toml_is_an_error_with_the_nearest_name() {
    check(
        "b.toml",
        "\n[log]\nretension.hours = 1\nsegment.byte = 3",
        expect![[r#"
            b.toml:3: unknown setting "log.retension.hours"
            b.toml:4: unknown setting "log.segment.byte"; did you mean "log.segment.bytes"?
        "#]],
    );
}

#[test]
fn a_bad_value_says_where_what_and_what_would_do() {
    check(
        "b.toml",
        "num.partitions = 0\nlog.roll.ms = '1GiB'\ndelete.topic.enable = 'yes'\nport = 1979-05-27",
        expect![[r#"
            b.toml:4: port: got "1979-05-27", expected a text, a number, true, false, or an array of these
        "#]],
    );
    check(
        "b.toml",
        "num.partitions = 0\nlog.roll.ms = '1GiB'\ndelete.topic.enable = 'yes'",
        expect![[r#"
            b.toml:1: num.partitions: got "0", expected a whole number, 1 or more, up to 2147483647
            b.toml:2: log.roll.ms: got "1GiB", expected a whole number of milliseconds, 1 or more
            b.toml:3: delete.topic.enable: got "yes", expected true or false
        "#]],
    );
}

#[test]
fn what_is_not_toml_gets_a_hint() {
    check(
        "b.toml",
        "broker.id = 1\nbroker.id.generation.enable = true",
        expect![[r#"
            b.toml:2: not TOML: cannot extend value of type integer with a dotted key, in: broker.id.generation.enable = true. Three of Kafka's keys are also the beginning of others and must be quoted: "broker.id", "max.connections", "max.connections.per.ip"
        "#]],
    );
    check(
        "b.toml",
        "log.dirs=/tmp/x",
        expect![[r#"
        b.toml:1: not TOML: string values must be quoted, expected literal string, in: log.dirs=/tmp/x. In TOML text stands in quotes: key = "value". A server.properties is read as it lies if its name ends in .properties
    "#]],
    );
    check(
        "b.toml",
        "port = 1\n\"port\" = 2",
        expect![[r#"
            b.toml:2: not TOML: duplicate key, in: "port" = 2
        "#]],
    );
    check(
        "b.toml",
        "log.roll.ms = 1\n\"log.roll.ms\" = 2",
        expect![[r#"
            b.toml:2: log.roll.ms is set a second time; the first is at b.toml:1. Keep one of them
        "#]],
    );
    check(
        "b.yaml",
        "",
        expect![[r#"
        b.yaml: cannot be read: the name must end in .toml or in .properties
    "#]],
    );
}

#[test]
fn what_only_kafka_does_is_an_error_for_us_and_a_warning_in_its_own_file() {
    check(
        "b.toml",
        "log.cleaner.threads = 2",
        expect![[r#"
        b.toml:1: log.cleaner.threads is a Kafka setting that this broker does not support: this version does not compact logs yet
    "#]],
    );
    check(
        "server.properties",
        "log.cleaner.threads=2\nconfluent.balancer.enable=true\nnum.partition=3\n\
         inter.broker.protocol.version=2.6-IV0",
        expect![[r#"
            warning: server.properties:1: log.cleaner.threads: ignored: this version does not compact logs yet
            warning: server.properties:2: confluent.balancer.enable: ignored: neither Kafka's nor Barnabas's
            warning: server.properties:3: num.partition: ignored: neither Kafka's nor Barnabas's; did you mean "num.partitions"?
        "#]],
    );
    check(
        "server.properties",
        "",
        expect![[r#"
        warning: default: inter.broker.protocol.version: not set: this broker speaks 2.6. Kafka brokers in the same cluster must be set to 2.6 before this one joins
    "#]],
    );
}

#[test]
fn a_setting_that_protects_is_never_dropped_in_silence() {
    check(
        "server.properties",
        "authorizer.class.name=kafka.security.authorizer.AclAuthorizer\n\
         listeners=SASL_SSL://:9093,CLIENT://:9092\n\
         listener.security.protocol.map=SASL_SSL:SASL_SSL,CLIENT:SSL\n\
         security.inter.broker.protocol=SASL_SSL\n\
         zookeeper.set.acl=true\n\
         inter.broker.protocol.version=2.6",
        expect![[r#"
            server.properties:1: authorizer.class.name = "kafka.security.authorizer.AclAuthorizer" is refused: this broker checks no permissions: everyone who reaches it would be allowed everything; keep the clusters that need an authorizer on Kafka, or remove the line to accept that
            server.properties:4: security.inter.broker.protocol = "SASL_SSL" is refused: this broker speaks to other brokers unencrypted only; set it to PLAINTEXT
            server.properties:5: zookeeper.set.acl = "true" is refused: this broker writes znodes that everyone who reaches ZooKeeper may change; protect ZooKeeper by network rules and set it to false
            server.properties:2: listeners = "SASL_SSL://:9093" is refused: this broker serves neither SSL nor SASL, and will not serve such a listener in the open; make it PLAINTEXT, or keep this broker on Kafka
            server.properties:2: listeners = "CLIENT://:9092" is refused: this broker serves neither SSL nor SASL, and will not serve such a listener in the open; make it PLAINTEXT, or keep this broker on Kafka
            default: inter.broker.listener.name: got nothing, expected one of the advertised listeners (SASL_SSL, CLIENT), over which brokers reach each other
        "#]],
    );
    check(
        "server.properties",
        "authorizer.class.name=\nzookeeper.set.acl=false\nsecurity.inter.broker.protocol=PLAINTEXT\n\
         ssl.client.auth=none\ninter.broker.protocol.version=2.6",
        expect![[r#"
            warning: server.properties:4: ssl.client.auth: ignored: it matters only to SSL and SASL listeners, which this broker has not
        "#]],
    );
}

#[test]
fn another_protocol_between_brokers_is_refused_with_the_steps_to_take() {
    check(
        "server.properties",
        "inter.broker.protocol.version=2.8",
        expect![[r#"
            server.properties:1: inter.broker.protocol.version: got "2.8", expected 2.6, the only protocol between brokers that this broker speaks. In a cluster with Kafka brokers: set inter.broker.protocol.version=2.6 on every Kafka broker, restart them one by one (Kafka 2.6 to 3.9 can), wait until no partition is under-replicated, then set it here and start this broker
        "#]],
    );
}

#[test]
fn a_file_of_kafka_gets_kafkas_defaults() {
    let of_kafka = load(&inputs("server.properties", "")).unwrap();
    assert!(of_kafka.broker.topics.is_delete_enabled);
    let of_ours = load(&inputs("b.toml", "")).unwrap();
    assert!(!of_ours.broker.topics.is_delete_enabled);
}

#[test]
fn listeners_must_fit_together() {
    check(
        "b.toml",
        "listeners = 'PLAINTEXT://:1,PLAINTEXT://:2'",
        expect![[r#"
            b.toml:1: listeners: got "PLAINTEXT://:1,PLAINTEXT://:2", expected a different name for each listener
        "#]],
    );
    check(
        "b.toml",
        "listeners = 'PLAINTEXT://:1,SSL://:1'",
        expect![[r#"
            b.toml:1: listeners: got "PLAINTEXT://:1,SSL://:1", expected a different port for each listener
            b.toml:1: listeners = "SSL://:1" is refused: this broker serves neither SSL nor SASL, and will not serve such a listener in the open; make it PLAINTEXT, or keep this broker on Kafka
        "#]],
    );
    check(
        "b.toml",
        "listeners = 'PLAINTEXT://0.0.0.0:9092'",
        expect![[r#"
            b.toml:1: listeners: got "PLAINTEXT://0.0.0.0:9092", expected an address that clients can connect to: listen with PLAINTEXT://:9092, or set advertised.listeners
        "#]],
    );
    check(
        "b.toml",
        "listeners = 'EXTERNAL://:9092'",
        expect![[r#"
            b.toml:1: listeners: got "EXTERNAL://:9092", expected names that listener.security.protocol.map knows; add EXTERNAL:PLAINTEXT to it
            default: inter.broker.listener.name: got nothing, expected one of the advertised listeners (EXTERNAL), over which brokers reach each other
        "#]],
    );
    check(
        "b.toml",
        "listeners = 'localhost:9092'",
        expect![[r#"
            b.toml:1: listeners: got "localhost:9092", expected NAME://host:port, as in PLAINTEXT://localhost:9092
        "#]],
    );
    check(
        "b.toml",
        "advertised.listeners = 'OTHER://h:9092'",
        expect![[r#"
            b.toml:1: advertised.listeners: got "OTHER://h:9092", expected only names that are also in listeners
            default: inter.broker.listener.name: got nothing, expected one of the advertised listeners (OTHER), over which brokers reach each other
        "#]],
    );
    check(
        "b.toml",
        "listeners = ''",
        expect![[r#"
            default: listeners: got nothing, expected at least one listener
        "#]],
    );
}

#[test]
fn listeners_come_in_three_ages() {
    let bound_and_told = |text: &str| {
        let listeners = load(&inputs("b.toml", text)).unwrap().broker.listeners;
        let join = |all: &[barnabas_config::Endpoint]| {
            all.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(",")
        };
        (join(&listeners.bound), join(&listeners.advertised))
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        bound_and_told(""),
        pair("PLAINTEXT://:9092", "PLAINTEXT://:9092")
    );
    assert_eq!(
        bound_and_told("host.name = 'h'\nport = 1\nadvertised.port = 2"),
        pair("PLAINTEXT://h:1", "PLAINTEXT://h:2")
    );
    assert_eq!(
        bound_and_told("port = 1\nlisteners = ['PLAINTEXT://:3']\nadvertised.host.name = 'x'"),
        pair("PLAINTEXT://:3", "PLAINTEXT://:3")
    );
    let two = "listeners = ['IN://:1', 'OUT://:2']\n\
               advertised.listeners = ['IN://a:1', 'OUT://b:2']\n\
               inter.broker.listener.name = 'IN'\n\
               listener.security.protocol.map = 'IN:PLAINTEXT,OUT:PLAINTEXT'";
    assert_eq!(
        bound_and_told(two),
        pair("IN://:1,OUT://:2", "IN://a:1,OUT://b:2")
    );
}

#[test]
fn numbers_that_belong_together_are_checked_together() {
    check(
        "b.toml",
        "'broker.id' = 1001",
        expect![[r#"
            b.toml:1: broker.id: got "1001", expected at most 1000 (reserved.broker.max.id), because larger numbers are generated while broker.id.generation.enable is true
        "#]],
    );
    check(
        "b.toml",
        "'broker.id' = 1001\nbroker.id.generation.enable = false",
        expect![[""]],
    );
    check(
        "b.toml",
        "broker.id.generation.enable = false",
        expect![[r#"
            default: broker.id: got "-1", expected 0 or more, because broker.id.generation.enable is false
        "#]],
    );
    check(
        "b.toml",
        "log.dirs = ['/a', '/b', '/a']",
        expect![[r#"
            b.toml:1: log.dirs: got "/a,/b,/a", expected each directory once
        "#]],
    );
    check(
        "b.toml",
        "max.connections.per.ip.overrides = ['10.0.0.1:5', 'x:1']",
        expect![[r#"
            b.toml:1: max.connections.per.ip.overrides: got "10.0.0.1:5,x:1", expected address:count, as in 10.0.0.1:100,10.0.0.2:50
        "#]],
    );
    check(
        "b.toml",
        "metrics.listeners = '9404'",
        expect![[r#"
            b.toml:1: metrics.listeners: got "9404", expected host:port, as in 127.0.0.1:9404
        "#]],
    );
}

#[test]
fn a_broker_without_zookeeper_is_told_what_is_missing() {
    let result = load(&Inputs {
        overrides: vec!["port".to_owned()],
        ..Inputs::default()
    });
    expect![[r#"
        --override: expected key=value, got "port"
        zookeeper.connect is not set: name the ZooKeeper servers, as in zookeeper.connect = "localhost:2181"
    "#]].assert_eq(&said(&result));
}

#[test]
fn without_milliseconds_the_hours_count() {
    let roll_ms = |text: &str| {
        load(&inputs("b.toml", text))
            .unwrap()
            .broker
            .topic_defaults
            .segment_ms
    };
    assert_eq!(roll_ms(""), 168 * 3_600_000);
    assert_eq!(roll_ms("log.roll.hours = 1"), 3_600_000);
    assert_eq!(roll_ms("log.roll.hours = 1\nlog.roll.ms = 5"), 5);
}
