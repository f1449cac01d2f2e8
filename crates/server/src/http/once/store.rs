//! Where answers are kept: for a time, and in bounded memory, the oldest forgotten first.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::OwnedMutexGuard;

use super::replay::Kept;
use crate::lock::lock;

/// Most answers, however small.
const MOST: usize = 10_000;
/// What an answer takes besides its body, about.
const OVERHEAD: usize = 512;

/// Whose key, and which.
pub(super) type Name = (String, String);

/// What became of a request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Kept(Kept),
    /// It was answered, and that cannot be done again.
    TooLarge,
}

#[derive(Debug)]
pub(super) struct Store {
    table: Arc<Mutex<Table>>,
    bytes: usize,
    age: Duration,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Name, Entry>,
    /// Those that have been answered, oldest first.
    answered: VecDeque<(Instant, Name, usize)>,
    bytes: usize,
}

/// Whoever is to answer holds the lock.
type Slot = Arc<tokio::sync::Mutex<Option<Answer>>>;

#[derive(Debug)]
struct Entry {
    fingerprint: [u8; 32],
    slot: Slot,
}

/// The right to answer, held by one at a time.
pub(super) struct Turn {
    table: Arc<Mutex<Table>>,
    name: Name,
    slot: Slot,
    answer: OwnedMutexGuard<Option<Answer>>,
    bytes: usize,
}

impl Store {
    pub(super) fn new(bytes: usize, age: Duration) -> Self {
        let table = Arc::default();
        Self { table, bytes, age }
    }

    /// Waits for the right to answer this request; `None` where the name stands for another.
    pub(super) async fn turn(&self, name: Name, fingerprint: [u8; 32]) -> Option<Turn> {
        let slot = {
            let mut table = lock(&self.table);
            table.forget(Instant::now().checked_sub(self.age), usize::MAX);
            let entry = table.entries.entry(name.clone()).or_insert_with(|| Entry {
                fingerprint,
                slot: Slot::default(),
            });
            (entry.fingerprint == fingerprint).then(|| Arc::clone(&entry.slot))?
        };
        let waiting = Waiting {
            table: &self.table,
            name: &name,
            slot: &slot,
        };
        let answer = Arc::clone(&slot).lock_owned().await;
        std::mem::forget(waiting);
        let (table, bytes) = (Arc::clone(&self.table), self.bytes);
        Some(Turn {
            table,
            name,
            slot,
            answer,
            bytes,
        })
    }
}

impl Turn {
    /// The answer, where there was one already.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.answer.clone()
    }

    /// Keeps an answer for those who ask again.
    pub(super) fn keep(&mut self, answer: Answer) {
        let body = match &answer {
            Answer::Kept(kept) => kept.len(),
            Answer::TooLarge => 0,
        };
        let size = body + OVERHEAD + 2 * (self.name.0.len() + self.name.1.len());
        *self.answer = Some(answer);
        let mut table = lock(&self.table);
        table.bytes += size;
        let name = self.name.clone();
        table.answered.push_back((Instant::now(), name, size));
        table.forget(None, self.bytes);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.answer.is_none() {
            // The guard has the third reference.
            lock(&self.table).give_up(&self.name, &self.slot, 3);
        }
    }
}

/// Somebody who waits for a turn, and may leave before it comes.
struct Waiting<'a> {
    table: &'a Mutex<Table>,
    name: &'a Name,
    slot: &'a Slot,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(self.table).give_up(self.name, self.slot, 2);
    }
}

impl Table {
    /// Forgets what was answered before `oldest`, and then what is too much.
    fn forget(&mut self, oldest: Option<Instant>, bytes: usize) {
        while let Some((at, ..)) = self.answered.front() {
            let old = oldest.is_some_and(|oldest| *at < oldest);
            if !old && self.bytes <= bytes && self.answered.len() <= MOST {
                return;
            }
            if let Some((_, name, size)) = self.answered.pop_front() {
                self.bytes -= size;
                self.entries.remove(&name);
            }
        }
    }

    /// Forgets a request without an answer, unless others wait for it: then there are more
    /// references than those of the table and of who gives up.
    fn give_up(&mut self, name: &Name, slot: &Slot, references: usize) {
        let own = self
            .entries
            .get(name)
            .is_some_and(|entry| Arc::ptr_eq(&entry.slot, slot));
        let answered = slot.try_lock().is_ok_and(|answer| answer.is_some());
        if own && !answered && Arc::strong_count(slot) <= references {
            self.entries.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str) -> Name {
        (String::new(), key.to_owned())
    }

    fn entries(store: &Store) -> usize {
        lock(&store.table).entries.len()
    }

    #[tokio::test]
    async fn the_next_takes_over_from_who_gave_up() {
        let store = Store::new(10_000, Duration::from_mins(1));
        let first = store.turn(name("a"), [1; 32]).await.unwrap();
        assert!(store.turn(name("a"), [2; 32]).await.is_none());
        let gone = tokio::time::timeout(Duration::from_millis(5), store.turn(name("a"), [1; 32]));
        assert!(gone.await.is_err());
        let waiting = store.turn(name("a"), [1; 32]);
        let (second, ()) = tokio::join!(waiting, async { drop(first) });
        let mut second = second.unwrap();
        assert!(second.answer().is_none());
        second.keep(Answer::TooLarge);
        drop(second);
        let third = store.turn(name("a"), [1; 32]).await.unwrap();
        assert!(matches!(third.answer(), Some(Answer::TooLarge)));
        drop(third);
        assert_eq!(entries(&store), 1);
        drop(store.turn(name("b"), [1; 32]).await);
        assert_eq!(entries(&store), 1, "nothing is left of who gave up");
    }

    #[tokio::test]
    async fn the_oldest_are_forgotten() {
        let store = Store::new(2000, Duration::from_mins(1));
        for key in ["a", "b", "c", "d", "e"] {
            store
                .turn(name(key), [0; 32])
                .await
                .unwrap()
                .keep(Answer::TooLarge);
        }
        assert_eq!(entries(&store), 3);
        let brief = Store::new(2000, Duration::ZERO);
        brief
            .turn(name("a"), [0; 32])
            .await
            .unwrap()
            .keep(Answer::TooLarge);
        drop(brief.turn(name("b"), [0; 32]).await);
        assert_eq!(entries(&brief), 0);
    }
}
