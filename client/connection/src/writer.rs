//! The task that writes: all that is queued, in as few system calls as it takes.

use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::{Instant, sleep_until};

use crate::error::Disconnect;
use crate::exchange::{Exchange, Turn};

/// Most pieces that one system call takes.
const SLICES_MAX: usize = 64;

/// Writes until the connection ends, and ends it when a request is overdue.
pub(crate) async fn run(exchange: Arc<Exchange>, mut socket: OwnedWriteHalf) {
    let mut pieces = Vec::new();
    loop {
        match exchange.take(&mut pieces) {
            Turn::Write => {
                if let Err(error) = write_all(&exchange, &mut socket, &mut pieces).await {
                    exchange.end(Disconnect::Io(Arc::new(error)));
                    return;
                }
                exchange.written();
            }
            Turn::Wait(deadline) => wait(&exchange, deadline).await,
            Turn::Finish => {
                // The kernel delivers what is written even if saying goodbye fails.
                drop(socket.shutdown().await);
                exchange.end(Disconnect::Closed);
                return;
            }
            Turn::Stop => return,
        }
    }
}

/// Waits for something to do. An overdue request ends the connection.
async fn wait(exchange: &Exchange, deadline: Option<Instant>) {
    let Some(deadline) = deadline else {
        return exchange.writable.notified().await;
    };
    tokio::select! {
        () = exchange.writable.notified() => {}
        () = sleep_until(deadline) => end_if_overdue(exchange),
    }
}

fn end_if_overdue(exchange: &Exchange) {
    if let Some(after) = exchange.overdue(Instant::now()) {
        exchange.end(Disconnect::Timeout { after });
    }
}

/// Writes all pieces and leaves none. Goes on only while the connection has not ended, so a peer
/// that reads nothing cannot hold it for longer than a request may take.
async fn write_all(
    exchange: &Exchange,
    socket: &mut OwnedWriteHalf,
    pieces: &mut Vec<Bytes>,
) -> io::Result<()> {
    let mut first = 0;
    while first < pieces.len() {
        let rest = pieces.get_mut(first..).unwrap_or_default();
        match try_write(socket, rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => first += advance(rest, written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait_writable(exchange, socket).await?;
            }
            Err(error) => return Err(error),
        }
    }
    pieces.clear();
    Ok(())
}

fn try_write(socket: &OwnedWriteHalf, pieces: &[Bytes]) -> io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut count = 0;
    for (slice, piece) in slices.iter_mut().zip(pieces) {
        *slice = IoSlice::new(piece);
        count += 1;
    }
    socket.try_write_vectored(slices.get(..count).unwrap_or_default())
}

async fn wait_writable(exchange: &Exchange, socket: &OwnedWriteHalf) -> io::Result<()> {
    loop {
        // The first request's time runs on while the peer takes nothing.
        let deadline = exchange.first_deadline();
        let overdue = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ready = socket.writable() => return ready,
            () = overdue => end_if_overdue(exchange),
            () = exchange.writable.notified() => {}
        }
        if exchange.cause_of_end().is_some() {
            return Err(io::ErrorKind::NotConnected.into());
        }
    }
}

/// Takes `written` bytes off the front and tells how many pieces are done.
fn advance(pieces: &mut [Bytes], mut written: usize) -> usize {
    let mut done = 0;
    for piece in pieces {
        if written < piece.len() {
            piece.advance(written);
            break;
        }
        written -= piece.len();
        *piece = Bytes::new();
        done += 1;
        if written == 0 {
            break;
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lengths: &[usize], written: usize, done: usize, left: usize) {
        let mut pieces: Vec<Bytes> = lengths
            .iter()
            .map(|&length| Bytes::from(vec![0; length]))
            .collect();
        assert_eq!(advance(&mut pieces, written), done, "{lengths:?} {written}");
        assert_eq!(
            pieces.get(done).map_or(0, Bytes::len),
            left,
            "{lengths:?} {written}"
        );
    }

    #[test]
    fn a_partial_write_goes_on_where_it_stopped() {
        check(&[3, 4], 0, 0, 3);
        check(&[3, 4], 2, 0, 1);
        check(&[3, 4], 3, 1, 4);
        check(&[3, 4], 5, 1, 2);
        check(&[3, 4], 7, 2, 0);
    }
}
