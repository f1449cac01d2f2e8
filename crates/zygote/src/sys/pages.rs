//! Memory from the kernel.

use std::{fs::File, os::fd::AsRawFd, ptr};

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
        unsafe { libc::munmap(pointer(address).cast(), size) };
    }
}

/// Moves memory to where other memory is, in its place; `false` where the kernel refuses, and nothing
/// has changed then, but for want of kernel memory, which ends the process at its next access.
///
/// # Safety
///
/// Whoever uses the memory at `to` must be content with what was at `from`, and its access. There must
/// be no other thread, which could allocate the hole that is left at `from` for a moment.
pub(super) unsafe fn move_to(from: usize, length: usize, to: usize) -> bool {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: as the caller says. The call comes back with the move done.
    let moved = unsafe { libc::mremap(pointer(from).cast(), length, length, flags, pointer(to)) };
    moved != libc::MAP_FAILED
}

/// Puts a private copy of that part of a file in the place of memory that can be written to; `false`
/// where the kernel refuses, as for `move_to`.
///
/// # Safety
///
/// Whoever uses the memory must be content with what the file holds.
pub(super) unsafe fn map_file_over(
    address: usize,
    length: usize,
    file: &File,
    offset: i64,
) -> bool {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_FIXED;
    let place = pointer(address).cast();
    // SAFETY: as the caller says. The call comes back with the mapping in place.
    let mapped = unsafe { libc::mmap(place, length, protection, flags, file.as_raw_fd(), offset) };
    mapped != libc::MAP_FAILED
}

/// The address as a pointer.
pub(super) fn pointer(address: usize) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address)
}
