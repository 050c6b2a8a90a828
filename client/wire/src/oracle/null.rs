//! Nulls: where we refuse one, the oracle does too.

use bytes::BytesMut;

use super::{PAIRS, Pair};

/// Messages with a field that may be null from a version on, and that version. Below it the
/// oracle, unlike Kafka, takes the null all the same.
const NULL_FROM: [(&str, i16); 3] = [
    ("MetadataRequest", 10),
    ("MetadataResponse", 12),
    ("DeleteTopicsResponse", 6),
];

/// Values of each message and version.
const SEEDS: u64 = 2;

/// The three forms of a null length.
const NULLS: [&[u8]; 3] = [&[0xff; 4], &[0xff; 2], &[0]];

/// Puts a null at every place and calls `found` where we call it unexpected.
fn each_refused_null(pair: &Pair, version: i16, mut found: impl FnMut(&BytesMut)) {
    for seed in 0..SEEDS {
        let (_, bytes) = (pair.generate)(seed, version);
        // Long values only repeat what short ones show.
        for position in 0..bytes.len().min(100) {
            for null in NULLS {
                let mut changed = BytesMut::from(bytes.as_ref());
                let Some(place) = changed.get_mut(position..position + null.len()) else {
                    continue;
                };
                place.copy_from_slice(null);
                let outcome = (pair.ours)(&changed.clone().freeze(), version, version);
                if outcome.is_err_and(|error| error.starts_with("UnexpectedNull")) {
                    found(&changed);
                }
            }
        }
    }
}

#[test]
fn a_null_that_we_refuse_is_refused_by_the_oracle() {
    let mut refused = 0;
    for pair in PAIRS {
        let name = pair.name();
        let null_from = NULL_FROM.iter().find(|(message, _)| *message == name);
        for version in pair.versions() {
            if null_from.is_some_and(|(_, first)| version < *first) {
                continue;
            }
            each_refused_null(pair, version, |bytes| {
                refused += 1;
                let theirs = (pair.theirs)(&bytes.clone().freeze(), version, version);
                assert!(
                    theirs.is_err(),
                    "{} {version}: {bytes:?}: {theirs:?}",
                    pair.name()
                );
            });
        }
    }
    assert!(refused > 1000, "only {refused} nulls were tried");
}
