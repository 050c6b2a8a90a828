//! librdkafka through Debian's kcat.

use std::collections::BTreeSet;
use std::fmt::Write;

use barnabas_tests::cluster::{Cluster, kcat};

/// Lines of a small message each.
fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(
            text,
            "line {number} of a text that compresses well, compresses well"
        )
        .unwrap();
        text
    })
}

/// S4: brokers and topics are seen by a client that asks any broker.
#[test]
fn the_listing_names_brokers_topics_and_leaders() {
    let cluster = Cluster::start("kcat-list", 3, &[]);
    cluster
        .tool(&["topic", "create", "listed", "--partitions", "6"])
        .ok();
    let any = cluster.brokers[1].address().to_string();
    let listing = kcat(&["-b", &any, "-L"], b"").ok();
    assert!(listing.contains("3 brokers:"), "{listing}");
    for broker in &cluster.brokers {
        let line = format!("broker {} at {}", broker.id(), broker.address());
        assert!(listing.contains(&line), "{line}: {listing}");
    }
    assert!(
        listing.contains("topic \"listed\" with 6 partitions:"),
        "{listing}"
    );
    for partition in 0..6 {
        let leader = partition % 3;
        let line =
            format!("partition {partition}, leader {leader}, replicas: {leader}, isrs: {leader}");
        assert!(listing.contains(&line), "{line}: {listing}");
    }
}

/// S6: what was pushed is pulled again from the beginning, with each codec.
#[test]
fn every_codec_goes_in_and_comes_back() {
    let cluster = Cluster::start("kcat-codecs", 1, &[]);
    let server = cluster.bootstrap();
    let text = lines(500);
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = format!("codec-{codec}");
        cluster
            .tool(&["topic", "create", &topic, "--partitions", "1"])
            .ok();
        kcat(
            &["-b", &server, "-P", "-t", &topic, "-z", codec],
            text.as_bytes(),
        )
        .ok();
        let back = kcat(
            &[
                "-b",
                &server,
                "-C",
                "-t",
                &topic,
                "-o",
                "beginning",
                "-e",
                "-q",
            ],
            b"",
        );
        assert_eq!(back.ok(), text, "{codec}");
        // A client that believes the broker too old for a codec sends uncompressed, in silence; a
        // batch that would only grow is sent as it is.
        let stored = stored_codecs(&cluster, &topic);
        assert!(stored.contains(codec), "{codec}: {stored:?}");
    }
}

/// Codecs of the stored batches: the low bits of each one's attributes, its bytes 21 and 22.
fn stored_codecs(cluster: &Cluster, topic: &str) -> BTreeSet<&'static str> {
    let file = cluster.brokers[0]
        .data()
        .join(format!("{topic}-0/00000000000000000000.log"));
    let bytes = std::fs::read(file).expect("the segment can be read");
    let mut rest = bytes.as_slice();
    let mut codecs = BTreeSet::new();
    // The file of a running broker is longer than its content: zeros are the end.
    while rest.len() > 22 && rest[8..12] != [0; 4] {
        codecs.insert(["none", "gzip", "snappy", "lz4", "zstd"][usize::from(rest[22] & 7)]);
        let length = u32::from_be_bytes(rest[8..12].try_into().expect("four bytes"));
        rest = &rest[12 + length as usize..];
    }
    codecs
}

/// S1: offsets count from 0 without a gap, in the order of sending; S8: with keys and headers.
#[test]
fn offsets_keys_and_headers_come_back() {
    let cluster = Cluster::start("kcat-offsets", 1, &[]);
    let server = cluster.bootstrap();
    cluster
        .tool(&["topic", "create", "keyed", "--partitions", "1"])
        .ok();
    let input = "a:1\nb:2\na:3\n";
    let send = [
        "-b",
        &server,
        "-P",
        "-t",
        "keyed",
        "-K",
        ":",
        "-H",
        "origin=test",
    ];
    kcat(&send, input.as_bytes()).ok();
    let read = [
        "-b",
        &server,
        "-C",
        "-t",
        "keyed",
        "-o",
        "beginning",
        "-e",
        "-q",
    ];
    let format = [read.as_slice(), &["-f", "%o %k %s %h\\n"]].concat();
    let back = kcat(&format, b"").ok();
    assert_eq!(
        back,
        "0 a 1 origin=test\n1 b 2 origin=test\n2 a 3 origin=test\n"
    );
    let from_one = [
        "-b", &server, "-C", "-t", "keyed", "-o", "1", "-e", "-q", "-f", "%o\\n",
    ];
    assert_eq!(kcat(&from_one, b"").ok(), "1\n2\n");
}

#[test]
fn an_idempotent_librdkafka_is_served() {
    let cluster = Cluster::start("kcat-idempotent", 1, &[]);
    let server = cluster.bootstrap();
    cluster
        .tool(&["topic", "create", "once", "--partitions", "1"])
        .ok();
    let text = lines(1000);
    let send = [
        "-b",
        &server,
        "-P",
        "-t",
        "once",
        "-X",
        "enable.idempotence=true",
    ];
    kcat(&send, text.as_bytes()).ok();
    let back = kcat(
        &[
            "-b",
            &server,
            "-C",
            "-t",
            "once",
            "-o",
            "beginning",
            "-e",
            "-q",
        ],
        b"",
    );
    assert_eq!(back.ok(), text);
}
