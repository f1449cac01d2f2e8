//! The hostile corpus of tests/attacks: what each script comes to, that nothing of it is left, and
//! that each layer of isolation is what stops something.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

mod beside;
mod calls;
mod corpus;
mod jit;
mod layers;
mod locks;
mod outcome;
mod places;
mod table;
mod usage;
mod users;
mod world;
