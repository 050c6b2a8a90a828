//! What a running broker shows of itself: partitions for `/metrics`, obstacles for `/readyz`.

use std::sync::{Arc, Weak};

use barnabas_wire::id::BrokerEpoch;

use crate::health::Obstacles;
use crate::metrics::{LedSample, PartitionSample, PartitionSource};
use crate::node::Node;
use crate::partition::Partition;

/// A broker, as long as it runs.
#[derive(Clone, Debug)]
pub(crate) struct Observed(Weak<Node>);

impl Observed {
    pub(crate) fn new(node: &Arc<Node>) -> Self {
        Self(Arc::downgrade(node))
    }
}

impl PartitionSource for Observed {
    fn samples(&self) -> Vec<PartitionSample> {
        let node = self.0.upgrade();
        let partitions = node.map(|node| node.partitions.partitions());
        let partitions = partitions.unwrap_or_default();
        partitions.iter().map(|one| sample(one)).collect()
    }
}

fn sample(partition: &Partition) -> PartitionSample {
    let replica = partition.replica();
    let led = replica.is_leader().then(|| LedSample {
        replica_count: replica.replicas().len(),
        isr_count: replica.isr().len(),
        min_insync_replicas: replica.settings().min_insync_replicas,
    });
    let name = partition.name();
    let sample = PartitionSample {
        topic: name.topic.as_str().to_owned(),
        partition: name.partition.0,
        is_offline: replica.is_offline(),
        led,
        ..PartitionSample::default()
    };
    let Some(log) = partition.log() else {
        return sample;
    };
    let offsets = log.offsets();
    PartitionSample {
        size_bytes: i64::try_from(log.size_bytes()).unwrap_or(i64::MAX),
        segment_count: i64::try_from(log.segment_count()).unwrap_or(i64::MAX),
        log_start_offset: offsets.log_start.0,
        log_end_offset: offsets.log_end.0,
        ..sample
    }
}

impl Obstacles for Observed {
    fn now(&self) -> Vec<&'static str> {
        let Some(node) = self.0.upgrade() else {
            return vec!["stopped"];
        };
        let mut obstacles = Vec::new();
        if node.session.current().is_none() {
            obstacles.push("no ZooKeeper session");
        } else if !node.session.lease().is_held() {
            obstacles.push("ZooKeeper has not confirmed the session in time");
        }
        if node.registration.broker_epoch() == BrokerEpoch::NONE {
            obstacles.push("not registered in ZooKeeper");
        }
        if node.metadata.snapshot().brokers.is_empty() {
            obstacles.push("no controller has told of the cluster yet");
        }
        if !node.partitions.store().offline_directories().is_empty() {
            obstacles.push("a log directory has failed");
        }
        obstacles
    }
}
