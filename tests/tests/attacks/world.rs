//! What can be seen of a server from outside: processes, descriptors, mounts, cgroups, files. After
//! an attack all of it has to be as it was.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cellblock_tests::{Server, eventually, state_dir};

/// What a cell may take to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// A moment of a server that has nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct World {
    /// nsjail and the interpreter inside: the wall and the zygote.
    zygotes: BTreeSet<u32>,
    processes: usize,
    descriptors: usize,
    mounts: usize,
    /// Processes in the cells' groups.
    grouped: usize,
    files: BTreeSet<PathBuf>,
    /// Files and directories below the cells' own, where they have no `/tmp`.
    scratch: usize,
}

impl World {
    /// Looks.
    pub(crate) fn look(server: &Server) -> Self {
        let id = server.id();
        let walls = children(id);
        let zygotes = walls.iter().flat_map(|wall| children(*wall));
        let files = fs::read_dir(state_dir()).expect("the state directory");
        Self {
            zygotes: walls.iter().copied().chain(zygotes).collect(),
            processes: descendants(id),
            descriptors: descriptors(id),
            mounts: lines(&format!("/proc/{id}/mountinfo")),
            grouped: groups(id).iter().map(|group| lines_of(group)).sum(),
            files: files.flatten().map(|file| file.path()).collect(),
            scratch: entries(&server.scratch()),
        }
    }

    /// Looks once nothing changes any more.
    pub(crate) fn settled(server: &Server) -> Self {
        let mut last = Self::look(server);
        let mut same = 0;
        eventually(PATIENCE, || {
            let now = Self::look(server);
            same = if now == last { same + 1 } else { 0 };
            last = now;
            same >= 10
        });
        last
    }

    /// Waits until all is as it was; what is left is said once.
    pub(crate) fn again(&mut self, server: &Server) -> Result<(), String> {
        let mut now = Self::look(server);
        let as_before = eventually(PATIENCE, || {
            now = Self::look(server);
            now == *self
        });
        if as_before {
            Ok(())
        } else {
            let before = std::mem::replace(self, now.clone());
            Err(format!(
                "left behind:\n    before {before:?}\n    now    {now:?}"
            ))
        }
    }
}

fn entries(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let each = entries.map(|entry| {
        let inner = entry.file_type().is_ok_and(|kind| kind.is_dir());
        1 + if inner {
            self::entries(&entry.path())
        } else {
            0
        }
    });
    each.sum()
}

fn children(id: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{id}/task"));
    let tasks = tasks.into_iter().flatten().flatten();
    let texts = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let text = texts.collect::<Vec<_>>().join(" ");
    text.split_ascii_whitespace()
        .filter_map(|id| id.parse().ok())
        .collect()
}

fn descendants(id: u32) -> usize {
    let children = children(id);
    children.len() + children.into_iter().map(descendants).sum::<usize>()
}

/// Open descriptors, but for those of cgroups: these are kept for the next cell, and are as many as
/// ever were in use at a time.
fn descriptors(id: u32) -> usize {
    let entries = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten();
    let targets = entries.flatten().map(|entry| fs::read_link(entry.path()));
    targets
        .filter(|target| {
            let cgroup = |path: &PathBuf| path.starts_with("/sys/fs/cgroup");
            !target.as_ref().is_ok_and(cgroup)
        })
        .count()
}

fn lines(file: &str) -> usize {
    lines_of(Path::new(file))
}

fn lines_of(file: &Path) -> usize {
    fs::read_to_string(file).map_or(0, |text| text.lines().count())
}

/// The files that list the processes of this server's cgroups.
fn groups(id: u32) -> Vec<PathBuf> {
    let start = format!("cellblock-{id}-");
    let mut found = Vec::new();
    let mut todo = vec![(PathBuf::from("/sys/fs/cgroup"), 0)];
    while let Some((directory, depth)) = todo.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name().to_string_lossy().starts_with(&start) {
                let cells = fs::read_dir(entry.path()).into_iter().flatten().flatten();
                found.extend(cells.map(|cell| cell.path().join("cgroup.procs")));
            } else if depth < 4 {
                todo.push((entry.path(), depth + 1));
            }
        }
    }
    found.retain(|file| file.is_file());
    found
}
