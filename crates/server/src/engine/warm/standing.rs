//! Whether an environment's zygotes are there, for `/health`.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use crate::lock::lock;

/// Those that are missing.
#[derive(Debug)]
pub(super) struct Standing {
    zygotes: usize,
    /// By the keeper's number: why, as clients may know it.
    missing: Mutex<BTreeMap<usize, String>>,
}

/// A zygote is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Trouble {
    /// Why, in a line that may be shown to clients.
    pub(in crate::engine) reason: String,
    /// There is no other.
    pub(in crate::engine) all: bool,
}

impl Standing {
    pub(super) fn new(zygotes: usize) -> Self {
        Self {
            zygotes,
            missing: Mutex::default(),
        }
    }

    /// Notes that a keeper has no zygote, or why it still has none.
    pub(super) fn lacks(&self, keeper: usize, reason: String) {
        self.missing().insert(keeper, reason);
    }

    /// Notes that a keeper has one.
    pub(super) fn has(&self, keeper: usize) {
        self.missing().remove(&keeper);
    }

    /// What is wrong, if anything is.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let missing = self.missing();
        let reason = missing.values().next()?.clone();
        Some(Trouble {
            reason,
            all: missing.len() >= self.zygotes,
        })
    }

    fn missing(&self) -> MutexGuard<'_, BTreeMap<usize, String>> {
        lock(&self.missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_that_is_missing_is_trouble_and_not_the_end() {
        let standing = Standing::new(2);
        assert_eq!(standing.trouble(), None);
        standing.lacks(1, "it ended".to_owned());
        let trouble = standing.trouble().unwrap();
        assert_eq!((trouble.reason.as_str(), trouble.all), ("it ended", false));
        standing.lacks(0, "it hangs".to_owned());
        assert!(standing.trouble().unwrap().all);
        standing.has(0);
        standing.has(1);
        assert_eq!(standing.trouble(), None);
    }
}
