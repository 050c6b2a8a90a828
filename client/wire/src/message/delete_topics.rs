//! `DeleteTopics` (20). Source: KIP-4, KIP-516.

use crate::{Str, Uuid, Wire};

/// Asks the controller to delete topics.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(DeleteTopics))]
pub struct DeleteTopicsRequest {
    /// The topics, by name or id.
    #[wire(versions = 6..)]
    pub topics: Vec<DeleteTopicState>,
    /// The topics, by name.
    #[wire(versions = 0..=5, ignorable)]
    pub topic_names: Vec<Str>,
    /// How long the answer may wait for the topics to go. Unit: ms.
    pub timeout_ms: i32,
}

/// A topic, by name or id.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteTopicState {
    /// Its name; null if it is given by id.
    #[wire(versions = 6..)]
    pub name: Option<Str>,
    /// Its id; zero if it is given by name.
    #[wire(versions = 6..)]
    pub topic_id: Uuid,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(DeleteTopics))]
pub struct DeleteTopicsResponse {
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 1.., ignorable)]
    pub throttle_time_ms: i32,
    /// One for each topic.
    pub responses: Vec<DeletableTopicResult>,
}

/// What came of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeletableTopicResult {
    /// Its name; null if it was given by an unknown id.
    #[wire(nullable = 6..)]
    pub name: Option<Str>,
    /// Its id; zero where the cluster has none.
    #[wire(versions = 6.., ignorable)]
    pub topic_id: Uuid,
    /// Error code, or 0.
    pub error_code: i16,
    /// What is wrong, in words.
    #[wire(versions = 5.., ignorable)]
    pub error_message: Option<Str>,
}
