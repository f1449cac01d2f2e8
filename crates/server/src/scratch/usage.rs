//! How much a script has put into its directory, looked at while it may go on.

use std::{
    ffi::CStr,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags},
    io::Errno,
};

use super::Room;

/// Deeper than that nobody looks, so it is too deep: each level is a descriptor of the server.
const DEEPEST: usize = 64;
/// The unit of `st_blocks`: stat(2).
const BLOCK: u64 = 512;

/// What an entry is.
enum Found {
    /// Neither counted nor gone into.
    Nothing,
    /// So many bytes.
    File(u64),
    Directory(u64, Dir),
}

/// Whether there is more than may be, or what cannot be looked at. Follows no link. What comes and
/// goes meanwhile is counted or not.
pub(super) fn is_over(directory: BorrowedFd<'_>, room: Room) -> bool {
    let Ok(top) = Dir::read_from(directory) else {
        return true;
    };
    let (mut bytes, mut entries) = (0_u64, 0_u64);
    let mut open = vec![top];
    while let Some(current) = open.last_mut() {
        let Some(next) = current.next() else {
            open.pop();
            continue;
        };
        let Ok(found) = next.and_then(|entry| look(current, entry.file_name())) else {
            return true;
        };
        let held = match found {
            Found::Nothing => continue,
            Found::File(held) => held,
            Found::Directory(held, inner) => {
                open.push(inner);
                held
            }
        };
        entries += 1;
        bytes = bytes.saturating_add(held);
        if entries > room.entries || bytes > room.bytes || open.len() > DEEPEST {
            return true;
        }
    }
    false
}

fn look(parent: &Dir, name: &CStr) -> Result<Found, Errno> {
    if matches!(name.to_bytes(), b"." | b"..") {
        return Ok(Found::Nothing);
    }
    let at = parent.fd()?;
    let Ok(status) = rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW) else {
        return Ok(Found::Nothing);
    };
    let held = u64::try_from(status.st_blocks).unwrap_or(0) * BLOCK;
    if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
        return Ok(Found::File(held));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Ok(inner) => Ok(Found::Directory(held, Dir::read_from(inner.as_fd())?)),
        // It has gone, or is something else now.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}
