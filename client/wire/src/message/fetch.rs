//! `Fetch` (1): consumers and followers read records.
//!
//! Source: KIP-74 (limits), KIP-98 (isolation), KIP-227 (sessions), KIP-320 (epochs), KIP-392
//! (nearest replica), KIP-595 (divergence). From version 13 topics go by id.

use bytes::Bytes;

use crate::{Coding, DecodeError, FileRegion, Piece, Sink, Source, Str, Uuid, Wire};

/// Asks for records.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(Fetch))]
pub struct FetchRequest {
    /// The cluster that the reader believes to be in.
    #[wire(versions = 12.., tag = 0, ignorable)]
    pub cluster_id: Option<Str>,
    /// The follower's broker id; -1 for a consumer.
    #[wire(versions = 0..=14, default = -1)]
    pub replica_id: i32,
    /// The follower and its registration.
    #[wire(versions = 15.., tag = 1)]
    pub replica_state: ReplicaState,
    /// How long the answer may wait for `min_bytes`. Unit: ms.
    pub max_wait_ms: i32,
    /// Bytes worth answering for.
    pub min_bytes: i32,
    /// Most bytes of the answer; the first batch comes whatever its size.
    #[wire(versions = 3.., default = i32::MAX, ignorable)]
    pub max_bytes: i32,
    /// 0 reads everything up to the high watermark, 1 committed transactions only.
    #[wire(versions = 4.., ignorable)]
    pub isolation_level: i8,
    /// The fetch session; 0 for none.
    #[wire(versions = 7.., ignorable)]
    pub session_id: i32,
    /// Counts the session's requests; 0 opens a session, -1 closes it or goes without.
    #[wire(versions = 7.., default = -1, ignorable)]
    pub session_epoch: i32,
    /// What to read; in a session, what changed.
    pub topics: Vec<FetchTopic>,
    /// What the session shall no longer read.
    #[wire(versions = 7..)]
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// The reader's rack.
    #[wire(versions = 11.., ignorable)]
    pub rack_id: Str,
}

/// A follower and its registration. Source: KIP-903.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ReplicaState {
    /// The follower's broker id; -1 for a consumer.
    #[wire(versions = 15.., default = -1)]
    pub replica_id: i32,
    /// Its broker epoch; -1 if not given.
    #[wire(versions = 15.., default = -1)]
    pub replica_epoch: i64,
}

/// A topic to read.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchTopic {
    /// Its name.
    #[wire(versions = 0..=12, ignorable)]
    pub topic: Str,
    /// Its id.
    #[wire(versions = 13.., ignorable)]
    pub topic_id: Uuid,
    /// Its partitions.
    pub partitions: Vec<FetchPartition>,
}

/// A partition to read.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchPartition {
    /// Its index.
    pub partition: i32,
    /// The leader epoch that the reader knows; -1 for "do not check".
    #[wire(versions = 9.., default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// First offset wanted.
    pub fetch_offset: i64,
    /// Leader epoch of the reader's last record; -1 for none.
    #[wire(versions = 12.., default = -1)]
    pub last_fetched_epoch: i32,
    /// The follower's log start offset; -1 from consumers.
    #[wire(versions = 5.., default = -1, ignorable)]
    pub log_start_offset: i64,
    /// Most bytes of this partition; the first batch of the answer comes whatever its size.
    pub partition_max_bytes: i32,
    /// The follower's log directory.
    #[wire(versions = 17.., tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
}

/// Partitions that leave a session.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ForgottenTopic {
    /// The topic.
    #[wire(versions = 7..=12, ignorable)]
    pub topic: Str,
    /// The topic's id.
    #[wire(versions = 13.., ignorable)]
    pub topic_id: Uuid,
    /// Indexes of the partitions.
    #[wire(versions = 7..)]
    pub partitions: Vec<i32>,
}

/// Records.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(Fetch))]
pub struct FetchResponse {
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 1.., ignorable)]
    pub throttle_time_ms: i32,
    /// Error code of the whole, or 0.
    #[wire(versions = 7.., ignorable)]
    pub error_code: i16,
    /// The fetch session; 0 for none.
    #[wire(versions = 7..)]
    pub session_id: i32,
    /// The topics; in a session, those with news.
    pub responses: Vec<FetchableTopicResponse>,
    /// Where the leaders named in partitions are reached. Source: KIP-951.
    #[wire(versions = 16.., tag = 0, ignorable)]
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// One topic's records.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FetchableTopicResponse {
    /// The topic.
    #[wire(versions = 0..=12, ignorable)]
    pub topic: Str,
    /// The topic's id.
    #[wire(versions = 13.., ignorable)]
    pub topic_id: Uuid,
    /// Its partitions.
    pub partitions: Vec<PartitionData>,
}

