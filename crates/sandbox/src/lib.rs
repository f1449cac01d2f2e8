//! Isolation layers: a policy (data), turned into a plan before the fork, applied as a flat list
//! of ordered steps, each fatal when it fails.
//!
//! A cell is made by two processes, and what may run in each is narrow:
//!
//! 1. **Init** (pid 1) starts by sharing the zygote's memory while the zygote is suspended
//!    ([`fork`]). From its clone to its exec it may only make system calls on data that was made
//!    before: no allocation, no lock, no panic, no errno, since every byte it writes is the
//!    zygote's. That is [`steps::INIT`].
//! 2. **The script's process** (pid 2) is a copy-on-write copy of a single-threaded zygote. It may
//!    allocate and fail in the ordinary way, but runs no user code before the last step is done.
//!    That is [`steps::SEAL`].
//!
//! Where a machine has no namespaces, and its operator accepts to do without, the same two processes
//! are made by other lists of steps: [`in_place`].
//!
//! All `unsafe` of the crate sits in [`sys`].

pub mod fork;
pub mod in_place;
pub mod landlocked;
pub mod layer;
pub mod limits;
mod own_user;
pub mod plan;
pub mod policy;
pub mod probe;
pub mod seccomp;
pub mod steps;
mod sys;

pub use layer::Layer;
pub use policy::{CellPolicy, InPlace};

/// Pid 1 of every cell, a static executable for this architecture.
pub const INIT_PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/init"));

/// The name of [`INIT_PROGRAM`] in the runtime's directory.
pub const INIT_NAME: &str = "init";

/// Where the jail has [`INIT_PROGRAM`].
pub const INIT_PATH: &str = "/cellblock/init";

/// The number of the cell channel's descriptor inside a cell: above the limit of open files, so
/// that a script which closes "all" descriptors keeps its answer's way out.
pub const CHANNEL_FD: i32 = 1000;
