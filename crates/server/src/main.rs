//! The `cellblock` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

/// Gives the buffers of large answers back within milliseconds. The C library's keeps what it has
/// once mapped for them, in an arena for each thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cellblock::cli::main()
}
