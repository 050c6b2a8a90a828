//! A clock that a sleeping machine does not stop.

/// Milliseconds since the machine started, time asleep included (`CLOCK_BOOTTIME`): a lease must run
/// out while the machine is suspended. Where there is no such clock, the monotonic one, which counts
/// sleep there.
pub(crate) fn boot_ms() -> u64 {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let now = rustix::time::clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let rest_ms = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or(0);
    seconds.saturating_mul(1000).saturating_add(rest_ms)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clock_goes_forward() {
        let before = super::boot_ms();
        assert!(before > 0 && super::boot_ms() >= before);
    }
}
