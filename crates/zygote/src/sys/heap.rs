//! The C library's heap.

use std::ffi::c_void;

/// Allocations from this size on are mapped by themselves while a cell runs: between the C
/// library's first choice (128 KiB) and its largest (32 MiB), since arrays of some MiB that come
/// and go would otherwise be mapped and cleared each time.
const MAPPED_FROM: i32 = 4 << 20;
/// More bytes than a gap in the heap is likely to have.
const LARGEST: usize = 64 << 20;
/// Sizes up to this are looked for one by one, as the C library keeps them.
const SMALL: usize = 1024;
/// A bound for the gaps of one size.
const MOST_GAPS: usize = 1 << 18;

/// Keeps allocations in one heap while the zygote warms up. mallopt(3)
pub(super) fn gather() {
    // SAFETY: mallopt takes numbers; called before anything else runs in this process.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, i32::MAX) };
}

/// Gives unused memory back to the kernel, whole pages of it. To do so in a huge page splits it.
pub(super) fn trim() {
    // SAFETY: it takes a number and locks the heap itself.
    unsafe { libc::malloc_trim(0) };
}

/// Takes every gap, for good: what a cell allocates then comes from the heap's end, pages that lie
/// together, where gaps are scattered over many, each to be copied by the first who writes to it.
pub(super) fn fill_gaps() {
    let end = end();
    for size in sizes() {
        let gaps = std::iter::repeat_with(|| take(size)).take(MOST_GAPS);
        // What comes from the end goes back; a gap is kept.
        if let Some(last) = gaps.into_iter().find(|at| is_past(*at, end)) {
            give_back(last);
        }
    }
}

/// Has large allocations mapped by themselves again.
pub(super) fn settle() {
    // SAFETY: it takes numbers and locks the heap itself.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM) };
}

/// Where the part of the heap begins that nothing has used yet.
fn end() -> *mut c_void {
    let first = take(LARGEST);
    give_back(first);
    first
}

/// In bytes, from the largest down, so that no large gap is used up for small ones.
fn sizes() -> impl Iterator<Item = usize> {
    let large = std::iter::successors(Some(LARGEST), |size| Some(size - size / 8));
    let small = (0..SMALL / 16).rev().map(|step| step * 16 + 8);
    large.take_while(|size| *size > SMALL).chain(small)
}

fn is_past(at: *mut c_void, end: *mut c_void) -> bool {
    at.is_null() || at >= end
}

fn take(size: usize) -> *mut c_void {
    // SAFETY: malloc(3) may be called with any size.
    unsafe { libc::malloc(size) }
}

fn give_back(memory: *mut c_void) {
    // SAFETY: it comes from `take` and has not been given back: each caller has just taken it.
    unsafe { libc::free(memory) };
}
