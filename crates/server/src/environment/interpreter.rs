//! The interpreter: where it is, and what it says of itself.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::error::{Attempt, BuildError};

const INSPECT: &str = include_str!("inspect.py");
const OLDEST: (u32, u32) = (3, 10);

/// What an interpreter says of itself.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Interpreter {
    /// `cpython`, `pypy`, ...
    pub(super) implementation: String,
    /// As in `3.11.7`.
    pub(super) version: String,
    major: u32,
    minor: u32,
    /// The version with compiler and build date.
    pub(super) build: String,
    /// As `uname -m` names it.
    pub(super) machine: String,
    /// Built with `--with-pydebug`.
    debug: bool,
    /// Built with `--disable-gil`.
    free_threaded: bool,
    /// The C library's version, as in `glibc 2.36`. Empty for others.
    pub(super) c_library: String,
    /// The real file, behind symbolic links and virtual environments.
    pub(super) executable: PathBuf,
    /// Where it was installed.
    pub(super) prefix: PathBuf,
    /// The directory of libraries below the prefix: `lib`, or `lib64` on some systems. The
    /// interpreter finds its standard library by this name.
    pub(super) library_dir: PathBuf,
    /// The directory of the standard library.
    pub(super) standard_library: PathBuf,
    /// The directory of the standard library's extension modules.
    pub(super) extensions: Option<PathBuf>,
    /// Where packages are installed. Empty unless asked for.
    pub(super) site_packages: Vec<PathBuf>,
}

impl Interpreter {
    /// Runs an interpreter to learn what it is, and accepts `CPython` 3.10 or newer.
    pub(super) fn inspect(interpreter: &Path, with_packages: bool) -> Result<Self, BuildError> {
        let path = resolve(interpreter, env::var_os("PATH").as_deref())
            .ok_or_else(|| BuildError::InterpreterNotFound(interpreter.to_owned()))?;
        let mut command = Command::new(&path);
        command.args(["-I", "-S", "-c", INSPECT]);
        if with_packages {
            command.arg("packages");
        }
        let output = command
            .stdin(Stdio::null())
            .output()
            .attempt("run", &path)?;
        if !output.status.success() {
            let detail = last_line(&output.stderr).unwrap_or_else(|| output.status.to_string());
            return Err(BuildError::InterpreterFailed { path, detail });
        }
        let answer: Self = serde_json::from_slice(&output.stdout).map_err(|_| {
            let detail = "it did not tell its version".to_owned();
            BuildError::InterpreterFailed {
                path: path.clone(),
                detail,
            }
        })?;
        answer.accept(path)
    }

    fn accept(self, path: PathBuf) -> Result<Self, BuildError> {
        if self.implementation != "cpython" {
            let implementation = self.implementation;
            return Err(BuildError::NotCPython {
                path,
                implementation,
            });
        }
        if (self.major, self.minor) < OLDEST {
            return Err(BuildError::TooOld {
                path,
                version: self.version,
            });
        }
        let kind = match self {
            Self { debug: true, .. } => "a debug build",
            Self {
                free_threaded: true,
                ..
            } => "a free-threaded build",
            _ => return Ok(self),
        };
        Err(BuildError::UnsupportedBuild { path, kind })
    }

    /// As in `3.11`.
    pub(super) fn feature_version(&self) -> String {
        format!("{}.{}", self.major, self.minor)
    }

    /// A command that runs this interpreter, isolated from its user's settings.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.arg("-I").stdin(Stdio::null());
        command
    }
}

/// Finds an interpreter: a path is taken as it is, a bare name is looked up in `PATH`.
fn resolve(interpreter: &Path, search_path: Option<&OsStr>) -> Option<PathBuf> {
    if interpreter.components().count() != 1 || interpreter.is_absolute() {
        return interpreter.is_file().then(|| interpreter.to_owned());
    }
    env::split_paths(search_path?)
        .map(|directory| directory.join(interpreter))
        .find(|candidate| candidate.is_file())
}

/// The last line of what a program said that is not empty.
pub(super) fn last_line(said: &[u8]) -> Option<String> {
    let said = String::from_utf8_lossy(said);
    said.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(implementation: &str, minor: u32) -> Interpreter {
        Interpreter {
            implementation: implementation.to_owned(),
            version: format!("3.{minor}.0"),
            major: 3,
            minor,
            build: String::new(),
            machine: String::new(),
            debug: false,
            free_threaded: false,
            c_library: String::new(),
            executable: PathBuf::new(),
            prefix: PathBuf::new(),
            library_dir: PathBuf::new(),
            standard_library: PathBuf::new(),
            extensions: None,
            site_packages: Vec::new(),
        }
    }

    #[test]
    fn a_bare_name_is_looked_up_and_a_path_is_not() {
        let path = Some(OsStr::new("/nowhere:/usr/bin"));
        assert_eq!(
            resolve(Path::new("env"), path),
            Some(PathBuf::from("/usr/bin/env"))
        );
        assert_eq!(
            resolve(Path::new("/usr/bin/env"), None),
            Some(PathBuf::from("/usr/bin/env"))
        );
        assert_eq!(resolve(Path::new("./env"), path), None);
        assert_eq!(resolve(Path::new("no-such-python"), path), None);
    }

    #[test]
    fn what_is_no_interpreter_is_named() {
        let missing = Interpreter::inspect(Path::new("/no/such/python"), false);
        assert!(matches!(missing, Err(BuildError::InterpreterNotFound(_))));
        let other = Interpreter::inspect(Path::new("/bin/true"), false);
        assert!(matches!(other, Err(BuildError::InterpreterFailed { .. })));
        let failing = Interpreter::inspect(Path::new("/bin/false"), false);
        assert!(matches!(failing, Err(BuildError::InterpreterFailed { .. })));
    }

    #[test]
    fn old_or_other_implementations_are_refused() {
        assert!(answer("cpython", 10).accept(PathBuf::new()).is_ok());
        assert!(matches!(
            answer("cpython", 9).accept(PathBuf::new()),
            Err(BuildError::TooOld { .. })
        ));
        assert!(matches!(
            answer("pypy", 12).accept(PathBuf::new()),
            Err(BuildError::NotCPython { .. })
        ));
    }

    #[test]
    fn builds_whose_objects_are_laid_out_otherwise_are_refused() {
        for (debug, free_threaded, kind) in [
            (true, false, "a debug build"),
            (false, true, "a free-threaded build"),
            (true, true, "a debug build"),
        ] {
            let odd = Interpreter {
                debug,
                free_threaded,
                ..answer("cpython", 13)
            };
            let error = odd.accept("/opt/python".into()).expect_err("refused");
            let said = error.to_string();
            assert!(
                said.starts_with(&format!("/opt/python is {kind} of CPython")),
                "{said}"
            );
        }
    }
}
