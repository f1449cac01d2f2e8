//! CPython's small objects in one piece of memory.
//!
//! CPython takes memory for small objects in arenas of 256 KiB or 1 MiB, each mapped by itself, so
//! that they lie scattered between libraries: hundreds of mappings, each of which a fork copies by
//! itself, and none of which can be made of huge pages. While the zygote warms up, arenas come out
//! of one aligned piece instead, which `huge::collapse` turns into huge pages afterwards: a fork
//! then copies one entry where it copied 512.

use std::{
    ffi::c_void,
    ops::Range,
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    huge,
    interpreter::symbol,
    pages::{map, unmap},
};

/// Bytes set aside: more than any set of preloaded packages has needed. What is left over is given
/// back before the first fork.
const RESERVED: usize = 1 << 30;
/// The alignment of the piece.
const ALIGNMENT: usize = huge::HUGE;
/// What has to be left of it for the gaps to be filled: one new arena holds a page of objects of each
/// size.
const ENOUGH: usize = 2 * ALIGNMENT;
/// Objects up to this many bytes come out of arenas, and in sizes that many bytes apart:
/// `Objects/obmalloc.c`, since CPython 3.8.
const LARGEST_SMALL: usize = 512;
const SMALL_STEP: usize = 16;

static START: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);
/// Where the objects begin that came after the gaps were filled; 0 before that.
static FRESH: AtomicUsize = AtomicUsize::new(0);

/// `PyObjectArenaAllocator` of `cpython/objimpl.h`, unchanged since CPython 3.4.
#[repr(C)]
struct ArenaAllocator {
    context: *mut c_void,
    alloc: extern "C" fn(*mut c_void, usize) -> *mut c_void,
    free: extern "C" fn(*mut c_void, *mut c_void, usize),
}

/// Lets CPython take its arenas from one piece from now on. `false` where this interpreter has no
/// such hook or the memory cannot be set aside; then all stays as it was.
pub(super) fn gather() -> bool {
    let Some(symbol) = symbol(c"PyObject_SetArenaAllocator").filter(|_| reserve()) else {
        return false;
    };
    // SAFETY: the symbol is CPython's function of that name and signature, in every version from
    // 3.4 on (it is not in the stable ABI, hence `symbol`).
    let set_allocator: extern "C" fn(*mut ArenaAllocator) = unsafe { std::mem::transmute(symbol) };
    let mut allocator = ArenaAllocator {
        context: ptr::null_mut(),
        alloc: take,
        free: give_back,
    };
    set_allocator(&raw mut allocator); // it copies the three fields
    true
}

fn reserve() -> bool {
    let Some(address) = map(RESERVED + ALIGNMENT, libc::MAP_NORESERVE) else {
        return false;
    };
    let start = address.next_multiple_of(ALIGNMENT);
    unmap(address, start - address);
    START.store(start, Ordering::Relaxed);
    NEXT.store(start, Ordering::Relaxed);
    END.store(start + RESERVED, Ordering::Relaxed);
    true
}

/// Takes every gap among the small objects, for good, so that the objects of a cell lie together in
/// new arenas instead of scattered over old ones, each page of which would have to be copied.
pub(super) fn fill_gaps() {
    let (start, next) = (START.load(Ordering::Relaxed), NEXT.load(Ordering::Relaxed));
    let fresh = next.next_multiple_of(ALIGNMENT);
    let end = END.load(Ordering::Relaxed);
    // Nothing was taken where PYTHONMALLOC has small objects come from elsewhere.
    if next == start || end.saturating_sub(fresh) < ENOUGH {
        return;
    }
    NEXT.store(fresh, Ordering::Relaxed);
    FRESH.store(fresh, Ordering::Relaxed);
    for size in (1..=LARGEST_SMALL / SMALL_STEP)
        .rev()
        .map(|step| step * SMALL_STEP)
    {
        // There are gaps in the arenas from before `gather` too, outside of the piece.
        let _ = std::iter::repeat_with(|| allocate(size))
            .find(|at| *at == 0 || (fresh..end).contains(at));
    }
}

/// A part of the piece for other use, beside the new arenas; its address. `None` where there are no
/// arenas of ours.
pub(super) fn set_aside(size: usize) -> Option<usize> {
    let part = NEXT.load(Ordering::Relaxed);
    let new = FRESH.load(Ordering::Relaxed) != 0;
    let fits = size <= END.load(Ordering::Relaxed).saturating_sub(part);
    (new && fits).then(|| {
        NEXT.store(part + size, Ordering::Relaxed);
        part
    })
}

/// Gives back what was reserved and not used; arenas made later are mapped by themselves, so that a
/// cell's own count against its limits. Where the new objects begin, and the piece ends.
pub(super) fn settle() -> Range<usize> {
    let (fresh, before) = (FRESH.load(Ordering::Relaxed), END.load(Ordering::Relaxed));
    if fresh == 0 {
        return 0..0;
    }
    let end = NEXT
        .load(Ordering::Relaxed)
        .next_multiple_of(ALIGNMENT)
        .min(before);
    unmap(end, before - end);
    END.store(end, Ordering::Relaxed);
    fresh..end
}

/// Takes memory as an object would, for good; its address.
fn allocate(size: usize) -> usize {
    // SAFETY: it takes a number; whoever calls holds the interpreter's lock, see `Wall::pack`.
    unsafe { pyo3::ffi::PyObject_Malloc(size) }.expose_provenance()
}

/// Called by CPython, which holds its lock or runs alone.
extern "C" fn take(_: *mut c_void, size: usize) -> *mut c_void {
    let address = NEXT.load(Ordering::Relaxed);
    if address != 0 && size <= END.load(Ordering::Relaxed).saturating_sub(address) {
        NEXT.store(address + size, Ordering::Relaxed);
        return ptr::with_exposed_provenance_mut(address);
    }
    map(size, 0).map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
}

/// Called by CPython for arenas of ours, and for those that it made before `gather`.
extern "C" fn give_back(_: *mut c_void, address: *mut c_void, size: usize) {
    let at = address.expose_provenance();
    let ours = START.load(Ordering::Relaxed)..END.load(Ordering::Relaxed);
    if ours.contains(&at) {
        // The piece stays whole; only its content goes.
        // SAFETY: CPython gives back an arena that holds no object any more.
        unsafe { libc::madvise(address, size, libc::MADV_DONTNEED) };
    } else {
        unmap(at, size);
    }
}
