//! The interpreter's own code in memory of the zygote.
//!
//! A fork does not copy the page tables of a file's mapping, so each cell would fault anew on all
//! code that it runs, sixteen pages at a time, and undo that in its exit. Memory that is no file's it
//! finds mapped already, and what lies in huge pages costs one entry for 2 MiB. The code of the
//! interpreter and of the C library is what every cell runs; that of packages stays in their files,
//! where it costs nothing while nobody uses it.

use std::{ops::Range, ptr, sync::OnceLock};

use super::{
    huge::{self, HUGE},
    maps::{self, Mapping},
};

/// The files whose code is loaded before anything is imported.
static FILES: OnceLock<Vec<u64>> = OnceLock::new();

/// Notes which files those are.
pub(super) fn gather() {
    let inodes = maps::read().into_iter().filter(is_code);
    let _ = FILES.set(inodes.map(|mapping| mapping.inode).collect());
}

/// Puts a copy of their code in its place. Where the kernel refuses, all stays as it was.
pub(super) fn settle() {
    let files = FILES.get().map_or(&[][..], Vec::as_slice);
    let ours = |mapping: &Mapping| is_code(mapping) && files.contains(&mapping.inode);
    for mapping in maps::read().into_iter().filter(ours) {
        replace(&mapping.addresses);
    }
}

fn is_code(mapping: &Mapping) -> bool {
    mapping.inode != 0 && mapping.access == "r-xp"
}

fn replace(code: &Range<usize>) {
    let Some(space) = Space::new(code.len() + HUGE) else {
        return;
    };
    // As far into a huge page as the code is: what is one in the copy can move as one.
    let copy = space.start + code.start.wrapping_sub(space.start) % HUGE;
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
    // SAFETY: what moves into the place of the code are the same bytes with the same access, and the
    // call comes back with the move done, so that code which runs there, this call's own included,
    // goes on. There is no other thread. It fails before it has changed anything but for want of
    // kernel memory, which ends the process at its next instruction.
    unsafe {
        libc::mremap(
            pointer(copy).cast(),
            code.len(),
            code.len(),
            libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
            pointer(code.start),
        )
    };
}

fn pointer(address: usize) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address)
}

/// Memory of its own, what is left of which is given back in the end.
struct Space {
    start: usize,
    length: usize,
}

impl Space {
    fn new(length: usize) -> Option<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new anonymous mapping, placed by the kernel, overlaps nothing.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, access, flags, -1, 0) };
        (start != libc::MAP_FAILED).then(|| Self {
            start: start.expose_provenance(),
            length,
        })
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // SAFETY: it was mapped here and nothing points into it. The part that moved away is a hole
        // that nothing has been mapped to since: no allocation comes between.
        unsafe { libc::munmap(pointer(self.start).cast(), self.length) };
    }
}
