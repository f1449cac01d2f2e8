//! A user of the machine for each cell.
//!
//! The kernel counts what a user has of pages in pipes, watches of epoll, descriptors on their way,
//! signals and processes by the uid that a process has outside of every user namespace, and a new
//! namespace does not change that uid. So the zygote takes the cell's uid on before it clones, and its own
//! again when that is done. It may, within its wall, by the one capability that its wall leaves it; the
//! cell, whose user namespace knows this one uid and no other, may not.

use rustix::{
    io::Errno,
    process::{DumpableBehavior, Signal, Uid},
};

use crate::{fork::ForkError, plan::Plan, sys};

/// The text of a cell's uid map, user_namespaces(7): made before the fork, since init may not allocate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UidMap {
    bytes: [u8; 28],
    length: usize,
}

impl UidMap {
    /// One uid: `inside` there is `outside` where the cell is made.
    pub(crate) fn new(inside: u32, outside: u32) -> Self {
        let text = format!("{inside} {outside} 1");
        let mut bytes = [0; 28];
        // Two numbers of at most ten digits each.
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Self {
            bytes,
            length: text.len(),
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Clones a cell as the user that it is to be. Returns in the script's process as that user, and in the
/// zygote as the zygote's own; a zygote that cannot be its own user again ends.
pub(crate) fn with(
    plan: &Plan,
    uid: Option<u32>,
    clone: impl FnOnce() -> Result<sys::Cloned, sys::InitFailure>,
) -> Result<sys::Cloned, ForkError> {
    let failed = |errno| ForkError {
        step: "become the cell's user",
        errno,
    };
    let uid = uid.ok_or(failed(Errno::INVAL))?;
    plan.uid_map.set(UidMap::new(plan.policy.uid, uid));
    let cloned = take_on(uid).map_err(failed).and_then(|()| Ok(clone()?));
    if !matches!(cloned, Ok(sys::Cloned::Script)) && give_up(plan.own_uid).is_err() {
        sys::exit_now(1);
    }
    cloned
}

fn take_on(uid: u32) -> Result<(), Errno> {
    become_user(uid)?;
    // A change of user takes /proc/self from a process: there init writes the map. prctl(2),
    // `PR_SET_DUMPABLE`. Between two forks the zygote is left without.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)
}

fn give_up(own: u32) -> Result<(), Errno> {
    become_user(own)?;
    // And it takes the order to end with nsjail. One that ends right here leaves a zygote that the
    // server ends, by closing the control channel.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
}

/// For the calling thread, which is this process' only one. setresuid(2)
fn become_user(uid: u32) -> Result<(), Errno> {
    let uid = Uid::from_raw(uid);
    rustix::thread::set_thread_res_uid(uid, uid, uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_map_fits() {
        let map = UidMap::new(u32::MAX, u32::MAX);
        assert_eq!(map.text(), b"4294967295 4294967295 1");
        assert_eq!(UidMap::new(1000, 7).text(), b"1000 7 1");
    }
}
