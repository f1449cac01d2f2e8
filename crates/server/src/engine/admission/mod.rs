//! Who may run, who waits, who is turned away: in turn between clients, and in order of arrival for
//! each of them.

mod lines;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::sync::oneshot;

use self::lines::{Entry, Lines};
use super::{EngineError, EngineStats, settings::AdmissionSettings};
use crate::{execution::Client, lock::lock};

/// The places and the lines before them.
#[derive(Debug)]
pub(super) struct Admission {
    settings: AdmissionSettings,
    lines: Arc<Shared>,
    closed: AtomicBool,
}

/// A place is granted while the lock is held, so that whoever gives up sees it or is out of line.
#[derive(Debug)]
struct Shared(Mutex<Lines<oneshot::Sender<()>>>);

/// One execution's place, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    lines: Arc<Shared>,
    client: Client,
}

/// Somebody's turn, given up when dropped.
struct Turn {
    lines: Arc<Shared>,
    client: Client,
    ticket: u64,
    /// The place is somebody else's to give back.
    taken: bool,
    granted: oneshot::Receiver<()>,
}

impl Admission {
    pub(super) fn new(settings: AdmissionSettings) -> Self {
        let lines = Lines::new(settings.running, settings.waiting);
        Self {
            settings,
            lines: Arc::new(Shared(Mutex::new(lines))),
            closed: AtomicBool::new(false),
        }
    }

    /// Waits for a place. Dropping the future gives the turn up.
    pub(super) async fn enter(&self, client: &Client) -> Result<Place, EngineError> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(EngineError::Unavailable);
        }
        let mut turn = self.turn(client)?;
        match tokio::time::timeout(self.settings.patience, &mut turn.granted).await {
            Ok(Ok(())) => Ok(turn.take()),
            // Displaced by a client that asks for less, or out of patience.
            Ok(Err(_)) | Err(_) => Err(EngineError::Overloaded),
        }
    }

    fn turn(&self, client: &Client) -> Result<Turn, EngineError> {
        let (tell, granted) = oneshot::channel();
        let entry = self
            .lines
            .lock()
            .enter(client, tell, Instant::now(), tell_granted);
        match entry {
            Entry::Waits { ticket, displaced } => {
                // Who learns it by the end of the channel.
                drop(displaced);
                Ok(Turn {
                    lines: Arc::clone(&self.lines),
                    client: client.clone(),
                    ticket,
                    granted,
                    taken: false,
                })
            }
            Entry::Full => Err(EngineError::Overloaded),
        }
    }

    /// How full it is.
    pub(super) fn stats(&self) -> EngineStats {
        let lines = self.lines.lock();
        EngineStats {
            places: self.settings.running,
            running: lines.running(),
            waiting: lines.waiting(),
            environments: Vec::new(),
        }
    }

    /// Turns newcomers away. Who waits keeps the turn.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Waits until every place is free.
    pub(super) async fn idle(&self) {
        while self.lines.lock().running() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

/// The receiver is there as long as its turn is in line.
fn tell_granted(tell: oneshot::Sender<()>) {
    let _ = tell.send(());
}

impl Shared {
    /// Nothing panics while it is held but for want of memory.
    fn lock(&self) -> MutexGuard<'_, Lines<oneshot::Sender<()>>> {
        lock(&self.0)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.lines.lock();
        lines.leave(&self.client, Instant::now(), tell_granted);
    }
}

impl Turn {
    /// The place that was granted.
    fn take(&mut self) -> Place {
        self.taken = true;
        Place {
            lines: Arc::clone(&self.lines),
            client: self.client.clone(),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.taken || self.lines.lock().withdraw(&self.client, self.ticket) {
            return;
        }
        // Out of line: displaced, or granted a place that nobody has taken.
        if self.granted.try_recv().is_ok() {
            drop(self.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn admission(running: usize, waiting: usize) -> Admission {
        let patience = Duration::from_millis(30);
        Admission::new(AdmissionSettings {
            running,
            waiting,
            patience,
        })
    }

    #[tokio::test]
    async fn places_then_the_queue_then_no_room() {
        let admission = admission(1, 1);
        let place = admission.enter(&Client::Local).await.unwrap();
        let (second, third) = tokio::join!(
            admission.enter(&Client::Local),
            admission.enter(&Client::Local)
        );
        assert!(
            matches!(second, Err(EngineError::Overloaded)),
            "patience ends"
        );
        assert!(
            matches!(third, Err(EngineError::Overloaded)),
            "the queue is full"
        );
        drop(place);
        drop(admission.enter(&Client::Local).await.unwrap());
        assert_eq!(admission.stats().waiting, 0);
    }

    #[tokio::test]
    async fn whoever_gives_up_leaves_nothing_behind() {
        let admission = admission(1, 8);
        let place = admission.enter(&Client::Local).await.unwrap();
        for _ in 0..100 {
            let gone =
                tokio::time::timeout(Duration::from_micros(10), admission.enter(&Client::Local))
                    .await;
            assert!(gone.is_err());
        }
        drop(place);
        assert_eq!(admission.stats().waiting, 0);
        drop(admission.enter(&Client::Local).await.unwrap());
        admission.idle().await;
    }

    #[tokio::test]
    async fn closing_turns_newcomers_away_and_nobody_else() {
        let admission = admission(1, 8);
        let place = admission.enter(&Client::Local).await.unwrap();
        let (waiting, newcomer) = tokio::join!(admission.enter(&Client::Local), async {
            admission.close();
            let newcomer = admission.enter(&Client::Local).await;
            drop(place);
            newcomer
        });
        assert!(matches!(newcomer, Err(EngineError::Unavailable)));
        drop(waiting.unwrap());
        admission.idle().await;
    }

    #[tokio::test]
    async fn a_flood_of_one_client_neither_delays_nor_refuses_another() {
        let admission = admission(2, 4);
        let flood = Client::Key("flood".to_owned());
        let first = admission.enter(&flood).await.unwrap();
        let second = admission.enter(&flood).await.unwrap();
        let six = futures_util::future::join_all((0..6).map(|_| admission.enter(&flood)));
        let end = async { drop(first) };
        let (answers, honest, ()) = tokio::join!(six, admission.enter(&Client::Local), end);
        let honest = honest.unwrap();
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(
            refused, 6,
            "those who wait behind it lose patience, or the queue is full"
        );
        drop((second, honest, answers));
        assert_eq!(admission.stats().running, 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_place_that_is_granted_while_its_waiter_leaves_is_given_back() {
        let admission = Arc::new(admission(2, 64));
        let tasks = (0..200_u64).map(|number| {
            let admission = Arc::clone(&admission);
            tokio::spawn(async move {
                let client = Client::Key((number % 3).to_string());
                for turn in 0..20 {
                    let patience = Duration::from_micros(number * 7 % 90 + turn);
                    let entered = tokio::time::timeout(patience, admission.enter(&client)).await;
                    tokio::task::yield_now().await;
                    drop(entered);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        admission.idle().await;
        assert_eq!(
            (admission.stats().running, admission.stats().waiting),
            (0, 0)
        );
    }
}
