//! A server under a mixed load for long: honest scripts, failing ones, hostile ones.

pub mod cases;
pub mod deck;
pub mod tally;

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use hyper::Method;
use tokio::task::{JoinSet, LocalSet};

use crate::{client::Client, server::Server, terminal::say};
use cases::{Case, Expect};
use tally::Tally;

/// Clients, each with one connection and one request at a time.
const CLIENTS: u32 = 64;
/// More requests than this are not sent, however long it may last.
const MOST: u64 = 5_000_000;
/// No answer in this time is none.
const HANG: Duration = Duration::from_mins(2);
const PROGRESS: Duration = Duration::from_secs(10);

struct Soak {
    address: SocketAddr,
    pid: u32,
    cases: Vec<(Case, Bytes)>,
    /// Indices of cases, each as often as it weighs.
    deck: Vec<usize>,
    started: Instant,
    duration: Duration,
    tally: RefCell<Tally>,
}

/// Loads a server for that long; what came of it. `seed` decides who sends what when.
pub fn run(server: &Server, duration: Duration, seed: u32) -> Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let cases: Vec<_> = deck::all()
        .into_iter()
        .map(|case| (case, case.body().into()))
        .collect();
    let weighed = cases.iter().enumerate();
    let deck = weighed.flat_map(|(index, (case, _))| std::iter::repeat_n(index, case.weight));
    let soak = Rc::new(Soak {
        address: server.address,
        pid: server.pid(),
        deck: deck.collect(),
        tally: RefCell::new(Tally::new(cases.len())),
        cases,
        started: Instant::now(),
        duration,
    });
    LocalSet::new().block_on(&runtime, everybody(&soak, seed))?;
    Ok(soak.tally.take())
}

async fn everybody(soak: &Rc<Soak>, seed: u32) -> Result<()> {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (soak, dice) = (Rc::clone(soak), Dice::new(seed * CLIENTS + number));
        clients.spawn_local(async move { soak.client(dice).await });
    }
    let mut progress = tokio::time::interval(PROGRESS);
    progress.tick().await;
    loop {
        tokio::select! {
            ended = clients.join_next() => match ended {
                Some(ended) => ended??,
                None => return Ok(()),
            },
            _ = progress.tick() => soak.tell(),
        }
    }
}

impl Soak {
    fn tell(&self) {
        let (elapsed, tally) = (self.started.elapsed().as_secs(), self.tally.borrow());
        let rss = crate::proc::kilobytes(self.pid, "status", "VmRSS").unwrap_or(0);
        say(format!(
            "{elapsed:>5} s of {}: {} requests, {} unexpected, server {:.1} MB",
            self.duration.as_secs(),
            tally.requests(),
            tally.unexpected(),
            crate::stats::megabytes(rss)
        ));
    }

    fn goes_on(&self) -> bool {
        self.started.elapsed() < self.duration && self.tally.borrow().requests() < MOST
    }

    async fn client(&self, mut dice: Dice) -> Result<()> {
        let mut client = Client::connect(self.address).await?;
        while self.goes_on() {
            let index = self.deck[dice.below(self.deck.len())];
            let (case, body) = &self.cases[index];
            let begun = Instant::now();
            let fault = match case.expect {
                Expect::Disconnect => {
                    self.leave(&mut client, body, dice.below(50)).await;
                    None
                }
                _ => self.ask(&mut client, case, body).await.err(),
            };
            let fault = fault.map(|error| format!("{error:#}"));
            let failed = fault.is_some();
            self.tally.borrow_mut().note(index, begun.elapsed(), fault);
            if failed || case.expect == Expect::Disconnect {
                client = Client::connect(self.address).await?;
            }
        }
        Ok(())
    }

    async fn ask(&self, client: &mut Client, case: &Case, body: &Bytes) -> Result<()> {
        let answer = client.send(Method::POST, "/execute", body.clone());
        let (exchange, answer) = tokio::time::timeout(HANG, answer)
            .await
            .context("no answer")??;
        case.judge(exchange.status, &answer, &mut self.tally.borrow_mut().seen)
    }

    /// Sends a request, and goes away before it is answered.
    async fn leave(&self, client: &mut Client, body: &Bytes, after_ms: usize) {
        let patience = Duration::from_millis(after_ms.try_into().unwrap_or(0));
        let answer = client.send(Method::POST, "/execute", body.clone());
        // Whatever it was; the connection goes with the client.
        let _ = tokio::time::timeout(patience, answer).await;
    }
}

/// Numbers that look random and are the same each time: an xorshift generator.
struct Dice(u32);

impl Dice {
    fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % bound
    }
}
