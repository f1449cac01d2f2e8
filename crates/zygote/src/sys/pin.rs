//! Pages that a fork copies at once, instead of having the child fault on each.
//!
//! A page that a device may be writing to is not to change owners in a fork, so the kernel copies it
//! then and there for the child (`copy_present_page` in its `mm/memory.c`, Linux 5.10). To it, a
//! buffer registered with io_uring is such a page: io_uring_register(2). Nothing is ever read or
//! written through the ring; no cell has its descriptor, and none may make one.

use std::os::fd::OwnedFd;

use rustix::{
    io::Errno,
    io_uring::{IoringRegisterOp, io_uring_params, io_uring_register, io_uring_setup, iovec},
};

use super::pages::pointer;

/// Pages that are pinned for as long as this lives.
pub(super) struct Pins(#[expect(dead_code, reason = "held open")] OwnedFd);

/// Pins those pages, which this process may write to; they are in order.
///
/// The kernel refuses where io_uring is forbidden (`kernel.io_uring_disabled`, a container's filter),
/// and where they are more than `RLIMIT_MEMLOCK`.
pub(super) fn pin(pages: &[usize]) -> Result<Pins, Errno> {
    let mut parameters = io_uring_params::default();
    // SAFETY: the parameters are valid: all zeros ask for no feature. Nothing is mapped.
    let ring = unsafe { io_uring_setup(1, &mut parameters)? };
    let buffers = buffers(pages);
    let count = u32::try_from(buffers.len()).map_err(|_| Errno::INVAL)?;
    // SAFETY: the array is live and has that many entries, which the kernel copies. The ring is never
    // asked to read or write, so that nothing changes the memory behind anybody's back.
    unsafe {
        let array = buffers.as_ptr().cast();
        io_uring_register(&ring, IoringRegisterOp::RegisterBuffers, array, count)?;
    }
    Ok(Pins(ring))
}

/// Neighbours are one buffer.
fn buffers(pages: &[usize]) -> Vec<iovec> {
    let size = rustix::param::page_size();
    let is_next = |first: &usize, second: &usize| first + size == *second;
    pages
        .chunk_by(is_next)
        .filter_map(|run| {
            Some(iovec {
                iov_base: pointer(*run.first()?).cast(),
                iov_len: run.len() * size,
            })
        })
        .collect()
}
