//! The wall's end of the control channel: descriptor 0.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use cellblock_wire::control::{Event, MAX_CONTROL, Request};
use rustix::{
    io::Errno,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags,
    },
};
use thiserror::Error;

/// Most descriptors beside one request: four for the cell, the rest for cgroups.
const MAX_DESCRIPTORS: usize = 16;

/// Why the wall cannot go on. Ours or the machine's fault; the server starts another wall.
#[derive(Debug, Error)]
pub(crate) enum ControlError {
    /// The socket failed.
    #[error("control channel: {0}")]
    Socket(#[from] Errno),
    /// The server sent something else than a request.
    #[error("control channel: {0}")]
    Malformed(#[from] serde_json::Error),
}

fn socket() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

/// Waits for a request; its length, or 0 when the server has gone.
fn next_length() -> Result<usize, Errno> {
    let flags = RecvFlags::PEEK | RecvFlags::TRUNC;
    loop {
        match rustix::net::recv(socket(), &mut [0; 0][..], flags) {
            Ok((_, length)) => return Ok(length),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The next request and the descriptors beside it; `None` when the server has gone.
pub(crate) fn receive() -> Result<Option<(Request, Vec<OwnedFd>)>, ControlError> {
    // Room for what has come and no more: every page that a zygote writes between two forks is one
    // that the kernel copies, since it shares them all with its cells.
    let mut bytes = vec![0; next_length()?.min(MAX_CONTROL)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let length = loop {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        match rustix::net::recvmsg(
            socket(),
            &mut parts,
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Ok(message) => break message.bytes,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if length == 0 {
        return Ok(None);
    }
    let descriptors = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    Ok(Some((
        serde_json::from_slice(&bytes[..length])?,
        descriptors,
    )))
}

/// Tells the server, with a descriptor beside it where there is one.
pub(crate) fn send(event: &Event, descriptor: Option<&OwnedFd>) -> Result<(), ControlError> {
    let bytes = serde_json::to_vec(event)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(AsFd::as_fd);
    if let Some(descriptor) = &descriptors {
        ancillary.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(
            descriptor,
        )));
    }
    loop {
        let parts = [IoSlice::new(&bytes)];
        match rustix::net::sendmsg(socket(), &parts, &mut ancillary, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
