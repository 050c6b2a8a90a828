//! Every property that is known, with its default.

/// Every property name with its default; none means that there is no default.
pub(super) const KEYS: &[(&str, Option<&str>)] = &[
    ("acks", Some("all")),
    ("allow.auto.create.topics", Some("true")),
    ("auto.offset.reset", Some("latest")),
    ("batch.size", Some("16384")),
    ("bootstrap.servers", None),
    ("buffer.memory", Some("33554432")),
    ("client.id", Some("barnabas")),
    ("compression.type", Some("none")),
    ("default.api.timeout.ms", Some("60000")),
    ("delivery.timeout.ms", Some("120000")),
    ("enable.idempotence", Some("true")),
    ("fetch.max.bytes", Some("52428800")),
    ("fetch.max.wait.ms", Some("500")),
    ("fetch.min.bytes", Some("1")),
    ("linger.ms", Some("0")),
    ("max.block.ms", Some("60000")),
    ("max.in.flight.requests.per.connection", Some("5")),
    ("max.partition.fetch.bytes", Some("1048576")),
    ("max.request.size", Some("1048576")),
    ("metadata.max.age.ms", Some("300000")),
    ("partitioner.class", Some("classic")),
    ("receive.buffer.bytes", Some("-1")),
    ("request.timeout.ms", Some("30000")),
    ("retries", Some("2147483647")),
    ("retry.backoff.max.ms", Some("1000")),
    ("retry.backoff.ms", Some("100")),
    ("send.buffer.bytes", Some("-1")),
    ("socket.connection.setup.timeout.ms", Some("10000")),
];

/// Most single-letter changes between a wrong name and the one that is offered for it.
const DISTANCE_MAX: usize = 3;

/// The name that is most like `key`, if any is.
pub(super) fn nearest(key: &str) -> Option<&'static str> {
    KEYS.iter()
        .map(|&(name, _)| (distance(key, name), name))
        .min()
        .filter(|&(distance, _)| distance <= DISTANCE_MAX)
        .map(|(_, name)| name)
}

/// How many letters have to be added, dropped or changed to make one text of the other.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (index, left) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(right.chars()) {
            let changed = diagonal + usize::from(left != right);
            diagonal = *cell;
            before = changed.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_letter_changes() {
        for (left, right, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "abd", 1),
            ("kitten", "sitting", 3),
            ("", "ab", 2),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(KEYS.is_sorted_by(|left, right| left.0 < right.0));
    }
}
