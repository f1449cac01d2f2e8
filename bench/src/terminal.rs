//! Lines for whoever watches.

use std::{io::Write, process::ExitCode};

use anyhow::Result;

/// Prints a line to standard output. Whoever closed that does not want to know.
pub fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// How a program ends: 0 where all is well, 1 where something measured is not, 2 where it could not
/// be measured, which is told on standard error.
pub fn exit_code(done: Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}
