//! Every `unsafe` of the crate: a handful of system calls that no library wraps safely, and the
//! clone that makes a cell.
#![allow(unsafe_code)]

mod clone;

use std::{
    ffi::{CStr, c_void},
    os::fd::{AsRawFd, BorrowedFd, RawFd},
};

use rustix::{io::Errno, thread::UnshareFlags};

pub(crate) use clone::{Cloned, InitFailure, clone_cell, fork_under_init};

/// Looks at a descriptor number that the caller knows to be open.
///
/// A number that is not open makes the next call on it fail with `EBADF`, which every caller takes
/// as fatal; no memory depends on it.
pub(crate) fn borrow<'fd>(descriptor: RawFd) -> BorrowedFd<'fd> {
    assert!(descriptor >= 0, "a descriptor number is never negative");
    // SAFETY: `BorrowedFd` asks that the number be not -1 (asserted) and stay open while it is
    // looked at. The numbers come from `CellDescriptors`, whose owner keeps them open across the
    // fork, and in a cell's own process nothing closes them before `close_range`, which is the
    // last user of any of them.
    unsafe { BorrowedFd::borrow_raw(descriptor) }
}

/// dup2(2), or clearing close-on-exec where the numbers are the same.
pub(crate) fn duplicate_to(descriptor: BorrowedFd<'_>, number: RawFd) -> Result<(), Errno> {
    if descriptor.as_raw_fd() == number {
        return rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::empty());
    }
    // SAFETY: dup2 takes two numbers and touches no memory. That it may close what `number` was is
    // the point; callers use numbers that are theirs to lay out (0, 1, 2 and the channel's).
    check(unsafe { libc::dup2(descriptor.as_raw_fd(), number) })
}

/// Closes every descriptor from `first` to `last`. close_range(2), Linux 5.9.
pub(crate) fn close_range(first: RawFd, last: RawFd) -> Result<(), Errno> {
    // SAFETY: the call takes numbers and touches no memory. Whoever owned one of these descriptors
    // never runs again: the process is a fork whose other code is the runner, which is handed the
    // channel's number alone.
    check(unsafe { libc::close_range(first.cast_unsigned(), last.cast_unsigned(), 0) })
}

/// unshare(2) of namespaces.
pub(crate) fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    // SAFETY: rustix marks this unsafe because `UnshareFlags::FILES` can pull descriptors away
    // from under other threads; callers pass namespace flags only.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Where this thread's C library keeps its thread id. `PR_GET_TID_ADDRESS`, prctl(2), Linux 3.5
/// with `CONFIG_CHECKPOINT_RESTORE`.
pub(crate) fn tid_address() -> Result<*mut i32, Errno> {
    let mut address: *mut i32 = std::ptr::null_mut();
    // SAFETY: with this option prctl writes one pointer to where its second argument points, which
    // is the live local above.
    check(unsafe { libc::prctl(libc::PR_GET_TID_ADDRESS, &raw mut address) })?;
    Ok(address)
}

/// A number that is not negative, as text. Allocates nothing.
pub(crate) fn decimal(number: i32, text: &mut [u8; 12]) -> &CStr {
    let mut rest = number.unsigned_abs();
    // The last byte stays the NUL that ends it; ten digits at most stand before.
    let mut start = text.len() - 1;
    loop {
        start -= 1;
        text[start] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    CStr::from_bytes_until_nul(&text[start..]).unwrap_or_default()
}

/// Replaces this process by the program at `path`, with at most one argument and no environment.
/// Returns only with the error.
pub(crate) fn exec(path: &CStr, argument: Option<&CStr>) -> Errno {
    let argument = argument.map_or(std::ptr::null(), CStr::as_ptr);
    let arguments = [path.as_ptr(), argument, std::ptr::null()];
    let environment = [std::ptr::null()];
    // SAFETY: both arrays are live, end in a null pointer, and hold pointers to NUL-ended strings.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    last_errno()
}

/// Bytes in a page. From the C library, which noted it when the process started: a sealed process
/// may not ask for its auxiliary vector.
pub(crate) fn page_size() -> u64 {
    // SAFETY: sysconf takes a number and reads what the C library knows.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.cast_unsigned()
}

/// Ends this process at once. exit_group(2).
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` takes a number, runs no handler, and does not return.
    unsafe { libc::_exit(code) }
}

/// Gives SIGCHLD its default meaning: a zygote ignores it, so that the kernel reaps for it.
pub(crate) fn default_sigchld() {
    // SAFETY: SIG_DFL installs no handler, so no code of ours can run in signal context.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Has every signal wait that can, in this process and in the program that this process becomes:
/// execve(2) keeps the mask. What comes to a pid 1 before it has said what it wants would be thrown
/// away, unless it is blocked (signal(7), pid_namespaces(7)).
pub(crate) fn block_signals() -> Result<(), Errno> {
    let mut all = std::mem::MaybeUninit::uninit();
    // SAFETY: the pointer is to a live set, which this fills and does not keep.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: the set was filled above, and is read during the call only. A null pointer asks for no old
    // mask: sigprocmask(2).
    check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, all.as_ptr(), std::ptr::null_mut()) })
}

/// Lets the kernel reap this process' children. `SIG_IGN` for SIGCHLD, sigaction(2).
pub(crate) fn ignore_sigchld() {
    // SAFETY: SIG_IGN installs no handler, so no code of ours can run in signal context.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// fork(2), for a single-threaded process. `Ok(true)` in the child.
pub(crate) fn fork() -> Result<bool, Errno> {
    // SAFETY: with one thread no lock can be held by a thread that the child lacks. The caller is
    // the runner's main thread of a process that has started no other (the plan's rule).
    match unsafe { libc::fork() } {
        0 => Ok(true),
        -1 => Err(last_errno()),
        _ => Ok(false),
    }
}

fn check(result: i32) -> Result<(), Errno> {
    if result < 0 {
        Err(last_errno())
    } else {
        Ok(())
    }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// A pointer for C.
pub(super) type Opaque = *mut c_void;
