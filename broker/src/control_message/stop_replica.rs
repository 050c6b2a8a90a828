//! `StopReplica`.

use barnabas_controller::request::{ControlReply, ControlRequest, PartitionStop, StopReplica};
use barnabas_wire::id::{LeaderEpoch, PartitionId, TopicPartition};
use barnabas_wire::message::stop_replica::{StopReplicaPartitionState, StopReplicaTopicState};
use barnabas_wire::message::{StopReplicaRequest, StopReplicaResponse};

use super::{by_topic, reply};

/// The request as it is sent, for version 3.
#[must_use]
pub fn write_stop_replica(envelope: &ControlRequest, body: &StopReplica) -> StopReplicaRequest {
    let topic = |(first, partitions): (&TopicPartition, Vec<(i32, &PartitionStop)>)| {
        let state = |(partition_index, stop): (i32, &PartitionStop)| StopReplicaPartitionState {
            partition_index,
            leader_epoch: stop.leader_epoch.0,
            delete_partition: stop.delete,
        };
        StopReplicaTopicState {
            topic_name: (&first.topic).into(),
            partition_states: partitions.into_iter().map(state).collect(),
        }
    };
    StopReplicaRequest {
        controller_id: envelope.controller.0,
        controller_epoch: envelope.controller_epoch.0,
        broker_epoch: envelope.broker_epoch.0,
        topic_states: by_topic(&body.partitions).into_iter().map(topic).collect(),
        ..StopReplicaRequest::default()
    }
}

/// What a request says, at any version. Before version 3 no leader epoch comes with it.
#[must_use]
pub fn read_stop_replica(request: &StopReplicaRequest) -> StopReplica {
    let old = PartitionStop {
        leader_epoch: LeaderEpoch::NONE,
        delete: request.delete_partitions,
    };
    let v0 = request.ungrouped_partitions.iter().map(|one| {
        (
            TopicPartition::new(&one.topic_name, PartitionId(one.partition_index)),
            old,
        )
    });
    let v1 = request.topics.iter().flat_map(|topic| {
        let indexes = topic.partition_indexes.iter();
        indexes.map(|index| (TopicPartition::new(&topic.name, PartitionId(*index)), old))
    });
    let v3 = request.topic_states.iter().flat_map(|topic| {
        topic.partition_states.iter().map(|state| {
            let stop = PartitionStop {
                leader_epoch: LeaderEpoch(state.leader_epoch),
                delete: state.delete_partition,
            };
            (
                TopicPartition::new(&topic.topic_name, PartitionId(state.partition_index)),
                stop,
            )
        })
    });
    StopReplica {
        partitions: v0.chain(v1).chain(v3).collect(),
    }
}

/// The meaning of an answer.
pub(crate) fn read_reply(response: &StopReplicaResponse) -> ControlReply {
    let partitions = response.partition_errors.iter().map(|error| {
        let partition = PartitionId(error.partition_index);
        (
            TopicPartition::new(&error.topic_name, partition),
            error.error_code,
        )
    });
    reply(response.error_code, partitions)
}
