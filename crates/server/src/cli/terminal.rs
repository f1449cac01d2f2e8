//! What goes to the terminal.

use std::io::{self, Write};

use super::CliError;

/// Writes to standard output. A reader that has gone, as in `| head`, is not an error.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    ignore_gone(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

/// Writes to standard error.
pub(super) fn print_error(text: &str) -> io::Result<()> {
    ignore_gone(io::stderr().lock().write_all(text.as_bytes()))
}

/// Says what went wrong. There is nobody left to tell where that fails too.
pub(super) fn complain(error: &CliError) {
    let _ = print_error(&format!("cellblock: {error}\n"));
}

fn ignore_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
