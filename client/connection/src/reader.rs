//! The task that reads: frames to the requests that wait for them.

use std::io;
use std::sync::Arc;

use barnabas_wire::frame::FrameSplitter;
use bytes::BytesMut;
use tokio::io::AsyncReadExt as _;
use tokio::net::tcp::OwnedReadHalf;

use crate::error::Disconnect;
use crate::exchange::Exchange;

/// Room for small answers.
const ROOM_BYTES: usize = 16 * 1024;
/// Most room made at once for a frame that was announced; larger ones grow by this much.
const FRAME_ROOM_BYTES: usize = 4 * 1024 * 1024;

/// Reads until the connection ends.
pub(crate) async fn run(
    exchange: Arc<Exchange>,
    mut socket: OwnedReadHalf,
    response_max_bytes: usize,
) {
    let splitter = FrameSplitter::new(response_max_bytes);
    let cause = tokio::select! {
        cause = read_frames(&exchange, &mut socket, splitter) => cause,
        () = exchange.ended.notified() => return,
    };
    exchange.end(cause);
}

async fn read_frames(
    exchange: &Exchange,
    socket: &mut OwnedReadHalf,
    splitter: FrameSplitter,
) -> Disconnect {
    let mut received = BytesMut::with_capacity(ROOM_BYTES);
    loop {
        match splitter.next(&mut received) {
            Ok(Some(frame)) => {
                if let Err(cause) = exchange.answer(frame) {
                    return cause;
                }
                continue;
            }
            Ok(None) => make_room(&mut received),
            Err(error) => {
                return Disconnect::BadFrame {
                    reason: error.to_string(),
                };
            }
        }
        match socket.read_buf(&mut received).await {
            Ok(0) => return Disconnect::ClosedByPeer,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                return Disconnect::ClosedByPeer;
            }
            Err(error) => return Disconnect::Io(Arc::new(error)),
        }
    }
}

/// Room for the whole frame at once where its length is known, so that a large response is not
/// copied from buffer to buffer while it comes in. The splitter has checked the length.
fn make_room(received: &mut BytesMut) {
    let announced = received
        .first_chunk()
        .map(|length| i32::from_be_bytes(*length));
    let frame_bytes = announced
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    let missing_bytes = (frame_bytes + size_of::<i32>()).saturating_sub(received.len());
    let room_bytes = missing_bytes.clamp(1, FRAME_ROOM_BYTES);
    if received.capacity() - received.len() < room_bytes {
        received.reserve(room_bytes.max(ROOM_BYTES));
    }
}
