//! What a cell writes to descriptors 1 and 2: kept up to a limit, drained beyond it, so that a
//! script is never blocked or killed for talking too much.

use std::io;

use tokio::net::unix::pipe;

/// Bytes read at a time: a pipe's default capacity, pipe(7).
const CHUNK: usize = 65_536;

/// One captured stream.
#[derive(Debug)]
pub struct Capture {
    bytes: Vec<u8>,
    limit: usize,
    truncated: bool,
    closed: bool,
}

impl Capture {
    /// Keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            truncated: false,
            closed: false,
        }
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
        self.take(1, |buffer| pipe.try_read(buffer));
    }

    /// Takes what is in the pipe now without waiting, at most `rounds` times a pipe's capacity,
    /// so that a writer who never stops cannot hold the reader. Asks the kernel, not tokio, which
    /// may not have heard yet of what was written last.
    pub fn drain(&mut self, pipe: &pipe::Receiver, rounds: usize) {
        self.take(rounds, |buffer| Ok(rustix::io::read(pipe, buffer)?));
    }

    fn take(&mut self, rounds: usize, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) {
        for _ in 0..rounds {
            let room = self.limit - self.bytes.len();
            let taken = if room > 0 {
                self.bytes.reserve(room.min(CHUNK));
                let mut limited = LimitedBuf {
                    bytes: &mut self.bytes,
                    room: room.min(CHUNK),
                };
                limited.read_from(&mut read)
            } else {
                let mut scratch = [0; 8192];
                let read = read(&mut scratch);
                self.truncated |= matches!(read, Ok(1..));
                read
            };
            match taken {
                Ok(0) => {
                    self.closed = true;
                    return;
                }
                Ok(_) => {}
                Err(error) => {
                    self.closed |= error.kind() != io::ErrorKind::WouldBlock;
                    return;
                }
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
        let text = String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        (text, self.truncated)
    }
}

/// Appends to a vector without going over a number of bytes.
struct LimitedBuf<'a> {
    bytes: &'a mut Vec<u8>,
    room: usize,
}

impl LimitedBuf<'_> {
    fn read_from(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let before = self.bytes.len();
        self.bytes.resize(before + self.room, 0);
        let read = read(&mut self.bytes[before..]);
        self.bytes.truncate(before + *read.as_ref().unwrap_or(&0));
        read
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
    async fn what_was_written_a_moment_ago_is_drained() {
        let (writer, reader) = pipe::pipe().unwrap();
        // Past tokio, as a cell writes: nothing has told the reader yet.
        rustix::io::write(&writer, b"last words").unwrap();
        let mut capture = Capture::new(100);
        capture.drain(&reader, 64);
        assert_eq!(capture.finish(), ("last words".to_owned(), false));
    }

    #[test]
    fn a_cut_character_is_dropped_only_where_it_was_cut() {
        let capture = |bytes: &[u8], truncated| {
            Capture {
                bytes: bytes.to_vec(),
                limit: 100,
                truncated,
                closed: true,
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
}
