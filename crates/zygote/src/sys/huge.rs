//! Huge pages for what has been allocated: a fork copies one entry for 2 MiB instead of 512.

use std::{ops::Range, ptr};

use super::maps::Mapping;

/// A huge page in bytes, on both architectures with 4 KiB pages.
pub(super) const HUGE: usize = 2 << 20;
/// Linux 6.1; the constant is younger than the library's.
const MADV_COLLAPSE: i32 = 25;

/// Written pages in a huge one that are too many for it: a cell that writes to a huge page splits it,
/// which costs less than to copy entries for 512 small ones in the fork; but a page that is no part of
/// a huge one can be copied without a fault (`pin`).
const BUSY: usize = 16;

/// Whether memory becomes huge pages by itself, where the machine is set up so. Not while the zygote
/// warms up: which memory does is chosen then. PR_SET_THP_DISABLE of prctl(2), Linux 3.15
pub(super) fn allow(allowed: bool) {
    let disabled = libc::c_ulong::from(!allowed);
    // SAFETY: it takes numbers. Where the kernel refuses, huge pages are made as before.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, disabled, 0, 0, 0) };
}

/// The huge pages that all private memory that is no file's can be made of, but for what lies in
/// `fresh`, and those that a cell writes to in many places.
pub(super) fn candidates(maps: &[Mapping], fresh: &Range<usize>, written: &[usize]) -> Vec<usize> {
    let is_quiet = |page: &usize| {
        let before = |end: usize| written.partition_point(|at| *at < end);
        before(page + HUGE) - before(*page) < BUSY
    };
    maps.iter()
        .filter(|mapping| is_private_memory(mapping))
        .flat_map(|mapping| pages(&mapping.addresses))
        .filter(|page| !fresh.contains(page) && is_quiet(page))
        .collect()
}

/// Makes those pages; how many bytes are in them then.
///
/// Where the kernel does not do it, all stays as it was: forks are slower, nothing else.
pub(super) fn collapse(candidates: &[usize]) -> usize {
    // One by one: a page that cannot be collapsed does not keep the others from it.
    let made = candidates.iter().filter(|page| collapse_one(**page));
    made.count() * HUGE
}

fn is_private_memory(mapping: &Mapping) -> bool {
    let named = mapping.name.as_deref();
    mapping.access == "rw-p" && mapping.inode == 0 && matches!(named, None | Some("[heap]"))
}

/// Makes huge pages of the memory in that range, where it holds whole ones.
pub(super) fn collapse_range(addresses: &Range<usize>) {
    for page in pages(addresses) {
        collapse_one(page);
    }
}

/// The huge pages that lie in it whole.
fn pages(addresses: &Range<usize>) -> impl Iterator<Item = usize> + use<> {
    (addresses.start.next_multiple_of(HUGE)..addresses.end / HUGE * HUGE).step_by(HUGE)
}

fn collapse_one(page: usize) -> bool {
    // SAFETY: the advice changes how memory is kept, not what it holds; for a range that is not
    // mapped any more the call fails.
    unsafe { libc::madvise(ptr::with_exposed_provenance_mut(page), HUGE, MADV_COLLAPSE) == 0 }
}
