//! What is where inside an environment.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::error::{Attempt, BuildError};
use super::tree;

/// The interpreter, as seen inside. Start it as `/python/bin/python3 -I -S`, with no environment
/// variable of Python's own.
pub const PYTHON: &str = "/python/bin/python3";
/// The directory of the packages, as seen inside: the one to add to `sys.path`.
pub const PACKAGES: &str = "/packages";
/// An empty directory inside, for the server's own files.
pub const MOUNT_POINT: &str = "/cellblock";
/// Where the interpreter is installed, as seen inside: `sys.prefix`.
pub(super) const PREFIX: &str = "/python";

/// Directories to mount on.
const DIRECTORIES: [&str; 8] = [
    "/tmp",
    "/proc",
    "/dev",
    "/dev/shm",
    "/etc",
    PACKAGES,
    MOUNT_POINT,
    PREFIX,
];
/// Empty files to bind the host's devices on.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// What else a program expects in `/dev`.
const LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];
/// What the C library reads. Without `localtime`, local time is UTC.
const FILES: [(&str, &str); 4] = [
    (
        "passwd",
        "root:x:0:0:root:/:/nonexistent\n\
         cell:x:1000:1000:cell:/tmp:/nonexistent\n\
         nobody:x:65534:65534:nobody:/:/nonexistent\n",
    ),
    ("group", "root:x:0:\ncell:x:1000:\nnogroup:x:65534:\n"),
    (
        "nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    ),
    ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
];
/// What is taken from the host where it has it: time zones, and the locale that Python asks for.
const FROM_HOST: [&str; 2] = ["/usr/share/zoneinfo", "/usr/lib/locale/C.utf8"];

/// The place on the host of a path inside.
pub(super) fn inside(root: &Path, path: impl AsRef<Path>) -> PathBuf {
    let path = path.as_ref();
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Makes everything of a root but the interpreter, the packages and the libraries.
pub(super) fn lay_out(root: &Path) -> Result<(), BuildError> {
    for directory in DIRECTORIES {
        let directory = inside(root, directory);
        fs::create_dir_all(&directory).attempt("create", &directory)?;
    }
    for device in DEVICES {
        let device = root.join("dev").join(device);
        File::create(&device).attempt("create", &device)?;
    }
    for (name, target) in LINKS {
        let link = root.join("dev").join(name);
        symlink(target, &link).attempt("create", &link)?;
    }
    for (name, content) in FILES {
        let file = root.join("etc").join(name);
        fs::write(&file, content).attempt("write", &file)?;
    }
    for directory in FROM_HOST {
        // Debian keeps every zone three times over: as counted with leap seconds, and without.
        let keep = |path: &Path| !path.starts_with("right") && !path.starts_with("posix");
        if Path::new(directory).is_dir() {
            tree::copy(Path::new(directory), &inside(root, directory), &keep)?;
        }
    }
    Ok(())
}
