//! Cellblock runs Python that nobody trusts.
#![forbid(unsafe_code)]

pub mod engine;
pub mod environment;
pub mod execution;
