//! The names that dashboards look for, with the numbers that were counted.

use super::*;

/// Every expected line must be in the text, whole.
fn check(metrics: &Metrics, expected: &[&str]) {
    let text = metrics.encode().unwrap();
    for line in expected {
        assert!(
            text.lines().any(|seen| seen == *line),
            "{line} is missing in\n{text}"
        );
    }
}

#[test]
fn everything_is_there_from_the_start_at_zero() {
    check(
        &Metrics::new(),
        &[
            "kafka_server_brokertopicmetrics_messagesin_total 0",
            "kafka_server_replicamanager_underreplicatedpartitions 0",
            "kafka_server_replicamanager_isrshrinks_total 0",
            "kafka_controller_kafkacontroller_activecontrollercount 0",
            "kafka_controller_controllerstats_uncleanleaderelections_total 0",
            "barnabas_network_connections_open 0",
            "barnabas_partition_series_omitted 0",
            concat!(
                "barnabas_build{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"} 1"
            ),
            "# EOF",
        ],
    );
}

#[test]
fn a_topic_counts_for_itself_and_for_all() {
    let metrics = Metrics::new();
    let orders = metrics.topics.of("orders");
    orders.produced(3, 300);
    orders.produce_failed();
    metrics.topics.of("bills").produced(2, 200);
    orders.fetched(50);
    orders.fetch_failed();
    check(
        &metrics,
        &[
            "kafka_server_brokertopicmetrics_messagesin_total 5",
            "kafka_server_brokertopicmetrics_messagesin_total{topic=\"orders\"} 3",
            "kafka_server_brokertopicmetrics_bytesin_total{topic=\"bills\"} 200",
            "kafka_server_brokertopicmetrics_totalproducerequests_total{topic=\"orders\"} 2",
            "kafka_server_brokertopicmetrics_failedproducerequests_total 1",
            "kafka_server_brokertopicmetrics_bytesout_total{topic=\"orders\"} 50",
            "kafka_server_brokertopicmetrics_failedfetchrequests_total 1",
        ],
    );
    metrics.topics.forget_all_but(|topic| topic == "bills");
    let text = metrics.encode().unwrap();
    assert!(!text.contains("orders"), "{text}");
    check(
        &metrics,
        &["kafka_server_brokertopicmetrics_messagesin_total 5"],
    );
}

#[test]
fn requests_are_told_apart_by_api_and_version() {
    let metrics = Metrics::new();
    metrics.requests.of("Produce", 9).answered(0.5);
    metrics.requests.of("Produce", 3).answered(0.000_05);
    check(
        &metrics,
        &[
            "kafka_network_requestmetrics_requests_total{request=\"Produce\",version=\"9\"} 1",
            "barnabas_request_duration_seconds_count{request=\"Produce\"} 2",
            "barnabas_request_duration_seconds_bucket{le=\"0.0001\",request=\"Produce\"} 1",
        ],
    );
}

#[derive(Debug)]
struct Partitions(Vec<PartitionSample>);

impl PartitionSource for Partitions {
    fn samples(&self) -> Vec<PartitionSample> {
        self.0.clone()
    }
}

fn sample(led: Option<LedSample>) -> PartitionSample {
    PartitionSample {
        topic: "t".to_owned(),
        partition: 4,
        size_bytes: 5,
        segment_count: 1,
        log_start_offset: 2,
        log_end_offset: 9,
        is_offline: false,
        led,
    }
}

#[test]
fn partitions_are_asked_when_somebody_looks() {
    let metrics = Metrics::new();
    metrics.partitions.ask(Partitions(vec![sample(None)]));
    check(
        &metrics,
        &[
            "kafka_log_log_size{topic=\"t\",partition=\"4\"} 5",
            "kafka_log_log_numlogsegments{topic=\"t\",partition=\"4\"} 1",
            "kafka_log_log_logstartoffset{topic=\"t\",partition=\"4\"} 2",
            "kafka_log_log_logendoffset{topic=\"t\",partition=\"4\"} 9",
        ],
    );
}

#[test]
fn too_many_partitions_are_left_out_and_that_is_told() {
    let metrics = Metrics::new();
    let many = vec![sample(None); PARTITION_SERIES_MAX + 1];
    metrics.partitions.ask(Partitions(many));
    check(&metrics, &["barnabas_partition_series_omitted 4001"]);
    let text = metrics.encode().unwrap();
    assert!(!text.contains("topic=\"t\""));
}

#[test]
fn a_controller_that_resigned_shows_nothing_of_its_reign() {
    let metrics = Metrics::new();
    metrics.controller.active_count.set(1);
    metrics.controller.topic_count.set(7);
    metrics.controller.resigned();
    check(
        &metrics,
        &[
            "kafka_controller_kafkacontroller_activecontrollercount 0",
            "kafka_controller_kafkacontroller_globaltopiccount 0",
        ],
    );
}

#[test]
fn partitions_are_counted_by_what_is_wrong_with_them() {
    let metrics = Metrics::new();
    let led = |replica_count, isr_count, min_insync_replicas| {
        sample(Some(LedSample {
            replica_count,
            isr_count,
            min_insync_replicas,
        }))
    };
    let offline = PartitionSample {
        is_offline: true,
        ..sample(None)
    };
    metrics.partitions.ask(Partitions(vec![
        led(3, 3, 2),
        led(3, 2, 2),
        led(3, 1, 2),
        offline,
    ]));
    check(
        &metrics,
        &[
            "kafka_server_replicamanager_partitioncount 4",
            "kafka_server_replicamanager_leadercount 3",
            "kafka_server_replicamanager_offlinereplicacount 1",
            "kafka_server_replicamanager_underreplicatedpartitions 2",
            "kafka_server_replicamanager_underminisrpartitioncount 1",
            "kafka_server_replicamanager_atminisrpartitioncount 1",
        ],
    );
}

#[test]
fn names_that_nobody_hosts_get_no_series() {
    let metrics = Metrics::new();
    metrics.topics.of_nothing_here().produce_failed();
    check(
        &metrics,
        &["kafka_server_brokertopicmetrics_failedproducerequests_total 1"],
    );
    for index in 0..=TOPIC_SERIES_MAX {
        metrics.topics.of(&format!("topic-{index}")).fetched(1);
    }
    check(
        &metrics,
        &["kafka_server_brokertopicmetrics_bytesout_total 10001"],
    );
    let last = format!("\"topic-{TOPIC_SERIES_MAX}\"");
    assert!(!metrics.encode().unwrap().contains(&last));
}
