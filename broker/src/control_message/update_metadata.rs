//! `UpdateMetadata`.

use barnabas_controller::request::{
    ControlReply, ControlRequest, LiveBroker, PartitionMetadata, UpdateMetadata,
};
use barnabas_wire::Str;
use barnabas_wire::id::{BrokerId, ControllerEpoch, LeaderEpoch, PartitionId, TopicPartition};
use barnabas_wire::message::update_metadata::{
    UpdateMetadataBroker, UpdateMetadataEndpoint, UpdateMetadataPartitionState,
    UpdateMetadataTopicState,
};
use barnabas_wire::message::{UpdateMetadataRequest, UpdateMetadataResponse};
use barnabas_zk_schema::ZkVersion;
use barnabas_zk_schema::broker::{Endpoint, SecurityProtocol};

use super::{brokers, by_topic, ids, reply};

/// The request as it is sent, for version 6.
#[must_use]
pub fn write_update_metadata(
    envelope: &ControlRequest,
    body: &UpdateMetadata,
) -> UpdateMetadataRequest {
    let topic = |(first, partitions): (&TopicPartition, Vec<(i32, &PartitionMetadata)>)| {
        UpdateMetadataTopicState {
            topic_name: (&first.topic).into(),
            partition_states: partitions.into_iter().map(state).collect(),
            ..UpdateMetadataTopicState::default()
        }
    };
    UpdateMetadataRequest {
        controller_id: envelope.controller.0,
        controller_epoch: envelope.controller_epoch.0,
        broker_epoch: envelope.broker_epoch.0,
        topic_states: by_topic(&body.partitions).into_iter().map(topic).collect(),
        live_brokers: body.live_brokers.iter().map(broker).collect(),
        ..UpdateMetadataRequest::default()
    }
}

fn state((partition_index, state): (i32, &PartitionMetadata)) -> UpdateMetadataPartitionState {
    UpdateMetadataPartitionState {
        partition_index,
        controller_epoch: state.controller_epoch.0,
        leader: state.leader.0,
        leader_epoch: state.leader_epoch.0,
        isr: ids(&state.isr),
        zk_version: state.zk_version.0,
        replicas: ids(&state.replicas),
        offline_replicas: ids(&state.offline_replicas),
        ..UpdateMetadataPartitionState::default()
    }
}

fn broker(broker: &LiveBroker) -> UpdateMetadataBroker {
    let endpoint = |endpoint: &Endpoint| UpdateMetadataEndpoint {
        port: endpoint.port.into(),
        host: endpoint.host.as_str().into(),
        listener: endpoint.listener.as_str().into(),
        security_protocol: endpoint.security_protocol as i16,
    };
    UpdateMetadataBroker {
        id: broker.broker.0,
        endpoints: broker.endpoints.iter().map(endpoint).collect(),
        rack: broker.rack.as_deref().map(Str::from),
        ..UpdateMetadataBroker::default()
    }
}

/// What a request says, at any version. Endpoints that cannot be (a port above 65535, an unknown
/// security protocol) are left out.
#[must_use]
pub fn read_update_metadata(request: &UpdateMetadataRequest) -> UpdateMetadata {
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
        (partition, metadata(state))
    });
    UpdateMetadata {
        partitions: partitions.collect(),
        live_brokers: request.live_brokers.iter().map(live_broker).collect(),
    }
}

fn metadata(state: &UpdateMetadataPartitionState) -> PartitionMetadata {
    PartitionMetadata {
        controller_epoch: ControllerEpoch(state.controller_epoch),
        leader: BrokerId(state.leader),
        leader_epoch: LeaderEpoch(state.leader_epoch),
        isr: brokers(&state.isr),
        zk_version: ZkVersion(state.zk_version),
        replicas: brokers(&state.replicas),
        offline_replicas: brokers(&state.offline_replicas),
    }
}

fn live_broker(broker: &UpdateMetadataBroker) -> LiveBroker {
    let mut endpoints: Vec<Endpoint> = broker.endpoints.iter().filter_map(endpoint).collect();
    if broker.endpoints.is_empty() && !broker.v0_host.is_empty() {
        // Version 0 knows one plain listener.
        let v0 = UpdateMetadataEndpoint {
            host: broker.v0_host.clone(),
            port: broker.v0_port,
            ..UpdateMetadataEndpoint::default()
        };
        endpoints.extend(endpoint(&v0));
    }
    let rack = broker.rack.as_ref().map(|rack| rack.as_str().to_owned());
    LiveBroker {
        broker: BrokerId(broker.id),
        endpoints,
        rack,
    }
}

fn endpoint(endpoint: &UpdateMetadataEndpoint) -> Option<Endpoint> {
    let protocols = [
        SecurityProtocol::Plaintext,
        SecurityProtocol::Ssl,
        SecurityProtocol::SaslPlaintext,
        SecurityProtocol::SaslSsl,
    ];
    let same = |protocol: &SecurityProtocol| *protocol as i16 == endpoint.security_protocol;
    let security_protocol = protocols.into_iter().find(same)?;
    // Before version 3 a listener is named after what is spoken on it.
    let listener = match endpoint.listener.as_str() {
        "" => security_protocol.name(),
        name => name,
    };
    Some(Endpoint {
        listener: listener.to_owned(),
        security_protocol,
        host: endpoint.host.as_str().to_owned(),
        port: u16::try_from(endpoint.port).ok()?,
    })
}

/// The meaning of an answer.
pub(crate) fn read_reply(response: &UpdateMetadataResponse) -> ControlReply {
    reply(response.error_code, [])
}
