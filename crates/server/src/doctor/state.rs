//! What is kept on disk: the state directory and the environments in it.

use std::{fs, io, path::Path};

use super::Finding;
use crate::{config::Config, engine, environment::reachable_by_others, runtime};

/// Bytes that are tried to be written: on a disk that is full there may still be an empty file.
const ROOM: usize = 64 << 10;

/// It is made where it is not there, as the server would. It need not be writable once everything
/// that the server lays into it is there, as in a container image.
pub(super) fn directory(config: &Config) -> Finding {
    let name = "state directory";
    let path = &config.state_dir;
    if let Err(error) = write_into(path)
        && runtime::prepare(path, &[]).is_err()
    {
        let detail = format!("{} cannot be written: {error}", path.display());
        let remedy =
            "Let this user write there, make room on its disk, or choose another with --state-dir.";
        return Finding::missing(name, detail, remedy);
    }
    if rustix::process::geteuid().is_root() && !reachable_by_others(path) {
        let uid = config.isolation.sandbox_uid;
        let detail = format!(
            "sandboxes run as uid {uid}, who cannot reach {}",
            path.display()
        );
        let remedy = "Choose another with --state-dir, or let others pass through its parent \
             directories (chmod o+x).";
        return Finding::missing(name, detail, remedy);
    }
    Finding::ok(name, path.display().to_string())
}

fn write_into(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    let probe = path.join(format!("doctor.{}", std::process::id()));
    let written = fs::write(&probe, vec![0; ROOM]);
    let removed = fs::remove_file(&probe);
    written.and(removed)
}

pub(super) fn environments(config: &Config) -> impl Iterator<Item = Finding> {
    config.environments.iter().map(|(key, environment)| {
        let name = format!("environment {key}");
        let found = engine::find_environment(key, environment, &config.state_dir)
            .map_err(|error| error.to_string());
        let remedy = format!("Run `cellblock env build {key}`; `make setup` builds the default.");
        match found {
            Ok(Some(built)) => {
                let packages = built.packages.len();
                let (python, machine) = (built.python, built.machine);
                let detail = format!("CPython {python} for {machine}, {packages} packages");
                Finding::ok(&name, detail)
            }
            Ok(None) => Finding::missing(&name, "not built", remedy),
            Err(error) => {
                let remedy = "Set its interpreter and requirements to ones that can be used.";
                Finding::missing(&name, error, remedy)
            }
        }
    })
}
