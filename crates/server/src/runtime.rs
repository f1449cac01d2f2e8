//! What every cell sees above its environment's image: `/cellblock`, which has the runner, its native
//! half and the init program, and the links that lead to `/tmp`.
//!
//! The runner and init are part of this program; the native half is a shared library that is
//! installed beside it. All are laid into a directory of their own below the state directory, named
//! by their content, since the program itself may sit where a sandbox's user cannot reach it:
//!
//! ```text
//! <state>/runtime-<hash>/
//!     complete           it was laid out to its end
//!     layer/             what lies above the image
//!         cellblock/     the programs, and what the processor can do
//!         mnt/data       a link to /tmp, as configured
//! ```

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::digest;

/// The directory of the programs in a layer.
const PROGRAMS: &str = "cellblock";
/// The line of the machine's `/proc/cpuinfo` that says what its processors can do: programs find the
/// same by asking the processor, and libraries read it in a cell's.
const FEATURES: &str = "features";
/// The package's name as Python imports it.
const PACKAGE: &str = "cellblock_runner";
/// The native half as cargo names it, and as Python finds it.
const NATIVE: (&str, &str) = ("libcellblock_zygote.so", "cellblock_zygote.abi3.so");

include!(concat!(env!("OUT_DIR"), "/runner.rs"));

/// Why there is no runtime directory. The installation's fault.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// The native half is not beside the program.
    #[error(
        "{} was not found: it is built with the program (cargo build --workspace) and installed \
         beside it", .0.display()
    )]
    NoNative(PathBuf),
    /// A file could not be read or written.
    #[error(
        "cannot prepare {path}: {source}; choose a directory that this user can write, with room in it, \
         with --state-dir or CELLBLOCK_STATE_DIR", path = path.display()
    )]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
}

/// What was laid out.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// What lies above an environment's image.
    pub layer: PathBuf,
}

impl Runtime {
    /// The runner, its native half and the init program; seen as `/cellblock`.
    pub fn programs(&self) -> PathBuf {
        self.layer.join(PROGRAMS)
    }
}

/// Lays the runtime out below `state`, unless it is there. `links` are absolute paths that lead to
/// `/tmp` in a cell.
pub fn prepare(state: &Path, links: &[PathBuf]) -> Result<Runtime, RuntimeError> {
    let native_path = native()?;
    let native = fs::read(&native_path).map_err(at(&native_path))?;
    let features = features();
    let mut hash = Sha256::new();
    for (name, content) in files(&native, &features) {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    for link in links {
        hash.update(link.as_os_str().as_encoded_bytes());
        hash.update([0]);
    }
    let digest = digest::short(hash);
    let directory = state.join(format!("runtime-{digest}"));
    let runtime = Runtime {
        layer: directory.join("layer"),
    };
    if directory.join("complete").exists() {
        return Ok(runtime);
    }
    // Two servers may start at once: each fills a directory of its own, and one rename wins.
    let staging = state.join(format!("runtime-{digest}.{}", std::process::id()));
    let _ = fs::remove_dir_all(&staging);
    if let Err(error) = fill(&staging, files(&native, &features), links) {
        // Where the disk is full, this makes room for the next try.
        let _ = fs::remove_dir_all(&staging);
        return Err(error);
    }
    if let Err(source) = fs::rename(&staging, &directory) {
        let _ = fs::remove_dir_all(&staging);
        if !directory.join("complete").exists() {
            return Err(RuntimeError::Io {
                path: directory,
                source,
            });
        }
    }
    Ok(runtime)
}

fn fill<'a>(
    staging: &Path,
    files: impl Iterator<Item = (String, &'a [u8])>,
    links: &[PathBuf],
) -> Result<(), RuntimeError> {
    let layer = staging.join("layer");
    for (name, content) in files {
        lay(&layer.join(PROGRAMS).join(name), content)?;
    }
    for link in links {
        link_to_tmp(&layer, link)?;
    }
    lay(&staging.join("complete"), b"")
}

fn link_to_tmp(layer: &Path, link: &Path) -> Result<(), RuntimeError> {
    let link = layer.join(link.strip_prefix("/").unwrap_or(link));
    if let Some(parent) = link.parent() {
        make_directories(layer, parent)?;
    }
    symlink("/tmp", &link).map_err(at(&link))
}

/// Makes a directory below `layer`, and those on the way to it.
fn make_directories(layer: &Path, directory: &Path) -> Result<(), RuntimeError> {
    fs::create_dir_all(directory).map_err(at(directory))?;
    let made = directory.ancestors().take_while(|path| *path != layer);
    made.chain([layer]).try_for_each(|path| permit(path, 0o755))
}

/// Every file, by its path in the programs' directory.
fn files<'a>(native: &'a [u8], features: &'a str) -> impl Iterator<Item = (String, &'a [u8])> {
    let runner = RUNNER
        .iter()
        .map(|(name, text)| (format!("{PACKAGE}/{name}"), text.as_bytes()));
    let programs = [
        (NATIVE.1.to_owned(), native),
        ("init".to_owned(), cellblock_sandbox::INIT_PROGRAM),
        (FEATURES.to_owned(), features.as_bytes()),
    ];
    runner.chain(programs)
}

/// Empty where there is no such line.
fn features() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let is_it = |line: &&str| line.starts_with("flags") || line.starts_with("Features");
    let line = cpuinfo.lines().find(is_it);
    line.map(|line| format!("{line}\n")).unwrap_or_default()
}

/// The native half: beside the program, where cargo and the container image put it.
fn native() -> Result<PathBuf, RuntimeError> {
    let program = std::env::current_exe().map_err(at(Path::new("/proc/self/exe")))?;
    // Cargo's test programs sit one directory deeper than what they test.
    let near = program.ancestors().skip(1).take(2);
    let mut candidates = near.map(|directory| directory.join(NATIVE.0));
    let first = program.with_file_name(NATIVE.0);
    candidates
        .find(|path| path.is_file())
        .ok_or(RuntimeError::NoNative(first))
}

fn lay(path: &Path, content: &[u8]) -> Result<(), RuntimeError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(at(parent))?;
        permit(parent, 0o755)?;
    }
    fs::write(path, content).map_err(at(path))?;
    permit(path, if path.ends_with("init") { 0o755 } else { 0o644 })
}

/// Whatever the umask: a sandbox's user has to read these.
fn permit(path: &Path, mode: u32) -> Result<(), RuntimeError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> RuntimeError {
    let path = path.to_owned();
    |source| RuntimeError::Io { path, source }
}
