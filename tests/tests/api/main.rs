//! The full API over real HTTP: one module per area.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

mod events;
mod streaming;
mod wire;
