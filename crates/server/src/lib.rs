//! Cellblock runs Python that nobody trusts.
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod engine;
pub mod execution;
pub mod http;
pub mod telemetry;
