//! Every message at every version against another implementation, both directions.
//!
//! A generated value is written by us and read by the oracle; the two values must agree field by
//! field (names, values, defaults of absent fields), and the oracle's bytes must be ours.

mod error_code;
mod header;
mod loss;
mod null;
mod tree;

use std::collections::BTreeSet;
use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};

use crate::generate::{Generate, Seed};
use crate::header::RequestHeader;
use crate::{ApiKey, Message, Piece, Sink, Source, Str, message as ours};
use tree::tree_of;

/// Values of each message and version.
const SEEDS: u64 = 12;

/// A message as its test sees it: bytes in, bytes out.
struct Pair {
    api: ApiKey,
    is_request: bool,
    /// The oracle's lowest and highest version.
    their_versions: (i16, i16),
    /// The oracle's header version for a version.
    their_header: fn(i16) -> i16,
    /// Writes a generated value.
    generate: fn(u64, i16) -> (String, Bytes),
    /// Reads and writes with our codec.
    ours: Turn,
    /// Reads and writes with the oracle.
    theirs: Turn,
}

/// Reads at one version and writes at another.
type Turn = fn(&Bytes, i16, i16) -> Result<Turned, String>;

/// A value as text, and its bytes or why it cannot be written.
type Turned = (String, Result<Bytes, String>);

fn generate<M: Message + Generate + Debug>(seed: u64, version: i16) -> (String, Bytes) {
    let coding = M::API.row().coding(version);
    let value = M::generate(&mut Seed::new(seed), coding);
    let bytes = value
        .to_pieces(version)
        .and_then(crate::Pieces::into_bytes)
        .unwrap();
    (format!("{value:?}"), bytes)
}

fn turn_ours<M: Message + Debug>(bytes: &Bytes, read: i16, write: i16) -> Result<Turned, String> {
    let mut source = Source::new(bytes);
    let value = M::decode(&mut source, read).map_err(|error| format!("{error:?}"))?;
    if source.left() > 0 {
        return Err(format!("{} bytes left", source.left()));
    }
    let written = value.to_pieces(write).and_then(crate::Pieces::into_bytes);
    Ok((
        format!("{value:?}"),
        written.map_err(|error| error.to_string()),
    ))
}

fn turn_theirs<M: Encodable + Decodable + Debug>(
    bytes: &Bytes,
    read: i16,
    write: i16,
) -> Result<Turned, String> {
    let mut rest = bytes.clone();
    let value = M::decode(&mut rest, read).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes left", rest.len()));
    }
    let mut written = BytesMut::new();
    let outcome = value.encode(&mut written, write);
    let written = outcome
        .map(|()| written.freeze())
        .map_err(|error| error.to_string());
    Ok((format!("{value:?}"), written))
}

macro_rules! pair {
    ($api:ident, $message:ident, $is_request:literal) => {
        Pair {
            api: <ours::$message as Message>::API,
            is_request: $is_request,
            their_versions: {
                let versions = <theirs::$message as kafka_protocol::protocol::Message>::VERSIONS;
                (versions.min, versions.max)
            },
            their_header: <theirs::$message as HeaderVersion>::header_version,
            generate: generate::<ours::$message>,
            ours: turn_ours::<ours::$message>,
            theirs: turn_theirs::<theirs::$message>,
        }
    };
}

macro_rules! pairs {
    ($($api:ident $request:ident $response:ident;)*) => {
        const PAIRS: &[Pair] =
            &[$(pair!($api, $request, true), pair!($api, $response, false)),*];
    };
}

pairs! {
    Produce ProduceRequest ProduceResponse;
    Fetch FetchRequest FetchResponse;
    ListOffsets ListOffsetsRequest ListOffsetsResponse;
    Metadata MetadataRequest MetadataResponse;
    LeaderAndIsr LeaderAndIsrRequest LeaderAndIsrResponse;
    StopReplica StopReplicaRequest StopReplicaResponse;
    UpdateMetadata UpdateMetadataRequest UpdateMetadataResponse;
    ControlledShutdown ControlledShutdownRequest ControlledShutdownResponse;
    ApiVersions ApiVersionsRequest ApiVersionsResponse;
    CreateTopics CreateTopicsRequest CreateTopicsResponse;
    DeleteTopics DeleteTopicsRequest DeleteTopicsResponse;
    FindCoordinator FindCoordinatorRequest FindCoordinatorResponse;
    InitProducerId InitProducerIdRequest InitProducerIdResponse;
    OffsetForLeaderEpoch OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse;
    DescribeConfigs DescribeConfigsRequest DescribeConfigsResponse;
    CreatePartitions CreatePartitionsRequest CreatePartitionsResponse;
    DescribeCluster DescribeClusterRequest DescribeClusterResponse;
}

impl Pair {
    fn name(&self) -> String {
        format!(
            "{}{}",
            self.api,
            if self.is_request {
                "Request"
            } else {
                "Response"
            }
        )
    }

