//! The server's end of a cell channel.

use std::{io, os::fd::OwnedFd};

use cellblock_wire::packet::MAX_PACKET;
use rustix::{
    event::PollFlags,
    net::{RecvFlags, SendFlags},
};
use tokio::{io::Interest, net::UnixStream};

/// A cell channel. Descriptors that a script might try to send along are never taken: plain
/// recv(2) drops them.
#[derive(Debug)]
pub struct Channel {
    // A `SOCK_SEQPACKET` socket: tokio only watches it, packets go by recv(2) and send(2).
    socket: UnixStream,
    // Made when first needed and kept for the cell's life.
    buffer: Vec<u8>,
}

impl Channel {
    /// Takes a non-blocking socket.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            socket: UnixStream::from_std(socket.into())?,
            buffer: Vec::new(),
        })
    }

    /// The next packet; `None` when the other end is closed everywhere. Cancel-safe.
    pub async fn receive(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.resize(MAX_PACKET, 0);
        loop {
            self.socket.readable().await?;
            let received = self.socket.try_io(Interest::READABLE, || {
                // A longer packet is cut by the kernel and fails to decode.
                let flags = RecvFlags::empty();
                Ok(rustix::net::recv(&self.socket, &mut self.buffer[..], flags)?.0)
            });
            match received {
                // Nothing is read both at the end and where a script sent an empty packet.
                Ok(0) if self.is_closed() => return Ok(None),
                Ok(length) => return Ok(Some(&self.buffer[..length])),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                    io::ErrorKind::ConnectionReset => return Ok(None),
                    _ => return Err(error),
                },
            }
        }
    }

    /// Whether the other end is closed everywhere. Asked of the kernel: what tokio knows of it may
    /// be older than the end that was just read.
    fn is_closed(&self) -> bool {
        let gone = PollFlags::RDHUP | PollFlags::HUP;
        super::shows(&self.socket, PollFlags::RDHUP).intersects(gone)
    }

    /// Sends one packet. `Ok(false)` when nobody is there to take it.
    pub async fn send(&self, packet: &[u8]) -> io::Result<bool> {
        loop {
            self.socket.writable().await?;
            let sent = self.socket.try_io(Interest::WRITABLE, || {
                Ok(rustix::net::send(
                    &self.socket,
                    packet,
                    SendFlags::NOSIGNAL,
                )?)
            });
            match sent {
                Ok(_) => return Ok(true),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => return Ok(false),
                    _ => return Err(error),
                },
            }
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
