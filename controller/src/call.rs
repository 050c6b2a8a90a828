//! What handlers of this broker ask of the controller, and its answers.
//!
//! The controller checks what only it knows: names, placement, what exists, what is being deleted.
//! Values of topic settings are checked by the caller, who has the table of settings.

use barnabas_wire::id::{BrokerEpoch, BrokerId, TopicName, TopicPartition};
use barnabas_zk_schema::config::ConfigValues;
use barnabas_zk_schema::topic::{ReplicaLists, TopicAssignment};
use barnabas_zk_schema::topic_name::TopicNameError;

/// Something wanted of the active controller.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Create topics; each by itself succeeds or fails.
    CreateTopics {
        /// Which.
        topics: Vec<NewTopic>,
        /// Only say what would happen.
        validate_only: bool,
        /// A random number, for placements that want chance ([`AssignmentPolicy`](crate::AssignmentPolicy)).
        random: u64,
    },
    /// Add partitions to topics; each by itself succeeds or fails.
    CreatePartitions {
        /// Which.
        topics: Vec<MorePartitions>,
        /// Only say what would happen.
        validate_only: bool,
    },
    /// Mark topics for deletion; each by itself succeeds or fails.
    DeleteTopics(Vec<TopicName>),
    /// A broker is about to stop: move its leaderships elsewhere.
    ControlledShutdown {
        /// Which broker.
        broker: BrokerId,
        /// Its registration; [`BrokerEpoch::NONE`] from a broker that does not say.
        broker_epoch: BrokerEpoch,
    },
}

/// A topic to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTopic {
    /// Its name, as it came.
    pub name: String,
    /// How many partitions and replicas, or which.
    pub placement: Placement,
    /// Its own settings.
    pub config: ConfigValues,
}

/// Where the replicas of a new topic go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The controller chooses.
    Counts {
        /// Number of partitions; `None` (-1 on the wire) for `num.partitions`.
        partitions: Option<i32>,
        /// Replicas of each; `None` (-1 on the wire) for `default.replication.factor`.
        replication_factor: Option<i32>,
    },
    /// The caller has chosen.
    Manual(ReplicaLists),
}

/// A topic that is to have more partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MorePartitions {
    /// Which topic.
    pub topic: TopicName,
    /// How many it shall have in all.
    pub total: i32,
    /// Replicas of each new one, in order; `None` if the controller chooses.
    pub replicas: Option<Vec<Vec<BrokerId>>>,
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing of the call was done.
    Refused(CallError),
    /// To [`Call::CreateTopics`] and [`Call::CreatePartitions`], in the order of the call: the
    /// topic's assignment after it.
    Placed(Vec<(String, Result<TopicAssignment, TopicError>)>),
    /// To [`Call::DeleteTopics`], in the order of the call.
    Marked(Vec<(TopicName, Result<(), TopicError>)>),
    /// To [`Call::ControlledShutdown`]: partitions with further replicas that the broker still leads.
    /// Empty: it may stop.
    Remaining(Vec<TopicPartition>),
}

/// Why a whole call was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// This broker is not the active controller, or ceased to be before the call was done. Whether
    /// any of it happened is to be found out by asking the next one.
    #[error("this broker is not the controller")]
    NotController,
    /// Too many calls wait already.
    #[error("{waiting_count} calls wait for the controller already")]
    Busy {
        /// How many.
        waiting_count: usize,
    },
    /// The call of an earlier incarnation of the broker.
    #[error("broker {broker} has registered anew since")]
    StaleBrokerEpoch {
        /// Which broker.
        broker: BrokerId,
    },
    /// No such broker is registered.
    #[error("broker {broker} is not registered")]
    UnknownBroker {
        /// Which broker.
        broker: BrokerId,
    },
}

/// Why one topic of a call was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// No name for a topic.
    #[error(transparent)]
    Name(#[from] TopicNameError),
    /// There is one.
    #[error("topic {0:?} exists already")]
    Exists(String),
    /// There is one, and it is going.
    #[error("topic {0:?} is marked for deletion and not gone yet")]
    MarkedForDeletion(String),
    /// There is one whose name is the same once '.' is written as '_'.
    #[error(
        "topic {name:?} collides with topic {other:?}: '.' and '_' are the same in metric names"
    )]
    Collides {
        /// The new one.
        name: String,
        /// The one that is there.
        other: String,
    },
    /// Named more than once in one call.
    #[error("topic {0:?} is named more than once")]
    Repeated(String),
    /// There is none.
    #[error("topic {0:?} does not exist")]
    Unknown(String),
    /// Not a number of partitions.
    #[error("{count} partitions: a topic has between 1 and {max}")]
    Partitions {
        /// What was asked for.
        count: i32,
        /// The most that are possible.
        max: i32,
    },
    /// Partitions can only be added.
    #[error("topic {topic:?} has {current} partitions; {total} would not be more")]
    NotMore {
        /// The topic.
        topic: String,
        /// How many it has.
        current: i32,
        /// How many it should have.
        total: i32,
    },
    /// More replicas than live brokers, or none.
    #[error("replication factor {factor}: there are {live_count} live brokers")]
    ReplicationFactor {
        /// What was asked for.
        factor: i32,
        /// Brokers that could keep a replica.
        live_count: usize,
    },
    /// A placement chosen by the caller makes no sense.
    #[error("the assignment cannot be: {0}")]
    Assignment(AssignmentError),
    /// The topic is being reassigned.
    #[error("topic {0:?} is being reassigned; partitions can be added afterwards")]
    Reassigning(String),
    /// `delete.topic.enable` is false.
    #[error("topics cannot be deleted: delete.topic.enable is false")]
    DeletionDisabled,
    /// The topic's znode would be larger than ZooKeeper takes.
    #[error(
        "the assignment takes {size_bytes} bytes, more than the {limit_bytes} that ZooKeeper takes"
    )]
    TooLarge {
        /// What it takes.
        size_bytes: usize,
        /// What it may.
        limit_bytes: usize,
    },
    /// ZooKeeper refused.
    #[error("ZooKeeper refused: {0}")]
    Refused(#[source] barnabas_zk_schema::ZkError),
    /// Whether it happened could not be found out.
    #[error("ZooKeeper did not say whether it happened")]
    Unresolved,
}

/// What is wrong with a placement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// Partitions are not numbered from 0 without a gap.
    #[error("partitions must be numbered from 0 without a gap")]
    Numbering,
    /// A partition without replicas.
    #[error("partition {partition} has no replicas")]
    NoReplicas {
        /// Which.
        partition: i32,
    },
    /// A broker twice in one list.
    #[error("partition {partition} names broker {broker} twice")]
    Duplicate {
        /// Which partition.
        partition: i32,
        /// Which broker.
        broker: BrokerId,
    },
    /// Different numbers of replicas.
    #[error("partition {partition} has {count} replicas, others have {expected}")]
    Uneven {
        /// Which partition.
        partition: i32,
        /// How many it has.
        count: usize,
        /// How many the first has.
        expected: usize,
    },
    /// A broker that is not there.
    #[error("partition {partition} names broker {broker}, which is not live")]
    NotLive {
        /// Which partition.
        partition: i32,
        /// Which broker.
        broker: BrokerId,
    },
    /// Another number of lists than new partitions.
    #[error("{given} lists of replicas for {wanted} new partitions")]
    Count {
        /// Lists given.
        given: usize,
        /// Partitions to be added.
        wanted: usize,
    },
    /// Some brokers have a rack and some have none, and the policy goes by racks.
    #[error("broker {broker} has no broker.rack, others do")]
    NoRack {
        /// Which broker.
        broker: BrokerId,
    },
}
