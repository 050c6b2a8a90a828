//! From a name to a socket.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream, lookup_host};

use crate::error::ConnectError;
use crate::options::Options;

/// Connects to the first address of `host` that takes the connection.
pub(crate) async fn dial(
    host: &str,
    port: u16,
    options: &Options,
) -> Result<TcpStream, ConnectError> {
    let resolve_error = |source| ConnectError::Resolve {
        host: host.into(),
        source,
    };
    let addresses = lookup_host((host, port)).await.map_err(resolve_error)?;
    let mut refused = resolve_error(io::Error::from(io::ErrorKind::NotFound));
    for address in addresses.filter(|address| fits(options.source_address, *address)) {
        match connect(address, options).await {
            Ok(stream) => return Ok(stream),
            Err(source) => refused = ConnectError::Refused { address, source },
        }
    }
    Err(refused)
}

/// An IPv4 source reaches IPv4 addresses only, and likewise for IPv6.
const fn fits(source_address: Option<IpAddr>, address: SocketAddr) -> bool {
    match source_address {
        Some(source_address) => source_address.is_ipv4() == address.is_ipv4(),
        None => true,
    }
}

async fn connect(address: SocketAddr, options: &Options) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // Requests are small and answers are waited for: never hold one back to fill a packet.
    socket.set_nodelay(true)?;
    socket.set_keepalive(true)?;
    if let Some(size_bytes) = options.send_buffer_bytes {
        socket.set_send_buffer_size(size_bytes)?;
    }
    if let Some(size_bytes) = options.receive_buffer_bytes {
        socket.set_recv_buffer_size(size_bytes)?;
    }
    if let Some(source_address) = options.source_address {
        socket.bind(SocketAddr::new(source_address, 0))?;
    }
    socket.connect(address).await
}
