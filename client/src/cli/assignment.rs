//! Which brokers get the replicas of a new topic's partitions, where this tool says it.

use std::collections::BTreeSet;
use std::str::FromStr;

use barnabas_client::BrokerId;

/// Brokers of each partition, the preferred leader first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment(pub(crate) Vec<Vec<BrokerId>>);

impl Assignment {
    /// The ring: with the live brokers `b` in the order of their ids, replica j of partition i is
    /// on `b[(i + j) mod n]`.
    pub(crate) fn ring(live: &BTreeSet<BrokerId>, partitions: usize, replicas: usize) -> Self {
        let ring = || live.iter().copied().cycle();
        let count = live.len().max(1);
        let partition = |index: usize| ring().skip(index % count).take(replicas).collect();
        Self((0..partitions).map(partition).collect())
    }
}

impl FromStr for Assignment {
    type Err = String;

    /// As Kafka's tools take it: `0:1,1:2` is two partitions of two replicas.
    fn from_str(text: &str) -> Result<Self, String> {
        let id = |text: &str| match text.trim().parse() {
            Ok(id) if id >= 0 => Ok(BrokerId(id)),
            Ok(_) | Err(_) => Err(format!("`{text}` is no broker id")),
        };
        let partition = |text: &str| {
            let ids = text.split(':').map(id).collect::<Result<Vec<_>, _>>()?;
            let different: BTreeSet<_> = ids.iter().collect();
            if different.len() < ids.len() {
                return Err(format!("`{text}` names a broker twice"));
            }
            Ok(ids)
        };
        let all = text
            .split(',')
            .map(partition)
            .collect::<Result<Vec<_>, _>>()?;
        let mut factors = all.iter().map(Vec::len);
        let first = factors.next();
        if factors.any(|factor| Some(factor) != first) {
            return Err("every partition needs the same number of replicas".to_owned());
        }
        Ok(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(all: &[&[i32]]) -> Assignment {
        let partition = |ids: &&[i32]| ids.iter().map(|&id| BrokerId(id)).collect();
        Assignment(all.iter().map(partition).collect())
    }

    /// S10: the formula, with broker ids that are neither dense nor in order.
    #[test]
    fn the_ring_puts_replica_j_of_partition_i_on_broker_i_plus_j() {
        let live: BTreeSet<_> = [7, 1, 4].map(BrokerId).into();
        let expected = ids(&[&[1, 4], &[4, 7], &[7, 1], &[1, 4]]);
        assert_eq!(Assignment::ring(&live, 4, 2), expected);
        assert_eq!(Assignment::ring(&live, 0, 2), ids(&[]));
    }

    #[test]
    fn a_typed_assignment_is_read_as_kafka_reads_it() {
        assert_eq!("0:1,1:2".parse(), Ok(ids(&[&[0, 1], &[1, 2]])));
        assert_eq!("3".parse(), Ok(ids(&[&[3]])));
        for wrong in ["", "a", "0:0", "0:1,2", "-1", "0,,1"] {
            assert!(wrong.parse::<Assignment>().is_err(), "{wrong}");
        }
    }
}
