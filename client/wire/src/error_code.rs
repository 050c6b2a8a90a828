//! The error codes of the protocol.

use std::fmt;

macro_rules! codes {
    ($($code:literal $name:ident $kafka_name:ident $retry:ident $message:literal;)*) => {
        /// What a broker says went wrong. Source: Kafka 3.9 `Errors`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(
                #[doc = $message]
                $name = $code,
            )*
        }

        impl ErrorCode {
            /// Every code, lowest first.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The meaning of a number; one that is not known here means
            /// [`ErrorCode::UnknownServerError`], as in Kafka's clients.
            #[must_use]
            pub const fn from_code(code: i16) -> Self {
                match code {
                    $($code => Self::$name,)*
                    _ => Self::UnknownServerError,
                }
            }

            /// The number.
            #[must_use]
            pub const fn code(self) -> i16 {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// Kafka's name, such as `UNKNOWN_TOPIC_OR_PARTITION`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($kafka_name),)*
                }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$name => $message,)*
                }
            }

            /// Whether the same request may succeed later, perhaps at another broker. Source: the
            /// exceptions that extend Kafka 3.9 `RetriableException`.
            #[must_use]
            pub const fn is_retriable(self) -> bool {
                match self {
                    $(Self::$name => codes!(@$retry),)*
                }
            }
        }
    };
    (@retriable) => { true };
    (@final) => { false };
}

