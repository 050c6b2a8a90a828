//! A log in a directory that goes away with the test, and batches to put into it.

use barnabas_log::error::{AppendError, OpenError};
use barnabas_log::files::{DiskFiles, FailingFiles, Files};
use barnabas_log::health::DirectoryHealth;
use barnabas_log::partition_log::{
    Appended, LeaderAppend, LogRead, OpenLog, PartitionLog, Read, ReadBound, RecoveryReport,
};
use barnabas_log::producer_state::AppendOrigin;
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::{
    LeaderEpoch, Offset, PartitionId, ProducerEpoch, ProducerId, TopicPartition,
};
use barnabas_wire::record::{Batch, BatchBuilder, Batches, Compression, TimestampType, Validated};
use bytes::Bytes;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

/// The clock of the tests.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

/// A directory with one partition, and what is needed to open its log again and again.
pub(crate) struct Place {
    pub(crate) root: tempfile::TempDir,
    pub(crate) files: FailingFiles,
    pub(crate) open: OpenLog,
}

impl Place {
    pub(crate) fn new(settings: LogSettings) -> Self {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("topic-0");
        let files = FailingFiles::new(Arc::new(DiskFiles));
        files.create_directory(&directory).unwrap();
        let open = OpenLog {
            topic_partition: TopicPartition::new("topic", PartitionId(0)),
            directory,
            files: Arc::new(files.clone()),
            health: Arc::new(DirectoryHealth::new(root.path().to_owned())),
            settings,
            recovery_point: Offset(0),
            log_start_offset: Offset(0),
            is_clean: false,
            cut_below_recovery_point: false,
            now_ms: NOW_MS,
        };
        Self { root, files, open }
    }

    /// Opens the log as after a kill, with this recovery point.
    pub(crate) fn try_open(
        &self,
        recovery_point: i64,
    ) -> Result<(PartitionLog, RecoveryReport), OpenError> {
        let mut open = self.open.clone();
        open.recovery_point = Offset(recovery_point);
        open.health = Arc::new(DirectoryHealth::new(self.root.path().to_owned()));
        PartitionLog::open(open)
    }

    pub(crate) fn open(&self, recovery_point: i64) -> (PartitionLog, RecoveryReport) {
        self.try_open(recovery_point).unwrap()
    }

    /// Opens the log as after a clean shutdown.
    pub(crate) fn open_clean(&self) -> (PartitionLog, RecoveryReport) {
        let mut open = self.open.clone();
        open.is_clean = true;
        PartitionLog::open(open).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.open.directory.join(name)
    }

    /// Names of the partition's files, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.open.directory).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn length(&self, name: &str) -> u64 {
        std::fs::metadata(self.path(name)).unwrap().len()
    }
}

/// Settings with small segments and an index entry for every batch but the first.
pub(crate) fn small() -> LogSettings {
    LogSettings {
        segment_size_bytes: 64 << 10,
        index_interval_bytes: 1,
        ..LogSettings::default()
    }
}

/// An uncompressed batch with one record for each timestamp and value.
pub(crate) fn batch(records: &[(i64, &[u8])]) -> Bytes {
    batch_of(Compression::None, None, records)
}

/// A batch with `count` records of `size` bytes, a millisecond apart from `timestamp_ms` on.
pub(crate) fn batch_of_size(timestamp_ms: i64, count: usize, size: usize) -> Bytes {
    let value = vec![0x61; size];
    let records: Vec<(i64, &[u8])> = (timestamp_ms..)
        .zip(std::iter::repeat_n(value.as_slice(), count))
        .collect();
    batch(&records)
}

pub(crate) fn batch_of(
    compression: Compression,
    producer: Option<(i64, i16, i32)>,
    records: &[(i64, &[u8])],
) -> Bytes {
    let mut builder = BatchBuilder::new(compression, 1024);
    if let Some((id, epoch, sequence)) = producer {
        builder.set_producer(ProducerId(id), ProducerEpoch(epoch), sequence);
    }
    for (timestamp_ms, value) in records {
        builder
            .append(*timestamp_ms, None, Some(value), [])
            .unwrap();
    }
    builder.build().unwrap()
}

pub(crate) fn validated(bytes: &[u8]) -> Validated<'_> {
    let batch = Batch::parse(bytes).unwrap();
    Validated {
        batch,
        timestamp_type: TimestampType::CreateTime,
        max_timestamp_ms: batch.header().max_timestamp_ms(),
        max_timestamp_offset_delta: 0,
        rebuild: None,
    }
}

/// Appends as leader of epoch 0, as a broker does: without blocking where that can be.
pub(crate) fn append(log: &PartitionLog, bytes: &[u8]) -> Result<Appended, AppendError> {
    append_in_epoch(log, 0, bytes)
}

/// Appends what has to succeed.
pub(crate) fn fill(log: &PartitionLog, bytes: &[u8]) {
    drop(append(log, bytes).unwrap());
}

pub(crate) fn append_in_epoch(
    log: &PartitionLog,
    leader_epoch: i32,
    bytes: &[u8],
) -> Result<Appended, AppendError> {
    let batch = validated(bytes);
    let append = LeaderAppend {
        batch: &batch,
        leader_epoch: LeaderEpoch(leader_epoch),
        origin: AppendOrigin::Client,
        now_ms: NOW_MS,
    };
    let mut appended = match log.try_append(&append)? {
        barnabas_log::partition_log::TryAppend::Done(appended) => appended,
        barnabas_log::partition_log::TryAppend::NeedsRoom => log.append(&append)?,
    };
    if let Some(room) = appended.room.take() {
        room.run();
    }
    Ok(appended)
}

/// Reads to the log end.
pub(crate) fn read(log: &PartitionLog, from: i64, size_max_bytes: u64) -> LogRead {
    log.read(&Read {
        from: Offset(from),
        bound: ReadBound::LogEnd,
        size_max_bytes,
        at_least_one_batch: true,
    })
    .unwrap()
}

/// The bytes of a read.
pub(crate) fn bytes_of(read: &LogRead) -> Vec<u8> {
    let Some(slice) = &read.records else {
        return Vec::new();
    };
    let mut bytes = vec![0; usize::try_from(slice.length).unwrap()];
    slice
        .file
        .read_exact_at(&mut bytes, slice.position)
        .unwrap();
    bytes
}

/// Every record from an offset on, read as a consumer does: slice after slice.
pub(crate) fn records_from(log: &PartitionLog, from: i64) -> Vec<(i64, Vec<u8>)> {
    let mut records = Vec::new();
    let mut next = from;
    loop {
        let bytes = bytes_of(&read(log, next, 10_000));
        if bytes.is_empty() {
            return records;
        }
        for batch in Batches::new(&bytes) {
            let Ok(batch) = batch else { break };
            batch.verify_checksum().unwrap();
            let mut scratch = Vec::new();
            for record in batch.decompress(&mut scratch, 1 << 20).unwrap() {
                let record = record.unwrap();
                if record.offset.0 >= from {
                    records.push((record.offset.0, record.value.unwrap().to_vec()));
                }
            }
            next = batch.header().next_offset().0;
        }
    }
}
