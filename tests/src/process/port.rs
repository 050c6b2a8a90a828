//! Free ports of the loopback interface.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Returns a TCP port of 127.0.0.1 that nobody listened on a moment ago.
///
/// Another process may take it before its user binds it: whoever can, binds port 0 instead or
/// tries again with another port.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// First port and number of ports of the range below the kernel's ephemeral one.
const STEADY: (u16, u16) = (12_000, 20_000);

static STEADY_NEXT: AtomicU16 = AtomicU16::new(0);

/// Returns a TCP port of 127.0.0.1 that no outgoing connection can be given by the kernel, so that
/// a server which is killed finds it free again when it is started once more.
pub fn steady_port() -> u16 {
    let (first, count) = STEADY;
    // Test binaries that run side by side begin at places of their own.
    let own = u16::try_from(std::process::id() % u32::from(count)).unwrap_or_default();
    for _ in 0..count {
        let step = STEADY_NEXT.fetch_add(1, Ordering::Relaxed);
        let port = first + own.wrapping_mul(37).wrapping_add(step) % count;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {first} on");
}
