//! Packets on the cell channel: a 16-byte token, one byte of kind, a payload.
//!
//! The token is drawn by the server for each run and handed over with the job. The runner puts it
//! in front of everything it sends, so bytes that a script sprays over every open descriptor are
//! told from the answer and dropped. A script that reads the token out of its own memory can forge
//! its own result and nothing else.

use thiserror::Error;

use crate::job::CellLimits;

/// Largest packet in bytes, header included. A packet must fit a socket buffer of the kernel's
/// default size (`net.core.wmem_default`, 212 992 bytes) several times over.
pub const MAX_PACKET: usize = 65_536;
/// Bytes in front of each payload: the token and the kind.
pub const HEADER: usize = TOKEN_LEN + 1;
/// Largest payload in bytes.
pub const MAX_PAYLOAD: usize = MAX_PACKET - HEADER;
const TOKEN_LEN: usize = 16;

/// The secret that marks one run's packets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token(pub [u8; TOKEN_LEN]);

impl Token {
    /// What packets carry before the job has brought the real token: setup messages only.
    pub const NONE: Self = Self([0; TOKEN_LEN]);

    /// That of a packet, whosever it is.
    pub fn of(packet: &[u8]) -> Option<Self> {
        packet.first_chunk().copied().map(Self)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What a packet's payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Server to cell, the first packet: three `u64` little-endian, the length of the job document
    /// and the two [`CellLimits`], then the document's first bytes. The limits stand in the same
    /// packet so that a waiting cell is woken once; its native half looks at them before it
    /// takes the packet.
    JobHead = 0x01,
    /// Server to cell: further bytes of the job document.
    JobPart = 0x02,
    /// Cell to server: sealed and waiting; sent before any user code is known to the cell.
    Ready = 0x10,
    /// Cell to server: bytes of the result, JSON text.
    ResultPart = 0x11,
    /// Cell to server: bytes of a [`crate::report::CellError`], JSON text.
    ErrorPart = 0x12,
    /// Cell to server: a [`crate::report::FileHead`], JSON text.
    FileHead = 0x13,
    /// Cell to server: bytes of the file last headed.
    FilePart = 0x14,
    /// Cell to server: the job is in place and the script is about to start. From here on nothing
    /// that the cell says of itself is believed.
    Started = 0x15,
    /// Cell to server: the result in one piece, and with it the answer is complete.
    Result = 0x16,
    /// Cell to server: a step of sealing failed; [`crate::report::SetupFailure`] as JSON.
    SetupFailed = 0x1e,
    /// Cell to server: the answer is complete.
    Done = 0x1f,
}

impl Kind {
    /// The kind that a byte names, if any.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::JobHead,
            0x02 => Self::JobPart,
            0x10 => Self::Ready,
            0x11 => Self::ResultPart,
            0x12 => Self::ErrorPart,
            0x13 => Self::FileHead,
            0x14 => Self::FilePart,
            0x15 => Self::Started,
            0x16 => Self::Result,
            0x1e => Self::SetupFailed,
            0x1f => Self::Done,
            _ => return None,
        })
    }
}

/// Why a packet was not taken. None of these is a reason to stop: the packet is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PacketError {
    /// Shorter than a header.
    #[error("packet of {0} bytes is shorter than its header")]
    Short(usize),
    /// The token is not this run's.
    #[error("packet without this run's token")]
    Token,
    /// The kind byte names nothing.
    #[error("packet of unknown kind {0:#04x}")]
    Kind(u8),
}

/// Takes one received packet apart.
pub fn decode(packet: &[u8], token: Token) -> Result<(Kind, &[u8]), PacketError> {
    let (head, payload) = packet
        .split_at_checked(HEADER)
        .ok_or(PacketError::Short(packet.len()))?;
    let (sent, kind) = head.split_at(TOKEN_LEN);
    if sent != token.0 {
        return Err(PacketError::Token);
    }
    let kind = Kind::from_byte(kind[0]).ok_or(PacketError::Kind(kind[0]))?;
    Ok((kind, payload))
}

/// Puts one packet together. `payload` is at most [`MAX_PAYLOAD`] bytes; what is beyond is cut,
/// so that a caller's mistake cannot make the kernel refuse the packet.
pub fn encode(token: Token, kind: Kind, payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(MAX_PAYLOAD)];
    let mut packet = Vec::with_capacity(HEADER + payload.len());
    packet.extend_from_slice(&token.0);
    packet.push(kind as u8);
    packet.extend_from_slice(payload);
    packet
}

