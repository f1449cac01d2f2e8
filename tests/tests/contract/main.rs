//! The contract, row by row: one module per area. What an engine or an interpreter could change is
//! run for both engines and, inside each test, for every interpreter of `CELLBLOCK_TEST_PYTHONS`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]
#![allow(clippy::too_many_lines, reason = "tables are data, however long")]

mod cli;
mod errors;
mod hostile;
mod http;
mod load;
mod logs;
mod record;
mod results;
mod simple;
