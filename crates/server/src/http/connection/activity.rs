//! Whether anything happens on a connection.
//!
//! hyper bounds the time for a head of HTTP/1, and the handlers the time for a body. What is left
//! is a peer that connects and says nothing, that stops reading its answer, or that keeps an HTTP/2
//! connection with no request on it, be it silent or dripping pings, resets or parts of a head: no
//! request is being worked on, none has begun or ended, and hardly more is taken from us than is
//! sent to us. Whoever reads an answer, however slowly, takes far more than that.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::sleep,
};

/// What is no answer to a request is at most thrice as long as what it answers: 26 bytes of resets and
/// windows for a frame of HTTP/2 with its head of 9. A reader of an answer sends 26 bytes of windows
/// for some thousands.
const ANSWER: u64 = 8;

/// What has happened on a connection.
#[derive(Debug, Default)]
pub(in crate::http) struct Activity {
    /// Bytes that came, modulo 2^64.
    read: AtomicU64,
    /// Bytes that went, modulo 2^64.
    written: AtomicU64,
    /// Beginnings and ends of requests, modulo 2^64.
    turns: AtomicU64,
    /// Requests that a handler works on.
    running: AtomicUsize,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy)]
struct Counts {
    read: u64,
    written: u64,
    turns: u64,
}

impl Counts {
    /// Whether anything of use has happened until `later`.
    fn progressed(self, later: Self) -> bool {
        let read = later.read.wrapping_sub(self.read);
        let written = later.written.wrapping_sub(self.written);
        later.turns != self.turns || written > read.saturating_mul(ANSWER)
    }
}

impl Activity {
    /// Counts a request until what is returned is dropped.
    pub(super) fn begin(activity: &Arc<Self>) -> Running {
        activity.turns.fetch_add(1, Ordering::Relaxed);
        activity.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(activity))
    }

    /// Done once nothing of use has happened for one to two times `patience`.
    pub(super) async fn stalled(&self, patience: Duration) {
        loop {
            let before = self.counts();
            sleep(patience).await;
            let idle = self.running.load(Ordering::Relaxed) == 0;
            if idle && !before.progressed(self.counts()) {
                return;
            }
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            read: self.read.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            turns: self.turns.load(Ordering::Relaxed),
        }
    }
}

/// A request that a handler works on.
pub(super) struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.turns.fetch_add(1, Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream whose bytes are counted.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn written(&self, result: io::Result<usize>) -> Poll<io::Result<usize>> {
        if let Ok(bytes) = result {
            self.activity
                .written
                .fetch_add(bytes as u64, Ordering::Relaxed);
        }
        Poll::Ready(result)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let bytes = buffer.filled().len() - before;
        self.activity
            .read
            .fetch_add(bytes as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts));
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn counts(read: u64, written: u64, turns: u64) -> Counts {
        Counts {
            read,
            written,
            turns,
        }
    }

    #[test]
    fn only_requests_and_answers_are_progress() {
        let before = counts(100, u64::MAX, 3);
        // Silence, a head that drips, pings, and frames that are answered by resets.
        for later in [
            (100, u64::MAX, 3),
            (140, u64::MAX, 3),
            (117, 16, 3),
            (109, 25, 3),
        ] {
            let later = counts(later.0, later.1, later.2);
            assert!(!before.progressed(later), "{later:?}");
        }
        // A request that has come and gone, and an answer that is read slowly.
        for later in [(200, u64::MAX, 4), (126, 1400, 3)] {
            let later = counts(later.0, later.1, later.2);
            assert!(before.progressed(later), "{later:?}");
        }
    }
}
