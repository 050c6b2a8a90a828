//! Writes answers to a socket: bytes with `writev`, file regions with `sendfile` or through a buffer.
//!
//! Small regions of files are read into a buffer and leave with the bytes around them in one call, for
//! a system call per region would cost more than the copy. Nothing here waits for a disk on the thread
//! of the connection: what is not in the page cache is read on a blocking thread first.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use barnabas_log::transfer;
use barnabas_wire::{FileRegion, Piece};
use bytes::{Buf, Bytes, BytesMut};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Regions from this size on go with `sendfile`, in bytes.
const SENDFILE_SIZE_MIN: u32 = 64 * 1024;

/// The most that one `sendfile` is asked for, and the unit in which cold regions are warmed, in bytes.
const SENDFILE_SIZE_MAX: usize = 1024 * 1024;

/// Bytes gathered before a write is made.
const GATHER_SIZE_MAX: usize = 256 * 1024;

/// Slices of one `writev`.
const SLICES_MAX: usize = 64;

/// What still has to be written to one socket, in order.
#[derive(Debug)]
pub(crate) struct Writer {
    pieces: VecDeque<Piece>,
    scratch: BytesMut,
    stall_max: Duration,
}

impl Writer {
    /// A peer that takes nothing for `stall_max` fails the write.
    pub(crate) fn new(stall_max: Duration) -> Self {
        Self {
            pieces: VecDeque::new(),
            scratch: BytesMut::new(),
            stall_max,
        }
    }

    pub(crate) fn push(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        self.pieces.extend(pieces);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Gives the buffers back to the allocator.
    pub(crate) fn release(&mut self) {
        self.scratch = BytesMut::new();
        self.pieces.shrink_to_fit();
    }

    /// Writes everything; returns the bytes written.
    ///
    /// # Errors
    /// Whatever the socket or a file said; `TimedOut` for a peer that does not read, `UnexpectedEof` for
    /// a file that is shorter than a region of it.
    pub(crate) async fn write_all(&mut self, stream: &TcpStream) -> io::Result<u64> {
        let mut written = 0;
        while !self.pieces.is_empty() {
            let mut gathered = VecDeque::new();
            let mut size = 0;
            while size < GATHER_SIZE_MAX {
                match self.pieces.pop_front() {
                    None => break,
                    Some(Piece::Bytes(bytes)) => {
                        size += bytes.len();
                        gathered.push_back(bytes);
                    }
                    Some(Piece::File(region)) if region.length < SENDFILE_SIZE_MIN => {
                        size += bytes_of(&region);
                        gathered.push_back(self.read(region).await?);
                    }
                    Some(large) => {
                        self.pieces.push_front(large);
                        break;
                    }
                }
            }
            written += size as u64;
            self.write_bytes(stream, gathered).await?;
            if let Some(Piece::File(region)) = self.pieces.front()
                && region.length >= SENDFILE_SIZE_MIN
            {
                let region = region.clone();
                self.pieces.pop_front();
                written += u64::from(region.length);
                self.send(stream, region).await?;
            }
        }
        Ok(written)
    }

    async fn read(&mut self, region: FileRegion) -> io::Result<Bytes> {
        let length = bytes_of(&region);
        let FileRegion { file, position, .. } = region;
        if transfer::read_resident(&file, position, length, &mut self.scratch)? {
            return Ok(self.scratch.split().freeze());
        }
        blocking(move || {
            let mut buffer = BytesMut::new();
            transfer::read(&file, position, length, &mut buffer)?;
            Ok(buffer.freeze())
        })
        .await
    }

    async fn write_bytes(&self, stream: &TcpStream, mut left: VecDeque<Bytes>) -> io::Result<()> {
        while !left.is_empty() {
            match write_some(stream, &left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => advance(&mut left, written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.unstalled(stream.writable()).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn send(&self, stream: &TcpStream, region: FileRegion) -> io::Result<()> {
        let mut position = region.position;
        let mut left = bytes_of(&region);
        while left > 0 {
            let mut chunk = left.min(SENDFILE_SIZE_MAX);
            left -= chunk;
            if !transfer::is_resident(&region.file, position, chunk)? {
                let file = Arc::clone(&region.file);
                blocking(move || transfer::warm(&file, position, chunk)).await?;
            }
            while chunk > 0 {
                let sending = stream.async_io(Interest::WRITABLE, || {
                    transfer::sendfile(stream, &region.file, position, chunk)
                });
                let sent = self.unstalled(sending).await?;
                if sent == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                position += sent as u64;
                chunk -= sent;
            }
        }
        Ok(())
    }

    async fn unstalled<T>(&self, io: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        timeout(self.stall_max, io)
            .await
            .map_err(|_elapsed| io::ErrorKind::TimedOut)?
    }
}

fn bytes_of(region: &FileRegion) -> usize {
    usize::try_from(region.length).unwrap_or(usize::MAX)
}

fn write_some(stream: &TcpStream, left: &VecDeque<Bytes>) -> io::Result<usize> {
    if let [only] = left.as_slices().0
        && left.len() == 1
    {
        return stream.try_write(only);
    }
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut used = 0;
    for (slice, bytes) in slices.iter_mut().zip(left) {
        *slice = IoSlice::new(bytes);
        used += 1;
    }
    stream.try_write_vectored(slices.get(..used).unwrap_or(&[]))
}

fn advance(left: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(front) = left.front_mut() {
        if front.len() > written {
            front.advance(written);
            return;
        }
        written -= front.len();
        left.pop_front();
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
