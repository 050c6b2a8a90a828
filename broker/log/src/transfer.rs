//! Moves bytes of segment files to sockets and buffers, and says whether that would wait for a disk.
//!
//! The reactor threads of the broker may not wait for a disk. They ask here whether bytes are in the
//! page cache, send those that are, and let another thread [`warm`] the rest.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use bytes::{BufMut, BytesMut};

/// The page cache is looked at once per so many bytes: the kernel reads ahead in such steps.
const PROBE_STEP: usize = 128 * 1024;

/// Sends `length` bytes of `file` from `position` on to a socket without copying them into this process.
/// Returns the bytes sent, which may be fewer; 0 means that the file ends before `position`. Waits for
/// the disk if the bytes are not in the page cache.
///
/// # Errors
/// What `sendfile(2)` says; `WouldBlock` when a non-blocking socket takes nothing now.
pub fn sendfile(
    socket: &impl AsFd,
    file: &File,
    position: u64,
    length: usize,
) -> io::Result<usize> {
    let mut position = file_position(position)?;
    loop {
        #[expect(unsafe_code, reason = "sendfile has no safe interface in std")]
        // SAFETY: both descriptors are open for the call, and `position` is a local that outlives it.
        let sent = unsafe {
            libc::sendfile(
                socket.as_fd().as_raw_fd(),
                file.as_raw_fd(),
                &raw mut position,
                length,
            )
        };
        match usize::try_from(sent) {
            Ok(sent) => return Ok(sent),
            Err(_negative) => retry_if_interrupted(io::Error::last_os_error())?,
        }
    }
}

/// Appends `length` bytes of `file` from `position` on to `buffer`, if that needs no disk. Returns false,
/// with `buffer` as it was, when some of them are not in the page cache (or when the file system cannot
/// tell).
///
/// # Errors
/// What `preadv2(2)` says; `UnexpectedEof` when the file ends before the region does.
pub fn read_resident(
    file: &File,
    position: u64,
    length: usize,
    buffer: &mut BytesMut,
) -> io::Result<bool> {
    match fill(file, position, length, buffer, libc::RWF_NOWAIT) {
        Ok(()) => Ok(true),
        Err(error) if needs_the_disk(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Appends `length` bytes of `file` from `position` on to `buffer`. Waits for the disk.
///
/// # Errors
/// What `preadv2(2)` says; `UnexpectedEof` when the file ends before the region does.
pub fn read(file: &File, position: u64, length: usize, buffer: &mut BytesMut) -> io::Result<()> {
    fill(file, position, length, buffer, 0)
}

/// Whether a region is in the page cache, so that sending it does not wait for the disk. It is looked at
/// in steps: a page between two of them may be missing, which costs one wait and nothing else.
///
/// # Errors
/// What `preadv2(2)` says.
pub fn is_resident(file: &File, position: u64, length: usize) -> io::Result<bool> {
    let mut byte = BytesMut::with_capacity(1);
    let last = length.saturating_sub(1);
    for step in (0..last).step_by(PROBE_STEP).chain([last]) {
        byte.clear();
        if !read_resident(file, position + step as u64, 1, &mut byte)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads a region and forgets it, so that its pages are in the page cache. Waits for the disk.
///
/// # Errors
/// What `preadv2(2)` says; `UnexpectedEof` when the file ends before the region does.
pub fn warm(file: &File, mut position: u64, mut length: usize) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(length.min(PROBE_STEP));
    while length > 0 {
        let step = length.min(PROBE_STEP);
        buffer.clear();
        read(file, position, step, &mut buffer)?;
        position += step as u64;
        length -= step;
    }
    Ok(())
}

fn fill(
    file: &File,
    position: u64,
    length: usize,
    buffer: &mut BytesMut,
    flags: libc::c_int,
) -> io::Result<()> {
    let before = buffer.len();
    buffer.reserve(length);
    let mut have = 0;
    while have < length {
        match read_some(file, position + have as u64, length - have, buffer, flags) {
            Ok(0) => {
                buffer.truncate(before);
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(size) => have += size,
            Err(error) => {
                if let Err(error) = retry_if_interrupted(error) {
                    buffer.truncate(before);
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

fn read_some(
    file: &File,
    position: u64,
    length: usize,
    buffer: &mut BytesMut,
    flags: libc::c_int,
) -> io::Result<usize> {
    let position = file_position(position)?;
    let room = buffer.chunk_mut();
    let target = libc::iovec {
        iov_base: room.as_mut_ptr().cast(),
        iov_len: room.len().min(length),
    };
    #[expect(unsafe_code, reason = "std has no read with flags")]
    // SAFETY: `target` describes writable memory of the buffer that nobody else uses during the call,
    // and the descriptor is open.
    let size = unsafe { libc::preadv2(file.as_raw_fd(), &raw const target, 1, position, flags) };
    let size = usize::try_from(size).map_err(|_negative| io::Error::last_os_error())?;
    #[expect(unsafe_code, reason = "the length of a buffer that the kernel filled")]
    // SAFETY: the kernel has just written `size` bytes to the front of this room.
    unsafe {
        buffer.advance_mut(size);
    }
    Ok(size)
}

fn file_position(position: u64) -> io::Result<libc::off_t> {
    libc::off_t::try_from(position).map_err(|_too_far| io::ErrorKind::InvalidInput.into())
}

fn retry_if_interrupted(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::Interrupted {
        Ok(())
    } else {
        Err(error)
    }
}

fn needs_the_disk(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
        || matches!(
            error.raw_os_error(),
            Some(libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS)
        )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    fn file(size: usize) -> (File, Vec<u8>) {
        let bytes: Vec<u8> = (0..251).cycle().take(size).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        (file, bytes)
    }

    #[test]
    fn a_region_that_was_just_written_is_resident_and_reads_back() {
        let (file, bytes) = file(300_000);
        let mut buffer = BytesMut::new();
        if read_resident(&file, 1_000, 200_000, &mut buffer).unwrap() {
            assert_eq!(buffer, bytes[1_000..201_000]);
        } else {
            // A file system that cannot tell: the waiting read must do it.
            assert!(buffer.is_empty());
        }
        buffer.clear();
        warm(&file, 0, 300_000).unwrap();
        read(&file, 299_000, 1_000, &mut buffer).unwrap();
        assert_eq!(buffer, bytes[299_000..]);
    }

    #[test]
    fn a_region_past_the_end_of_the_file_is_an_error_and_leaves_the_buffer_alone() {
        let (file, _bytes) = file(100);
        let mut buffer = BytesMut::from(&b"before"[..]);
        let error = read(&file, 50, 100, &mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(buffer, b"before"[..]);
    }

    #[test]
    fn sendfile_sends_exactly_the_region() {
        let (file, bytes) = file(10_000);
        let (sender, mut receiver) = UnixStream::pair().unwrap();
        assert_eq!(sendfile(&sender, &file, 500, 1_000).unwrap(), 1_000);
        assert_eq!(
            sendfile(&sender, &file, 10_000, 1_000).unwrap(),
            0,
            "the file has ended"
        );
        drop(sender);
        let mut got = Vec::new();
        receiver.read_to_end(&mut got).unwrap();
        assert_eq!(got, bytes[500..1_500]);
    }
}
