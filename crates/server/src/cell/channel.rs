//! The server's end of a cell channel.

use std::{io, os::fd::OwnedFd};

use cellblock_wire::packet::MAX_PACKET;
use rustix::{
    buffer::spare_capacity,
    event::PollFlags,
    net::{RecvFlags, SendFlags},
};

use crate::packets::PacketSocket;

/// A cell channel. Descriptors that a script might try to send along are never taken: plain
/// recv(2) drops them.
#[derive(Debug)]
pub struct Channel {
    socket: PacketSocket,
    // Made when first needed and kept for the cell's life.
    buffer: Vec<u8>,
}

impl Channel {
    /// Takes a non-blocking socket.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            socket: PacketSocket::new(socket)?,
            buffer: Vec::new(),
        })
    }

    /// The next packet; `None` when the other end is closed everywhere. Cancel-safe.
    pub async fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        let buffer = &mut self.buffer;
        buffer.clear();
        buffer.reserve_exact(MAX_PACKET);
        // A longer packet is cut by the kernel.
        let received = self.socket.receive(|socket| {
            let (length, _) =
                rustix::net::recv(socket, spare_capacity(buffer), RecvFlags::empty())?;
            Ok(length)
        });
        match received.await {
            // Nothing is read both at the end and where a script sent an empty packet.
            Ok(0) if self.is_closed() => Ok(None),
            Ok(_) => Ok(Some(&self.buffer)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the other end is closed everywhere. Asked of the kernel: what tokio knows of it may
    /// be older than the end that was just read.
    fn is_closed(&self) -> bool {
        let gone = PollFlags::RDHUP | PollFlags::HUP;
        super::life::shows(&self.socket, PollFlags::RDHUP).intersects(gone)
    }

    /// Sends one packet. `Ok(false)` when nobody is there to take it.
    pub async fn send(&self, packet: &[u8]) -> io::Result<bool> {
        let sent = self
            .socket
            .send(|socket| Ok(rustix::net::send(socket, packet, SendFlags::NOSIGNAL).map(drop)?));
        match sent.await {
            Ok(()) => Ok(true),
            Err(error) => match error.kind() {
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ok(false),
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, send, socketpair};

    use super::*;

    #[tokio::test]
    async fn an_end_that_came_a_moment_ago_is_no_empty_packet() {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        let mut channel = Channel::new(ours).unwrap();
        send(&theirs, b"one", SendFlags::empty()).unwrap();
        assert_eq!(channel.receive().await.unwrap(), Some(&b"one"[..]));
        send(&theirs, b"", SendFlags::empty()).unwrap();
        assert_eq!(channel.receive().await.unwrap(), Some(&b""[..]));
        drop(theirs);
        assert_eq!(channel.receive().await.unwrap(), None);
    }
}
