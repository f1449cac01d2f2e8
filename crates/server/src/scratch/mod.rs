//! Directories for cells without a mount namespace: one for each, in place of a `/tmp` of its own.
//!
//! They lie below one directory per server, in the system's place for temporary files. Their names
//! are drawn, because Landlock does not keep a script from asking whether a name is there, and of
//! what size. Whatever a script leaves is removed without following a link of its.

mod clear;
mod stale;
mod usage;

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    fs::{AtFlags, FlockOperation, Gid, Mode, OFlags, StatVfsMountFlags, Uid},
    io::Errno,
};

use crate::wall::Identity;

/// How the servers' directories are named, before what is drawn.
const PREFIX: &str = "cellblock-cells-";
const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// This server's directory; removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    // Locked while the server lives.
    descriptor: OwnedFd,
    /// Whose the cells' directories are, where that is somebody else.
    owner: Option<(Uid, Gid)>,
    /// The room in each, and what has to stay free beside them.
    room: Room,
    closed: AtomicBool,
}

/// What a cell's directory may hold.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Files and directories.
    pub entries: u64,
}

/// One cell's directory; removed when dropped.
#[derive(Debug)]
pub struct Directory {
    scratch: Arc<Scratch>,
    name: String,
    descriptor: OwnedFd,
    removed: bool,
}

impl Scratch {
    /// Makes it below `parent`, and removes those of servers that are gone.
    ///
    /// # Errors
    /// It cannot be made, or has no room for the files of two cells.
    pub fn make(parent: &Path, identity: Identity, room: Room) -> io::Result<Self> {
        stale::remove(parent)?;
        let own = rustix::process::geteuid();
        let other = identity.uid != own.as_raw();
        // Others of the machine may only pass through, to what is not theirs.
        let mode = if other { 0o711 } else { 0o700 };
        let path = parent.join(format!("{PREFIX}{}", drawn()?));
        rustix::fs::mkdir(&path, Mode::from_raw_mode(0o700))?;
        let descriptor = rustix::fs::open(&path, DIRECTORY, Mode::empty())?;
        rustix::fs::fchmod(&descriptor, Mode::from_raw_mode(mode))?;
        rustix::fs::flock(&descriptor, FlockOperation::NonBlockingLockExclusive)?;
        let owner = other.then(|| (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid)));
        let scratch = Self {
            path,
            descriptor,
            owner,
            room,
            closed: AtomicBool::new(false),
        };
        if scratch.available()? < room.bytes.saturating_mul(2) {
            return Err(Errno::NOSPC.into());
        }
        Ok(scratch)
    }

    /// Makes a cell's directory.
    ///
    /// # Errors
    /// What the system answered.
    pub fn directory(self: &Arc<Self>) -> io::Result<Directory> {
        let name = drawn()?;
        rustix::fs::mkdirat(&self.descriptor, &name, Mode::from_raw_mode(0o700))?;
        let descriptor = rustix::fs::openat(&self.descriptor, &name, DIRECTORY, Mode::empty())?;
        let directory = Directory {
            scratch: Arc::clone(self),
            name,
            descriptor,
            removed: false,
        };
        if let Some((uid, gid)) = self.owner {
            rustix::fs::fchown(&directory.descriptor, Some(uid), Some(gid))?;
        }
        Ok(directory)
    }

    /// A file for somebody who can open this process' files by name only. The path, and the file
    /// is gone once that is dropped.
    ///
    /// # Errors
    /// What the system answered.
    pub fn file(&self, text: &str) -> io::Result<Passing> {
        let passing = Passing(self.path.join(drawn()?));
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&passing.0)?;
        file.write_all(text.as_bytes())?;
        Ok(passing)
    }

    /// Whether code can be executed from files there.
    ///
    /// # Errors
    /// What the system answered.
    pub fn allows_execution(&self) -> io::Result<bool> {
        let flags = rustix::fs::fstatvfs(&self.descriptor)?.f_flag;
        Ok(!flags.contains(StatVfsMountFlags::NOEXEC))
    }

    /// Removes it with all that is in it: the server ends, and no script runs any more.
    pub fn close(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) {
            clear::empty(self.descriptor.as_fd());
            let _ = rustix::fs::rmdir(&self.path);
        }
    }

    /// Whether it has been removed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Bytes that are free on its file system.
    fn available(&self) -> io::Result<u64> {
        let system = rustix::fs::fstatvfs(&self.descriptor)?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.close();
    }
}

impl Directory {
    /// To hand to the cell.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// Whether it holds more than it may, or the file system has less left than one cell may take:
    /// files that have no name any more, which are not found here, show there.
    pub fn is_over(&self) -> bool {
        let room = self.scratch.room;
        let scarce = self.scratch.available().is_ok_and(|left| left < room.bytes);
        scarce || usage::is_over(self.descriptor.as_fd(), room)
    }

    /// Removes it, once nobody is left who writes there.
    pub fn remove(mut self) {
        self.take_away();
    }

    fn take_away(&mut self) {
        if !std::mem::replace(&mut self.removed, true) {
            clear::empty(self.descriptor.as_fd());
            let _ = rustix::fs::unlinkat(&self.scratch.descriptor, &self.name, AtFlags::REMOVEDIR);
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        self.take_away();
    }
}

/// The path of a file that is removed when this is dropped.
#[derive(Debug)]
pub struct Passing(PathBuf);

impl Passing {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A name that cannot be guessed.
fn drawn() -> io::Result<String> {
    let mut bytes = [0; 16];
    let flags = rustix::rand::GetRandomFlags::empty();
    // Up to 256 bytes are never cut short: getrandom(2).
    rustix::rand::getrandom(&mut bytes[..], flags)?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}

#[cfg(test)]
mod tests;
