//! How fast Cellblock is, and whether it stays well: the parts of `cellblock-bench`,
//! `cellblock-ideas` and `cellblock-soak`.
//!
//! Everything is measured from outside: a real `cellblock serve` process on a loopback address,
//! asked over HTTP, and `/proc` and control groups read beside it.

pub mod bare;
pub mod client;
pub mod engine;
pub mod goals;
pub mod group;
pub mod ideas;
pub mod idle;
pub mod load;
pub mod lone;
pub mod machine;
pub mod measure;
pub mod plot;
pub mod proc;
pub mod profile;
pub mod report;
pub mod results;
pub mod scripts;
pub mod server;
pub mod soak;
pub mod stability;
pub mod stats;
pub mod table;
pub mod terminal;
