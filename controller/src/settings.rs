//! What the controller has to be told at its start.

use barnabas_wire::id::BrokerId;

/// Settings of the controller; the broker fills them from its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `broker.id` of this broker.
    pub broker: BrokerId,
    /// Name of the listener on which brokers talk to each other (`inter.broker.listener.name`). A
    /// broker without it is reached on its first endpoint.
    pub inter_broker_listener: String,
    /// `delete.topic.enable`. While false, marks under `/admin/delete_topics` stay and nothing
    /// happens to their topics.
    pub delete_topic_enable: bool,
    /// `unclean.leader.election.enable`, unless a topic has its own value.
    pub unclean_leader_election_enable: bool,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i32,
    /// `assignment.policy`.
    pub assignment_policy: AssignmentPolicy,
}

/// How replicas of a new topic are placed. Brokers are the live ones, sorted by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssignmentPolicy {
    /// Partition i leads on broker i mod n, replica j sits on (i + j) mod n. Exactly; so every topic
    /// of one partition leads on the first broker.
    #[default]
    Modulo,
    /// The same ring, begun for each topic at the broker that leads the fewest partitions.
    Rotated,
    /// Kafka's: a random beginning, and followers shifted on each round, so that the leaderships of
    /// a dead broker spread over all others.
    Kafka,
    /// Kafka's with racks: no two replicas of a partition in one rack as long as there are racks.
    Rack,
}
