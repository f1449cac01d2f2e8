//! One execution, from what a client asked for to what came of it, whatever engine runs it.
//!
//! A body is [parsed](parse()) into a [`Draft`], which is validated into an [`ExecutionRequest`],
//! which an engine turns into an [`Outcome`], which is shown as a [`Record`] or less.

mod client;
pub mod draft;
pub mod invalid;
pub mod live;
pub mod outcome;
mod parse;
pub mod record;
pub mod request;
mod validate;

pub use client::Client;
pub use draft::{Draft, FileDraft, LimitsDraft, ModeDraft};
pub use invalid::InvalidRequest;
pub use live::{Live, LiveEvent, live};
pub use outcome::{ErrorType, Failure, Outcome, OutputFile, Stream, Truncated, Usage};
pub use parse::{parse, parse_as};
pub use record::{Record, Status};
pub use request::{ExecutionRequest, Limits};
