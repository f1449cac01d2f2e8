//! The full API over real HTTP: one module per area.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

mod batch;
mod described;
mod events;
mod keys;
mod metrics;
mod once;
mod streaming;
mod wire;

/// Says what was found where it is not what it should be.
fn expect(holds: bool, found: impl std::fmt::Debug) -> Result<(), String> {
    if holds {
        return Ok(());
    }
    Err(format!("found {found:?}"))
}
