//! A TCP proxy between a client and a server of the loopback interface: a network that a test can
//! cut, hold still and heal.
//!
//! | network | new connections | open connections |
//! |---|---|---|
//! | [`Network::Whole`] | forwarded | forwarded |
//! | [`Network::Cut`] | accepted and closed, as a server does that is not serving | closed |
//! | [`Network::Blackhole`] | accepted, then silence | silence both ways; what was sent arrives after the healing, as TCP would have it |
//! | [`Network::NoReplies`] | forwarded, replies are held | requests arrive, replies are held |

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Connections that are open at once, at most; more are closed at once.
const CONNECTIONS_MAX: usize = 256;

/// Bytes that a direction of a connection holds while the network stands still; what is sent
/// beyond stays in the kernel's buffers.
const BUFFER_SIZE_BYTES: usize = 64 * 1024;

/// State of the network between client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Everything passes.
    Whole,
    /// Connections are closed, and new ones as soon as they are accepted.
    Cut,
    /// Nothing passes and nothing is closed.
    Blackhole,
    /// Requests pass, replies are held.
    NoReplies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

#[derive(Debug)]
struct State {
    network: Network,
    target: SocketAddr,
    over: bool,
    opened: usize,
    /// Reply bytes until every connection is cut once.
    cut_after_bytes: Option<usize>,
    /// Both ends of every open connection, by its number.
    open: Vec<(usize, TcpStream)>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The proxy. Closes its connections when dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and forwards to `target`.
    pub fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let state = State {
            network: Network::Whole,
            target,
            over: false,
            opened: 0,
            cut_after_bytes: None,
            open: Vec::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&accepting, &listener));
        Self { shared, address }
    }

    /// Address for the client, `127.0.0.1:port`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the network. [`Network::Cut`] closes what is open.
    pub fn set(&self, network: Network) {
        let mut state = self.shared.lock();
        state.network = network;
        if network == Network::Cut {
            state.close_all();
        }
        self.shared.changed.notify_all();
    }

    /// Closes every open connection once; new ones are served as before.
    pub fn cut_connections(&self) {
        self.shared.lock().close_all();
    }

    /// Closes every open connection once, as soon as `size_bytes` more of replies have passed, in
    /// the middle of whatever is being read then.
    pub fn cut_after_reply_bytes(&self, size_bytes: usize) {
        self.shared.lock().cut_after_bytes = Some(size_bytes);
    }

    /// Sends new connections to another server.
    pub fn retarget(&self, target: SocketAddr) {
        self.shared.lock().target = target;
    }

    /// Connections accepted since the start, whatever became of them.
    pub fn connections_opened(&self) -> usize {
        self.shared.lock().opened
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.over = true;
        state.close_all();
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the accepting thread; if nobody listens any more, that is as good.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    fn close_all(&mut self) {
        for (_, stream) in self.open.drain(..) {
            // Already closed by its peer: nothing left to do.
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    fn holds(&self, direction: Direction) -> bool {
        match self.network {
            Network::Whole | Network::Cut => false,
            Network::Blackhole => true,
            Network::NoReplies => direction == Direction::ToClient,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the network holds this direction. False when the proxy is over or the
    /// connection was cut meanwhile.
    fn pass(&self, connection: usize, direction: Direction) -> bool {
        let mut state = self.lock();
        while state.holds(direction) && !state.over {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        !state.over && state.open.iter().any(|(number, _)| *number == connection)
    }

    /// Counts reply bytes towards a cut that was asked for. False when this is the place to cut.
    fn count(&self, size_bytes: usize) -> bool {
        let mut state = self.lock();
        match state.cut_after_bytes {
            Some(left) if left <= size_bytes => {
                state.cut_after_bytes = None;
                state.close_all();
                false
            }
            Some(left) => {
                state.cut_after_bytes = Some(left - size_bytes);
                true
            }
            None => true,
        }
    }

    fn forget(&self, connection: usize) {
        self.lock().open.retain(|(number, _)| *number != connection);
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    for client in listener.incoming() {
        let mut state = shared.lock();
        if state.over {
            return;
        }
        let Ok(client) = client else { continue };
        state.opened += 1;
        if state.network == Network::Cut || state.open.len() >= 2 * CONNECTIONS_MAX {
            continue;
        }
        let number = state.opened;
        let Ok(ours) = client.try_clone() else {
            continue;
        };
        state.open.push((number, ours));
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            forward(&shared, number, client);
            shared.forget(number);
        });
    }
}

/// Serves one connection until an end closes it.
fn forward(shared: &Arc<Shared>, number: usize, client: TcpStream) {
    if !shared.pass(number, Direction::ToServer) {
        return;
    }
    let target = shared.lock().target;
    let Ok(server) = TcpStream::connect(target) else {
        return;
    };
    let (Ok(client_end), Ok(server_end)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    if client
        .set_nodelay(true)
        .and_then(|()| server.set_nodelay(true))
        .is_err()
    {
        return;
    }
    {
        let mut state = shared.lock();
        // Cut while we were connecting.
        if !state.open.iter().any(|(other, _)| *other == number) {
            return;
        }
        let Ok(ours) = server.try_clone() else { return };
        state.open.push((number, ours));
    }
    let replies = Arc::clone(shared);
    let pump_replies = thread::spawn(move || {
        pump(
            &replies,
            number,
            Direction::ToClient,
            server_end,
            client_end,
        )
    });
    pump(shared, number, Direction::ToServer, client, server);
    // The other pump saw the same end; if it panicked the test has failed already.
    pump_replies.join().ok();
}

fn pump(shared: &Shared, number: usize, way: Direction, mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; BUFFER_SIZE_BYTES];
    loop {
        let size_bytes = from.read(&mut buffer).unwrap_or(0);
        if !shared.pass(number, way) || size_bytes == 0 {
            break;
        }
        if way == Direction::ToClient && !shared.count(size_bytes) {
            // The cut falls inside this piece: the client gets the first half of it.
            to.write_all(&buffer[..size_bytes / 2]).ok();
            break;
        }
        if to.write_all(&buffer[..size_bytes]).is_err() {
            break;
        }
    }
    // One end is gone, so the other one is of no use.
    from.shutdown(Shutdown::Both).ok();
    to.shutdown(Shutdown::Both).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::liveness;

    /// A server that returns every byte.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
                });
            }
        });
        address
    }

    fn ask(stream: &mut TcpStream) -> Option<u8> {
        let mut byte = [0];
        stream.write_all(&[7]).ok()?;
        stream.read_exact(&mut byte).ok()?;
        Some(byte[0])
    }

    #[test]
    fn a_cut_closes_and_refuses_until_healed() {
        let proxy = Proxy::start(echo());
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(ask(&mut stream), Some(7));
        proxy.set(Network::Cut);
        assert_eq!(ask(&mut stream), None);
        assert_eq!(ask(&mut TcpStream::connect(proxy.address()).unwrap()), None);
        proxy.set(Network::Whole);
        assert_eq!(
            ask(&mut TcpStream::connect(proxy.address()).unwrap()),
            Some(7)
        );
        assert_eq!(proxy.connections_opened(), 3);
    }

    #[test]
    fn what_a_blackhole_swallowed_arrives_after_the_healing() {
        for network in [Network::Blackhole, Network::NoReplies] {
            let proxy = Proxy::start(echo());
            let mut stream = TcpStream::connect(proxy.address()).unwrap();
            assert_eq!(ask(&mut stream), Some(7));
            proxy.set(network);
            stream.write_all(&[9]).unwrap();
            stream
                .set_read_timeout(Some(std::time::Duration::from_millis(100)))
                .unwrap();
            assert!(
                stream.read_exact(&mut [0]).is_err(),
                "{network:?} let a reply through"
            );
            proxy.set(Network::Whole);
            stream.set_read_timeout(Some(liveness::LIMIT)).unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            assert_eq!(byte[0], 9);
        }
    }

    #[test]
    fn a_cut_after_bytes_falls_once_in_the_middle_of_the_replies() {
        let proxy = Proxy::start(echo());
        proxy.cut_after_reply_bytes(3);
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        let answered = (0..10).take_while(|_| ask(&mut stream).is_some()).count();
        assert_eq!(answered, 2);
        assert_eq!(
            ask(&mut TcpStream::connect(proxy.address()).unwrap()),
            Some(7)
        );
    }
}
