//! The program under test, as cargo built it.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::setting;

/// The built `cellblock`.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
}

/// What a command of it came to.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl Program {
    /// Finds it beside this test's own executable.
    pub fn find() -> Self {
        let this = env::current_exe().expect("this program has a path");
        // target/debug/deps/contract-0123 tests target/debug/cellblock.
        let directories = this.ancestors().skip(1).take(2);
        let path = directories
            .map(|directory| directory.join("cellblock"))
            .find(|path| path.is_file());
        let Some(path) = path else {
            panic!(
                "no `cellblock` beside {}: build it first, with `cargo build --workspace` or \
                 through `make test`",
                this.display()
            );
        };
        Self { path }
    }

    /// A command with nothing of this process' configuration in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_by(&[], arguments)
    }

    /// The same, started by another command, if one is given.
    pub(crate) fn command_by(&self, wrapper: &[String], arguments: &[&str]) -> Command {
        let mut command = match wrapper {
            [] => Command::new(&self.path),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.path);
                command
            }
        };
        command.args(arguments).stdin(Stdio::null()).env_clear();
        for name in ["PATH", "HOME", "LANG", "TMPDIR"] {
            command.envs(env::var_os(name).map(|value| (name, value)));
        }
        let pip = env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PIP_"));
        command.envs(pip);
        command
    }

    /// Runs a command to its end with this on its standard input.
    pub fn run(&self, arguments: &[&str], directory: &Path, stdin: &str) -> Finished {
        let mut command = self.command(arguments);
        command.current_dir(directory);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("cellblock starts");
        // It need not read all of it.
        let _ = child
            .stdin
            .take()
            .map(|mut pipe| pipe.write_all(stdin.as_bytes()));
        child.wait_with_output().expect("cellblock ends").into()
    }

    /// Builds the environment that a configuration file has under this name, unless it is built.
    pub(crate) fn build_environment(&self, name: &str, config: &Path) {
        let config_path = config.to_str().expect("a path in UTF-8");
        let directory = config.parent().expect("a directory");
        let built = self.run(
            &["env", "build", name, "--config", config_path],
            directory,
            "",
        );
        assert!(
            built.code == Some(0),
            "`cellblock env build {name}` failed with {:?} (state in {}):\n{}{}",
            built.code,
            setting::state_dir().display(),
            built.stdout,
            built.stderr
        );
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
