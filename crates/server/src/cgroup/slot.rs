//! One cell's control groups.

use std::{
    fs,
    fs::File,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::FileExt,
    },
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{runtime::Handle, task::JoinHandle};

use super::{
    Groups, GroupsError, SlotLimits, Version, hierarchy, hierarchy::Hierarchies, weight::Weight,
};

/// Memory that a cell may hold before its script adds anything, in bytes: what it copied of the
/// zygote's pages while it was made.
const ALLOWANCE: u64 = 16 << 20;
/// Bytes that a group may go on with to its next cell. An ordinary run leaves some tens of KiB; one that
/// had the kernel keep much for it, such as names that it looked for, up to its limit.
const LEFTOVER: u64 = 4 << 20;
/// How often the kernel is asked to free what is left: it gives up early.
const ASKED: u32 = 3;
/// CPU time in which a run has its full share of the processors.
const YOUTH: Duration = Duration::from_millis(25);

/// The directories and open files of one cell's groups.
#[derive(Debug)]
pub(super) struct Group {
    directories: Vec<PathBuf>,
    /// What a cell writes "0" into to move itself in.
    doors: Vec<File>,
    memory: Memory,
    cpu: Option<(File, CpuFile)>,
    weight: Option<Weight>,
    memory_limit: u64,
}

/// The memory controller's files, kept open.
#[derive(Debug)]
struct Memory {
    limit: File,
    usage: File,
    peak: Option<File>,
    events: File,
}

#[derive(Debug, Clone, Copy)]
enum CpuFile {
    /// `cpuacct.usage`: nanoseconds.
    Nanoseconds,
    /// `cpu.stat`: `usage_usec` in its first line.
    Stat,
}

/// A group that one cell has, given back when dropped. It must be dropped after the cell has
/// ended, or the next cell would share it.
#[derive(Debug)]
pub struct Slot {
    // `None` only while dropping.
    group: Option<Group>,
    owner: Arc<Groups>,
    base: Base,
}

/// What the counters showed when the cell was sealed.
#[derive(Debug, Clone, Copy, Default)]
struct Base {
    memory: u64,
    cpu: Duration,
    kills: u64,
}

