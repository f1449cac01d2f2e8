//! Compiling every module ahead, so that no sandbox has to.

use std::path::{Path, PathBuf};

use super::error::{Attempt, BuildError};
use super::interpreter::{Interpreter, last_line};

/// Compiles every module below `directories`, with the names that the files have inside.
///
/// The bytecode is never checked against its source at run time (PEP 552's unchecked hashes): the
/// tree does not change. A file that is no valid Python, as some packages' templates, is passed
/// over, as it would be at run time.
pub(super) fn compile(
    interpreter: &Interpreter,
    root: &Path,
    directories: &[PathBuf],
) -> Result<(), BuildError> {
    let output = interpreter
        .command()
        .args(["-S", "-m", "compileall", "-q", "-q", "-j", "0"])
        .args(["--invalidation-mode", "unchecked-hash"])
        .arg("-s")
        .arg(root)
        .args(["-p", "/"])
        .args(directories)
        .output()
        .attempt("run", &interpreter.executable)?;
    let compiled = directories
        .iter()
        .any(|directory| directory.join("__pycache__").is_dir());
    if output.status.success() || compiled {
        return Ok(());
    }
    let detail = last_line(&output.stderr).unwrap_or_else(|| output.status.to_string());
    Err(BuildError::Bytecode(detail))
}
