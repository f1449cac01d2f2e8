//! Small memory that lies together, whatever its size.
//!
//! CPython keeps blocks of each size on pages of their own, so that a small job makes its objects on
//! some fifty pages, a few on each; and a cell has to copy every page that it writes to. From the
//! moment that this opens, blocks of all sizes lie side by side in the order in which they are asked
//! for: what a job makes is on few pages, and on those of what the runner made last before the
//! forks. What does not fit comes from where CPython takes it otherwise.
//!
//! Only the thread that opened this takes blocks, and gives them back for others to come: each
//! subinterpreter may have a lock of its own (PEP 684), so that CPython's does not keep two threads
//! apart here. Other threads are served as before, and what they free stays unused. The atomics
//! are there for the compiler: but one thread writes to them.

use std::{
    ffi::c_void,
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use super::{arenas, interpreter::symbol};

/// Blocks are multiples of this many bytes, and aligned to them, as CPython's are: obmalloc.c.
const STEP: usize = 16;
/// The largest block, in steps: what fits a byte.
const MOST_STEPS: u8 = u8::MAX;
/// Bytes of the piece: what the runner makes last before the forks, and a small job after them.
const ROOM: usize = 1 << 20;
/// The piece begins with a byte for each of its steps: the size of the block that begins there.
const SIZES: usize = ROOM / STEP;
const _: () = assert!(ROOM / STEP <= 1 << u16::BITS);

/// The thread that takes from the piece and gives back: pthread_self(3). A fork keeps it.
static OWNER: AtomicU64 = AtomicU64::new(0);
/// The piece's address, 0 while there is none.
static START: AtomicUsize = AtomicUsize::new(0);
/// How many bytes of it have ever been used.
static USED: AtomicUsize = AtomicUsize::new(SIZES);
/// By size in steps, the block that was given back last: the number of its first step, 0 for none.
/// The block itself begins with the number of the one before.
static FREE: [AtomicU16; MOST_STEPS as usize + 1] =
    [const { AtomicU16::new(0) }; MOST_STEPS as usize + 1];

/// `PYMEM_DOMAIN_MEM` and `PYMEM_DOMAIN_OBJ` of `cpython/pymem.h`, and who served them before.
static DOMAINS: [(i32, OnceLock<Allocator>); 2] = [(1, OnceLock::new()), (2, OnceLock::new())];

/// `PyMemAllocatorEx` of `cpython/pymem.h`, unchanged since CPython 3.5.
#[repr(C)]
#[derive(Clone, Copy)]
struct Allocator {
    context: *mut c_void,
    malloc: extern "C" fn(*mut c_void, usize) -> *mut c_void,
    calloc: extern "C" fn(*mut c_void, usize, usize) -> *mut c_void,
    realloc: extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void,
    free: extern "C" fn(*mut c_void, *mut c_void),
}

// SAFETY: the context is never looked into here, only handed back to CPython's own functions, which
// CPython itself calls from any thread that holds its lock.
unsafe impl Send for Allocator {}
// SAFETY: as above.
unsafe impl Sync for Allocator {}

/// `PyMem_GetAllocator` and `PyMem_SetAllocator`.
type Access = extern "C" fn(i32, *mut Allocator);

/// Lets CPython take its small memory from here from now on. Where it has no such hook, or there is
/// no room, all stays as it was.
pub(super) fn open() {
    let access = |name| {
        // SAFETY: both names are CPython's functions of that signature, in every version from 3.5
        // on (they are not in the stable ABI, hence `symbol`).
        symbol(name).map(|found| unsafe { std::mem::transmute::<*mut c_void, Access>(found) })
    };
    let (Some(get), Some(set)) = (access(c"PyMem_GetAllocator"), access(c"PyMem_SetAllocator"))
    else {
        return;
    };
    let Some(start) = arenas::set_aside(ROOM) else {
        return;
    };
    START.store(start, Relaxed);
    OWNER.store(this_thread(), Relaxed);
    for (domain, before) in &DOMAINS {
        let mut allocator = Allocator {
            context: ptr::null_mut(),
            malloc,
            calloc,
            realloc,
            free,
        };
        let before = before.get_or_init(|| {
            let mut before = allocator;
            get(*domain, &raw mut before); // it fills all fields
            before
        });
        allocator.context = ptr::from_ref(before).cast_mut().cast();
        set(*domain, &raw mut allocator); // it copies the fields
    }
}

pub(super) fn is_open() -> bool {
    START.load(Relaxed) != 0
}

/// Leaves alone for good what was given back so far, scattered as it is, so that what is made next
/// lies together again.
pub(super) fn forget_gaps() {
    for free in &FREE {
        free.store(0, Relaxed);
    }
}

extern "C" fn malloc(context: *mut c_void, size: usize) -> *mut c_void {
    take(size).unwrap_or_else(|| {
        let before = before(context);
        (before.malloc)(before.context, size)
    })
}

extern "C" fn calloc(context: *mut c_void, count: usize, each: usize) -> *mut c_void {
    let Some(block) = count.checked_mul(each).and_then(take) else {
        let before = before(context);
        return (before.calloc)(before.context, count, each);
    };
    // SAFETY: the block has this size at least, and is nobody else's.
    unsafe { block.cast::<u8>().write_bytes(0, count * each) };
    block
}

extern "C" fn realloc(context: *mut c_void, old: *mut c_void, size: usize) -> *mut c_void {
    if old.is_null() {
        return malloc(context, size);
    }
    let Some(steps) = steps_of(old) else {
        let before = before(context);
        return (before.realloc)(before.context, old, size);
    };
    let had = usize::from(steps) * STEP;
    if (had / 2..=had).contains(&size) {
        return old;
    }
    let new = malloc(context, size);
    if !new.is_null() {
        // SAFETY: both have as many bytes, and the new one is nobody else's, so it is not the old.
        unsafe { ptr::copy_nonoverlapping(old.cast::<u8>(), new.cast(), had.min(size)) };
        give_back(old, steps);
    }
    new
}

extern "C" fn free(context: *mut c_void, block: *mut c_void) {
    let Some(steps) = steps_of(block) else {
        let before = before(context);
        return (before.free)(before.context, block);
    };
    give_back(block, steps);
}

fn before(context: *mut c_void) -> &'static Allocator {
    // SAFETY: CPython hands back what `open` gave it, which is in a static that is never written to
    // again.
    unsafe { &*context.cast::<Allocator>() }
}

