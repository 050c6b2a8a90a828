//! `DescribeCluster` (60). Source: KIP-700.

use crate::{Str, Wire};

/// Asks who is in the cluster.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(DescribeCluster))]
pub struct DescribeClusterRequest {
    /// Whether to tell what the client may do to the cluster.
    pub include_cluster_authorized_operations: bool,
    /// Whose endpoints: 1 brokers, 2 controllers.
    #[wire(versions = 1.., default = 1)]
    pub endpoint_type: i8,
}

/// Who is in the cluster.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(DescribeCluster))]
pub struct DescribeClusterResponse {
    /// How long the client is held back for its quota. Unit: ms.
    pub throttle_time_ms: i32,
    /// Error code, or 0.
    pub error_code: i16,
    /// What is wrong, in words.
    pub error_message: Option<Str>,
    /// Whose endpoints these are: 1 brokers, 2 controllers.
    #[wire(versions = 1.., default = 1)]
    pub endpoint_type: i8,
    /// The cluster's id.
    pub cluster_id: Str,
    /// The controller; -1 if unknown.
    #[wire(default = -1)]
    pub controller_id: i32,
    /// Brokers that are alive.
    pub brokers: Vec<DescribeClusterBroker>,
    /// Bits of what the client may do; -2147483648 if not told.
    #[wire(default = i32::MIN)]
    pub cluster_authorized_operations: i32,
}

/// A broker that is alive.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeClusterBroker {
    /// Its id.
    pub broker_id: i32,
    /// Its host on the listener that was asked.
    pub host: Str,
    /// Its port there.
    pub port: i32,
    /// Its rack.
    pub rack: Option<Str>,
}
