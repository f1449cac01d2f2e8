//! The channel to the server: one job comes, and one answer goes.

use std::{io::IoSlice, thread, time::Duration};

use cellblock_wire::packet::{self, Kind, MAX_PACKET, MAX_PAYLOAD, Token};
use rustix::io::{self, Errno};

use crate::sys::descriptor;

/// A channel on which the job has come.
#[derive(Clone, Copy)]
pub(super) struct Channel {
    number: i32,
    token: Token,
}

impl Channel {
    /// That of this number, of a run with this token.
    pub(super) fn new(number: i32, token: &[u8]) -> Option<Self> {
        let token = Token(token.try_into().ok()?);
        (number >= 0).then_some(Self { number, token })
    }

    /// Waits for a job and takes the whole of its document; `length` is that of its first packet,
    /// if it is known. Nothing if the server has gone, or speaks out of turn.
    pub(super) fn receive(number: i32, length: Option<usize>) -> Option<(Token, Vec<u8>)> {
        let mut packet = vec![0; length.unwrap_or(MAX_PACKET)];
        let (token, total, mut document) = unpack(read(number, &mut packet)?)?;
        while document.len() < total {
            packet.resize(MAX_PACKET, 0);
            match packet::decode(read(number, &mut packet)?, token).ok()? {
                (Kind::JobPart, part @ [_, ..]) => document.extend_from_slice(part),
                _ => return None,
            }
        }
        (document.len() == total).then_some((token, document))
    }

    /// Tells the server that the script is about to start. From here on it believes no failure of the
    /// runner.
    pub(super) fn started(self) {
        self.send(Kind::Started, &[]);
    }

    /// Sends the result as the whole answer, and waits until the server has hung up, or has this
    /// process killed. Nothing if there is nobody to send it to.
    pub(super) fn answer(self, result: &[u8]) -> Option<()> {
        if result.len() <= MAX_PAYLOAD {
            self.send(Kind::Result, result)?;
        } else {
            for part in result.chunks(MAX_PAYLOAD) {
                self.send(Kind::ResultPart, part)?;
            }
            self.send(Kind::Done, &[])?;
        }
        let mut rest = [0; 64];
        let channel = descriptor::borrow(self.number);
        while let Ok(1..) | Err(Errno::INTR | Errno::AGAIN) = io::read(channel, &mut rest) {}
        Some(())
    }

    /// Nothing if there is nobody to send to. Signals do not matter: their handlers are Python's,
    /// and wait for Python code to run.
    fn send(self, kind: Kind, payload: &[u8]) -> Option<()> {
        let channel = descriptor::borrow(self.number);
        let kind = [kind as u8];
        let packet = [&self.token.0, &kind[..], payload].map(IoSlice::new);
        loop {
            match io::writev(channel, &packet) {
                Ok(_) => return Some(()),
                Err(Errno::INTR) => {}
                // The script may have cleared it.
                Err(Errno::AGAIN) if io::ioctl_fionbio(channel, false).is_ok() => {}
                Err(Errno::NOBUFS | Errno::NOMEM) => thread::sleep(Duration::from_micros(500)),
                Err(_) => return None,
            }
        }
    }
}

/// What a job's first packet has: the token, the length of the whole document, and its beginning.
pub(super) fn unpack(first: &[u8]) -> Option<(Token, usize, Vec<u8>)> {
    let token = Token::of(first)?;
    let (Kind::JobHead, payload) = packet::decode(first, token).ok()? else {
        return None;
    };
    let (total, start) = packet::job_start(payload)?;
    Some((token, total, start.to_vec()))
}

fn read(number: i32, buffer: &mut [u8]) -> Option<&[u8]> {
    loop {
        match io::read(descriptor::borrow(number), &mut *buffer) {
            Ok(0) => return None,
            Ok(length) => return buffer.get(..length),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}
