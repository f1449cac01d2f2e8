//! What a run prints, told while it runs. The outcome has all of it again, so that telling may
//! skip: a run never waits for whoever listens, and what is not listened to takes bounded memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::mpsc;

use super::Stream;

/// Events that may wait to be taken. Each holds at most one read of a pipe.
const CAPACITY: usize = 64;

/// What happens while an execution runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveEvent {
    /// It has a cell and gets its job. Where that happens twice, the first cell was lost and what
    /// it printed is void.
    Started,
    /// Something was printed. Whole characters; invalid bytes are replaced.
    Printed(Stream, String),
    /// So many bytes were printed and not told, because nobody took what came before.
    Skipped(Stream, u64),
}

/// The telling end. Clones tell the same listener.
#[derive(Debug, Clone)]
pub struct Live {
    events: mpsc::Sender<LiveEvent>,
    skipped: Arc<[AtomicU64; 2]>,
}

/// Makes the two ends.
pub fn live() -> (Live, mpsc::Receiver<LiveEvent>) {
    let (events, listener) = mpsc::channel(CAPACITY);
    let skipped = Arc::default();
    (Live { events, skipped }, listener)
}

impl Live {
    /// Tells that a cell gets the job.
    pub fn started(&self) {
        // Without room there is a listener who has yet to take the first event.
        let _ = self.events.try_send(LiveEvent::Started);
    }

    /// Tells what was printed, or counts it as skipped.
    pub fn printed(&self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let skipped = &self.skipped[stream as usize];
        let before = skipped.load(Relaxed);
        let caught_up = before == 0 || self.try_tell(LiveEvent::Skipped(stream, before));
        if caught_up {
            skipped.store(0, Relaxed);
        }
        let text = || String::from_utf8_lossy(bytes).into_owned();
        if !caught_up || !self.try_tell(LiveEvent::Printed(stream, text())) {
            skipped.fetch_add(bytes.len() as u64, Relaxed);
        }
    }

    /// Tells what was skipped last, for which there may have been no room until now.
    pub async fn settle(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let bytes = self.skipped[stream as usize].swap(0, Relaxed);
            if bytes > 0 {
                // Nobody listens: nobody misses it.
                let _ = self.events.send(LiveEvent::Skipped(stream, bytes)).await;
            }
        }
    }

    fn try_tell(&self, event: LiveEvent) -> bool {
        self.events.try_send(event).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_taken_is_skipped_and_said_to_be() {
        let (live, mut listener) = live();
        for _ in 0..CAPACITY {
            live.printed(Stream::Stdout, b"x");
        }
        live.printed(Stream::Stdout, b"lost");
        live.printed(Stream::Stderr, b"lost too");
        for _ in 0..3 {
            assert_eq!(
                listener.recv().await,
                Some(LiveEvent::Printed(Stream::Stdout, "x".to_owned()))
            );
        }
        live.printed(Stream::Stdout, b"back");
        let told = tokio::spawn(async move { live.settle().await });
        let mut rest = Vec::new();
        while let Some(event) = listener.recv().await {
            rest.push(event);
        }
        told.await.unwrap();
        assert_eq!(
            rest[CAPACITY - 3..],
            [
                LiveEvent::Skipped(Stream::Stdout, 4),
                LiveEvent::Printed(Stream::Stdout, "back".to_owned()),
                LiveEvent::Skipped(Stream::Stderr, 8),
            ]
        );
    }
}
