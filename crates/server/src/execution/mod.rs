//! One execution, from what a client asked for to what came of it, whatever engine runs it.

pub mod outcome;
pub mod request;

pub use outcome::{ErrorType, Failure, Outcome, OutputFile, Stream, Usage};
pub use request::{ExecutionRequest, Limits};