/// A block of that many bytes, unless that is too large, the room is used up, or the thread another.
fn take(size: usize) -> Option<*mut c_void> {
    let steps = u8::try_from(size.div_ceil(STEP).max(1)).ok()?;
    if this_thread() != OWNER.load(Relaxed) {
        return None;
    }
    let free = &FREE[usize::from(steps)];
    let first = free.load(Relaxed);
    if first != 0 {
        let block = at(usize::from(first) * STEP);
        // SAFETY: it was given back, so that it lies in the piece and begins as `give_back` wrote.
        free.store(unsafe { block.cast::<u16>().read() }, Relaxed);
        return Some(block);
    }
    let offset = USED.load(Relaxed);
    let end = offset + usize::from(steps) * STEP;
    if end > ROOM {
        return None;
    }
    USED.store(end, Relaxed);
    // SAFETY: the size's place is in the first part of the piece, of which no block is made.
    unsafe { at(offset / STEP).cast::<u8>().write(steps) };
    Some(at(offset))
}

fn give_back(block: *mut c_void, steps: u8) {
    if this_thread() != OWNER.load(Relaxed) {
        return;
    }
    let free = &FREE[usize::from(steps)];
    // SAFETY: the block is one of the piece's (`steps_of`), of one step at least, and who had it has
    // just given it up.
    unsafe { block.cast::<u16>().write(free.load(Relaxed)) };
    let offset = block.addr() - START.load(Relaxed);
    #[expect(clippy::cast_possible_truncation, reason = "asserted of ROOM above")]
    free.store((offset / STEP) as u16, Relaxed);
}

/// How many steps the block has, if it is the piece's.
fn steps_of(block: *mut c_void) -> Option<u8> {
    let offset = block.addr().wrapping_sub(START.load(Relaxed));
    // SAFETY: the size's place is in the piece, and `take` wrote it when it made the block, before
    // any other thread could know of the block.
    (offset < ROOM).then(|| unsafe { at(offset / STEP).cast::<u8>().read() })
}

fn this_thread() -> libc::pthread_t {
    // SAFETY: it takes nothing and cannot fail.
    unsafe { libc::pthread_self() }
}

/// An address in the piece.
fn at(offset: usize) -> *mut c_void {
    ptr::with_exposed_provenance_mut(START.load(Relaxed) + offset)
}
