//! `DescribeCluster`: the cluster's id, its brokers, its controller. Source: KIP-700.

use barnabas_wire::message::describe_cluster::DescribeClusterBroker;
use barnabas_wire::message::{DescribeClusterRequest, DescribeClusterResponse};

use super::{Context, Outcome};

pub(super) fn handle(
    context: &Context<'_>,
    _request: DescribeClusterRequest,
) -> Outcome<DescribeClusterResponse> {
    let cluster = context.node.metadata.snapshot();
    let broker = |broker: &std::sync::Arc<barnabas_controller::request::LiveBroker>| {
        let endpoint = cluster.endpoint(broker.broker, &context.peer.listener)?;
        Some(DescribeClusterBroker {
            broker_id: broker.broker.0,
            host: endpoint.host.as_str().into(),
            port: endpoint.port.into(),
            rack: broker.rack.as_deref().map(Into::into),
        })
    };
    DescribeClusterResponse {
        cluster_id: context.node.cluster_id.as_str().into(),
        controller_id: cluster.controller.map_or(-1, |controller| controller.0),
        brokers: cluster.brokers.values().filter_map(broker).collect(),
        ..DescribeClusterResponse::default()
    }
    .into()
}