impl Group {
    pub(super) fn make(
        hierarchies: &Hierarchies,
        number: u64,
        limits: SlotLimits,
    ) -> Result<Self, GroupsError> {
        let version = hierarchies.version();
        let (mut directories, mut doors) = (Vec::new(), Vec::new());
        let (mut memory, mut cpu, mut weight) = (None, None, None);
        for (controller, home) in hierarchies.homes() {
            let directory = home.join(format!("cell-{number}"));
            match fs::create_dir(&directory) {
                Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(GroupsError::Refused {
                        path: directory,
                        source,
                    });
                }
                _ => {}
            }
            let door = if version == Version::One {
                "tasks"
            } else {
                "cgroup.procs"
            };
            doors.push(open(&directory, door, true)?);
            match controller {
                "memory" => memory = Some(Memory::open(&directory, version)?),
                "cpuacct" => {
                    let usage = open(&directory, "cpuacct.usage", false)?;
                    cpu = Some((usage, CpuFile::Nanoseconds));
                }
                "cpu" => weight = Weight::open(&directory, version),
                _ => {}
            }
            if version == Version::Two {
                weight = Weight::open(&directory, version);
                cpu = open(&directory, "cpu.stat", false)
                    .ok()
                    .map(|file| (file, CpuFile::Stat));
            }
            if controller == "pids" || version == Version::Two {
                let limited =
                    hierarchy::write(&directory, "pids.max", &limits.processes.to_string());
                // Version 2 need not have been given this controller: the resource limit still holds.
                if version == Version::One || directory.join("pids.max").exists() {
                    limited?;
                }
            }
            directories.push(directory);
        }
        let memory = memory.ok_or(GroupsError::NoMemoryController)?;
        Ok(Self {
            directories,
            doors,
            memory,
            cpu,
            weight,
            memory_limit: 0,
        })
    }

    /// Removes the directories; whether they are gone.
    pub(super) fn remove(&self) -> bool {
        let gone = |directory: &PathBuf| fs::remove_dir(directory).is_ok() || !directory.exists();
        // All are tried, also behind one that stays.
        self.directories.iter().filter(|path| !gone(path)).count() == 0
    }

    /// Makes it like new; whether that worked. Linux from 5.19 to 6.11 has a peak in version 2 that
    /// cannot be forgotten: the next cell's would be this one's.
    fn reset(&mut self) -> bool {
        if let Some(weight) = &mut self.weight {
            weight.set(false);
        }
        let peak = self.memory.peak.as_ref();
        peak.is_none_or(|peak| write_at_start(peak, "0"))
    }

    /// Whether more is charged to it than its next cell is to find, and to pay for: its limit would have to
    /// be reached by freeing that first, while a client waits.
    fn is_laden(&self) -> bool {
        read_number(&self.memory.usage).is_none_or(|bytes| bytes > LEFTOVER)
    }

    /// Has the kernel free what is left of a cell that is gone; whether it did. Takes a while: some tenths
    /// of a second for hundreds of MiB.
    fn unload(&self) -> bool {
        for _ in 0..ASKED {
            if !self.is_laden() {
                return true;
            }
            let amount = read_text(&self.memory.usage);
            // It says that it fails where not all could be freed. Version 2 has had this since Linux 5.19.
            let asked = self.directories.iter().any(|directory| {
                let all = fs::write(directory.join("memory.force_empty"), "0");
                let all = all.or_else(|_| fs::write(directory.join("memory.reclaim"), &amount));
                all.is_ok()
            });
            if !asked {
                break;
            }
        }
        !self.is_laden()
    }

    fn kills(&self) -> u64 {
        // `memory.oom_control` and `memory.events` both have a line "oom_kill N".
        read_text(&self.memory.events)
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
            .unwrap_or(0)
    }

    fn cpu(&self) -> Option<Duration> {
        let (file, kind) = self.cpu.as_ref()?;
        let text = read_text(file);
        match kind {
            CpuFile::Nanoseconds => text.trim().parse().ok().map(Duration::from_nanos),
            CpuFile::Stat => text
                .lines()
                .find_map(|line| line.strip_prefix("usage_usec ")?.trim().parse().ok())
                .map(Duration::from_micros),
        }
    }

    fn limit_memory(&mut self, bytes: u64) -> bool {
        if self.memory_limit == bytes {
            return true;
        }
        let written = write_at_start(&self.memory.limit, &bytes.to_string());
        if written {
            self.memory_limit = bytes;
        }
        written
    }
}

impl Memory {
    fn open(directory: &Path, version: Version) -> Result<Self, GroupsError> {
        Ok(match version {
            Version::One => Self {
                limit: open(directory, "memory.limit_in_bytes", true)?,
                usage: open(directory, "memory.usage_in_bytes", false)?,
                peak: Some(open_both(directory, "memory.max_usage_in_bytes")?),
                events: open(directory, "memory.oom_control", false)?,
            },
            Version::Two => {
                let _ = hierarchy::write(directory, "memory.swap.max", "0");
                // All of a cell's processes go together. Linux 4.19; the verdict is the same
                // without.
                let _ = hierarchy::write(directory, "memory.oom.group", "1");
                Self {
                    limit: open(directory, "memory.max", true)?,
                    usage: open(directory, "memory.current", false)?,
                    // Linux 5.19; writable since 6.12.
                    peak: open_both(directory, "memory.peak")
                        .or_else(|_| open(directory, "memory.peak", false))
                        .ok(),
                    events: open(directory, "memory.events", false)?,
                }
            }
        })
    }
}

