//! Free ports of the loopback interface.

use std::net::{Ipv4Addr, TcpListener};

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
