//! A host without namespaces, made of this one: a system-call filter that refuses what the usual profile
//! of a container refuses, and an ordinary user, since to root more would be open.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use serde_json::Value;

use crate::setting;

/// Whom root lends the server's role, as the image does.
const USER: u32 = 10001;
/// Every `CLONE_NEW*` flag: clone(2).
const NAMESPACES: u64 = 0x7e02_0080;
const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

/// Numbers of calls.
#[cfg(target_arch = "x86_64")]
mod nr {
    pub(super) const CLONE: i64 = 56;
    pub(super) const CLONE3: i64 = 435;
    /// `unshare`, `setns`, `mount`, `umount2`, `pivot_root`, `chroot`, `fsopen`, `open_tree`.
    pub(super) const REFUSED: [i64; 8] = [272, 308, 165, 166, 155, 161, 430, 428];
}
#[cfg(target_arch = "aarch64")]
mod nr {
    pub(super) const CLONE: i64 = 220;
    pub(super) const CLONE3: i64 = 435;
    pub(super) const REFUSED: [i64; 8] = [97, 268, 40, 39, 41, 51, 430, 428];
}

/// Starts a command on such a host.
pub(crate) fn spawn(mut command: Command) -> io::Result<Child> {
    if rustix::process::geteuid().is_root() {
        command.uid(USER).gid(USER);
    }
    // What a thread has installed, its children inherit; the rest of this process is left alone.
    let spawned = thread::spawn(move || {
        for filter in filters() {
            seccompiler::apply_filter(&filter).map_err(io::Error::other)?;
        }
        command.spawn()
    });
    spawned.join().expect("the thread ends")
}

/// Lets that user read what is in a directory, and have places in it to write to: for temporary files,
/// and for its state, with the environment `default` of this interpreter.
pub(crate) fn open(directory: &Path, python: &Path) -> io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
    for name in ["tmp", "state"] {
        let place = directory.join(name);
        fs::create_dir(&place)?;
        fs::set_permissions(&place, fs::Permissions::from_mode(0o1777))?;
    }
    let environments = directory.join("state/environments");
    fs::create_dir(&environments)?;
    let built = built(python)?;
    symlink(
        &built,
        environments.join(built.file_name().expect("a name")),
    )
}

/// The environment `default` that was built last from this interpreter.
pub fn built(python: &Path) -> io::Result<PathBuf> {
    let version = Command::new(python).arg("--version").output()?.stdout;
    let version = String::from_utf8_lossy(&version).replace("Python ", "");
    let mut found = Vec::new();
    for entry in fs::read_dir(setting::state_dir().join("environments"))? {
        let path = entry?.path();
        let Ok(text) = fs::read_to_string(path.join("environment.json")) else {
            continue;
        };
        let told: Value = serde_json::from_str(&text)?;
        if told["name"] == "default" && told["python"] == version.trim() {
            found.push((told["built_at"].as_u64(), path));
        }
    }
    found.sort();
    let newest = found.pop().map(|(_, path)| path);
    newest.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn filters() -> [BpfProgram; 2] {
    let of = |call| (call, Vec::new());
    let mut refused: BTreeMap<_, _> = nr::REFUSED.map(of).into();
    refused.insert(nr::CLONE, (0..64).filter_map(new_namespace).collect());
    [
        filter(refused, EPERM),
        filter([of(nr::CLONE3)].into(), ENOSYS),
    ]
}

/// A clone with that flag, if it is one of a namespace.
fn new_namespace(bit: u32) -> Option<SeccompRule> {
    let flag = 1_u64
        .checked_shl(bit)
        .filter(|flag| NAMESPACES & flag != 0)?;
    let has = SeccompCmpOp::MaskedEq(flag);
    let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, has, flag);
    Some(SeccompRule::new(vec![condition.expect("a condition")]).expect("a rule"))
}

fn filter(calls: BTreeMap<i64, Vec<SeccompRule>>, errno: u32) -> BpfProgram {
    let architecture = std::env::consts::ARCH.try_into().expect("a known one");
    let refused = SeccompAction::Errno(errno);
    SeccompFilter::new(calls, SeccompAction::Allow, refused, architecture)
        .and_then(TryInto::try_into)
        .expect("a filter")
}
