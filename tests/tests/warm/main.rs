//! What the warm engine promises beyond the contract: cells that share nothing, and zygotes that
//! may die or be replaced without a client's noticing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

mod death;
mod degraded;
mod environments;
mod forked;
mod hung;
mod in_place;
mod load;
mod replaced;
mod shared;
mod thousand;
mod unprepared;
