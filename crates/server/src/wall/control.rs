//! The server's end of a wall's control channel.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{BorrowedFd, OwnedFd},
};

use cellblock_wire::control::{Event, MAX_CONTROL, Request};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use thiserror::Error;

use crate::packets::PacketSocket;

/// Most descriptors beside one request.
const MAX_SENT: usize = 16;

/// A control channel. One task sends, one receives.
#[derive(Debug)]
pub struct Control(PacketSocket);

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
        PacketSocket::new(socket).map(Self)
    }

    /// Sends one request with descriptors beside it.
    pub async fn send(
        &self,
        request: &Request,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), ControlError> {
        let bytes = serde_json::to_vec(request)?;
        let sent = self.0.send(|socket| send(socket, &bytes, descriptors));
        Ok(sent.await?)
    }

    /// The next event, with the descriptor beside it. Cancel-safe. `room` is for the bytes, and is
    /// worth keeping: it is made once.
    pub async fn receive(
        &self,
        room: &mut Vec<u8>,
    ) -> Result<(Event, Option<OwnedFd>), ControlError> {
        room.resize(MAX_CONTROL, 0);
        match self.0.receive(|socket| receive(socket, room)).await? {
            (0, _) => Err(ControlError::Closed),
            (length, descriptor) => Ok((serde_json::from_slice(&room[..length])?, descriptor)),
        }
    }
}

fn send(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_SENT))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let parts = [IoSlice::new(bytes)];
    rustix::net::sendmsg(socket, &parts, &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(bytes)];
    let message =
        rustix::net::recvmsg(socket, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok((message.bytes, descriptor))
}
