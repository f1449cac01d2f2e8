//! Whether other users can get at a file.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether every directory above a path, and the path itself where it is a directory, can be
/// passed through by every user. A sandbox that runs as another user sees nothing otherwise.
///
/// Only permission bits are looked at, not access control lists.
pub fn reachable_by_others(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else {
        return false;
    };
    path.ancestors().all(|ancestor| {
        ancestor
            .metadata()
            .is_ok_and(|meta| !meta.is_dir() || meta.mode() & 0o001 != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_closed_directory_is_enough() {
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let below = dir.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        for open in [dir.path(), &dir.path().join("a"), &below] {
            fs::set_permissions(open, Permissions::from_mode(0o755)).unwrap();
        }
        assert!(reachable_by_others(&below));
        fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!reachable_by_others(&below));
        assert!(!reachable_by_others(Path::new("/no/such/path")));
    }
}
