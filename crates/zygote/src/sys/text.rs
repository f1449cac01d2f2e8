//! The interpreter's own code in memory of the zygote.
//!
//! A fork does not copy the page tables of a file's mapping, so each cell would fault anew on all
//! code that it runs, sixteen pages at a time, and undo that in its exit. Memory that is no file's it
//! finds mapped already, and what lies in huge pages costs one entry for 2 MiB. All other code stays in
//! its files, where it costs nothing while nobody uses it: that of the C library fills no huge page.

use std::{ops::Range, ptr};

use super::{
    huge::{self, HUGE},
    maps::Mapping,
    pages::{self, pointer},
};

/// Puts a copy of their code in its place. Where the kernel refuses, all stays as it was.
pub(super) fn settle(maps: &[Mapping]) {
    for mapping in maps.iter().filter(|mapping| is_hot_code(mapping)) {
        let length = mapping.addresses.len() + HUGE;
        if let Some(space) = pages::map(length, 0) {
            replace(&mapping.addresses, space);
            // The part that moved away is a hole that nothing has been mapped to since: no allocation
            // comes between.
            pages::unmap(space, length);
        }
    }
}

/// That of the interpreter, by its file's name. Of any other, a cell runs less than it would cost to
/// have its page tables copied.
fn is_hot_code(mapping: &Mapping) -> bool {
    let name = mapping.name.as_deref().unwrap_or_default();
    let file = name.rsplit('/').next().unwrap_or_default();
    let is_hot = ["python", "libpython"]
        .iter()
        .any(|start| file.starts_with(start));
    mapping.inode != 0 && mapping.access == "r-xp" && is_hot
}

/// `space`: the start of memory that is `HUGE` longer than the code.
fn replace(code: &Range<usize>, space: usize) {
    // As far into a huge page as the code is: what is one in the copy can move as one.
    let copy = space + code.start.wrapping_sub(space) % HUGE;
    // SAFETY: the code is a mapping that can be read (`r-xp`), and the space is `HUGE` longer than
    // it, so that the copy ends within; it is new, so they do not overlap.
    unsafe { ptr::copy_nonoverlapping(pointer(code.start), pointer(copy), code.len()) };
    // While it may be written to: the kernel makes no huge page of what is only read.
    huge::collapse_range(&(copy..copy + code.len()));
    let access = libc::PROT_READ | libc::PROT_EXEC;
    // SAFETY: the range lies in the space. The kernel sees to it that an instruction cache gets to
    // know what is made executable (`__sync_icache_dcache` of arm64).
    if unsafe { libc::mprotect(pointer(copy).cast(), code.len(), access) } != 0 {
        return;
    }
    // SAFETY: what moves into the place of the code are the same bytes with the same access, so that
    // code which runs there, the call's own included, goes on.
    unsafe { pages::move_to(copy, code.len(), code.start) };
}
