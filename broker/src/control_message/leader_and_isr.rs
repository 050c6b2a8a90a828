//! `LeaderAndIsr`.

use barnabas_controller::request::{
    ControlReply, ControlRequest, LeaderAddress, LeaderAndIsr, PartitionLeadership,
};
use barnabas_wire::id::{BrokerId, ControllerEpoch, LeaderEpoch, PartitionId, TopicPartition};
use barnabas_wire::message::leader_and_isr::{
    LeaderAndIsrLiveLeader, LeaderAndIsrPartitionState, LeaderAndIsrTopicState,
};
use barnabas_wire::message::{LeaderAndIsrRequest, LeaderAndIsrResponse};
use barnabas_zk_schema::ZkVersion;

use super::{brokers, by_topic, ids, reply};

/// The request as it is sent, for version 4.
#[must_use]
pub fn write_leader_and_isr(envelope: &ControlRequest, body: &LeaderAndIsr) -> LeaderAndIsrRequest {
    let topic = |(first, partitions): (&TopicPartition, Vec<(i32, &PartitionLeadership)>)| {
        LeaderAndIsrTopicState {
            topic_name: (&first.topic).into(),
            partition_states: partitions.into_iter().map(state).collect(),
            ..LeaderAndIsrTopicState::default()
        }
    };
    let leader = |leader: &LeaderAddress| LeaderAndIsrLiveLeader {
        broker_id: leader.broker.0,
        host_name: leader.host.as_str().into(),
        port: leader.port.into(),
    };
    LeaderAndIsrRequest {
        controller_id: envelope.controller.0,
        controller_epoch: envelope.controller_epoch.0,
        broker_epoch: envelope.broker_epoch.0,
        topic_states: by_topic(&body.partitions).into_iter().map(topic).collect(),
        live_leaders: body.live_leaders.iter().map(leader).collect(),
        ..LeaderAndIsrRequest::default()
    }
}

fn state((partition_index, state): (i32, &PartitionLeadership)) -> LeaderAndIsrPartitionState {
    LeaderAndIsrPartitionState {
        partition_index,
        controller_epoch: state.controller_epoch.0,
        leader: state.leader.unwrap_or(BrokerId::NONE).0,
        leader_epoch: state.leader_epoch.0,
        isr: ids(&state.isr),
        partition_epoch: state.zk_version.0,
        replicas: ids(&state.replicas),
        adding_replicas: ids(&state.adding_replicas),
        removing_replicas: ids(&state.removing_replicas),
        is_new: state.is_new,
        ..LeaderAndIsrPartitionState::default()
    }
}

/// What a request says, at any version.
#[must_use]
pub fn read_leader_and_isr(request: &LeaderAndIsrRequest) -> LeaderAndIsr {
    let flat = request
        .ungrouped_partition_states
        .iter()
        .map(|state| (&state.topic_name, state));
    let grouped = request.topic_states.iter().flat_map(|topic| {
        topic
            .partition_states
            .iter()
            .map(move |state| (&topic.topic_name, state))
    });
    let partitions = flat.chain(grouped).map(|(topic, state)| {
        let partition = TopicPartition::new(topic, PartitionId(state.partition_index));
        (partition, leadership(state))
    });
    let address = |leader: &LeaderAndIsrLiveLeader| {
        let port = u16::try_from(leader.port).ok()?;
        let host = leader.host_name.as_str().to_owned();
        Some(LeaderAddress {
            broker: BrokerId(leader.broker_id),
            host,
            port,
        })
    };
    LeaderAndIsr {
        partitions: partitions.collect(),
        live_leaders: request.live_leaders.iter().filter_map(address).collect(),
    }
}

fn leadership(state: &LeaderAndIsrPartitionState) -> PartitionLeadership {
    PartitionLeadership {
        controller_epoch: ControllerEpoch(state.controller_epoch),
        leader: (state.leader >= 0).then_some(BrokerId(state.leader)),
        leader_epoch: LeaderEpoch(state.leader_epoch),
        isr: brokers(&state.isr),
        zk_version: ZkVersion(state.partition_epoch),
        replicas: brokers(&state.replicas),
        adding_replicas: brokers(&state.adding_replicas),
        removing_replicas: brokers(&state.removing_replicas),
        is_new: state.is_new,
    }
}

/// The meaning of an answer at version 4 or below.
pub(crate) fn read_reply(response: &LeaderAndIsrResponse) -> ControlReply {
    let partitions = response.partition_errors.iter().map(|error| {
        let partition = PartitionId(error.partition_index);
        (
            TopicPartition::new(&error.topic_name, partition),
            error.error_code,
        )
    });
    reply(response.error_code, partitions)
}
