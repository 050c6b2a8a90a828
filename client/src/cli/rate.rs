//! How fast a run was.

use std::time::Duration;

/// Bytes of a megabyte, as Kafka's tools count them.
const MEGABYTE: f64 = 1024.0 * 1024.0;

/// So many records and bytes in so much time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    /// Records.
    pub(crate) records: u64,
    /// Bytes of their keys and values.
    pub(crate) bytes: u64,
    /// The time it took.
    pub(crate) elapsed: Duration,
}

impl Rate {
    /// Records in a second.
    pub(crate) fn records_per_second(&self) -> f64 {
        per_second(float(self.records), self.elapsed)
    }

    /// MiB in a second.
    pub(crate) fn megabytes_per_second(&self) -> f64 {
        per_second(self.megabytes(), self.elapsed)
    }

    /// MiB.
    pub(crate) fn megabytes(&self) -> f64 {
        float(self.bytes) / MEGABYTE
    }

    /// The time in ms.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX)
    }
}

fn per_second(amount: f64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() {
        0.0
    } else {
        amount / elapsed.as_secs_f64()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "for people: no count here has 53 bits"
)]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_an_amount_over_a_time() {
        let elapsed = Duration::from_millis(500);
        let rate = Rate {
            records: 1_000,
            bytes: 1024 * 1024,
            elapsed,
        };
        assert_eq!(
            (rate.records_per_second(), rate.megabytes_per_second()),
            (2_000.0, 2.0)
        );
        assert_eq!(rate.elapsed_ms(), 500);
        let none = Rate {
            elapsed: Duration::ZERO,
            ..rate
        };
        assert_eq!(none.records_per_second(), 0.0);
    }
}
