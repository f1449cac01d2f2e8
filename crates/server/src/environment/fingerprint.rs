//! What makes two environments the same.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::{Attempt, BuildError};
use super::interpreter::Interpreter;
use super::{EnvironmentSpec, Requirements};
use crate::digest;

/// Changes with what [`super::build`] makes of the same input, so that old trees are not taken
/// for new ones.
const LAYOUT: u32 = 2;

/// Sixteen hexadecimal digits that differ wherever the interpreter, the packages asked for or the
/// layout differ. The name is not part of it.
pub(super) fn fingerprint(
    spec: &EnvironmentSpec,
    interpreter: &Interpreter,
) -> Result<String, BuildError> {
    let mut hash = Sha256::new();
    let mut field = |value: &[u8]| {
        hash.update((value.len() as u64).to_le_bytes());
        hash.update(value);
    };
    field(&LAYOUT.to_le_bytes());
    field(interpreter.build.as_bytes());
    field(interpreter.machine.as_bytes());
    // The server's own part inside is linked to the C library of the host.
    field(interpreter.c_library.as_bytes());
    field(interpreter.standard_library.as_os_str().as_encoded_bytes());
    field(&identity(&interpreter.executable)?);
    match &spec.requirements {
        Requirements::None => field(b"none"),
        Requirements::Text(text) => {
            field(b"text");
            field(text.as_bytes());
        }
        Requirements::Installed => {
            field(b"installed");
            for directory in &interpreter.site_packages {
                field(&identity(directory)?);
            }
        }
    }
    Ok(digest::short(hash))
}

/// A path with its size and time of change. For a directory of packages that is enough to notice
/// an install: pip adds or renames a `.dist-info` directory in it.
fn identity(path: &Path) -> Result<Vec<u8>, BuildError> {
    let meta = fs::metadata(path).attempt("read", path)?;
    let mut identity = path.as_os_str().as_encoded_bytes().to_vec();
    for number in [
        i64::try_from(meta.size()).unwrap_or(i64::MAX),
        meta.mtime(),
        meta.mtime_nsec(),
    ] {
        identity.extend(number.to_le_bytes());
    }
    Ok(identity)
}
