//! The server's end of a cell channel.

use std::{io, os::fd::{AsFd, OwnedFd}};

use cellblock_wire::packet::MAX_PACKET;
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::unix::AsyncFd;

/// A cell channel. Descriptors that a script might try to send along are never taken: plain
/// recv(2) drops them.
#[derive(Debug)]
pub struct Channel {
    socket: AsyncFd<OwnedFd>,
    // Made when first needed and kept for the cell's life.
    buffer: Vec<u8>,
}

impl Channel {
    /// Takes a non-blocking socket.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self { socket: AsyncFd::new(socket)?, buffer: Vec::new() })
    }

    /// The next packet; `None` when the other end is closed everywhere. Cancel-safe.
    pub async fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.resize(MAX_PACKET, 0);
        let (length, closed) = loop {
            let mut readable = self.socket.readable().await?;
            let closed = readable.ready().is_read_closed();
            let buffer = &mut self.buffer[..];
            match readable.try_io(|socket| {
                // A longer packet is cut by the kernel and fails to decode.
                let (length, _) = rustix::net::recv(socket.as_fd(), &mut *buffer, RecvFlags::empty())?;
                Ok(length)
            }) {
                Ok(Ok(length)) => break (length, closed),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => break (0, true),
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        };
        // Nothing is read both at the end and where a script sent an empty packet.
        Ok((length > 0 || !closed).then(|| &self.buffer[..length]))
    }

    /// Sends one packet. `Ok(false)` when nobody is there to take it.
    pub async fn send(&self, packet: &[u8]) -> io::Result<bool> {
        loop {
            let mut writable = self.socket.writable().await?;
            match writable.try_io(|socket| {
                rustix::net::send(socket.as_fd(), packet, SendFlags::NOSIGNAL)
                    .map_err(io::Error::from)
            }) {
                Ok(Ok(_)) => return Ok(true),
                Ok(Err(error)) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => return Ok(false),
                    _ => return Err(error),
                },
                Err(_would_block) => {}
            }
        }
    }
}
