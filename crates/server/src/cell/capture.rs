//! What a cell writes to descriptors 1 and 2: kept up to a limit, drained beyond it, so that a
//! script is never stopped or killed for talking too much, only slowed: see `pace`.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::buffer::spare_capacity;
use tokio::net::unix::pipe;

use crate::execution::{Live, Stream};

/// Bytes read at a time: a pipe's default capacity, pipe(7).
const CHUNK: usize = 65_536;

/// One captured stream.
#[derive(Debug)]
pub struct Capture {
    bytes: Vec<u8>,
    limit: usize,
    truncated: bool,
    closed: bool,
    tap: Option<Tap>,
}

/// Who is told of a stream's bytes as they come, and of how many that was done.
#[derive(Debug)]
struct Tap {
    live: Live,
    stream: Stream,
    told: usize,
}

impl Capture {
    /// Keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            truncated: false,
            closed: false,
            tap: None,
        }
    }

    /// Tells what it keeps to `live` as well, as soon as it comes.
    #[must_use]
    pub fn told_to(mut self, live: Option<&Live>, stream: Stream) -> Self {
        self.tap = live.cloned().map(|live| Tap {
            live,
            stream,
            told: 0,
        });
        self
    }

    /// Reads what has come, waiting for the first of it. Pending for good once the stream is
    /// closed. Cancel-safe.
    pub async fn read(&mut self, pipe: &mut pipe::Receiver) {
        if self.closed {
            return std::future::pending().await;
        }
        if pipe.readable().await.is_err() {
            self.closed = true;
            return;
        }
        let read = pipe.try_io(|| self.take(pipe.as_fd()));
        self.goes_on(read);
        self.tell(false);
    }

    /// Takes what is in the pipe now without waiting, at most `rounds` times a pipe's capacity,
    /// so that a writer who never stops cannot hold the reader.
    ///
    /// It asks the kernel itself: the runtime may not have heard yet that there is something, and
    /// then says that there is nothing.
    pub fn drain(&mut self, pipe: &pipe::Receiver, rounds: usize) {
        for _ in 0..rounds {
            if self.closed {
                break;
            }
            let read = self.take(pipe.as_fd());
            if !self.goes_on(read) {
                break;
            }
        }
        self.tell(false);
    }

    fn tell(&mut self, to_the_end: bool) {
        if let Some(tap) = &mut self.tap {
            tap.tell(&self.bytes, to_the_end);
        }
    }

    /// Reads once, and keeps what there is room for. The memory is not zeroed first: most scripts
    /// print little, and an answer would wait for that.
    fn take(&mut self, pipe: BorrowedFd<'_>) -> io::Result<usize> {
        let room = (self.limit - self.bytes.len()).min(CHUNK);
        if room == 0 {
            let mut nowhere = [MaybeUninit::uninit(); 8192];
            let (read, _) = rustix::io::read(pipe, &mut nowhere)?;
            self.truncated |= !read.is_empty();
            return Ok(read.len());
        }
        self.bytes.reserve(room);
        let length = rustix::io::read(pipe, spare_capacity(&mut self.bytes))?;
        // There may have been more space than was asked for.
        if self.bytes.len() > self.limit {
            self.bytes.truncate(self.limit);
            self.truncated = true;
        }
        Ok(length)
    }

    /// Whether there was something, by what reading came to.
    fn goes_on(&mut self, read: io::Result<usize>) -> bool {
        match read {
            Ok(0) => {
                self.closed = true;
                false
            }
            Ok(_) => true,
            Err(error) => {
                let passing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
                self.closed |= !passing.contains(&error.kind());
                false
            }
        }
    }

    /// Reads until every writer is gone.
    pub async fn read_to_end(&mut self, pipe: &mut pipe::Receiver) {
        while !self.closed {
            self.read(pipe).await;
        }
    }

    /// The text, and whether more was written than it holds. Invalid UTF-8 is replaced; a
    /// character that the limit cut in two is dropped.
    pub fn finish(mut self) -> (String, bool) {
        if self.truncated {
            let cut = incomplete_tail(&self.bytes);
            self.bytes.truncate(self.bytes.len() - cut);
        }
        self.tell(true);
        let text = String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        (text, self.truncated)
    }
}

impl Tap {
    /// Tells what is new: up to the last whole character, or to the end.
    fn tell(&mut self, bytes: &[u8], to_the_end: bool) {
        let new = bytes.get(self.told..).unwrap_or_default();
        let held = if to_the_end { 0 } else { incomplete_tail(new) };
        let new = &new[..new.len() - held];
        self.told += new.len();
        self.live.printed(self.stream, new);
    }
}

/// How many bytes at the end begin a character that is not complete.
fn incomplete_tail(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        let length = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            0x80..=0xbf => continue,
            _ => 1,
        };
        return if length > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_runtime_has_not_heard_of_is_drained() {
        let (write, read) = rustix_pipe();
        let mut capture = Capture::new(100);
        let pipe = pipe::Receiver::from_owned_fd(read).unwrap();
        rustix::io::write(&write, b"last words").unwrap();
        capture.drain(&pipe, 2);
        assert_eq!(capture.finish(), ("last words".to_owned(), false));
    }

    fn rustix_pipe() -> (std::os::fd::OwnedFd, std::os::fd::OwnedFd) {
        let flags = rustix::pipe::PipeFlags::NONBLOCK;
        let (read, write) = rustix::pipe::pipe_with(flags).unwrap();
        (write, read)
    }

    #[test]
    fn a_cut_character_is_dropped_only_where_it_was_cut() {
        let capture = |bytes: &[u8], truncated| {
            Capture {
                bytes: bytes.to_vec(),
                limit: 100,
                truncated,
                closed: true,
                tap: None,
            }
            .finish()
            .0
        };
        let euro = "a€".as_bytes();
        assert_eq!(capture(euro, true), "a€");
        assert_eq!(capture(&euro[..3], true), "a");
        assert_eq!(capture(&euro[..2], true), "a");
        assert_eq!(capture(&euro[..3], false), "a\u{fffd}");
        assert_eq!(capture(b"\xff\xfeok", false), "\u{fffd}\u{fffd}ok");
        assert_eq!(capture(b"", true), "");
    }

    #[tokio::test]
    async fn what_is_told_is_what_is_kept() {
        let (live, mut listener) = crate::execution::live();
        let mut tap = Tap {
            live,
            stream: Stream::Stdout,
            told: 0,
        };
        let bytes = b"a\xe2\x82\xac\xe2\x82\xff\xe2";
        for end in 0..bytes.len() {
            tap.tell(&bytes[..end], false);
        }
        tap.tell(bytes, true);
        drop(tap);
        let mut told = String::new();
        while let Some(event) = listener.recv().await {
            if let crate::execution::LiveEvent::Printed(_, text) = event {
                assert!(text != "\u{fffd}" || told.len() > 3, "a split character");
                told.push_str(&text);
            }
        }
        assert_eq!(told, String::from_utf8_lossy(bytes));
    }
}