    fn versions(&self) -> impl Iterator<Item = i16> {
        self.api.row().codec.iter()
    }

    /// Compares the two codecs on one value that we wrote.
    ///
    /// Ours reads first: five wrong bytes make the oracle ask for more memory than there is.
    fn check(&self, text: &str, bytes: &Bytes, version: i16) -> Result<(), String> {
        let (our_text, our_bytes) = (self.ours)(bytes, version, version)?;
        let (their_text, their_bytes) = (self.theirs)(bytes, version, version)?;
        let (our_tree, their_tree) = (tree_of(text), tree_of(&their_text));
        if our_tree != their_tree {
            return Err(format!("ours {our_tree:?}\ntheirs {their_tree:?}"));
        }
        if their_bytes.as_ref() != Ok(bytes) {
            return Err(format!("ours {bytes:?}\ntheirs {their_bytes:?}"));
        }
        if our_text != text || our_bytes.as_ref() != Ok(bytes) {
            return Err(format!("written {text}\nread {our_text}"));
        }
        Ok(())
    }
}

/// A request frame, without its length, for each API and version.
pub(crate) fn request_frames(seed: u64) -> impl Iterator<Item = Bytes> {
    PAIRS
        .iter()
        .filter(|pair| pair.is_request)
        .flat_map(move |pair| {
            pair.versions().map(move |api_version| {
                let client_id = (pair.api.row().request_header_version(api_version) > 0)
                    .then(|| Str::from("a client"));
                let header = RequestHeader {
                    api: pair.api,
                    api_version,
                    correlation_id: 1,
                    client_id,
                };
                let mut sink = Sink::new();
                header.encode(&mut sink);
                sink.write_slice(&(pair.generate)(seed, api_version).1);
                sink.finish().and_then(crate::Pieces::into_bytes).unwrap()
            })
        })
}

#[test]
fn every_message_at_every_version_agrees_with_the_oracle() {
    for pair in PAIRS {
        for version in pair.versions() {
            for seed in 0..SEEDS {
                let (text, bytes) = (pair.generate)(seed, version);
                if let Err(difference) = pair.check(&text, &bytes, version) {
                    panic!("{} {version}, seed {seed}:\n{difference}", pair.name());
                }
            }
        }
    }
}

/// The control of the test above.
#[test]
fn a_changed_byte_is_noticed_in_every_message() {
    for pair in PAIRS {
        for version in pair.versions() {
            let (text, bytes) = (pair.generate)(1, version);
            let Some(last) = bytes.len().checked_sub(1) else {
                continue;
            };
            let mut changed = BytesMut::from(bytes.as_ref());
            // Not the end: there stands the count of tagged fields, or padding of a null.
            changed[last / 2] ^= 0x15;
            let outcome = pair.check(&text, &changed.freeze(), version);
            assert!(outcome.is_err(), "{} {version}", pair.name());
        }
    }
}

#[test]
fn every_api_of_the_table_has_both_its_messages_here_at_every_version() {
    let covered: BTreeSet<_> = PAIRS
        .iter()
        .map(|pair| (pair.api, pair.is_request))
        .collect();
    for &api in ApiKey::ALL {
        assert!(covered.contains(&(api, true)), "no test of {api} requests");
        assert!(
            covered.contains(&(api, false)),
            "no test of {api} responses"
        );
    }
    for pair in PAIRS {
        let codec = pair.api.row().codec;
        assert_eq!(
            pair.their_versions,
            (codec.min, codec.max),
            "{}",
            pair.name()
        );
    }
}

#[test]
fn headers_have_the_oracles_version() {
    for pair in PAIRS {
        let row = pair.api.row();
        for version in pair.versions() {
            let header = if pair.is_request {
                row.request_header_version(version)
            } else {
                row.response_header_version(version)
            };
            assert_eq!(
                header,
                (pair.their_header)(version),
                "{} {version}",
                pair.name()
            );
        }
    }
}

#[test]
fn long_byte_strings_are_pieces_of_their_own() {
    let request = ours::ProduceRequest {
        topic_data: vec![ours::produce::TopicProduceData {
            name: "t".into(),
            partition_data: vec![ours::produce::PartitionProduceData {
                index: 0,
                records: Some(Bytes::from(vec![7; 100_000])),
            }],
        }],
        ..ours::ProduceRequest::default()
    };
    for version in [8, 9] {
        let pieces = request.to_pieces(version).unwrap();
        assert!(
            matches!(pieces.as_slice(), [Piece::Bytes(_), Piece::Bytes(long), ..] if long.len() == 100_000)
        );
        let bytes = pieces.into_bytes().unwrap();
        let (_, written) = turn_theirs::<theirs::ProduceRequest>(&bytes, version, version).unwrap();
        assert_eq!(written.as_ref(), Ok(&bytes));
    }
}
