//! The corpus of honest scripts, tests/honest: what plain Python makes of a script, a cell makes of it
//! too, on every tier, or the table says what else and why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

mod corpus;
mod outcome;
mod plain;
mod table;
mod version;