impl Slot {
    pub(super) fn new(group: Group, owner: Arc<Groups>) -> Self {
        Self {
            group: Some(group),
            owner,
            base: Base::default(),
        }
    }

    /// What the cell is to write "0" into.
    pub fn doors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.group
            .iter()
            .flat_map(|group| &group.doors)
            .map(AsFd::as_fd)
    }

    /// Notes where the counters stand, once the cell is sealed: until its job comes it uses nothing,
    /// so this is not done while a client waits.
    pub fn note(&mut self) {
        if let Some(group) = &self.group {
            self.base = Base {
                memory: read_number(&group.memory.usage).unwrap_or(0),
                cpu: group.cpu().unwrap_or_default(),
                kills: group.kills(),
            };
        }
    }

    /// Sets the run's memory limit.
    pub fn limit(&mut self, memory_bytes: u64) {
        let limited = match &mut self.group {
            Some(group) => group.limit_memory(memory_bytes.saturating_add(ALLOWANCE)),
            None => false,
        };
        if !limited {
            tracing::warn!("cannot set a memory limit of {memory_bytes} bytes on a cgroup");
        }
    }

    /// Whether the kernel has killed a process of the cell for memory.
    pub fn has_killed(&self) -> bool {
        self.group
            .as_ref()
            .is_some_and(|group| group.kills() > self.base.kills)
    }

    /// Notes that the run has used so much CPU time: past 25 ms it gets less of the processors than
    /// runs that have not. Whether it has aged.
    pub fn age(&mut self, cpu: Duration) -> bool {
        let old = cpu >= YOUTH;
        if let Some(weight) = self.group.as_mut().and_then(|group| group.weight.as_mut())
            && old
        {
            weight.set(true);
        }
        old
    }

    /// CPU time since the run began.
    pub fn cpu(&self) -> Option<Duration> {
        let cpu = self.group.as_ref()?.cpu()?;
        Some(cpu.saturating_sub(self.base.cpu))
    }

    /// Gives the group back, and waits until what the cell left in it is freed.
    pub async fn release(mut self) {
        if let Some(clearing) = self.give_back() {
            // It fails only where the program ends.
            let _ = clearing.await;
        }
    }

    /// Gives the group back: at once where little is left in it, else once that is freed, which no thread
    /// waits for that serves clients.
    fn give_back(&mut self) -> Option<JoinHandle<()>> {
        let mut group = self.group.take()?;
        let owner = Arc::clone(&self.owner);
        if !group.is_laden() && group.reset() {
            owner.give_back(group);
            return None;
        }
        let clear = move || {
            if group.unload() && group.reset() {
                owner.give_back(group);
            } else {
                owner.discard(group);
            }
        };
        if let Ok(runtime) = Handle::try_current() {
            return Some(runtime.spawn_blocking(clear));
        }
        clear();
        None
    }

    /// Peak of the memory that the run added, in bytes.
    pub fn peak(&self) -> Option<u64> {
        let group = self.group.as_ref()?;
        let peak = read_number(group.memory.peak.as_ref()?)?;
        Some(peak.saturating_sub(self.base.memory))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.give_back();
    }
}

pub(super) fn open(directory: &Path, file: &str, write: bool) -> Result<File, GroupsError> {
    let path = directory.join(file);
    File::options()
        .read(!write)
        .write(write)
        .open(&path)
        .map_err(|source| GroupsError::Refused { path, source })
}

fn open_both(directory: &Path, file: &str) -> Result<File, GroupsError> {
    let path = directory.join(file);
    File::options()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|source| GroupsError::Refused { path, source })
}

/// All of these files are short, and a read from the start gives them whole and anew.
fn read_text(file: &File) -> String {
    let mut bytes = [0; 512];
    let length = file.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

fn read_number(file: &File) -> Option<u64> {
    read_text(file).trim().parse().ok()
}

pub(super) fn write_at_start(file: &File, text: &str) -> bool {
    file.write_all_at(text.as_bytes(), 0).is_ok()
}
