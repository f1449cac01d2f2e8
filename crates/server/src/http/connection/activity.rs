//! Whether anything happens on a connection.
//!
//! hyper bounds the time for a head of HTTP/1, and the handlers the time for a body. What is left
//! is a peer that connects and says nothing, that stops reading its answer, or that keeps an idle
//! HTTP/2 connection: no byte moves, and no request is being worked on.

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

/// What has happened on a connection.
#[derive(Debug, Default)]
pub(in crate::http) struct Activity {
    /// Bytes moved in either direction, modulo 2^64.
    moved: AtomicU64,
    /// Requests that a handler works on.
    running: AtomicUsize,
}

impl Activity {
    /// Counts a request until what is returned is dropped.
    pub(super) fn begin(activity: &Arc<Self>) -> Running {
        activity.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(activity))
    }

    /// Done once nothing has happened for one to two times `patience`.
    pub(super) async fn stalled(&self, patience: Duration) {
        loop {
            let before = self.moved.load(Ordering::Relaxed);
            sleep(patience).await;
            let idle = self.running.load(Ordering::Relaxed) == 0;
            if idle && self.moved.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }

    fn moved(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A request that a handler works on.
pub(super) struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
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
            self.activity.moved(bytes);
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
        self.activity.moved(buffer.filled().len() - before);
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
