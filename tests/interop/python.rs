//! kafka-python and confluent-kafka.

use barnabas_tests::cluster::{Cluster, python};

fn check(script: &str) {
    let cluster = Cluster::start("python", 3, &[]);
    cluster
        .tool(&["topic", "create", "python", "--partitions", "3"])
        .ok();
    // Each script produces with every codec and reads back by assignment; it compares by itself
    // and says how many records came back.
    let said = python(script, &[&cluster.bootstrap(), "python"]).ok();
    assert_eq!(said.trim(), "1500 records came back");
}

#[test]
fn kafka_python_produces_idempotently_and_consumes_by_assignment() {
    check("kafka_python.py");
}

#[test]
fn confluent_kafka_produces_and_consumes_by_assignment() {
    check("confluent.py");
}
