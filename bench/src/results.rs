//! Where a program here leaves what it measured, and the logs of its servers.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// Below the working directory.
pub const RESULTS: &str = "bench/results";

/// The directory, made if it is not there.
pub fn directory() -> Result<&'static Path> {
    fs::create_dir_all(RESULTS).with_context(|| format!("cannot make {RESULTS}"))?;
    Ok(Path::new(RESULTS))
}
