//! Where servers make their groups, noted in their state directory: the next server with that directory
//! removes what one left that was killed, wherever that had been started.
//!
//! What a note says is only ever a reason to look: a directory is removed if it is named as servers name
//! theirs, nobody holds its lock, and no process is in it.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use super::hierarchy::{is_home, remove_unheld};

/// Below the state directory.
const NOTES: &str = "groups";

/// A server's own note, removed with its groups.
#[derive(Debug)]
pub(super) struct Record(PathBuf);

impl Record {
    /// Notes these directories, which are locked already.
    ///
    /// # Errors
    /// The state directory cannot be written, as where it is part of a read-only image.
    pub(super) fn keep<'a>(
        state: &Path,
        name: &str,
        homes: impl Iterator<Item = &'a Path>,
    ) -> io::Result<Self> {
        let notes = state.join(NOTES);
        fs::create_dir_all(&notes)?;
        let homes: Vec<_> = homes.map(Path::to_string_lossy).collect();
        let note = notes.join(name);
        fs::write(&note, homes.join("\n"))?;
        Ok(Self(note))
    }

    /// Removes it: there is nothing left to remove.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Removes what servers have left that are gone, and their notes once nothing is left.
pub(super) fn sweep(state: &Path) {
    for note in fs::read_dir(state.join(NOTES))
        .into_iter()
        .flatten()
        .flatten()
    {
        let Ok(text) = fs::read_to_string(note.path()) else {
            continue;
        };
        let homes = text.lines().map(Path::new);
        let homes: Vec<_> = homes
            .filter(|home| is_plain(home) && is_home(home))
            .collect();
        for home in &homes {
            remove_unheld(home);
        }
        if homes.iter().all(|home| !home.exists()) {
            let _ = fs::remove_file(note.path());
        }
    }
}

fn is_plain(path: &Path) -> bool {
    let mut parts = path.components();
    path.is_absolute()
        && parts.all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_server_noted_is_removed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let (state, groups) = (
            directory.path().join("state"),
            directory.path().join("groups"),
        );
        let home = groups.join("cellblock-7-1");
        let other = groups.join("other");
        for path in [home.join("cell-1"), other.clone()] {
            fs::create_dir_all(path).unwrap();
        }
        let up = groups.join("other/../cellblock-7-1");
        Record::keep(&state, "a", [home.as_path(), other.as_path()].into_iter()).unwrap();
        Record::keep(&state, "b", [up.as_path()].into_iter()).unwrap();
        let lock = super::super::hierarchy::make_locked(&home).unwrap();
        sweep(&state);
        assert!(home.exists() && state.join("groups/a").exists());
        drop(lock);
        sweep(&state);
        assert!(!home.exists() && other.exists());
        assert_eq!(fs::read_dir(state.join(NOTES)).unwrap().count(), 0);
    }
}
