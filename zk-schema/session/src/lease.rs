//! The lease: how long this process may still believe that the quorum keeps its session.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock;

/// How long the lease runs from the moment its renewal was sent, as a part of the session timeout:
/// 2/3, so that it is over well before the session can be.
const TIMEOUT_PART: (u64, u64) = (2, 3);

/// Renewals in one session timeout.
pub(crate) const RENEWALS_PER_TIMEOUT: u32 = 6;

/// A promise with an end. Clones are the same lease.
///
/// It is renewed only by the answer to a *write*, which a quorum has agreed on: a follower that is
/// cut off from its leader goes on answering reads for as long as it likes. Between two renewals it
/// runs on a clock that counts suspended time.
///
/// It makes writers stop early. Nothing that must be safe may rest on it alone, since a machine can
/// stand still between the question and the deed.
#[derive(Clone, Debug)]
pub struct Lease {
    /// End, in ms of [`clock::boot_ms`]; 0: never held.
    end_ms: Arc<AtomicU64>,
}

impl Lease {
    pub(crate) fn new() -> Self {
        Self {
            end_ms: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Whether the lease holds now.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.remaining_ms() > 0
    }

    /// Ms until it is over if nothing renews it; 0 if it is over.
    #[must_use]
    pub fn remaining_ms(&self) -> u64 {
        self.end_ms
            .load(Ordering::Acquire)
            .saturating_sub(clock::boot_ms())
    }

    /// Lets the lease run from `sent_ms`, when the write was sent that was answered now.
    pub(crate) fn renew(&self, sent_ms: u64, session_timeout_ms: u32) {
        let (part, of) = TIMEOUT_PART;
        let length_ms = u64::from(session_timeout_ms).saturating_mul(part) / of;
        self.end_ms
            .fetch_max(sent_ms.saturating_add(length_ms), Ordering::AcqRel);
    }

    /// Ends the lease.
    pub(crate) fn end(&self) {
        self.end_ms.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_runs_from_when_its_renewal_was_sent() {
        let lease = Lease::new();
        assert!(!lease.is_held());
        lease.renew(clock::boot_ms(), 60_000);
        assert!(lease.is_held() && lease.remaining_ms() <= 40_000);
        // A renewal that was under way for longer than the lease runs gives nothing.
        let late = Lease::new();
        late.renew(clock::boot_ms().saturating_sub(40_001), 60_000);
        assert!(!late.is_held());
    }

    #[test]
    fn an_answer_that_comes_late_does_not_shorten_the_lease() {
        let lease = Lease::new();
        let now_ms = clock::boot_ms();
        lease.renew(now_ms, 60_000);
        lease.renew(now_ms.saturating_sub(30_000), 60_000);
        assert!(lease.remaining_ms() > 30_000);
        lease.end();
        assert!(!lease.is_held());
    }
}
