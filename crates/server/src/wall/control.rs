//! The server's end of a wall's control channel.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use cellblock_wire::control::{Event, MAX_CONTROL, Request};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use thiserror::Error;
use tokio::io::unix::AsyncFd;

/// Most descriptors beside one request.
const MAX_SENT: usize = 16;

/// A control channel. One task sends, one receives.
#[derive(Debug)]
pub struct Control(AsyncFd<OwnedFd>);

/// Why a wall can no longer be talked to: it is replaced.
#[derive(Debug, Error)]
pub enum ControlError {
    /// The other end is gone.
    #[error("the control channel is closed")]
    Closed,
    /// The socket failed.
    #[error("control channel: {0}")]
    Socket(#[from] io::Error),
    /// What came is not an event.
    #[error("control channel: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl Control {
    /// Takes a non-blocking socket.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        AsyncFd::new(socket).map(Self)
    }

    /// Sends one request with descriptors beside it.
    pub async fn send(
        &self,
        request: &Request,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), ControlError> {
        let bytes = serde_json::to_vec(request)?;
        loop {
            let mut writable = self.0.writable().await?;
            let sent = writable.try_io(|socket| {
                let mut space =
                    [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_SENT))];
                let mut ancillary = SendAncillaryBuffer::new(&mut space);
                if !descriptors.is_empty()
                    && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors))
                {
                    return Err(io::Error::from(io::ErrorKind::InvalidInput));
                }
                let parts = [IoSlice::new(&bytes)];
                let flags = SendFlags::NOSIGNAL;
                rustix::net::sendmsg(socket.as_fd(), &parts, &mut ancillary, flags)
                    .map_err(io::Error::from)
            });
            match sent {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error.into()),
                Err(_would_block) => {}
            }
        }
    }

    /// The next event, with the descriptor beside it.
    pub async fn receive(&self) -> Result<(Event, Option<OwnedFd>), ControlError> {
        let mut bytes = vec![0; MAX_CONTROL];
        loop {
            let mut readable = self.0.readable().await?;
            let received = readable.try_io(|socket| {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut ancillary = RecvAncillaryBuffer::new(&mut space);
                let mut parts = [IoSliceMut::new(&mut bytes)];
                let flags = RecvFlags::CMSG_CLOEXEC;
                let message =
                    rustix::net::recvmsg(socket.as_fd(), &mut parts, &mut ancillary, flags)?;
                let descriptor = ancillary.drain().find_map(|message| match message {
                    RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
                    _ => None,
                });
                Ok((message.bytes, descriptor))
            });
            match received {
                Ok(Ok((0, _))) => return Err(ControlError::Closed),
                Ok(Ok((length, descriptor))) => {
                    return Ok((serde_json::from_slice(&bytes[..length])?, descriptor));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Err(error.into()),
                Err(_would_block) => {}
            }
        }
    }
}
