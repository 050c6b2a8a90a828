//! Consumer groups, committed offsets, transactions: not in this version.

use crate::setting::Setting;

const NO_GROUPS: &str = "this version has no group coordinator yet";
const NO_TRANSACTIONS: &str = "this version has no transaction coordinator yet";

pub(super) const SETTINGS: &[Setting] = &[
    Setting::ignored("group.min.session.timeout.ms", NO_GROUPS),
    Setting::ignored("group.max.session.timeout.ms", NO_GROUPS),
    Setting::ignored("group.initial.rebalance.delay.ms", NO_GROUPS),
    Setting::ignored("group.max.size", NO_GROUPS),
    Setting::ignored("offset.metadata.max.bytes", NO_GROUPS),
    Setting::ignored("offsets.load.buffer.size", NO_GROUPS),
    Setting::ignored("offsets.topic.replication.factor", NO_GROUPS),
    Setting::ignored("offsets.topic.num.partitions", NO_GROUPS),
    Setting::ignored("offsets.topic.segment.bytes", NO_GROUPS),
    Setting::ignored("offsets.topic.compression.codec", NO_GROUPS),
    Setting::ignored("offsets.retention.minutes", NO_GROUPS),
    Setting::ignored("offsets.retention.check.interval.ms", NO_GROUPS),
    Setting::ignored("offsets.commit.timeout.ms", NO_GROUPS),
    Setting::ignored("offsets.commit.required.acks", NO_GROUPS),
    Setting::ignored("transactional.id.expiration.ms", NO_TRANSACTIONS),
    Setting::ignored("transaction.max.timeout.ms", NO_TRANSACTIONS),
    Setting::ignored("transaction.state.log.min.isr", NO_TRANSACTIONS),
    Setting::ignored("transaction.state.log.load.buffer.size", NO_TRANSACTIONS),
    Setting::ignored("transaction.state.log.num.partitions", NO_TRANSACTIONS),
    Setting::ignored("transaction.state.log.segment.bytes", NO_TRANSACTIONS),
    Setting::ignored("transaction.state.log.replication.factor", NO_TRANSACTIONS),
    Setting::ignored(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        NO_TRANSACTIONS,
    ),
    Setting::ignored(
        "transaction.remove.expired.transaction.cleanup.interval.ms",
        NO_TRANSACTIONS,
    ),
];
