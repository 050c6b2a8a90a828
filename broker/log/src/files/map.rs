//! Segments in memory: one reservation of address space, written by one thread at a time.
#![expect(
    unsafe_code,
    reason = "a map is memory that the compiler knows nothing of"
)]

use super::guard::{self, Registration};
use super::{Map, Pages};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// Bytes that one cache line holds.
#[cfg(target_arch = "x86_64")]
const CACHE_LINE: usize = 64;

/// Bytes behind a write that are fetched ahead, at most: more does not fit in the processor's queues.
#[cfg(target_arch = "x86_64")]
const ANNOUNCED_MAX: usize = 2048;

/// A shared map of the first `capacity` bytes of a file, present or not.
///
/// Invariant: the address range stays ours until the last handle is gone. Bytes are never read
/// through it, so that a file cut by someone else can hurt writes only; those are guarded.
#[derive(Debug)]
struct Reservation {
    base: NonNull<u8>,
    capacity: usize,
    registration: Registration,
}

// SAFETY: the range belongs to the process, not to a thread; only `MappedFile` stores to it, and it
// needs `&mut self` to do so.
unsafe impl Send for Reservation {}
// SAFETY: as above; the shared methods only give advice to the kernel.
unsafe impl Sync for Reservation {}

/// Maps `capacity` bytes of `file`, asking for large pages.
pub(super) fn map(file: &File, capacity: u64) -> io::Result<Box<dyn Map>> {
    let capacity = usize::try_from(capacity).map_err(io::Error::other)?;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a fresh range chosen by the kernel; the descriptor is open.
    let base = unsafe {
        libc::mmap(
            ptr::null_mut(),
            capacity,
            access,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
    let registration = guard::register(base.as_ptr() as usize, capacity);
    let reservation = Reservation {
        base,
        capacity,
        registration,
    };
    // Only a hint: a kernel without large folios for this file system maps small pages.
    if let Err(error) = reservation.advise(0, capacity as u64, libc::MADV_HUGEPAGE) {
        tracing::debug!(%error, "no large pages for this map");
    }
    Ok(Box::new(MappedFile {
        reservation: Arc::new(reservation),
    }))
}

impl Reservation {
    /// The address `position` bytes into the range, if `length` bytes from there lie within it.
    fn address(&self, position: u64, length: usize) -> io::Result<*mut u8> {
        let position = usize::try_from(position).map_err(io::Error::other)?;
        if position
            .checked_add(length)
            .is_none_or(|end| end > self.capacity)
        {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(self.base.as_ptr().wrapping_add(position))
    }

    /// Lets the processor fetch what the next write of about `length` bytes will store to. The locks
    /// around an append are barriers: without this, each append waits for its own cache misses.
    #[cfg(target_arch = "x86_64")]
    fn announce(&self, position: u64, length: u64) {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        let length =
            usize::try_from(length).map_or(ANNOUNCED_MAX, |length| length.min(ANNOUNCED_MAX));
        let Ok(address) = self.address(position, length) else {
            return;
        };
        for line in (0..length).step_by(CACHE_LINE) {
            // SAFETY: a hint; no address can make it fault.
            unsafe { _mm_prefetch::<_MM_HINT_ET0>(address.wrapping_add(line).cast()) };
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn announce(&self, _position: u64, _length: u64) {}

    /// Gives advice about the pages of a range; the range must begin at a page.
    fn advise(&self, position: u64, length: u64, advice: libc::c_int) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let address = self.address(position, length)?;
        // SAFETY: the range lies within the reservation, and none of the advices used here takes
        // bytes away from a shared map.
        let result = unsafe { libc::madvise(address.cast(), length, advice) };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl Pages for Reservation {
    fn populate(&self, position: u64, length: u64) -> io::Result<()> {
        let first = position - position % guard::page_size();
        self.advise(first, position + length - first, libc::MADV_POPULATE_WRITE)
    }

    fn release(&self, position: u64, length: u64) -> io::Result<()> {
        let page = guard::page_size();
        let (first, end) = (position.next_multiple_of(page), position + length);
        match (end - end % page).checked_sub(first) {
            Some(whole) if whole > 0 => self.advise(first, whole, libc::MADV_DONTNEED),
            _ => Ok(()),
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.registration.end();
        // SAFETY: the range is ours, and this is the last handle to it.
        let result = unsafe { libc::munmap(self.base.as_ptr().cast(), self.capacity) };
        debug_assert_eq!(result, 0, "unmapping what was mapped cannot fail");
    }
}

/// The writing end of a reservation. There is one, so that two writes never meet.
#[derive(Debug)]
struct MappedFile {
    reservation: Arc<Reservation>,
}

impl Map for MappedFile {
    fn write(&mut self, parts: &[&[u8]], position: u64) -> io::Result<()> {
        let mut at = position;
        for part in parts {
            let target = self.reservation.address(at, part.len())?;
            // SAFETY: the target range lies within the reservation; `&mut self` makes us its only
            // writer and nobody reads through it. `part` is ordinary memory elsewhere.
            unsafe { ptr::copy_nonoverlapping(part.as_ptr(), target, part.len()) };
            at += part.len() as u64;
        }
        self.reservation.announce(at, at - position);
        if self.reservation.registration.is_broken() {
            return Err(io::Error::other(
                "the file did not take a store through its map (SIGBUS)",
            ));
        }
        Ok(())
    }

    fn pages(&self) -> Arc<dyn Pages> {
        self.reservation.clone()
    }
}
