//! Offsets by time.

use std::collections::BTreeMap;

use barnabas_wire::Str;
use barnabas_wire::id::{BrokerId, LeaderEpoch, PartitionId, TopicName, TopicPartition};
use barnabas_wire::message::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use barnabas_wire::message::{ListOffsetsRequest, ListOffsetsResponse};

use super::{Admin, check};
use crate::cluster::Cluster;
use crate::error::{Error, Result};

/// Which offset of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetAt {
    /// The first that can be read.
    Start,
    /// The one after the last that can be read: the high watermark.
    End,
    /// That of the first record with this timestamp or a later one, ms since the Unix epoch.
    TimestampMs(i64),
}

impl OffsetAt {
    const fn timestamp(self) -> i64 {
        match self {
            Self::Start => -2,
            Self::End => -1,
            Self::TimestampMs(timestamp_ms) => timestamp_ms,
        }
    }
}

/// An offset that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionOffset {
    /// The offset.
    pub offset: i64,
    /// Timestamp of that record, ms since the Unix epoch; -1 for start and end.
    pub timestamp_ms: i64,
    /// Leader epoch of that record; -1 if the broker does not tell.
    pub leader_epoch: LeaderEpoch,
}

impl Admin {
    /// The offset that belongs to a time, partition by partition. A partition without a record as
    /// late as the timestamp has none.
    ///
    /// # Errors
    /// [`Error::Kafka`] if a topic or partition does not exist; [`Error::Timeout`] with the last
    /// obstacle, such as a partition without a leader.
    pub async fn list_offsets(
        &self,
        partitions: &[TopicPartition],
        at: OffsetAt,
    ) -> Result<BTreeMap<TopicPartition, Option<PartitionOffset>>> {
        let metadata = self.client.metadata();
        for partition in partitions {
            metadata
                .topic(&partition.topic, false, self.client.api_timeout())
                .await?;
        }
        let mut found = BTreeMap::new();
        let mut attempts = self.client.attempts("listing offsets");
        loop {
            if let Some(finished) = attempts
                .run(self.ask_offsets(partitions, at, &mut found))
                .await
            {
                return finished.map(|()| found);
            }
        }
    }

    /// Asks the leaders of those partitions that are not in `found`.
    async fn ask_offsets(
        &self,
        partitions: &[TopicPartition],
        at: OffsetAt,
        found: &mut BTreeMap<TopicPartition, Option<PartitionOffset>>,
    ) -> Result<()> {
        let cluster = self.client.metadata().cluster();
        let missing = partitions
            .iter()
            .filter(|&wanted| !found.contains_key(wanted));
        for (leader, wanted) in by_leader(&cluster, missing)? {
            let broker = cluster
                .brokers
                .get(&leader)
                .ok_or_else(|| Error::Unreachable {
                    tried: vec![format!("broker {leader}, a leader, is not alive")],
                })?;
            let request = request(&cluster, &wanted, at);
            let response = self.read_from(broker, &request).await?;
            collect(&response, found)?;
        }
        Ok(())
    }
}

type ByLeader<'a> = BTreeMap<BrokerId, BTreeMap<&'a TopicName, Vec<i32>>>;

fn by_leader<'a>(
    cluster: &Cluster,
    partitions: impl Iterator<Item = &'a TopicPartition>,
) -> Result<ByLeader<'a>> {
    use barnabas_wire::ErrorCode::{LeaderNotAvailable, UnknownTopicOrPartition};
    let mut grouped = ByLeader::new();
    for TopicPartition { topic, partition } in partitions {
        let subject = format!("{topic}-{partition}");
        let Some(found) = cluster.partition(topic.as_str(), partition.0) else {
            return Err(Error::Kafka {
                code: UnknownTopicOrPartition,
                subject,
                message: None,
            });
        };
        let Some(leader) = found.leader else {
            return Err(Error::Kafka {
                code: LeaderNotAvailable,
                subject,
                message: None,
            });
        };
        grouped
            .entry(leader)
            .or_default()
            .entry(topic)
            .or_default()
            .push(partition.0);
    }
    Ok(grouped)
}

fn request(
    cluster: &Cluster,
    wanted: &BTreeMap<&TopicName, Vec<i32>>,
    at: OffsetAt,
) -> ListOffsetsRequest {
    let partition = |topic: &TopicName, index: i32| ListOffsetsPartition {
        partition_index: index,
        current_leader_epoch: cluster
            .partition(topic.as_str(), index)
            .map_or(-1, |partition| partition.leader_epoch.0),
        timestamp: at.timestamp(),
        ..ListOffsetsPartition::default()
    };
    let topic = |(&name, indexes): (&&TopicName, &Vec<i32>)| ListOffsetsTopic {
        name: Str::from(name),
        partitions: indexes
            .iter()
            .map(|&index| partition(name, index))
            .collect(),
    };
    ListOffsetsRequest {
        replica_id: -1,
        topics: wanted.iter().map(topic).collect(),
        ..ListOffsetsRequest::default()
    }
}

fn collect(
    response: &ListOffsetsResponse,
    found: &mut BTreeMap<TopicPartition, Option<PartitionOffset>>,
) -> Result<()> {
    for topic in &response.topics {
        for partition in &topic.partitions {
            let subject = format!("{}-{}", topic.name, partition.partition_index);
            check(partition.error_code, subject, None)?;
            let key = TopicPartition::new(&*topic.name, PartitionId(partition.partition_index));
            let offset = (partition.offset >= 0).then_some(PartitionOffset {
                offset: partition.offset,
                timestamp_ms: partition.timestamp,
                leader_epoch: LeaderEpoch(partition.leader_epoch),
            });
            found.insert(key, offset);
        }
    }
    Ok(())
}
