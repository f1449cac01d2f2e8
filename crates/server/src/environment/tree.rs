//! Copying, walking and sealing directory trees.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::{Attempt, BuildError};

/// Deeper than any package is; ends a loop of symbolic links.
const DEEPEST: usize = 64;

/// Copies a directory's files, with symbolic links replaced by what they point at. `keep` is asked
/// with each path relative to `from`, directories before what is in them. Directories in which
/// nothing is kept are not made.
pub(super) fn copy(from: &Path, to: &Path, keep: &dyn Fn(&Path) -> bool) -> Result<(), BuildError> {
    copy_below(from, to, Path::new(""), keep)
}

fn copy_below(
    from: &Path,
    to: &Path,
    below: &Path,
    keep: &dyn Fn(&Path) -> bool,
) -> Result<(), BuildError> {
    let directory = from.join(below);
    if below.components().count() > DEEPEST {
        return Err(io::Error::from(io::ErrorKind::InvalidInput)).attempt("copy", &directory);
    }
    let mut made = false;
    for entry in fs::read_dir(&directory).attempt("read", &directory)? {
        let relative = below.join(entry.attempt("read", &directory)?.file_name());
        let (source, target) = (from.join(&relative), to.join(&relative));
        // A link that points nowhere is not there for a reader either.
        let Ok(meta) = fs::metadata(&source) else {
            continue;
        };
        if !keep(&relative) {
            continue;
        }
        if meta.is_dir() {
            copy_below(from, to, &relative, keep)?;
        } else if meta.is_file() {
            if !made {
                let parent = to.join(below);
                fs::create_dir_all(&parent).attempt("create", &parent)?;
                made = true;
            }
            copy_file(&source, &target)?;
        }
    }
    Ok(())
}

/// Copies one file, replacing what is there.
pub(super) fn copy_file(from: &Path, to: &Path) -> Result<(), BuildError> {
    fs::copy(from, to).attempt("copy", from)?;
    Ok(())
}

/// Lists every file below a directory; links are neither listed nor followed.
pub(super) fn files(directory: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).attempt("read", &directory)? {
            let entry = entry.attempt("read", &directory)?;
            let kind = entry.file_type().attempt("read", &entry.path())?;
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// Gives everything below a directory the permissions it keeps, whatever the umask was: readable by
/// all, writable by the owner, and only `programs` executable. Returns the size of all files.
pub(super) fn seal(directory: &Path, programs: &[PathBuf]) -> Result<u64, BuildError> {
    let mut size = 0;
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        set_mode(&directory, 0o755)?;
        for entry in fs::read_dir(&directory).attempt("read", &directory)? {
            let path = entry.attempt("read", &directory)?.path();
            let meta = fs::symlink_metadata(&path).attempt("read", &path)?;
            if meta.is_dir() {
                pending.push(path);
            } else if meta.is_file() {
                size += meta.size();
                set_mode(
                    &path,
                    if programs.contains(&path) {
                        0o755
                    } else {
                        0o644
                    },
                )?;
            }
        }
    }
    Ok(size)
}

/// Sets permissions, whatever the umask is.
pub(super) fn set_mode(path: &Path, mode: u32) -> Result<(), BuildError> {
    fs::set_permissions(path, Permissions::from_mode(mode)).attempt("change the mode of", path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn copies_what_is_kept_and_resolves_links() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::create_dir_all(from.join("dropped")).unwrap();
        fs::write(from.join("a/b/file"), "content").unwrap();
        fs::write(from.join("dropped/file"), "").unwrap();
        symlink("a/b/file", from.join("link")).unwrap();
        symlink("nowhere", from.join("dangling")).unwrap();
        copy(&from, &to, &|path| path != Path::new("dropped")).unwrap();
        let mut found = files(&to).unwrap();
        found.sort();
        assert_eq!(found, [to.join("a/b/file"), to.join("link")]);
        assert_eq!(fs::read(to.join("link")).unwrap(), b"content");
    }

    #[test]
    fn a_loop_of_links_ends() {
        let dir = tempfile::tempdir().unwrap();
        symlink(".", dir.path().join("again")).unwrap();
        let copied = copy(dir.path(), &dir.path().join("to"), &|_| true);
        // The kernel's own limit on links may end it first, as a link that points nowhere.
        assert!(matches!(copied, Ok(()) | Err(BuildError::Io { .. })));
    }

    #[test]
    fn sealing_leaves_only_programs_executable() {
        let dir = tempfile::tempdir().unwrap();
        let (program, data) = (dir.path().join("program"), dir.path().join("data"));
        fs::write(&program, "12345").unwrap();
        fs::write(&data, "123").unwrap();
        set_mode(&data, 0o700).unwrap();
        assert_eq!(seal(dir.path(), std::slice::from_ref(&program)).unwrap(), 8);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(
            (mode(&program), mode(&data), mode(dir.path())),
            (0o755, 0o644, 0o755)
        );
    }
}