codes! {
     -1 UnknownServerError UNKNOWN_SERVER_ERROR final "The broker failed in a way it did not expect.";
      0 None NONE final "No error.";
      1 OffsetOutOfRange OFFSET_OUT_OF_RANGE final "The offset is outside the partition's log.";
      2 CorruptMessage CORRUPT_MESSAGE retriable "A record batch is damaged or breaks a rule of its format.";
      3 UnknownTopicOrPartition UNKNOWN_TOPIC_OR_PARTITION retriable "The broker does not have this topic or partition.";
      4 InvalidFetchSize INVALID_FETCH_SIZE final "The fetch size is not valid.";
      5 LeaderNotAvailable LEADER_NOT_AVAILABLE retriable "The partition has no leader at the moment.";
      6 NotLeaderOrFollower NOT_LEADER_OR_FOLLOWER retriable "The broker does not lead this partition, or has no replica of it.";
      7 RequestTimedOut REQUEST_TIMED_OUT retriable "The request took longer than its timeout.";
      8 BrokerNotAvailable BROKER_NOT_AVAILABLE final "The broker is not available.";
      9 ReplicaNotAvailable REPLICA_NOT_AVAILABLE retriable "The replica is not available.";
     10 MessageTooLarge MESSAGE_TOO_LARGE final "A record batch is larger than the broker or topic allows.";
     11 StaleControllerEpoch STALE_CONTROLLER_EPOCH final "A newer controller has been elected.";
     12 OffsetMetadataTooLarge OFFSET_METADATA_TOO_LARGE final "The text committed with an offset is too long.";
     13 NetworkException NETWORK_EXCEPTION retriable "The connection ended before the answer came.";
     14 CoordinatorLoadInProgress COORDINATOR_LOAD_IN_PROGRESS retriable "The coordinator is still loading its state.";
     15 CoordinatorNotAvailable COORDINATOR_NOT_AVAILABLE retriable "The coordinator is not available.";
     16 NotCoordinator NOT_COORDINATOR retriable "The broker is not the coordinator of this group or transaction.";
     17 InvalidTopicException INVALID_TOPIC_EXCEPTION final "The topic's name is not valid, or the topic cannot be used this way.";
     18 RecordListTooLarge RECORD_LIST_TOO_LARGE final "The records are larger than a log segment.";
     19 NotEnoughReplicas NOT_ENOUGH_REPLICAS retriable "Fewer replicas are in sync than min.insync.replicas asks for.";
     20 NotEnoughReplicasAfterAppend NOT_ENOUGH_REPLICAS_AFTER_APPEND retriable "The records were written, but fewer replicas are in sync than min.insync.replicas asks for.";
     21 InvalidRequiredAcks INVALID_REQUIRED_ACKS final "acks must be 0, 1 or -1.";
     22 IllegalGeneration ILLEGAL_GENERATION final "The group is at another generation.";
     23 InconsistentGroupProtocol INCONSISTENT_GROUP_PROTOCOL final "The member's protocols do not fit the group's.";
     24 InvalidGroupId INVALID_GROUP_ID final "The group id is not valid.";
     25 UnknownMemberId UNKNOWN_MEMBER_ID final "The group does not know this member.";
     26 InvalidSessionTimeout INVALID_SESSION_TIMEOUT final "The session timeout is outside the broker's limits.";
     27 RebalanceInProgress REBALANCE_IN_PROGRESS final "The group is rebalancing; join again.";
     28 InvalidCommitOffsetSize INVALID_COMMIT_OFFSET_SIZE final "The committed offset data is too large.";
     29 TopicAuthorizationFailed TOPIC_AUTHORIZATION_FAILED final "Access to the topic is not allowed.";
     30 GroupAuthorizationFailed GROUP_AUTHORIZATION_FAILED final "Access to the group is not allowed.";
     31 ClusterAuthorizationFailed CLUSTER_AUTHORIZATION_FAILED final "This operation on the cluster is not allowed.";
     32 InvalidTimestamp INVALID_TIMESTAMP final "A record's timestamp is out of range.";
     33 UnsupportedSaslMechanism UNSUPPORTED_SASL_MECHANISM final "The broker does not offer this SASL mechanism.";
     34 IllegalSaslState ILLEGAL_SASL_STATE final "The request does not fit the state of the SASL exchange.";
     35 UnsupportedVersion UNSUPPORTED_VERSION final "The broker does not support this version of the API.";
     36 TopicAlreadyExists TOPIC_ALREADY_EXISTS final "A topic with this name exists.";
     37 InvalidPartitions INVALID_PARTITIONS final "The number of partitions is not valid.";
     38 InvalidReplicationFactor INVALID_REPLICATION_FACTOR final "The replication factor is below 1 or above the number of live brokers.";
     39 InvalidReplicaAssignment INVALID_REPLICA_ASSIGNMENT final "The replica assignment is not valid.";
     40 InvalidConfig INVALID_CONFIG final "A setting is not valid.";
     41 NotController NOT_CONTROLLER retriable "The broker is not the controller.";
     42 InvalidRequest INVALID_REQUEST final "The request is malformed or contradicts itself.";
     43 UnsupportedForMessageFormat UNSUPPORTED_FOR_MESSAGE_FORMAT final "The log's record format does not support this.";
     44 PolicyViolation POLICY_VIOLATION final "A policy of the cluster forbids this.";
     45 OutOfOrderSequenceNumber OUT_OF_ORDER_SEQUENCE_NUMBER final "A producer's sequence number is not the next one.";
     46 DuplicateSequenceNumber DUPLICATE_SEQUENCE_NUMBER final "A producer's sequence number was used before.";
     47 InvalidProducerEpoch INVALID_PRODUCER_EPOCH final "The producer's epoch is old.";
     48 InvalidTxnState INVALID_TXN_STATE final "The transaction's state does not allow this.";
     49 InvalidProducerIdMapping INVALID_PRODUCER_ID_MAPPING final "The producer id does not belong to this transactional id.";
     50 InvalidTransactionTimeout INVALID_TRANSACTION_TIMEOUT final "The transaction timeout is above the broker's limit.";
     51 ConcurrentTransactions CONCURRENT_TRANSACTIONS retriable "Another operation on this transaction is under way.";
     52 TransactionCoordinatorFenced TRANSACTION_COORDINATOR_FENCED final "The transaction coordinator is no longer the current one.";
     53 TransactionalIdAuthorizationFailed TRANSACTIONAL_ID_AUTHORIZATION_FAILED final "Use of this transactional id is not allowed.";
     54 SecurityDisabled SECURITY_DISABLED final "Security features are off.";
     55 OperationNotAttempted OPERATION_NOT_ATTEMPTED final "The operation was not tried.";
     56 KafkaStorageError KAFKA_STORAGE_ERROR retriable "The broker's log directory has failed.";
     57 LogDirNotFound LOG_DIR_NOT_FOUND final "The broker has no such log directory.";
     58 SaslAuthenticationFailed SASL_AUTHENTICATION_FAILED final "SASL authentication failed.";
     59 UnknownProducerId UNKNOWN_PRODUCER_ID final "The broker no longer knows this producer.";
     60 ReassignmentInProgress REASSIGNMENT_IN_PROGRESS final "The partition is being reassigned.";
     61 DelegationTokenAuthDisabled DELEGATION_TOKEN_AUTH_DISABLED final "Delegation tokens are off.";
     62 DelegationTokenNotFound DELEGATION_TOKEN_NOT_FOUND final "The broker does not know this delegation token.";
     63 DelegationTokenOwnerMismatch DELEGATION_TOKEN_OWNER_MISMATCH final "The principal neither owns nor may renew this token.";
     64 DelegationTokenRequestNotAllowed DELEGATION_TOKEN_REQUEST_NOT_ALLOWED final "Delegation tokens cannot be asked for on this connection.";
     65 DelegationTokenAuthorizationFailed DELEGATION_TOKEN_AUTHORIZATION_FAILED final "Use of this delegation token is not allowed.";
     66 DelegationTokenExpired DELEGATION_TOKEN_EXPIRED final "The delegation token has expired.";
     67 InvalidPrincipalType INVALID_PRINCIPAL_TYPE final "The type of principal is not supported.";
     68 NonEmptyGroup NON_EMPTY_GROUP final "The group has members.";
     69 GroupIdNotFound GROUP_ID_NOT_FOUND final "The group does not exist.";
     70 FetchSessionIdNotFound FETCH_SESSION_ID_NOT_FOUND retriable "The broker does not know this fetch session.";
     71 InvalidFetchSessionEpoch INVALID_FETCH_SESSION_EPOCH retriable "The request does not follow the last one of its fetch session.";
     72 ListenerNotFound LISTENER_NOT_FOUND retriable "The leader does not offer the listener that the request came in on.";
     73 TopicDeletionDisabled TOPIC_DELETION_DISABLED final "delete.topic.enable is off.";
     74 FencedLeaderEpoch FENCED_LEADER_EPOCH retriable "The leader epoch is older than the broker's.";
     75 UnknownLeaderEpoch UNKNOWN_LEADER_EPOCH retriable "The leader epoch is newer than the broker's.";
     76 UnsupportedCompressionType UNSUPPORTED_COMPRESSION_TYPE final "The client's version does not support the records' compression.";
     77 StaleBrokerEpoch STALE_BROKER_EPOCH final "The broker has registered anew.";
     78 OffsetNotAvailable OFFSET_NOT_AVAILABLE retriable "The new leader does not know its high watermark yet.";
     79 MemberIdRequired MEMBER_ID_REQUIRED final "The member must join again with the id it was given.";
     80 PreferredLeaderNotAvailable PREFERRED_LEADER_NOT_AVAILABLE retriable "The preferred leader is not available.";
     81 GroupMaxSizeReached GROUP_MAX_SIZE_REACHED final "The group is full.";
     82 FencedInstanceId FENCED_INSTANCE_ID final "Another member has taken over this group.instance.id.";
     83 EligibleLeadersNotAvailable ELIGIBLE_LEADERS_NOT_AVAILABLE retriable "No replica may become leader at the moment.";
     84 ElectionNotNeeded ELECTION_NOT_NEEDED retriable "The partition has the leader it should have.";
     85 NoReassignmentInProgress NO_REASSIGNMENT_IN_PROGRESS final "The partition is not being reassigned.";
     86 GroupSubscribedToTopic GROUP_SUBSCRIBED_TO_TOPIC final "The group is still subscribed to the topic.";
     87 InvalidRecord INVALID_RECORD final "The broker has refused a record.";
     88 UnstableOffsetCommit UNSTABLE_OFFSET_COMMIT retriable "An open transaction holds offsets of the group.";
     89 ThrottlingQuotaExceeded THROTTLING_QUOTA_EXCEEDED retriable "A quota is used up.";
     90 ProducerFenced PRODUCER_FENCED final "A newer producer has taken over.";
     91 ResourceNotFound RESOURCE_NOT_FOUND final "The resource does not exist.";
     92 DuplicateResource DUPLICATE_RESOURCE final "The request names a resource twice.";
     93 UnacceptableCredential UNACCEPTABLE_CREDENTIAL final "The credential does not meet the requirements.";
     94 InconsistentVoterSet INCONSISTENT_VOTER_SET final "Sender or receiver is not one of the expected voters.";
     95 InvalidUpdateVersion INVALID_UPDATE_VERSION final "The update is based on an old version.";
     96 FeatureUpdateFailed FEATURE_UPDATE_FAILED final "The features could not be updated.";
     97 PrincipalDeserializationFailure PRINCIPAL_DESERIALIZATION_FAILURE final "The forwarded principal could not be read.";
     98 SnapshotNotFound SNAPSHOT_NOT_FOUND final "The snapshot does not exist.";
     99 PositionOutOfRange POSITION_OUT_OF_RANGE final "The position is outside the snapshot.";
    100 UnknownTopicId UNKNOWN_TOPIC_ID retriable "The broker does not have a topic with this id.";
    101 DuplicateBrokerRegistration DUPLICATE_BROKER_REGISTRATION final "The broker id is in use.";
    102 BrokerIdNotRegistered BROKER_ID_NOT_REGISTERED final "The broker id is not registered.";
    103 InconsistentTopicId INCONSISTENT_TOPIC_ID retriable "The topic id differs from the log's.";
    104 InconsistentClusterId INCONSISTENT_CLUSTER_ID final "The cluster id differs from the broker's.";
    105 TransactionalIdNotFound TRANSACTIONAL_ID_NOT_FOUND final "The transactional id is unknown.";
    106 FetchSessionTopicIdError FETCH_SESSION_TOPIC_ID_ERROR retriable "The fetch session mixes topic names and ids.";
    107 IneligibleReplica INELIGIBLE_REPLICA final "A replica of the new ISR may not be in it.";
    108 NewLeaderElected NEW_LEADER_ELECTED final "The partition was changed and has a new leader.";
    109 OffsetMovedToTieredStorage OFFSET_MOVED_TO_TIERED_STORAGE final "The offset is in tiered storage.";
    110 FencedMemberEpoch FENCED_MEMBER_EPOCH final "The member's epoch is fenced; give up all partitions and join again.";
    111 UnreleasedInstanceId UNRELEASED_INSTANCE_ID final "Another member still uses the instance id.";
    112 UnsupportedAssignor UNSUPPORTED_ASSIGNOR final "The group does not support this assignor.";
    113 StaleMemberEpoch STALE_MEMBER_EPOCH final "The member's epoch is old.";
    114 MismatchedEndpointType MISMATCHED_ENDPOINT_TYPE final "The endpoint is of another type than the request needs.";
    115 UnsupportedEndpointType UNSUPPORTED_ENDPOINT_TYPE final "The endpoint type is not supported.";
    116 UnknownControllerId UNKNOWN_CONTROLLER_ID final "The controller id is unknown.";
    117 UnknownSubscriptionId UNKNOWN_SUBSCRIPTION_ID final "The telemetry subscription is unknown or outdated.";
    118 TelemetryTooLarge TELEMETRY_TOO_LARGE final "The telemetry is larger than the broker accepts.";
    119 InvalidRegistration INVALID_REGISTRATION final "The broker's registration is not valid.";
    120 TransactionAbortable TRANSACTION_ABORTABLE final "The transaction failed; abort it to go on with this transactional id.";
    121 InvalidRecordState INVALID_RECORD_STATE final "The record's state does not allow this acknowledgement.";
    122 ShareSessionNotFound SHARE_SESSION_NOT_FOUND retriable "The broker does not know this share session.";
    123 InvalidShareSessionEpoch INVALID_SHARE_SESSION_EPOCH retriable "The request does not follow the last one of its share session.";
    124 FencedStateEpoch FENCED_STATE_EPOCH final "The state epoch of the share group does not match.";
    125 InvalidVoterKey INVALID_VOTER_KEY final "The voter key is not the receiver's.";
    126 DuplicateVoter DUPLICATE_VOTER final "The voter is in the set already.";
    127 VoterNotFound VOTER_NOT_FOUND final "The voter is not in the set.";
}

impl ErrorCode {
    /// Whether this says that nothing is wrong.
    #[must_use]
    pub const fn is_none(self) -> bool {
        matches!(self, Self::None)
    }
}

impl From<ErrorCode> for i16 {
    fn from(code: ErrorCode) -> Self {
        code.code()
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
