//! Which pages a cell writes to: those that a child of the zygote writes to while it does what a cell
//! does.
//!
//! After a fork both processes have all pages in common, until one of them writes to a page and gets
//! a copy. `/proc/self/pagemap` tells which pages nobody else has: bit 56, Linux 4.2.

use std::{fs::File, ops::Range, os::unix::fs::FileExt, slice};

use super::{maps::Mapping, pages};

/// Bytes that pagemap has for each page, and what they say: `admin-guide/mm/pagemap.rst` of the
/// kernel's documentation.
const ENTRY: usize = size_of::<u64>();
const PRESENT: u64 = 1 << 63;
const OF_A_FILE: u64 = 1 << 61;
const EXCLUSIVE: u64 = 1 << 56;

/// The addresses of those pages of `maps` that `act` writes to in a child of this process, in order.
/// Empty where they cannot be told, where `act` is not true, or where this process has other threads.
pub(super) fn by(maps: &[Mapping], act: impl FnOnce() -> bool) -> Vec<usize> {
    let (ranges, page) = (private(maps), rustix::param::page_size());
    let size = ranges.iter().map(|range| range.len() / page * ENTRY).sum();
    let Some(common) = pages::map(size, libc::MAP_SHARED) else {
        return Vec::new();
    };
    // SAFETY: the memory is new, as long as that, and holds zeros. This process and its child do not
    // use it at the same time.
    let entries = unsafe { slice::from_raw_parts_mut(pages::pointer(common), size) };
    let known = in_child(|| act() && read(&ranges, page, entries));
    let addresses = ranges.into_iter().flat_map(|range| range.step_by(page));
    let written = addresses
        .zip(entries.chunks_exact(ENTRY))
        .filter(|(_, entry)| known && is_own(entry))
        .map(|(address, _)| address)
        .collect();
    pages::unmap(common, size);
    written
}

/// Whether this process has one thread.
fn is_alone() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
}

/// Whether it is memory that only the process that read the entry has.
fn is_own(entry: &[u8]) -> bool {
    let bits = entry.try_into().map_or(0, u64::from_ne_bytes);
    bits & (PRESENT | OF_A_FILE | EXCLUSIVE) == PRESENT | EXCLUSIVE
}

/// All that can be written to and is not shared.
fn private(maps: &[Mapping]) -> Vec<Range<usize>> {
    maps.iter()
        .filter(|mapping| mapping.access == "rw-p")
        .map(|mapping| mapping.addresses.clone())
        .collect()
}

/// Reads the entries of those pages; `false` where it cannot. Allocates nothing: that would be to
/// write.
fn read(ranges: &[Range<usize>], page: usize, entries: &mut [u8]) -> bool {
    let Ok(map) = File::open("/proc/self/pagemap") else {
        return false;
    };
    let mut rest = entries;
    ranges.iter().all(|range| {
        let (these, others) = std::mem::take(&mut rest).split_at_mut(range.len() / page * ENTRY);
        rest = others;
        let offset = range.start / page * ENTRY;
        u64::try_from(offset).is_ok_and(|offset| map.read_exact_at(these, offset).is_ok())
    })
}

/// Whether `act` was true in a child.
fn in_child(act: impl FnOnce() -> bool) -> bool {
    if !is_alone() {
        return false;
    }
    // Not fork(3): that calls whoever asked to be told of forks, and a cell's clone does not.
    // SAFETY: without CLONE_VM the child has its own memory and, with a null stack, goes on where
    // this call returns. With one thread, no lock is held in the copy by a thread that it lacks.
    let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    if child == 0 {
        let code = i32::from(!act());
        // SAFETY: it takes a number, runs no handler, and does not return.
        unsafe { libc::_exit(code) }
    }
    let Some(child) = i32::try_from(child).ok().filter(|child| *child > 0) else {
        return false;
    };
    let mut status = 0;
    // SAFETY: it writes a number to the live local.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    waited == child && status == 0
}
