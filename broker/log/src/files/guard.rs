//! Turns a SIGBUS in one of our maps into a flag that its writer finds.
//!
//! A store through a map cannot report an error: when the medium fails, or someone cut the file, the
//! kernel raises SIGBUS. The handler looks the address up among the registered maps, puts a page of
//! zeros in its place so that the store can end, and marks the map as broken. Any other address goes
//! to the handler that was there before (Rust's own, which reports stack overflows).
#![expect(unsafe_code, reason = "signal handlers speak C")]

use parking_lot::Mutex;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize};

/// Maps that one table of the registry holds.
const TABLE_SLOTS: usize = 256;

/// One registered address range. The handler reads it without a lock.
///
/// `end` is zero while the slot is free or changing: it is cleared first and set last.
#[derive(Debug, Default)]
struct Slot {
    start: AtomicUsize,
    end: AtomicUsize,
    broken: AtomicBool,
}

impl Slot {
    /// Whether `address` lies in the range of this slot.
    fn holds(&self, address: usize) -> bool {
        let end = self.end.load(SeqCst);
        let start = self.start.load(SeqCst);
        end != 0 && (start..end).contains(&address) && self.end.load(SeqCst) == end
    }
}

/// Tables are added as maps are, and stay until the process ends: the handler may be in one.
#[derive(Debug)]
struct Table {
    slots: [Slot; TABLE_SLOTS],
    next: Option<&'static Self>,
}

static TABLES: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
static FREE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();
static PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// A map under guard. Dropping it without [`Registration::end`] is harmless only after `munmap`.
#[derive(Debug)]
pub(super) struct Registration {
    slot: &'static Slot,
}

impl Registration {
    /// Whether a store into the range failed. Stays so.
    pub(super) fn is_broken(&self) -> bool {
        self.slot.broken.load(Acquire)
    }

    /// Takes the range out of the registry. To be called once, before it is unmapped.
    pub(super) fn end(&self) {
        self.slot.end.store(0, SeqCst);
        FREE.lock().push(self.slot);
    }
}

/// Bytes of one page of memory.
pub(super) fn page_size() -> u64 {
    let known = PAGE_SIZE.load(Relaxed);
    if known != 0 {
        return known as u64;
    }
    // SAFETY: asks for a number.
    let asked = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let size = usize::try_from(asked).unwrap_or(4096);
    PAGE_SIZE.store(size, Relaxed);
    size as u64
}

/// Puts `length` bytes from address `start` on under guard.
pub(super) fn register(start: usize, length: usize) -> Registration {
    install();
    let slot = free_slot();
    slot.broken.store(false, SeqCst);
    slot.start.store(start, SeqCst);
    slot.end.store(start + length, SeqCst);
    Registration { slot }
}

/// A slot that nobody uses; the registry grows by a table when there is none.
fn free_slot() -> &'static Slot {
    let mut free = FREE.lock();
    if let Some(slot) = free.pop() {
        return slot;
    }
    // SAFETY: a pointer in `TABLES` is null or comes from the `Box::leak` below.
    let next = unsafe { TABLES.load(Acquire).as_ref() };
    let slots = std::array::from_fn(|_| Slot::default());
    let table = Box::leak(Box::new(Table { slots, next }));
    TABLES.store(ptr::from_mut(table), Release);
    let [first, others @ ..] = &table.slots;
    free.extend(others);
    first
}

/// Installs the handler, once in the life of the process.
fn install() {
    PREVIOUS.get_or_init(|| {
        page_size();
        // SAFETY: all zeros is a valid `sigaction`: default action, no flags, empty mask.
        let mut ours: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
            on_sigbus;
        ours.sa_sigaction = handler as libc::sighandler_t;
        // The alternate stack: a thread that overran its own gets SIGBUS or SIGSEGV as well.
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        let mut previous = ours;
        // SAFETY: both point to valid structures; the handler does only what a handler may do.
        let result = unsafe { libc::sigaction(libc::SIGBUS, &raw const ours, &raw mut previous) };
        debug_assert_eq!(result, 0, "SIGBUS can be caught");
        previous
    });
}

/// The handler. Runs on the thread that faulted, in the middle of a copy.
extern "C" fn on_sigbus(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes a valid `siginfo_t` to a handler installed with SA_SIGINFO.
    let info_given = unsafe { &*info };
    // SAFETY: SIGBUS carries the address of the fault.
    let address = unsafe { info_given.si_addr() } as usize;
    match slot_of(address) {
        Some(slot) => {
            slot.broken.store(true, Release);
            if !put_zero_page(address) {
                // SAFETY: returning would fault for ever.
                unsafe { libc::abort() };
            }
        }
        None => pass_on(signal, info, context),
    }
}

/// The registered map that `address` lies in.
fn slot_of(address: usize) -> Option<&'static Slot> {
    // SAFETY: a pointer in `TABLES` is null or comes from a leaked box.
    let mut table = unsafe { TABLES.load(Acquire).as_ref() };
    while let Some(Table { slots, next }) = table {
        if let Some(slot) = slots.iter().find(|slot| slot.holds(address)) {
            return Some(slot);
        }
        table = *next;
    }
    None
}

/// Replaces the page around `address` by a private page of zeros; keeps `errno`.
fn put_zero_page(address: usize) -> bool {
    let size = PAGE_SIZE.load(Relaxed).max(1);
    let page = ptr::with_exposed_provenance_mut::<libc::c_void>(address - address % size);
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: points to this thread's errno.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let kept = unsafe { *errno };
    // SAFETY: the page lies in a registered map, which is ours and is never read.
    let mapped = unsafe { libc::mmap(page, size, access, kind, -1, 0) };
    // SAFETY: as above.
    unsafe { *errno = kept };
    mapped != libc::MAP_FAILED
}

/// Leaves a fault that is none of ours to the handler that was there before.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(previous) = PREVIOUS.get() else {
        return;
    };
    match previous.sa_sigaction {
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: gives the signal back to the default action, which ends the process when the
            // faulting instruction is repeated. Ignoring a fault is not possible either.
            unsafe { libc::signal(libc::SIGBUS, libc::SIG_DFL) };
        }
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: the flag says that the handler has this signature.
            let handler = unsafe {
                std::mem::transmute::<
                    libc::sighandler_t,
                    extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void),
                >(handler)
            };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: without the flag the handler takes the number alone.
            let handler = unsafe {
                std::mem::transmute::<libc::sighandler_t, extern "C" fn(libc::c_int)>(handler)
            };
            handler(signal);
        }
    }
}
