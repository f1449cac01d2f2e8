use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn client(number: u8) -> Client {
    Client::Key(number.to_string())
}

/// The lines, and what they gave out: each waiter is its client and its place in the order of
/// arrival.
struct World {
    lines: Lines<(u8, u64)>,
    now: Instant,
    arrived: u64,
    waiting: BTreeMap<(u8, u64), u64>,
    running: Vec<(u8, u64)>,
    granted: Vec<(u8, u64)>,
}

impl World {
    fn new(places: usize, most_waiting: usize) -> Self {
        Self {
            lines: Lines::new(places, most_waiting),
            now: Instant::now(),
            arrived: 0,
            waiting: BTreeMap::new(),
            running: Vec::new(),
            granted: Vec::new(),
        }
    }

    fn note(&mut self, granted: Vec<(u8, u64)>) {
        for waiter in granted {
            self.waiting.remove(&waiter);
            self.running.push(waiter);
            self.granted.push(waiter);
        }
    }

    fn enter(&mut self, number: u8) -> bool {
        self.arrived += 1;
        let waiter = (number, self.arrived);
        let mut granted = Vec::new();
        let entry = self
            .lines
            .enter(&client(number), waiter, self.now, |it| granted.push(it));
        match entry {
            Entry::Waits { ticket, displaced } => {
                self.waiting.insert(waiter, ticket);
                if let Some(displaced) = displaced {
                    assert!(self.waiting.remove(&displaced).is_some());
                }
                self.note(granted);
                true
            }
            Entry::Full => {
                self.note(granted);
                false
            }
        }
    }

    fn leave(&mut self, index: usize) {
        if self.running.is_empty() {
            return;
        }
        let (number, _) = self.running.swap_remove(index % self.running.len());
        let mut granted = Vec::new();
        self.lines
            .leave(&client(number), self.now, |it| granted.push(it));
        self.note(granted);
    }

    fn give_up(&mut self, index: usize) {
        if self.waiting.is_empty() {
            return;
        }
        let (&waiter, &ticket) = self.waiting.iter().nth(index % self.waiting.len()).unwrap();
        assert!(self.lines.withdraw(&client(waiter.0), ticket));
        assert!(!self.lines.withdraw(&client(waiter.0), ticket), "only once");
        self.waiting.remove(&waiter);
    }

    fn held(&self, number: u8) -> usize {
        self.running.iter().filter(|it| it.0 == number).count()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Enter(u8),
    Leave(usize),
    GiveUp(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..5).prop_map(Step::Enter),
        3 => any::<usize>().prop_map(Step::Leave),
        1 => any::<usize>().prop_map(Step::GiveUp),
        1 => (0_u64..12).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_nothing_leaks_and_nobody_is_overtaken_by_their_own(
        places in 1_usize..6,
        most_waiting in 0_usize..8,
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        let mut world = World::new(places, most_waiting);
        for step in steps {
            match step {
                Step::Enter(number) => drop(world.enter(number)),
                Step::Leave(index) => world.leave(index),
                Step::GiveUp(index) => world.give_up(index),
                Step::Wait(seconds) => world.now += Duration::from_secs(seconds),
            }
            prop_assert_eq!(world.lines.running(), world.running.len());
            prop_assert_eq!(world.lines.waiting(), world.waiting.len());
            prop_assert!(world.running.len() <= places);
            prop_assert!(world.waiting.len() <= most_waiting);
            // A free place is never kept from a client that has none.
            if world.running.len() < places {
                let without = world.waiting.keys().any(|it| world.held(it.0) == 0);
                prop_assert!(!without, "{:?} {:?}", world.running, world.waiting);
            }
            // With nothing running, nobody would ever be called.
            prop_assert!(!world.running.is_empty() || world.waiting.is_empty());
        }
        for number in 0..5 {
            let own = world.granted.iter().filter(|it| it.0 == number);
            prop_assert!(own.map(|it| it.1).is_sorted());
        }
        while !world.running.is_empty() {
            world.leave(0);
        }
        prop_assert_eq!(world.lines.running() + world.lines.waiting(), 0);
    }

    #[test]
    fn whoever_floods_starves_nobody(flooders in 1_u8..4, places in 1_usize..6) {
        let mut world = World::new(places, 8);
        for round in 0..200 {
            world.enter(1 + round % flooders);
        }
        prop_assert!(world.enter(0), "there is room to wait, whoever has filled the queue");
        // No more than one run of each flooder goes first.
        let mut ended = 0;
        while world.held(0) == 0 {
            world.leave(0);
            ended += 1;
            prop_assert!(ended <= usize::from(flooders), "{:?}", world.running);
        }
    }
}

#[test]
fn a_client_alone_has_every_place_and_the_whole_queue() {
    let mut world = World::new(4, 3);
    assert!((0..7).all(|_| world.enter(1)));
    assert_eq!(world.held(1), 4);
    assert!(!world.enter(1));
}

#[test]
fn a_place_is_kept_for_who_is_about() {
    let mut world = World::new(4, 100);
    world.enter(0);
    world.leave(0);
    for _ in 0..20 {
        world.enter(1);
    }
    assert_eq!(world.held(1), 3, "the flood has all but one");
    world.enter(0);
    assert_eq!(world.held(0), 1, "which does not wait");
    world.now += ABOUT;
    world.running.retain(|it| it.0 != 0);
    let mut granted = Vec::new();
    world
        .lines
        .leave(&client(0), world.now, |it| granted.push(it));
    world.note(granted);
    assert_eq!(world.held(1), 4, "kept no longer than that");
}

#[test]
fn clients_take_turns() {
    let mut world = World::new(1, 100);
    for _ in 0..3 {
        for number in [1, 1, 1, 2, 3] {
            world.enter(number);
        }
    }
    for _ in 0..14 {
        world.leave(0);
    }
    let order: Vec<_> = world.granted.iter().map(|it| it.0).collect();
    assert_eq!(order, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn clients_that_are_gone_are_forgotten() {
    let mut world = World::new(1, 0);
    for number in 0..250 {
        world.enter(number);
        world.leave(0);
        world.now += ABOUT;
    }
    assert!(world.lines.clients.len() <= FEW);
}
