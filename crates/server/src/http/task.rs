//! Work that is done beside an answer and not beyond it.

use tokio::task::JoinHandle;

use crate::telemetry::inherit;

/// A task that ends when this is dropped, because the client has left.
///
/// What an answer is streamed from runs as a task of its own, since a body is asked for more only
/// as fast as its client reads, and a slow client must not slow a run down.
pub(super) struct Task(JoinHandle<()>);

impl Task {
    pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(inherit(work)))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
