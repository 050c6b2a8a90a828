//! Latencies of a run, and what of them is worth telling.

use std::time::Duration;

/// What is told of the latencies of a run. All in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Latency {
    /// The mean.
    pub(crate) mean: f64,
    /// Half of them are at most this.
    pub(crate) p50: f64,
    /// 95 of 100 are.
    pub(crate) p95: f64,
    /// 99 of 100 are.
    pub(crate) p99: f64,
    /// 999 of 1,000 are.
    pub(crate) p999: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Latency {
    /// Of these; all zero if there are none.
    pub(crate) fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let Some(max) = all.last().copied() else {
            return Self::default();
        };
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let sum: Duration = all.iter().sum();
        // The smallest that so many per mille are not above.
        let at = |per_mille: usize| {
            let index = (all.len() * per_mille).div_ceil(1_000).saturating_sub(1);
            ms(all.get(index).copied().unwrap_or(max))
        };
        Self {
            mean: ms(sum) / f64::from(count),
            p50: at(500),
            p95: at(950),
            p99: at(990),
            p999: at(999),
            max: ms(max),
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let all = (1..=1_000).rev().map(Duration::from_millis).collect();
        let expected = Latency {
            mean: 500.5,
            p50: 500.0,
            p95: 950.0,
            p99: 990.0,
            p999: 999.0,
            max: 1_000.0,
        };
        assert_eq!(Latency::of(all), expected);
        let one = Latency::of(vec![Duration::from_millis(3)]);
        assert_eq!((one.p50, one.p999, one.max), (3.0, 3.0, 3.0));
        assert_eq!(Latency::of(vec![]), Latency::default());
    }
}
