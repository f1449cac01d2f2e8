//! Cellblock runs Python that nobody trusts.
#![forbid(unsafe_code)]

pub mod cell;
pub mod cgroup;
pub mod cli;
pub mod config;
mod descriptors;
mod digest;
pub mod doctor;
pub mod engine;
pub mod environment;
pub mod execution;
pub mod http;
mod lock;
mod packets;
pub mod runtime;
mod scratch;
pub mod telemetry;
mod users;
pub mod wall;
