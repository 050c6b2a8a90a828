//! Requests and responses: one file per API, a struct per schema, Kafka's field names.
//!
//! Error codes, ids and epochs are plain numbers here, as on the wire; [`crate::ErrorCode`] and
//! [`crate::id`] give them meaning. Lists of topics stay lists: nothing is merged or reordered.

pub mod api_versions;
pub mod controlled_shutdown;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_topics;
pub mod describe_cluster;
pub mod describe_configs;
pub mod fetch;
pub mod find_coordinator;
pub mod init_producer_id;
pub mod leader_and_isr;
pub mod list_offsets;
pub mod metadata;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod stop_replica;
pub mod update_metadata;

pub use api_versions::{ApiVersionsRequest, ApiVersionsResponse};
pub use controlled_shutdown::{ControlledShutdownRequest, ControlledShutdownResponse};
pub use create_partitions::{CreatePartitionsRequest, CreatePartitionsResponse};
pub use create_topics::{CreateTopicsRequest, CreateTopicsResponse};
pub use delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
pub use describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
pub use describe_configs::{DescribeConfigsRequest, DescribeConfigsResponse};
pub use fetch::{FetchRequest, FetchResponse};
pub use find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
pub use init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
pub use leader_and_isr::{LeaderAndIsrRequest, LeaderAndIsrResponse};
pub use list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
pub use metadata::{MetadataRequest, MetadataResponse};
pub use offset_for_leader_epoch::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
pub use produce::{ProduceRequest, ProduceResponse};
pub use stop_replica::{StopReplicaRequest, StopReplicaResponse};
pub use update_metadata::{UpdateMetadataRequest, UpdateMetadataResponse};

/// Evaluates an expression in which a name stands for the request type of an API; its response
/// type is that type's [`crate::Request::Response`].
///
/// ```
/// use barnabas_wire::{ApiKey, Message, with_request};
/// use bytes::Bytes;
///
/// fn is_request(api: ApiKey, bytes: &Bytes, api_version: i16) -> bool {
///     with_request!(api, R => R::from_bytes(bytes, api_version).is_ok())
/// }
/// assert!(is_request(ApiKey::ApiVersions, &Bytes::new(), 0));
/// ```
#[macro_export]
macro_rules! with_request {
    ($api:expr, $Request:ident => $body:expr) => {
        $crate::with_request!(@match $api, $Request, $body, [
            Produce ProduceRequest
            Fetch FetchRequest
            ListOffsets ListOffsetsRequest
            Metadata MetadataRequest
            LeaderAndIsr LeaderAndIsrRequest
            StopReplica StopReplicaRequest
            UpdateMetadata UpdateMetadataRequest
            ControlledShutdown ControlledShutdownRequest
            FindCoordinator FindCoordinatorRequest
            ApiVersions ApiVersionsRequest
            CreateTopics CreateTopicsRequest
            DeleteTopics DeleteTopicsRequest
            InitProducerId InitProducerIdRequest
            OffsetForLeaderEpoch OffsetForLeaderEpochRequest
            DescribeConfigs DescribeConfigsRequest
            CreatePartitions CreatePartitionsRequest
            DescribeCluster DescribeClusterRequest
        ])
    };
    (@match $api:expr, $Request:ident, $body:expr, [$($name:ident $message:ident)*]) => {
        match $api {
            $($crate::ApiKey::$name => {
                type $Request = $crate::message::$message;
                $body
            })*
        }
    };
}
