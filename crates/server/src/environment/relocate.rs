//! Replacing the interpreter's old place in what `sysconfig` tells.
//!
//! Inside, that path is neither true nor anybody's business. Only text is rewritten: in a program
//! the path shares its last bytes with other strings, such as the version, since linkers merge the
//! tails of strings. What remains there is the place that the interpreter was installed to.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::error::{Attempt, BuildError};
use super::layout;

/// Rewrites the old prefix to the one inside, in the records of build settings at the top of a
/// standard library.
pub(super) fn relocate(standard_library: &Path, prefix: &Path) -> Result<(), BuildError> {
    let Some(prefix) = prefix.to_str() else {
        return Ok(());
    };
    // A system's own prefix says nothing, and is part of other paths that do not move.
    if prefix.starts_with("/usr") || prefix.len() < 2 {
        return Ok(());
    }
    for entry in fs::read_dir(standard_library).attempt("read", standard_library)? {
        let path = entry.attempt("read", standard_library)?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        // `_sysconfigdata_*.py`, and since 3.14 `_sysconfig_vars_*.json`.
        if name.starts_with("_sysconfig") && path.is_file() {
            let text = fs::read_to_string(&path).attempt("read", &path)?;
            fs::write(&path, replace(&text, prefix, layout::PREFIX)).attempt("write", &path)?;
        }
    }
    Ok(())
}

/// Replaces every occurrence of `old` that is a whole path or the start of one below it.
fn replace(text: &str, old: &str, new: &str) -> String {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut parts = text.split(old);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        replaced.push_str(if part.starts_with(goes_on) { old } else { new });
        replaced.push_str(part);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_paths_only() {
        let text = "'/opt/py' '-L/opt/py/lib:/opt/py3' '/opt/py-old' /opt/py";
        let replaced = "'/python' '-L/python/lib:/opt/py3' '/opt/py-old' /python";
        assert_eq!(replace(text, "/opt/py", "/python"), replaced);
        assert_eq!(replace("nothing", "/opt/py", "/python"), "nothing");
    }
}
