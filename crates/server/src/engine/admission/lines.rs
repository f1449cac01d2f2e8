//! Who is next: one line per client, and a fair choice between the lines. Plain data, no waiting.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use crate::execution::Client;

/// A client that has asked within this time is about: a place is kept for it.
const ABOUT: Duration = Duration::from_secs(10);
/// Lines that are kept before those without any use are looked for.
const FEW: usize = 64;

/// The places, and the lines before them. `W` is what tells whoever waits.
#[derive(Debug)]
pub(super) struct Lines<W> {
    places: usize,
    most_waiting: usize,
    running: usize,
    waiting: usize,
    clients: BTreeMap<Client, Line<W>>,
    prune_at: usize,
    count: u64,
}

#[derive(Debug)]
struct Line<W> {
    /// Places that the client has.
    held: usize,
    queue: VecDeque<(u64, W)>,
    /// When it last got a place, by the count of tickets and grants.
    served: u64,
    seen: Instant,
}

impl<W> Line<W> {
    fn is_about(&self, now: Instant) -> bool {
        self.held > 0 || !self.queue.is_empty() || now.saturating_duration_since(self.seen) < ABOUT
    }
}

/// What became of somebody who wants in.
#[derive(Debug)]
pub(super) enum Entry<W> {
    /// In line, or granted already. `displaced` has to go: the last of the longest line.
    Waits { ticket: u64, displaced: Option<W> },
    /// No room to wait.
    Full,
}

impl<W> Lines<W> {
    pub(super) fn new(places: usize, most_waiting: usize) -> Self {
        Self {
            places,
            most_waiting,
            running: 0,
            waiting: 0,
            clients: BTreeMap::new(),
            prune_at: FEW,
            count: 0,
        }
    }

    pub(super) fn running(&self) -> usize {
        self.running
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Puts somebody at the end of the client's line, and gives out what places there are. Each
    /// that gets one is handed to `grant`.
    pub(super) fn enter(
        &mut self,
        client: &Client,
        waiter: W,
        now: Instant,
        grant: impl FnMut(W),
    ) -> Entry<W> {
        self.prune(now);
        self.count += 1;
        let ticket = self.count;
        let line = self.clients.entry(client.clone()).or_insert_with(|| Line {
            held: 0,
            queue: VecDeque::new(),
            served: 0,
            seen: now,
        });
        line.seen = now;
        line.queue.push_back((ticket, waiter));
        self.waiting += 1;
        self.give_out(now, grant);
        let displaced = if self.waiting > self.most_waiting {
            let displaced = self.displace(client);
            if displaced.is_none() {
                self.withdraw(client, ticket);
                return Entry::Full;
            }
            displaced
        } else {
            None
        };
        Entry::Waits { ticket, displaced }
    }

    /// Takes somebody out of line; whether that one was still in it.
    pub(super) fn withdraw(&mut self, client: &Client, ticket: u64) -> bool {
        let Some(line) = self.clients.get_mut(client) else {
            return false;
        };
        let before = line.queue.len();
        line.queue.retain(|(other, _)| *other != ticket);
        let found = line.queue.len() < before;
        self.waiting -= usize::from(found);
        found
    }

    /// Takes a place back, and gives it out again.
    pub(super) fn leave(&mut self, client: &Client, now: Instant, grant: impl FnMut(W)) {
        self.running = self.running.saturating_sub(1);
        if let Some(line) = self.clients.get_mut(client) {
            line.held = line.held.saturating_sub(1);
        }
        self.give_out(now, grant);
    }

    fn give_out(&mut self, now: Instant, mut grant: impl FnMut(W)) {
        while let Some(waiter) = self.next(now) {
            grant(waiter);
        }
    }

    /// Of the clients that may have a place, the one that has the fewest; of those, the one that
    /// has waited longest for its last.
    fn next(&mut self, now: Instant) -> Option<W> {
        let free = self.places.saturating_sub(self.running);
        if free == 0 || self.waiting == 0 {
            return None;
        }
        // One place is kept for each client that is about and has none, so that whoever fills the
        // places does not make everybody else wait for the end of a run.
        let without = |line: &&Line<W>| line.held == 0 && line.is_about(now);
        let without = self.clients.values().filter(without).count();
        let client = self
            .clients
            .iter()
            .filter(|(_, line)| !line.queue.is_empty() && (line.held == 0 || free > without))
            .min_by_key(|(_, line)| (line.held, line.served))
            .map(|(client, _)| client.clone())?;
        let line = self.clients.get_mut(&client)?;
        let (_, waiter) = line.queue.pop_front()?;
        self.count += 1;
        line.served = self.count;
        line.held += 1;
        self.waiting -= 1;
        self.running += 1;
        Some(waiter)
    }

    /// Makes room to wait for a client whose line is shorter than the longest, at the expense of
    /// the last in that.
    fn displace(&mut self, newcomer: &Client) -> Option<W> {
        let own = self.clients.get(newcomer)?.queue.len();
        let longest = self
            .clients
            .values_mut()
            .max_by_key(|line| line.queue.len())?;
        if longest.queue.len() <= own {
            return None;
        }
        let (_, waiter) = longest.queue.pop_back()?;
        self.waiting -= 1;
        Some(waiter)
    }

    fn prune(&mut self, now: Instant) {
        if self.clients.len() >= self.prune_at {
            self.clients.retain(|_, line| line.is_about(now));
            self.prune_at = (self.clients.len() * 2).max(FEW);
        }
    }
}

#[cfg(test)]
mod tests;
