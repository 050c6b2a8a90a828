//! What a partition promises to those who read it.

use barnabas_tests::cluster::Cluster;

/// S1, S6, S8: records of one key are in one partition, in the order of sending, with offsets that
/// count up from 0; reading takes nothing away.
#[test]
fn one_key_stays_in_one_partition_in_order_and_can_be_read_twice() {
    let cluster = Cluster::start("order", 2, &[]);
    cluster
        .tool(&["topic", "create", "queue", "--partitions", "4"])
        .ok();
    let input: String = (0..200).map(|n| format!("k{}:{n}\n", n % 7)).collect();
    let produce = ["produce", "queue", "--key-separator", ":"];
    cluster.tool_with_input(&produce, input.as_bytes()).ok();
    let consume = [
        "consume",
        "queue",
        "--from-beginning",
        "--exit-at-end",
        "--output",
        "json",
    ];
    let first = cluster.tool(&consume).ok();
    assert_eq!(first.lines().count(), 200);
    let mut seen = std::collections::BTreeMap::new();
    let mut next_offset = std::collections::BTreeMap::new();
    for line in first.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("one record a line");
        let partition = record["partition"].as_i64().unwrap();
        let expected = next_offset.entry(partition).or_insert(0);
        assert_eq!(record["offset"].as_i64().unwrap(), *expected, "{line}");
        *expected += 1;
        let key = record["key"].as_str().unwrap().to_owned();
        let number: u32 = record["value"].as_str().unwrap().parse().unwrap();
        let (home, last) = seen.entry(key).or_insert((partition, None));
        assert_eq!(*home, partition, "{line}");
        assert!(last.is_none_or(|last| last < number), "{line}");
        *last = Some(number);
    }
    assert_eq!(seen.len(), 7);
    let again = cluster.tool(&consume).ok();
    assert_eq!(again.lines().count(), 200);
}
