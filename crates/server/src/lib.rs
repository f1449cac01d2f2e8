//! Cellblock runs Python that nobody trusts.
#![forbid(unsafe_code)]

pub mod cell;
pub mod cgroup;
pub mod engine;
pub mod environment;
pub mod execution;
pub mod wall;
