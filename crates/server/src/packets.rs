//! Sockets of packets (`SOCK_SEQPACKET`), waited for by tokio and used by system calls of their own.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use tokio::net::unix::pipe;

/// How long to wait for room where it cannot be watched for.
const AWHILE: Duration = Duration::from_millis(1);

/// A socket that is watched for what comes, and for room only while there is none: a socket that is
/// watched for room too wakes its owner each time that the other end takes a packet.
#[derive(Debug)]
pub(crate) struct PacketSocket(
    // tokio's sockets are watched for both; its pipes for one, and they need not be pipes.
    pipe::Receiver,
);

impl PacketSocket {
    /// Takes a non-blocking socket.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Self> {
        pipe::Receiver::from_owned_fd_unchecked(socket).map(Self)
    }

    /// Calls `receive` until it has something. Cancel-safe.
    pub(crate) async fn receive<T>(
        &self,
        mut receive: impl FnMut(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            self.0.readable().await?;
            match self.0.try_io(|| receive(self.0.as_fd())) {
                Err(error) if is_to_be_tried_again(&error) => {}
                result => return result,
            }
        }
    }

    /// Calls `send` until there is room. Cancel-safe.
    pub(crate) async fn send(
        &self,
        mut send: impl FnMut(BorrowedFd<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            match send(self.as_fd()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Without a descriptor for that, look again in a while.
                    if self.room().await.is_err() {
                        tokio::time::sleep(AWHILE).await;
                    }
                }
                Err(error) if is_to_be_tried_again(&error) => {}
                result => return result,
            }
        }
    }

    /// Waits until there may be room. By another descriptor, since a descriptor is watched once.
    async fn room(&self) -> io::Result<()> {
        let twin = self.as_fd().try_clone_to_owned()?;
        pipe::Sender::from_owned_fd_unchecked(twin)?
            .writable()
            .await
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn is_to_be_tried_again(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
