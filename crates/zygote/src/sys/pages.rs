//! Memory from the kernel.

use std::ptr;

/// Memory that can be read and written, of its own; its address. `flags`: more of mmap(2)'s.
pub(super) fn map(size: usize, flags: i32) -> Option<usize> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | flags;
    // SAFETY: a new anonymous mapping, placed by the kernel, overlaps nothing.
    let address = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
    (address != libc::MAP_FAILED).then(|| address.expose_provenance())
}

/// Gives such memory back, or a part of it.
pub(super) fn unmap(address: usize, size: usize) {
    if size > 0 {
        // SAFETY: the range is part of what `map` gave, or an arena that CPython mapped in
        // the same way and gives back; nothing points into it any more.
        unsafe { libc::munmap(ptr::with_exposed_provenance_mut(address), size) };
    }
}
