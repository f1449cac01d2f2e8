//! The packages of an environment: installing, copying and listing them.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use serde::{Deserialize, Serialize};

use super::error::{Attempt, BuildError};
use super::interpreter::{Interpreter, last_line};
use super::progress::Progress;
use super::{filter, tree};

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its name, as it calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Installs requirements with pip, and copies what a script can use of them to `target`.
/// `scratch` is a directory for what is needed on the way.
pub(super) fn install(
    interpreter: &Interpreter,
    requirements: &str,
    scratch: &Path,
    target: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), BuildError> {
    let list = scratch.join("requirements.txt");
    fs::write(&list, requirements).attempt("write", &list)?;
    let installed = scratch.join("installed");
    let mut command = pip(interpreter, scratch)?;
    command
        .args([
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--progress-bar",
            "off",
        ])
        .args([
            "--no-compile",
            "--no-warn-script-location",
            "--only-binary",
            ":all:",
        ])
        .arg("--target")
        .arg(&installed)
        .arg("--requirement")
        .arg(&list)
        // What a user may have set for pip, and what contradicts --target.
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0");
    if is_locked(requirements) {
        command.arg("--require-hashes");
    }
    let (status, said) = run(command, progress).attempt("run pip for", &interpreter.executable)?;
    if !status.success() {
        return Err(BuildError::Requirements(reason(&said)));
    }
    if installed.is_dir() {
        tree::copy(&installed, target, &filter::keep_package)?;
    }
    Ok(())
}

/// Copies the packages that are installed for the interpreter already to `target`.
pub(super) fn copy_installed(interpreter: &Interpreter, target: &Path) -> Result<(), BuildError> {
    let keep = |path: &Path| filter::keep_package(path) && !filter::is_installer(path);
    // What is searched first is copied last, over the others.
    for directory in interpreter.site_packages.iter().rev() {
        tree::copy(directory, target, &keep)?;
    }
    Ok(())
}

/// Whether requirements name the files they accept by hash. pip then wants it of all.
pub(super) fn is_locked(requirements: &str) -> bool {
    requirements.lines().any(|line| {
        let line = line.trim_start();
        !line.starts_with('#') && line.contains("--hash=")
    })
}

/// The interpreter's own pip, or that of a virtual environment made for the purpose.
fn pip(interpreter: &Interpreter, scratch: &Path) -> Result<Command, BuildError> {
    let has_pip = quietly(interpreter.command().args(["-m", "pip", "--version"]))
        .attempt("run", &interpreter.executable)?;
    if has_pip.success() {
        let mut command = interpreter.command();
        command.args(["-m", "pip"]);
        return Ok(command);
    }
    let venv = scratch.join("venv");
    let made = quietly(interpreter.command().args(["-m", "venv"]).arg(&venv))
        .attempt("run", &interpreter.executable)?;
    if !made.success() {
        return Err(BuildError::NoInstaller {
            version: interpreter.feature_version(),
        });
    }
    let mut command = Command::new(venv.join("bin/python3"));
    command.args(["-I", "-m", "pip"]).stdin(Stdio::null());
    Ok(command)
}

fn quietly(command: &mut Command) -> std::io::Result<ExitStatus> {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status()
}

/// Runs pip, passing its steps on. Returns what it said of its failure.
fn run(
    mut command: Command,
    progress: &mut dyn FnMut(Progress),
) -> std::io::Result<(ExitStatus, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child.stderr.take();
    let complaints = thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            // What cannot be read is not reported; pip's status still tells.
            let _ = stderr.read_to_end(&mut said);
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            if let Some(step) = step(&String::from_utf8_lossy(&line)) {
                progress(Progress::Installer(step));
            }
        }
    }
    let status = child.wait()?;
    Ok((status, complaints.join().unwrap_or_default()))
}

/// What of pip's report is worth a line: no paths of temporary files, no addresses.
fn step(line: &str) -> Option<String> {
    let line = line.trim();
    let wanted = [
        "Collecting ",
        "Downloading ",
        "Using cached ",
        "Installing ",
    ];
    if !wanted.iter().any(|start| line.starts_with(start)) {
        return None;
    }
    Some(line.split(" (from ").next().unwrap_or(line).to_owned())
}

/// pip's own words for why it failed.
fn reason(said: &str) -> String {
    let errors: Vec<_> = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("ERROR: "))
        .take(3)
        .collect();
    if errors.is_empty() {
        last_line(said.as_bytes()).unwrap_or_else(|| "it did not say why".to_owned())
    } else {
        errors.join("; ")
    }
}

/// Lists the packages in a directory by their metadata.
pub(super) fn list(directory: &Path) -> Result<Vec<Package>, BuildError> {
    let mut packages = Vec::new();
    for entry in fs::read_dir(directory).attempt("read", directory)? {
        let path = entry.attempt("read", directory)?.path();
        let metadata = path.join("METADATA");
        if path
            .extension()
            .is_some_and(|extension| extension == "dist-info")
            && metadata.is_file()
        {
            let text = fs::read(&metadata).attempt("read", &metadata)?;
            packages.extend(parse_metadata(&String::from_utf8_lossy(&text)));
        }
    }
    packages.sort();
    Ok(packages)
}

/// Reads a name and version from a package's metadata: headers as in an email, up to an empty line.
/// See <https://packaging.python.org/en/latest/specifications/core-metadata/>.
fn parse_metadata(text: &str) -> Option<Package> {
    let header = |name: &str| {
        let mut lines = text.lines().take_while(|line| !line.trim().is_empty());
        lines
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim().to_owned())
    };
    Some(Package {
        name: header("Name:")?,
        version: header("Version:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_requirements_are_recognised() {
        assert!(is_locked("numpy==2.4.6 \\\n    --hash=sha256:00"));
        assert!(!is_locked("numpy==2.4.6\n# no --hash=sha256:00 here"));
        assert!(!is_locked(""));
    }

    #[test]
    fn reads_metadata_up_to_the_body() {
        let text = "Metadata-Version: 2.1\nName: NumPy\nVersion: 2.4.6\n\nVersion: body\n";
        let expected = Package {
            name: "NumPy".to_owned(),
            version: "2.4.6".to_owned(),
        };
        assert_eq!(parse_metadata(text), Some(expected));
        assert_eq!(parse_metadata("Name: x\n\nVersion: 1"), None);
        assert_eq!(parse_metadata(""), None);
    }

    #[test]
    fn reports_steps_and_reasons_in_short() {
        let collecting = "Collecting numpy==2.4.6 (from -r /tmp/x/requirements.txt (line 1))";
        assert_eq!(step(collecting).as_deref(), Some("Collecting numpy==2.4.6"));
        assert_eq!(step("Looking in links: /somewhere"), None);
        let said = "  WARNING: slow\nERROR: no such version\nERROR: No matching distribution\n";
        assert_eq!(reason(said), "no such version; No matching distribution");
        assert_eq!(reason("Traceback:\nOSError: disk\n\n"), "OSError: disk");
    }
}
