//! What a cell may not ask for where the files that it sees are inodes that other cells have too: a
//! lock that others would see, or the sight of one of theirs, and flushes of the machine's disk.
//!
//! A filter sees a descriptor's number and not its file, so this closes the calls for the cell's own
//! files as well.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompRule};

use super::{Arg, SeccompError, conditions, errno, filter};

/// A filter for each answer.
///
/// # Errors
/// They do not compile, which is our fault.
pub fn compile_shared() -> Result<[BpfProgram; 3], SeccompError> {
    // As by a file system without such locks, on which libraries go on without: filelock, HDF5.
    let locks = BTreeMap::from([(libc::SYS_flock, Vec::new())]);
    // Without F_GETLK a read lock, the only one that fcntl gives on a file that is open for reading,
    // shows to nobody.
    let get_lock = SeccompRule::new(conditions(&[Arg::Is(1, 5)])?)?;
    let sight = BTreeMap::from([(libc::SYS_fcntl, vec![get_lock])]);
    // As if done. What a script has written goes when the run ends, so it loses nothing.
    let flushes = [libc::SYS_fsync, libc::SYS_fdatasync].map(|call| (call, Vec::new()));
    Ok([
        filter(flushes.into(), SeccompAction::Allow, errno(0))?,
        filter(locks, SeccompAction::Allow, errno(libc::ENOSYS))?,
        filter(sight, SeccompAction::Allow, errno(libc::EPERM))?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::{
        Memory, compile_cell,
        tests::{ALLOW, ARCHITECTURES, DONE, ENOSYS, EPERM, answer_of},
    };

    #[test]
    fn locks_that_others_would_see_are_refused_and_no_other_call() {
        let mut filters = compile_cell(Memory::Data).unwrap();
        filters.extend(compile_shared().unwrap());
        let answer = |call, args| answer_of(&filters, call, ARCHITECTURES[0], args);
        assert_eq!(answer(libc::SYS_flock, [3, 2, 0, 0, 0, 0]), ENOSYS);
        assert_eq!(answer(libc::SYS_fcntl, [3, 5, 0, 0, 0, 0]), EPERM);
        for call in [libc::SYS_fsync, libc::SYS_fdatasync] {
            assert_eq!(answer(call, [3, 0, 0, 0, 0, 0]), DONE);
        }
        for command in [1, 3, 6, 7] {
            assert_eq!(answer(libc::SYS_fcntl, [3, command, 0, 0, 0, 0]), ALLOW);
        }
    }
}
