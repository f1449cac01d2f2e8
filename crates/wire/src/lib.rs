//! What the server, the zygote and a cell say to each other.
//!
//! Two conversations, both over `AF_UNIX` sockets of type `SOCK_SEQPACKET`, so that the kernel
//! keeps message borders and nobody has to resynchronise a stream that somebody hostile wrote to:
//!
//! - the **control channel** ([`control`]) between the server and a zygote, which is trusted code
//!   but is parsed as if it were not;
//! - the **cell channel** ([`packet`], [`job`], [`report`]) between the server and one cell. All
//!   that comes from a cell is hostile: every length is checked against a budget before anything
//!   is kept, and every packet without the run's token is dropped.
//!
//! Beside them, [`preparation`] names what a zygote does to be cheap to fork, [`status`] is the fixed-size report of a cell's init, and [`json`] checks that a
//! text from a cell is standard JSON before it goes into an answer.
#![forbid(unsafe_code)]

pub mod control;
pub mod job;
pub mod json;
pub mod packet;
pub mod preparation;
pub mod report;
pub mod status;
