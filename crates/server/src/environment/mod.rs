//! Environments: a Python interpreter with its packages, as the root directory of a sandbox.
//!
//! An environment is an immutable directory tree, built once and mounted read-only as `/` of every
//! sandbox that uses it. It is a copy: nothing of the host but this tree is visible inside, no path
//! of the host appears in a traceback, no shell or other program is in it, and interpreters that
//! other users cannot reach (below a 0700 home) work.
//!
//! ```text
//! <state>/environments/<name>-<fingerprint>/
//!     environment.json          what it is (see Environment)
//!     root/                     what the sandbox sees as /
//!         python/               the interpreter and its standard library
//!         packages/             installed packages
//!         lib*/                 the shared libraries that these need, and the dynamic loader
//!         etc/ usr/ dev/        the few files a C library looks for, and mount points
//! ```

mod build;
mod bytecode;
mod error;
mod filter;
mod fingerprint;
mod interpreter;
mod layout;
mod libraries;
mod packages;
mod progress;
mod reach;
mod relocate;
mod start;
mod store;
mod tree;
mod trial;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::BuildError;
pub use layout::{MOUNT_POINT, PACKAGES, PYTHON};
pub use packages::Package;
pub use progress::Progress;
pub use reach::reachable_by_others;
pub use start::{Loader, loader};
pub use trial::Trial;

use fingerprint::fingerprint;
use interpreter::Interpreter;
use store::Store;

/// The packages of the environment that every server has: NumPy and pandas, every file pinned by
/// its hash.
pub const DEFAULT_REQUIREMENTS: &str = include_str!("../../../../requirements/default.txt");

/// What an environment is to be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentSpec {
    /// Its name: 1 to 64 of `a-z`, `0-9`, `_` and `-`.
    pub name: String,
    /// The interpreter: a path, or a command that is looked up in `PATH`. A virtual environment's
    /// interpreter stands for the one it was made from.
    pub interpreter: PathBuf,
    /// The packages.
    pub requirements: Requirements,
}

/// Which packages an environment has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Requirements {
    /// None but the standard library.
    None,
    /// Those that are installed for the interpreter already: the way to use a virtual environment
    /// as it is. Editable installs are not followed.
    Installed,
    /// Those of a requirements file in pip's format. Where one line has a `--hash`, all must.
    Text(String),
}

/// An environment that has been built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The name it was given.
    pub name: String,
    /// The directory that the sandbox sees as `/`.
    #[serde(skip)]
    pub root: PathBuf,
    /// The interpreter's version, as in `3.11.7`.
    pub python: String,
    /// The interpreter's implementation: always `cpython`.
    pub implementation: String,
    /// The machine it was built for, as `uname -m` names it.
    pub machine: String,
    /// The directory of the standard library, as seen inside.
    pub standard_library: PathBuf,
    /// The packages, by name.
    pub packages: Vec<Package>,
    /// Identifies what the environment was built from.
    pub fingerprint: String,
    /// The size of all its files.
    pub size_bytes: u64,
    /// When it was built, in seconds since 1970.
    pub built_at: u64,
}

/// Builds an environment, or finds it where it is built already.
///
/// Takes seconds to a minute. Of two builders of one name, the second waits and takes what the
/// first made. A build that fails leaves nothing behind.
pub fn build(
    spec: &EnvironmentSpec,
    state_dir: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Environment, BuildError> {
    let (interpreter, fingerprint) = identify(spec)?;
    let store = Store::new(state_dir);
    if let Some(built) = store.find(&spec.name, &fingerprint)? {
        return Ok(built);
    }
    let _lock = store.lock(&spec.name, progress)?;
    if let Some(built) = store.find(&spec.name, &fingerprint)? {
        return Ok(built);
    }
    let staging = store.stage(&spec.name)?;
    let environment = build::fill(spec, &interpreter, fingerprint, staging.path(), progress)?;
    store.publish(&staging, environment)
}

/// Finds an environment that is built and still current.
///
/// Runs the interpreter once to learn what it is, which takes some 20 ms.
pub fn find(spec: &EnvironmentSpec, state_dir: &Path) -> Result<Option<Environment>, BuildError> {
    let (_, fingerprint) = identify(spec)?;
    Store::new(state_dir).find(&spec.name, &fingerprint)
}

/// Finds the environment of this name that was built last, whatever it was built from.
pub fn latest(name: &str, state_dir: &Path) -> Result<Option<Environment>, BuildError> {
    let built = list(state_dir)?;
    Ok(built.into_iter().find(|built| built.name == name))
}

/// Lists every environment below a state directory, by name, the newest first.
pub fn list(state_dir: &Path) -> Result<Vec<Environment>, BuildError> {
    Store::new(state_dir).list()
}

/// Deletes an environment. It must not be in use.
pub fn remove(environment: &Environment, state_dir: &Path) -> Result<(), BuildError> {
    Store::new(state_dir).remove(environment)
}

fn identify(spec: &EnvironmentSpec) -> Result<(Interpreter, String), BuildError> {
    check_name(&spec.name)?;
    let with_packages = spec.requirements == Requirements::Installed;
    let interpreter = Interpreter::inspect(&spec.interpreter, with_packages)?;
    let fingerprint = fingerprint(spec, &interpreter)?;
    Ok((interpreter, fingerprint))
}

/// Names become file names and travel in requests, so they are kept plain.
fn check_name(name: &str) -> Result<(), BuildError> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(BuildError::InvalidName(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["default", "a", "data-science_2", &"x".repeat(64)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "A", "a b", "../up", "a/b", "a.b", "é", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_default_requirements_are_pinned_by_hash_and_name_no_server() {
        assert!(
            DEFAULT_REQUIREMENTS.contains("\nnumpy==")
                || DEFAULT_REQUIREMENTS.starts_with("numpy==")
        );
        assert!(DEFAULT_REQUIREMENTS.contains("\npandas=="));
        assert!(packages::is_locked(DEFAULT_REQUIREMENTS));
        assert!(!DEFAULT_REQUIREMENTS.contains("://"));
    }
}
