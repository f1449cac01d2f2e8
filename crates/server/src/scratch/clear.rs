//! Emptying a directory that a hostile script has filled, once no process of the script is left.
//!
//! It may be nested deeper than descriptors or the stack last, hold directories that may not be
//! listed, and links to anywhere. So nothing is followed, and what is deep is moved up instead of
//! being descended into.

use std::{
    ffi::{CStr, CString},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{AtFlags, Dir, Mode, OFlags},
    io::Errno,
};

/// Removes all that is in `directory`, as far as that can be done.
pub(super) fn empty(directory: BorrowedFd<'_>) {
    let mut moved = 0_u64;
    // What is moved up is met in a later round. A round in which nothing goes is the last.
    while let Some(names) = list(directory).filter(|names| !names.is_empty()) {
        let before = moved;
        let gone = names
            .iter()
            .filter(|name| remove(directory, name, &mut moved));
        if gone.count() == 0 && moved == before {
            return;
        }
    }
}

/// Removes an entry; of a directory, what is in it, but for directories, which are moved up.
fn remove(top: BorrowedFd<'_>, name: &CStr, moved: &mut u64) -> bool {
    match rustix::fs::unlinkat(top, name, AtFlags::empty()) {
        // POSIX has it answer EPERM for a directory, Linux EISDIR.
        Err(Errno::ISDIR | Errno::PERM) => {}
        done => return done.is_ok(),
    }
    let Some(directory) = open(top, name) else {
        return false;
    };
    for inner in list(directory.as_fd()).unwrap_or_default() {
        if rustix::fs::unlinkat(&directory, &inner, AtFlags::empty()).is_err() {
            // Only in a directory that can be written can `..` be changed.
            let _ = open(directory.as_fd(), &inner);
            move_up(&directory, &inner, top, moved);
        }
    }
    rustix::fs::unlinkat(top, name, AtFlags::REMOVEDIR).is_ok()
}

fn move_up(from: &OwnedFd, name: &CStr, top: BorrowedFd<'_>, moved: &mut u64) {
    // A name that is taken is not ours; the next one may be free.
    for _ in 0..16 {
        *moved += 1;
        let up = format!(".moved-{moved}");
        if rustix::fs::renameat(from, name, top, &up).is_ok() {
            return;
        }
    }
}

/// Opens a directory and lets this user do everything in it, whatever its mode was.
fn open(at: BorrowedFd<'_>, name: &CStr) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let place = rustix::fs::openat(at, name, flags, Mode::empty()).ok()?;
    // By its descriptor, so that no name is looked up a second time.
    let link = format!("/proc/self/fd/{}", place.as_raw_fd());
    let _ = rustix::fs::chmod(link, Mode::RWXU);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(&place, c".", flags, Mode::empty()).ok()
}

fn list(directory: BorrowedFd<'_>) -> Option<Vec<CString>> {
    let entries = Dir::read_from(directory).ok()?;
    let names = entries.flatten().map(|entry| entry.file_name().to_owned());
    Some(
        names
            .filter(|name| !matches!(name.to_bytes(), b"." | b".."))
            .collect(),
    )
}
