//! What a newcomer meets: the README's examples, `cellblock doctor`, and the sentence that each
//! likely failure gets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

mod container;
mod doctor;
mod floor;
mod groups;
mod memory;
mod readme;
mod refusals;
mod scaling;
