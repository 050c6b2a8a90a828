//! What an older version cannot carry: dropped or refused as the oracle does.

use super::{PAIRS, SEEDS};

/// What the oracle drops in silence and we refuse: tagged fields that are no mere hints, and nulls
/// where the schema has none at that version.
const REFUSED_HERE_ONLY: [&str; 8] = [
    "DeletableTopicResult.name is null",
    "FetchRequest.replica_state is set",
    "MetadataRequest.topics is null",
    "MetadataRequestTopic.name is null",
    "MetadataResponseTopic.name is null",
    "PartitionData.diverging_epoch is set",
    "PartitionData.snapshot_id is set",
    "UpdateMetadataRequest.kind is set",
];

#[test]
fn what_a_version_cannot_carry_is_dropped_or_refused_as_in_the_oracle() {
    let mut refused = 0;
    for pair in PAIRS {
        let newest = pair.api.row().codec.max;
        for version in pair.versions() {
            for seed in 0..SEEDS {
                let (_, bytes) = (pair.generate)(seed, newest);
                let (_, ours) = (pair.ours)(&bytes, newest, version).unwrap();
                let (_, theirs) = (pair.theirs)(&bytes, newest, version).unwrap();
                let agree = match (&ours, &theirs) {
                    (Ok(ours), Ok(theirs)) => ours == theirs,
                    (Err(error), Ok(_)) => REFUSED_HERE_ONLY
                        .iter()
                        .any(|known| error.starts_with(known)),
                    (Err(_), Err(_)) => true,
                    (Ok(_), Err(_)) => false,
                };
                assert!(
                    agree,
                    "{} {version}, seed {seed}: {ours:?} {theirs:?}",
                    pair.name()
                );
                refused += u64::from(theirs.is_err());
            }
        }
    }
    assert!(refused > 100, "only {refused} values were refused by both");
}
