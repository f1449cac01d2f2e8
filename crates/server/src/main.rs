//! The `cellblock` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    cellblock::cli::main()
}