/// One partition's records.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionData {
    /// The partition's index.
    pub partition_index: i32,
    /// Error code, or 0.
    pub error_code: i16,
    /// First offset not known to be on every in-sync replica; -1 with an error.
    pub high_watermark: i64,
    /// First offset of the oldest open transaction, or the high watermark; -1 if not told.
    #[wire(versions = 4.., default = -1, ignorable)]
    pub last_stable_offset: i64,
    /// First offset that can be read; -1 if not told.
    #[wire(versions = 5.., default = -1, ignorable)]
    pub log_start_offset: i64,
    /// Where the reader's log parts from the leader's; epoch -1 if it does not.
    #[wire(versions = 12.., tag = 0)]
    pub diverging_epoch: EpochEndOffset,
    /// The leader, if the reader asked another broker; -1 if not told.
    #[wire(versions = 12.., tag = 1, ignorable)]
    pub current_leader: LeaderIdAndEpoch,
    /// A snapshot to load first; unused with ZooKeeper.
    #[wire(versions = 12.., tag = 2)]
    pub snapshot_id: SnapshotId,
    /// Aborted transactions within the records; null unless committed ones were asked for.
    #[wire(versions = 4.., ignorable)]
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The replica to read from next time; -1 for this one.
    #[wire(versions = 11.., default = -1)]
    pub preferred_read_replica: i32,
    /// Whole batches; a last one may be cut off.
    pub records: Records,
}

/// The end of an epoch in the leader's log.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EpochEndOffset {
    /// The leader epoch; -1 for none.
    #[wire(versions = 12.., default = -1)]
    pub epoch: i32,
    /// First offset after it; -1 for none.
    #[wire(versions = 12.., default = -1)]
    pub end_offset: i64,
}

/// A leader.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    /// The leader's broker id; -1 if unknown.
    #[wire(versions = 12.., default = -1)]
    pub leader_id: i32,
    /// Its leader epoch; -1 if unknown.
    #[wire(versions = 12.., default = -1)]
    pub leader_epoch: i32,
}

/// A snapshot of a metadata log; unused with ZooKeeper.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct SnapshotId {
    /// First offset after it; -1 for none.
    #[wire(default = -1)]
    pub end_offset: i64,
    /// Its leader epoch; -1 for none.
    #[wire(default = -1)]
    pub epoch: i32,
}

/// A transaction whose records are to be left out.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AbortedTransaction {
    /// The producer.
    #[wire(versions = 4..)]
    pub producer_id: i64,
    /// First offset of the transaction.
    #[wire(versions = 4..)]
    pub first_offset: i64,
}

/// Where a broker is reached.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The broker's id.
    #[wire(versions = 16..)]
    pub node_id: i32,
    /// Its host.
    #[wire(versions = 16..)]
    pub host: Str,
    /// Its port.
    #[wire(versions = 16..)]
    pub port: i32,
    /// Its rack.
    #[wire(versions = 16..)]
    pub rack: Option<Str>,
}

/// Records of a partition on their way to a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Records {
    /// None, not even an empty list.
    #[default]
    Null,
    /// In memory; after decoding, a slice of the frame.
    Bytes(Bytes),
    /// In a segment file, to be spliced into the response. Never comes out of decoding.
    File(FileRegion),
}

impl Records {
    /// Count of bytes; 0 for null.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::File(region) => Piece::File(region.clone()).len(),
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Wire for Records {
    const SIZE_MIN: usize = 1;

    fn write(&self, sink: &mut Sink, coding: Coding) {
        match self {
            Self::Null => sink.write_length(None, coding),
            Self::Bytes(bytes) => bytes.write(sink, coding),
            Self::File(region) => {
                sink.write_length(Some(self.len()), coding);
                sink.write_file(region);
            }
        }
    }

    fn read(source: &mut Source<'_>, coding: Coding) -> Result<Self, DecodeError> {
        Ok(Option::<Bytes>::read(source, coding)?.map_or(Self::Null, Self::Bytes))
    }
}

#[cfg(any(test, feature = "generate"))]
impl crate::generate::Generate for Records {
    fn generate(seed: &mut crate::generate::Seed, coding: Coding) -> Self {
        Option::generate(seed, coding).map_or(Self::Null, Self::Bytes)
    }
}
