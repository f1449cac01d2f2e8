//! Huge pages for what has been allocated: a fork copies one entry for 2 MiB instead of 512.

use std::{ops::Range, ptr};

use super::maps::Mapping;

/// A huge page in bytes, on both architectures with 4 KiB pages.
pub(super) const HUGE: usize = 2 << 20;
/// Linux 6.1; the constant is younger than the library's.
const MADV_COLLAPSE: i32 = 25;

/// Whether memory becomes huge pages by itself, where the machine is set up so. Not while the zygote
/// warms up: which memory does is chosen then. PR_SET_THP_DISABLE of prctl(2), Linux 3.15
pub(super) fn allow(allowed: bool) {
    let disabled = libc::c_ulong::from(!allowed);
    // SAFETY: it takes numbers. Where the kernel refuses, huge pages are made as before.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, disabled, 0, 0, 0) };
}

/// Makes huge pages of all private memory that is no file's, but for what lies in `fresh`.
///
/// Where the kernel does not do it, all stays as it was: forks are slower, nothing else.
pub(super) fn collapse(maps: &[Mapping], fresh: &Range<usize>) {
    maps.iter()
        .filter(|mapping| is_private_memory(mapping))
        .flat_map(|mapping| pages(&mapping.addresses))
        .filter(|page| !fresh.contains(page))
        .for_each(collapse_one);
}

fn is_private_memory(mapping: &Mapping) -> bool {
    let named = mapping.name.as_deref();
    mapping.access == "rw-p" && mapping.inode == 0 && matches!(named, None | Some("[heap]"))
}

/// Makes huge pages of the memory in that range, where it holds whole ones.
pub(super) fn collapse_range(addresses: &Range<usize>) {
    pages(addresses).for_each(collapse_one);
}

/// The huge pages that lie in it whole.
fn pages(addresses: &Range<usize>) -> impl Iterator<Item = usize> + use<> {
    (addresses.start.next_multiple_of(HUGE)..addresses.end / HUGE * HUGE).step_by(HUGE)
}

/// One by one: a page that cannot be collapsed does not keep the others from it.
fn collapse_one(page: usize) {
    // SAFETY: the advice changes how memory is kept, not what it holds; for a range that is not
    // mapped any more the call fails.
    unsafe { libc::madvise(ptr::with_exposed_provenance_mut(page), HUGE, MADV_COLLAPSE) };
}
