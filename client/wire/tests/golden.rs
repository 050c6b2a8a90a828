//! Frames as real clients sent them: kcat with librdkafka 2.0.2, taken off a socket.

use barnabas_wire::header::RequestHeader;
use barnabas_wire::message::metadata::MetadataRequestTopic;
use barnabas_wire::message::{ApiVersionsRequest, MetadataRequest};
use barnabas_wire::{ApiKey, Request, Source, Str};
use bytes::Bytes;

fn bytes_of(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|c| c.to_digit(16))
        .filter_map(|d| d.try_into().ok())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit))
        .collect()
}

/// Reads the frame whole, compares it, and writes it again.
#[track_caller]
fn check<R: Request + PartialEq + std::fmt::Debug>(
    hex: &str,
    (api, api_version): (ApiKey, i16),
    expected: &R,
) {
    let frame = bytes_of(hex);
    let mut source = Source::new(&frame);
    let header = RequestHeader::decode(&mut source);
    let client_id = Some(Str::from("rdkafka"));
    let correlation_id = header.as_ref().map_or(0, |header| header.correlation_id);
    let expected_header = RequestHeader {
        api,
        api_version,
        correlation_id,
        client_id,
    };
    assert_eq!(header.as_ref(), Ok(&expected_header));
    assert_eq!(R::decode(&mut source, api_version).as_ref(), Ok(expected));
    assert_eq!(source.left(), 0);
    let written = barnabas_wire::frame::encode_request(&expected_header, expected)
        .and_then(barnabas_wire::Pieces::into_bytes);
    assert_eq!(written.map(|bytes| bytes.slice(4..)), Ok(frame));
}

#[test]
fn librdkafka_opens_with_api_versions() {
    check(
        "0012000300000001000772646b61666b61000b6c696272646b61666b6106322e302e3200",
        (ApiKey::ApiVersions, 3),
        &ApiVersionsRequest {
            client_software_name: "librdkafka".into(),
            client_software_version: "2.0.2".into(),
        },
    );
}

#[test]
fn librdkafka_asks_about_no_topics_and_about_one() {
    let auto_create = MetadataRequest {
        allow_auto_topic_creation: true,
        ..Default::default()
    };
    let one = MetadataRequestTopic {
        name: Some("demo".into()),
        ..Default::default()
    };
    check(
        "0003000400000002000772646b61666b610000000000",
        (ApiKey::Metadata, 4),
        &MetadataRequest {
            topics: Some(vec![]),
            allow_auto_topic_creation: false,
            ..Default::default()
        },
    );
    check(
        "0003000400000002000772646b61666b6100000001000464656d6f01",
        (ApiKey::Metadata, 4),
        &MetadataRequest {
            topics: Some(vec![one]),
            ..auto_create
        },
    );
}
