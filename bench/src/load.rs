//! Closed-loop load: a number of clients, each of which sends its next request when it has its
//! answer.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use bytes::Bytes;
use hyper::Method;
use tokio::task::LocalSet;

use crate::{client::Client, lone};

/// Of a load whose running requests are given up at its end, so many answers do not count: they began
/// together, at a server that had nothing to put away yet, and no answer came while they ran.
const FIRST: usize = 4;
/// After them it waits for this many answers, or so long.
const LEAST: usize = 8;
const LONGEST: Duration = Duration::from_secs(30);

/// What to send.
#[derive(Debug, Clone)]
pub struct Order {
    /// The server.
    pub address: SocketAddr,
    /// GET or POST.
    pub method: Method,
    /// The path.
    pub path: &'static str,
    /// The body of each request.
    pub body: Bytes,
    /// The body that each answer must have; `None` where it does not matter.
    pub expected: Option<Bytes>,
    /// Connections, each with one request at a time.
    pub clients: usize,
    /// How long a client waits after each answer.
    pub think: Duration,
}

/// When to end.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// No request is begun after this time; those that run are waited for.
    Time(Duration),
    /// Once it is under way, after this time, those that run are given up.
    Cut(Duration),
    /// This many requests have been sent.
    Count(usize),
}

impl Until {
    /// Whether another request is to be sent, when so many have been since then.
    pub(crate) fn goes_on(self, sent: usize, started: Instant) -> bool {
        match self {
            Self::Time(window) => sent == 0 || started.elapsed() < window,
            Self::Cut(_) => true,
            Self::Count(count) => sent < count,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// How long each took.
    pub latencies: Vec<Duration>,
    /// From the first request to the last answer; where some do not count, from the last of these.
    pub elapsed: Duration,
    /// What was wrong: the first few.
    pub faults: Vec<String>,
    /// How many were wrong.
    pub wrong: usize,
}

impl Load {
    /// Counts an answer, or what was wrong with it, so long after the first request.
    pub(crate) fn note(&mut self, verdict: &Result<Duration>, elapsed: Duration) {
        self.elapsed = elapsed;
        match verdict {
            Ok(took) => self.latencies.push(*took),
            Err(fault) => {
                self.wrong += 1;
                if self.faults.len() < 3 {
                    self.faults.push(fault.to_string());
                }
            }
        }
    }
}

struct State {
    order: Order,
    until: Until,
    started: Instant,
    /// When what counts began.
    counts_from: Cell<Instant>,
    sent: Cell<usize>,
    load: RefCell<Load>,
}

impl State {
    fn goes_on(&self) -> bool {
        self.until.goes_on(self.sent.get(), self.started)
    }

    async fn client(&self, mut client: Client) {
        while self.goes_on() {
            self.sent.set(self.sent.get() + 1);
            let verdict = self.request(&mut client).await;
            self.note(&verdict);
            if verdict.is_err() {
                // A connection that failed would fail for ever.
                return;
            }
            if !self.order.think.is_zero() {
                tokio::time::sleep(self.order.think).await;
            }
        }
    }

    fn note(&self, verdict: &Result<Duration>) {
        let elapsed = self.counts_from.get().elapsed();
        self.load.borrow_mut().note(verdict, elapsed);
    }

    /// Forgets the answers until now.
    fn count_from_here(&self) {
        let mut load = self.load.borrow_mut();
        load.latencies.clear();
        self.counts_from.set(self.counts_from.get() + load.elapsed);
    }

    async fn request(&self, client: &mut Client) -> Result<Duration> {
        let order = &self.order;
        let mut rest = order.expected.as_deref();
        let mut same = true;
        let sink = |part: &[u8]| {
            if let Some(expected) = rest {
                let begins = expected.get(..part.len()) == Some(part);
                same &= begins;
                rest = Some(if begins { &expected[part.len()..] } else { b"" });
            }
        };
        let (method, body) = (order.method.clone(), order.body.clone());
        let exchange = client.exchange(method, order.path, body, sink).await?;
        if exchange.status != 200 || !same || rest.is_some_and(|rest| !rest.is_empty()) {
            bail!(
                "{}: status {}, or another body than expected",
                order.path,
                exchange.status
            );
        }
        Ok(exchange.took)
    }
}

/// Puts a load on a server. The connections are made before the clock starts.
pub fn run(order: &Order, until: Until) -> Result<Load> {
    match until {
        Until::Time(_) | Until::Count(_) if order.clients == 1 => lone::run(order, until),
        _ => together(order, until),
    }
}

/// Many clients in one thread.
fn together(order: &Order, until: Until) -> Result<Load> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut clients = Vec::new();
        for _ in 0..order.clients {
            clients.push(Client::connect(order.address).await?);
        }
        let started = Instant::now();
        let state = Rc::new(State {
            order: order.clone(),
            until,
            started,
            counts_from: Cell::new(started),
            sent: Cell::new(0),
            load: RefCell::default(),
        });
        let tasks: Vec<_> = clients
            .into_iter()
            .map(|client| {
                let state = Rc::clone(&state);
                tokio::task::spawn_local(async move { state.client(client).await })
            })
            .collect();
        if let Until::Cut(window) = until {
            cut(&state, window).await;
            tasks.iter().for_each(tokio::task::JoinHandle::abort);
        }
        for task in tasks {
            if let Err(error) = task.await
                && error.is_panic()
            {
                bail!("a client failed: {error}");
            }
        }
        Ok(state.load.take())
    })
}

async fn cut(state: &State, window: Duration) {
    answers(state, FIRST).await;
    state.count_from_here();
    tokio::time::sleep(window).await;
    answers(state, LEAST).await;
}

async fn answers(state: &State, count: usize) {
    let begun = Instant::now();
    while state.load.borrow().latencies.len() < count && begun.elapsed() < LONGEST {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
