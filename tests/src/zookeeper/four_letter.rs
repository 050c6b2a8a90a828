//! ZooKeeper's four-letter words: what a server says about itself on its client port.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a connection and for an answer: a server that is paused gives none.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Sends `word` (`srvr`, `wchs`, `mntr` ...) and returns the whole answer, or `None` if there is
/// none. `srvr` is answered by every server, the others where the white list names them.
pub fn four_letter(address: SocketAddr, word: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    stream.write_all(word.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Role of a server that serves clients (`standalone`, `leader`, `follower`). A server accepts
/// connections, and writes "binding to port" into its log, before it serves; only this counts.
pub(super) fn role(address: SocketAddr) -> Option<String> {
    let answer = four_letter(address, "srvr")?;
    let role = answer
        .lines()
        .find_map(|line| line.strip_prefix("Mode: "))?;
    Some(role.trim().to_owned())
}
