//! What servers have left that had no time to clear up.

use std::{io, os::fd::AsFd, path::Path};

use rustix::fs::{CWD, FlockOperation, Mode};

use super::{DIRECTORY, PREFIX, clear};

/// Removes the directories of this user's servers that hold no lock of theirs any more.
pub(super) fn remove(parent: &Path) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(parent)?.flatten() {
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        if !ours {
            continue;
        }
        let path = entry.path();
        let Ok(descriptor) = rustix::fs::openat(CWD, &path, DIRECTORY, Mode::empty()) else {
            continue;
        };
        let owned = rustix::fs::fstat(&descriptor).is_ok_and(|status| status.st_uid == own);
        let lock = FlockOperation::NonBlockingLockExclusive;
        if owned && rustix::fs::flock(&descriptor, lock).is_ok() {
            clear::empty(descriptor.as_fd());
            let _ = rustix::fs::rmdir(&path);
        }
    }
    Ok(())
}