/// Bytes of a [`Kind::JobHead`]'s payload in front of the document.
const JOB_HEAD: usize = 3 * size_of::<u64>();
/// Bytes that a cell has to see of its first packet to know its limits.
pub const LIMITS_END: usize = HEADER + JOB_HEAD;

/// Takes the payload of a [`Kind::JobHead`] apart: the length of the document, and its first bytes.
pub fn job_start(payload: &[u8]) -> Option<(usize, &[u8])> {
    let (head, start) = payload.split_at_checked(JOB_HEAD)?;
    let length = u64::from_le_bytes(head.first_chunk().copied()?);
    Some((usize::try_from(length).ok()?, start))
}

/// The limits in a cell's first packet, of which `start` is the first [`LIMITS_END`] bytes or more.
pub fn limits(start: &[u8]) -> Option<CellLimits> {
    let (kind, head) = start.get(TOKEN_LEN..LIMITS_END)?.split_first()?;
    let word = |index: usize| {
        let bytes = head.get(index * 8..index * 8 + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    (*kind == Kind::JobHead as u8).then_some(())?;
    Some(CellLimits {
        memory_bytes: word(1)?,
        cpu_seconds: word(2)?,
    })
}

/// The packets that carry `document` to a cell, in order.
pub fn job_packets(
    token: Token,
    limits: CellLimits,
    document: &[u8],
) -> impl Iterator<Item = Vec<u8>> + '_ {
    const FIRST: usize = MAX_PAYLOAD - JOB_HEAD;
    let (first, rest) = document.split_at(document.len().min(FIRST));
    let mut head = Vec::with_capacity(JOB_HEAD + first.len());
    for word in [
        document.len() as u64,
        limits.memory_bytes,
        limits.cpu_seconds,
    ] {
        head.extend_from_slice(&word.to_le_bytes());
    }
    head.extend_from_slice(first);
    std::iter::once(encode(token, Kind::JobHead, &head)).chain(
        rest.chunks(MAX_PAYLOAD)
            .map(move |part| encode(token, Kind::JobPart, part)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: CellLimits = CellLimits {
        memory_bytes: 5,
        cpu_seconds: 7,
    };

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), token in any::<[u8; 16]>()) {
            let _ = decode(&bytes, Token(token));
            let _ = limits(&bytes);
        }

        #[test]
        fn what_was_encoded_is_decoded(payload in proptest::collection::vec(any::<u8>(), 0..4000), token in any::<[u8; 16]>()) {
            let packet = encode(Token(token), Kind::FilePart, &payload);
            prop_assert_eq!(decode(&packet, Token(token)), Ok((Kind::FilePart, &payload[..])));
        }

        #[test]
        fn another_token_is_refused(payload in proptest::collection::vec(any::<u8>(), 0..40), token in any::<[u8; 16]>(), bit in 0usize..128) {
            let mut other = token;
            other[bit / 8] ^= 1 << (bit % 8);
            let packet = encode(Token(token), Kind::Done, &payload);
            prop_assert_eq!(decode(&packet, Token(other)), Err(PacketError::Token));
        }

        #[test]
        fn a_job_of_any_size_arrives_whole(len in 0usize..200_000) {
            let document: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut joined = Vec::new();
            for (index, packet) in job_packets(Token::NONE, LIMITS, &document).enumerate() {
                prop_assert!(packet.len() <= MAX_PACKET);
                let (kind, payload) = decode(&packet, Token::NONE).unwrap();
                if index == 0 {
                    prop_assert_eq!(kind, Kind::JobHead);
                    prop_assert_eq!(u64::from_le_bytes(payload[..8].try_into().unwrap()), len as u64);
                    prop_assert_eq!(limits(&packet), Some(LIMITS));
                    joined.extend_from_slice(&payload[JOB_HEAD..]);
                } else {
                    prop_assert_eq!(kind, Kind::JobPart);
                    joined.extend_from_slice(payload);
                }
            }
            prop_assert_eq!(joined, document);
        }
    }

    #[test]
    fn every_kind_survives_its_byte() {
        for byte in 0..=u8::MAX {
            if let Some(kind) = Kind::from_byte(byte) {
                assert_eq!(kind as u8, byte);
            }
        }
    }
}
