//! Headers against the oracle's.

use bytes::BytesMut;
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Encodable, StrBytes};

use crate::generate::{Generate, Seed};
use crate::{ApiKey, Coding, Sink, Source, Str, header};

#[test]
fn request_headers_are_written_and_read_as_by_the_oracle() {
    let mut seed = Seed::new(5);
    for &api in ApiKey::ALL {
        for api_version in api.row().codec.iter() {
            let version = api.row().request_header_version(api_version);
            let client_id = match version {
                0 => None,
                _ => Option::<Str>::generate(&mut seed, Coding::classic(1)),
            };
            let ours = header::RequestHeader {
                api,
                api_version,
                correlation_id: 77,
                client_id,
            };
            let theirs = RequestHeader::default()
                .with_request_api_key(api.key())
                .with_request_api_version(api_version)
                .with_correlation_id(77)
                .with_client_id(
                    ours.client_id
                        .clone()
                        .map(|id| StrBytes::from(id.to_string())),
                );
            let mut expected = BytesMut::new();
            theirs.encode(&mut expected, version).unwrap();
            let mut sink = Sink::new();
            ours.encode(&mut sink);
            let bytes = sink.finish().unwrap().into_bytes().unwrap();
            assert_eq!(bytes, expected, "{api} {api_version}");
            let mut source = Source::new(&bytes);
            assert_eq!(header::RequestHeader::decode(&mut source), Ok(ours));
            assert_eq!(source.left(), 0);
        }
    }
}

#[test]
fn response_headers_are_written_and_read_as_by_the_oracle() {
    for &api in ApiKey::ALL {
        for api_version in api.row().codec.iter() {
            let ours = header::ResponseHeader { correlation_id: -3 };
            let mut expected = BytesMut::new();
            let version = api.row().response_header_version(api_version);
            ResponseHeader::default()
                .with_correlation_id(-3)
                .encode(&mut expected, version)
                .unwrap();
            let mut sink = Sink::new();
            ours.encode(&mut sink, api, api_version);
            let bytes = sink.finish().unwrap().into_bytes().unwrap();
            assert_eq!(bytes, expected, "{api} {api_version}");
            let mut source = Source::new(&bytes);
            let read = header::ResponseHeader::decode(&mut source, api, api_version);
            assert_eq!((read, source.left()), (Ok(ours), 0));
        }
    }
}

/// A client that is newer than we are begins so; it must be understood to be refused (KIP-511).
#[test]
fn the_header_of_a_version_from_the_future_is_read() {
    let bytes = [0, 18, 0, 99, 0, 0, 0, 1, 0, 1, b'x', 0].as_slice().into();
    let read = header::RequestHeader::decode(&mut Source::new(&bytes)).unwrap();
    assert_eq!((read.api, read.api_version), (ApiKey::ApiVersions, 99));
}
