//! Uids of this machine for cells, one each for as long as it lives: what the kernel counts by user,
//! such as pages in pipes and watches of epoll, no cell has in common with another, nor with the server.

mod find;

use std::sync::{Arc, Mutex};

use thiserror::Error;

use crate::{config::UidRange, lock::lock};
pub(crate) use find::find;

/// The pool. The first uid of its range is the zygotes', and no cell's.
#[derive(Debug)]
pub struct Users {
    range: UidRange,
    by_newuidmap: bool,
    free: Mutex<Vec<u32>>,
}

/// Every uid is some cell's.
#[derive(Debug, Error)]
#[error("no uid is free: isolation.uids has {0}")]
pub struct NoUid(u32);

/// A uid that one cell has, given back when dropped: unless a script has run under it that nobody has
/// seen end. Then it is nobody's any more.
#[derive(Debug)]
pub struct User {
    uid: u32,
    lives: bool,
    owner: Arc<Users>,
}

impl Users {
    /// Those of this range; `by_newuidmap`: they are mapped by newuidmap(1), since the server is not root.
    fn new(range: UidRange, by_newuidmap: bool) -> Self {
        let all = range.first..range.first.saturating_add(range.count);
        Self {
            range,
            by_newuidmap,
            free: Mutex::new(all.skip(1).collect()),
        }
    }

    /// All of them.
    pub fn range(&self) -> UidRange {
        self.range
    }

    /// Whether it takes newuidmap(1) to map them.
    pub fn by_newuidmap(&self) -> bool {
        self.by_newuidmap
    }

    /// A uid that nobody has. Any of them, since a cell can see which it has, by its place among the
    /// others: were they given in order, it could count runs.
    pub fn take(self: &Arc<Self>) -> Result<User, NoUid> {
        let mut free = lock(&self.free);
        let index = drawn().checked_rem(free.len());
        let uid = index.map(|index| free.swap_remove(index));
        Ok(User {
            uid: uid.ok_or(NoUid(self.range.count))?,
            lives: false,
            owner: Arc::clone(self),
        })
    }
}

impl User {
    /// The uid.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The same for a zygote, which has the first as `inside`.
    pub fn within(&self, inside: u32) -> u32 {
        inside + (self.uid - self.owner.range.first)
    }

    /// Notes that a script is about to run under it.
    pub fn begins(&mut self) {
        self.lives = true;
    }

    /// Notes that nobody of its cell is left.
    pub fn has_ended(&mut self) {
        self.lives = false;
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if self.lives {
            tracing::warn!(
                uid = self.uid,
                "a cell was not seen to end: its uid is not used again"
            );
            return;
        }
        lock(&self.owner.free).push(self.uid);
    }
}

/// A number that cannot be guessed; where the kernel gives none, any will do.
fn drawn() -> usize {
    let mut bytes = [0; size_of::<usize>()];
    let _ = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty());
    usize::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn users(count: u32) -> Arc<Users> {
        Arc::new(Users::new(UidRange { first: 5000, count }, false))
    }

    #[test]
    fn no_two_cells_have_one_and_the_first_is_no_cells() {
        let users = users(5);
        let taken: Vec<_> = (0..4).map(|_| users.take().unwrap()).collect();
        let uids: BTreeSet<_> = taken.iter().map(User::uid).collect();
        assert_eq!(uids, BTreeSet::from([5001, 5002, 5003, 5004]));
        assert_eq!(
            users.take().unwrap_err().to_string(),
            "no uid is free: isolation.uids has 5"
        );
        assert!(
            taken
                .iter()
                .all(|user| user.within(1000) == user.uid() - 4000)
        );
        drop(taken);
        assert_eq!(users.free.lock().unwrap().len(), 4);
    }

    #[test]
    fn a_uid_whose_cell_was_not_seen_to_end_is_not_given_again() {
        let users = users(3);
        let mut seen = users.take().unwrap();
        seen.begins();
        seen.has_ended();
        drop(seen);
        let mut unseen = users.take().unwrap();
        unseen.begins();
        let lost = unseen.uid();
        drop(unseen);
        let left = users.take().unwrap();
        assert_ne!(left.uid(), lost);
        assert!(users.take().is_err());
    }
}
