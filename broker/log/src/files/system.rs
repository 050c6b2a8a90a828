//! System calls that `std` does not offer for files, behind safe functions.
#![expect(unsafe_code, reason = "fallocate and pwritev have no safe form in std")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Parts of one [`write_all_at`] handed to the kernel in one call.
const PARTS_MAX: usize = 8;

/// Extends `file` by `length` bytes of real blocks from `position` on.
pub(super) fn allocate(file: &File, position: u64, length: u64) -> io::Result<()> {
    let (position, length) = (signed(position)?, signed(length)?);
    loop {
        // SAFETY: the descriptor is open as long as `file` lives, and no memory is passed.
        let result = unsafe { libc::fallocate(file.as_raw_fd(), 0, position, length) };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Writes `parts` one behind the other from `position` on, as few calls as can be.
pub(super) fn write_all_at(file: &File, parts: &[&[u8]], position: u64) -> io::Result<()> {
    let mut at = position;
    for group in parts.chunks(PARTS_MAX) {
        let mut left = [io::IoSlice::new(&[]); PARTS_MAX];
        for (slice, part) in left.iter_mut().zip(group) {
            *slice = io::IoSlice::new(part);
        }
        let mut left = left.get_mut(..group.len()).unwrap_or_default();
        io::IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            let written = write_some_at(file, left, at)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            at += written as u64;
            io::IoSlice::advance_slices(&mut left, written);
        }
    }
    Ok(())
}

/// One `pwritev`; repeated only when a signal interrupted it.
fn write_some_at(file: &File, parts: &[io::IoSlice<'_>], position: u64) -> io::Result<usize> {
    let position = signed(position)?;
    let count = libc::c_int::try_from(parts.len()).map_err(io::Error::other)?;
    loop {
        // SAFETY: `IoSlice` has the layout of `iovec`; the slices are readable for their lengths and
        // live through the call, and there are `count` of them.
        let result =
            unsafe { libc::pwritev(file.as_raw_fd(), parts.as_ptr().cast(), count, position) };
        if let Ok(written) = usize::try_from(result) {
            return Ok(written);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// A file position as the system calls take it.
fn signed(position: u64) -> io::Result<libc::off_t> {
    libc::off_t::try_from(position).map_err(|_too_large| io::ErrorKind::FileTooLarge.into())
}
