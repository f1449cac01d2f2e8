//! The contract, row by row: one module per area, each run for both engines and, inside, for every
//! interpreter of `CELLBLOCK_TEST_PYTHONS`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

mod errors;
mod results;
mod simple;
