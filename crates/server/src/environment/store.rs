//! Where environments are kept: publishing them at once, one builder at a time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::Environment;
use super::error::{Attempt, BuildError};
use super::progress::Progress;
use super::tree;

const MANIFEST: &str = "environment.json";
const ROOT: &str = "root";

/// The environments of one state directory.
pub(super) struct Store {
    directory: PathBuf,
}

/// Held while an environment is built; given back when dropped, or with the process.
pub(super) struct Lock {
    _file: File,
}

/// A directory that becomes an environment, or vanishes when dropped.
pub(super) struct Staging {
    path: PathBuf,
}

impl Store {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self {
            directory: state_dir.join("environments"),
        }
    }

    /// Finds an environment by what it was built from.
    pub(super) fn find(
        &self,
        name: &str,
        fingerprint: &str,
    ) -> Result<Option<Environment>, BuildError> {
        read(&self.place(name, fingerprint))
    }

    /// Lists all, by name, the newest first.
    pub(super) fn list(&self) -> Result<Vec<Environment>, BuildError> {
        let mut found = Vec::new();
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            entries => entries.attempt("read", &self.directory)?,
        };
        for entry in entries {
            let entry = entry.attempt("read", &self.directory)?;
            // Locks and what is being built begin with a dot.
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                found.extend(read(&entry.path())?);
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name).then(b.built_at.cmp(&a.built_at)));
        Ok(found)
    }

    /// Waits until no other process builds an environment of this name.
    pub(super) fn lock(
        &self,
        name: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Lock, BuildError> {
        if !self.directory.is_dir() {
            fs::create_dir_all(&self.directory).map_err(refused(&self.directory))?;
            tree::set_mode(&self.directory, 0o755)?;
        }
        let path = self.directory.join(format!(".{name}.lock"));
        let file = File::create(&path).map_err(refused(&path))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            progress(Progress::Waiting);
            flock(&file, FlockOperation::LockExclusive).attempt("lock", &path)?;
        }
        Ok(Lock { _file: file })
    }

    /// Makes an empty directory to build in, over what a builder that died may have left. The
    /// caller holds the lock.
    pub(super) fn stage(&self, name: &str) -> Result<Staging, BuildError> {
        let path = self.directory.join(format!(".{name}.building"));
        delete(&path)?;
        fs::create_dir(&path).attempt("create", &path)?;
        Ok(Staging { path })
    }

    /// Turns a staged directory into an environment, by one rename.
    pub(super) fn publish(
        &self,
        staging: &Staging,
        mut environment: Environment,
    ) -> Result<Environment, BuildError> {
        let manifest = staging.path.join(MANIFEST);
        let text = serde_json::to_vec_pretty(&environment).attempt("write", &manifest)?;
        fs::write(&manifest, text).attempt("write", &manifest)?;
        tree::set_mode(&manifest, 0o644)?;
        tree::set_mode(&staging.path, 0o755)?;
        let place = self.place(&environment.name, &environment.fingerprint);
        delete(&place)?;
        fs::rename(&staging.path, &place).attempt("create", &place)?;
        environment.root = absolute(&place)?.join(ROOT);
        Ok(environment)
    }

    /// Deletes an environment: first its name, by one rename, then its files.
    pub(super) fn remove(&self, environment: &Environment) -> Result<(), BuildError> {
        let place = self.place(&environment.name, &environment.fingerprint);
        let gone = self.directory.join(format!(
            ".{}-{}.gone",
            environment.name, environment.fingerprint
        ));
        delete(&gone)?;
        fs::rename(&place, &gone).attempt("delete", &place)?;
        delete(&gone)
    }

    fn place(&self, name: &str, fingerprint: &str) -> PathBuf {
        self.directory.join(format!("{name}-{fingerprint}"))
    }
}

impl Staging {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Published, it is not here any more; else the next builder would delete it as well.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The first things that are written below a state directory.
fn refused(path: &Path) -> impl FnOnce(io::Error) -> BuildError {
    let path = path.to_owned();
    |source| BuildError::State { path, source }
}

/// Reads an environment's manifest. A directory without a manifest of this layout is no
/// environment.
fn read(place: &Path) -> Result<Option<Environment>, BuildError> {
    let manifest = place.join(MANIFEST);
    let text = match fs::read(&manifest) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error).attempt("read", &manifest),
    };
    let Ok(mut environment) = serde_json::from_slice::<Environment>(&text) else {
        return Ok(None);
    };
    environment.root = absolute(place)?.join(ROOT);
    Ok(environment.root.is_dir().then_some(environment))
}

/// The place in a form that holds wherever the server's working directory is.
fn absolute(place: &Path) -> Result<PathBuf, BuildError> {
    place.canonicalize().attempt("read", place)
}

fn delete(directory: &Path) -> Result<(), BuildError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).attempt("delete", directory)
        }
        _ => Ok(()),
    }
}
