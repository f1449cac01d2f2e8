//! Who may run, who waits, who is turned away. First come, first served.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{EngineError, EngineStats, settings::AdmissionSettings};

/// The places and the queue before them.
#[derive(Debug)]
pub(super) struct Admission {
    settings: AdmissionSettings,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    closed: AtomicBool,
}

/// One execution's place, free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    pub(super) fn new(settings: AdmissionSettings) -> Self {
        let places = Arc::new(Semaphore::new(settings.running));
        Self {
            settings,
            places,
            waiting: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// Waits for a place, in order of arrival. Dropping the future gives the turn up.
    pub(super) async fn enter(&self) -> Result<Place, EngineError> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(EngineError::Unavailable);
        }
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(Place { _permit: permit });
        }
        let _turn = self.queue()?;
        let places = Arc::clone(&self.places);
        match tokio::time::timeout(self.settings.patience, places.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Place { _permit: permit }),
            Ok(Err(_closed)) => Err(EngineError::Unavailable),
            Err(_elapsed) => Err(EngineError::Overloaded),
        }
    }

    fn queue(&self) -> Result<Turn<'_>, EngineError> {
        let turn = Turn(&self.waiting);
        // Counted before it is judged, so that two cannot both take the last place in the queue.
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.settings.waiting {
            return Err(EngineError::Overloaded);
        }
        Ok(turn)
    }

    /// How full it is.
    pub(super) fn stats(&self) -> EngineStats {
        let places = self.settings.running;
        EngineStats {
            places,
            running: places.saturating_sub(self.places.available_permits()),
            waiting: self.waiting.load(Ordering::Relaxed),
            environments: Vec::new(),
        }
    }

    /// Turns newcomers away. Who waits keeps the turn.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Waits until every place is free.
    pub(super) async fn idle(&self) {
        while self.places.available_permits() < self.settings.running {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

struct Turn<'a>(&'a AtomicUsize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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
        let place = admission.enter().await.unwrap();
        let (second, third) = tokio::join!(admission.enter(), admission.enter());
        assert!(
            matches!(second, Err(EngineError::Overloaded)),
            "patience ends"
        );
        assert!(
            matches!(third, Err(EngineError::Overloaded)),
            "the queue is full"
        );
        drop(place);
        drop(admission.enter().await.unwrap());
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn whoever_gives_up_leaves_nothing_behind() {
        let admission = admission(1, 8);
        let place = admission.enter().await.unwrap();
        for _ in 0..100 {
            let gone = tokio::time::timeout(Duration::from_micros(10), admission.enter()).await;
            assert!(gone.is_err());
        }
        drop(place);
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
        drop(admission.enter().await.unwrap());
        admission.idle().await;
    }

    #[tokio::test]
    async fn closing_turns_newcomers_away_and_nobody_else() {
        let admission = admission(1, 8);
        let place = admission.enter().await.unwrap();
        let (waiting, newcomer) = tokio::join!(admission.enter(), async {
            admission.close();
            let newcomer = admission.enter().await;
            drop(place);
            newcomer
        });
        assert!(matches!(newcomer, Err(EngineError::Unavailable)));
        drop(waiting.unwrap());
        admission.idle().await;
    }
}
