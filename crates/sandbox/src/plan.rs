//! A policy made ready for the fork: every string and filter that the steps need is built here,
//! once per zygote, because init may not allocate.

use std::{
    cell::Cell,
    ffi::{CString, NulError},
    io,
    os::{fd::RawFd, unix::ffi::OsStrExt},
    path::PathBuf,
};

use rustix::process::Pid;
use thiserror::Error;

use crate::{
    CellPolicy, INIT_NAME, INIT_PATH, Layer, in_place, landlocked,
    own_user::UidMap,
    seccomp::{self, SeccompError},
    steps::{self, InitStep, SealStep},
};

/// What making a cell needs, beside the cell's own descriptors.
#[derive(Debug)]
pub struct Plan {
    pub(crate) policy: CellPolicy,
    pub(crate) namespaces: u64,
    /// The uid under which cells are made, as their maker counts.
    pub(crate) own_uid: u32,
    /// Of the cell that is made next.
    pub(crate) uid_map: Cell<UidMap>,
    pub(crate) gid_map: Vec<u8>,
    pub(crate) tmp_options: CString,
    pub(crate) init_path: CString,
    pub(crate) init: &'static [InitStep],
    pub(crate) seal: &'static [SealStep],
    /// The process whose end is the cell's end too, where no pid namespace sees to that.
    pub(crate) maker: Pid,
    /// Landlock keeps a cell without namespaces from cutting files by name, so its filter need not.
    pub(crate) may_truncate: bool,
    /// The directories of the environment's image, for Landlock.
    pub(crate) image: Vec<PathBuf>,
    /// What the seal installs.
    pub(crate) filters: Vec<seccompiler::BpfProgram>,
}

/// The descriptors that one cell gets. They are borrowed numbers of the calling process, which
/// owns them; in the cell's processes they end up as 0, 1, 2, the channel and nothing else.
#[derive(Debug, Clone)]
pub struct CellDescriptors {
    /// The cell's end of its channel to the server.
    pub channel: RawFd,
    /// What becomes descriptor 1.
    pub stdout: RawFd,
    /// What becomes descriptor 2.
    pub stderr: RawFd,
    /// Where init writes its report.
    pub report: RawFd,
    /// The cell's own directory, where it has no `/tmp` of its own.
    pub directory: Option<RawFd>,
    /// The `tasks` or `cgroup.procs` files of the cgroups to join.
    pub cgroups: Vec<RawFd>,
}

/// Why a policy cannot be carried out. The operator's fault or ours, never a script's.
#[derive(Debug, Error)]
pub enum PlanError {
    /// A string holds a NUL.
    #[error("policy: {0}")]
    Nul(#[from] NulError),
    /// The host name is longer than the kernel takes (64 bytes, sethostname(2)).
    #[error("policy: hostname of {0} bytes is longer than 64")]
    Hostname(usize),
    /// A cell without namespaces would lack what stands in for them.
    #[error("policy: a cell without namespaces cannot do without the layer {0}")]
    Needed(Layer),
    /// The root, which is the image's, cannot be listed.
    #[error("list the root directory: {0}")]
    Root(#[from] io::Error),
    /// The system-call filter does not compile.
    #[error(transparent)]
    Seccomp(#[from] SeccompError),
}

impl Plan {
    /// Prepares `policy` for a process that runs as `uid` and `gid`.
    pub fn new(policy: CellPolicy, uid: u32, gid: u32) -> Result<Self, PlanError> {
        if policy.hostname.len() > 64 {
            return Err(PlanError::Hostname(policy.hostname.len()));
        }
        if policy.in_place.is_some()
            && let Some(layer) = in_place::NEEDED.iter().find(|layer| !policy.has(**layer))
        {
            return Err(PlanError::Needed(*layer));
        }
        let filters = if policy.has(Layer::Seccomp) {
            with_shared(seccomp::compile_cell(policy.memory())?, &policy)?
        } else {
            Vec::new()
        };
        Ok(Self {
            namespaces: namespace_flags(&policy),
            own_uid: uid,
            uid_map: Cell::new(UidMap::new(policy.uid, uid)),
            gid_map: format!("{} {gid} 1", policy.uid).into_bytes(),
            tmp_options: CString::new(format!(
                "size={},nr_inodes={},mode=0700",
                policy.tmp_bytes, policy.tmp_inodes
            ))?,
            init_path: init_path(&policy)?,
            init: match policy.in_place {
                None => steps::INIT,
                Some(_) => in_place::INIT,
            },
            seal: match policy.in_place {
                None => steps::SEAL,
                Some(_) => in_place::SEAL,
            },
            may_truncate: policy.in_place.is_some() && landlocked::governs_truncate(),
            maker: rustix::process::getpid(),
            image: if policy.in_place.is_none() && policy.has(Layer::Landlock) {
                landlocked::of_image()?
            } else {
                Vec::new()
            },
            filters,
            policy,
        })
    }

    /// The filters that take from a cell what its zygote may do.
    pub(crate) fn closing(&self) -> Result<Vec<seccompiler::BpfProgram>, SeccompError> {
        with_shared(seccomp::compile_closing(self.is_in_place())?, &self.policy)
    }

    /// Whether a cgroup counts the memory of cells.
    pub fn counts_memory(&self) -> bool {
        self.policy.has(Layer::Cgroup)
    }

    /// Whether each cell that is forked gets a uid of its own.
    pub fn gives_own_users(&self) -> bool {
        self.policy.has(Layer::OwnUser) && !self.is_in_place()
    }

    /// Whether cells have no namespaces.
    pub fn is_in_place(&self) -> bool {
        self.policy.in_place.is_some()
    }
}

/// And those for a cell whose files are inodes that others have too.
fn with_shared(
    filters: Vec<seccompiler::BpfProgram>,
    policy: &CellPolicy,
) -> Result<Vec<seccompiler::BpfProgram>, SeccompError> {
    if policy.in_place.is_none() && policy.has(Layer::PrivateRoot) {
        return Ok(filters);
    }
    // Before the others, which leave no way to install one.
    let shared = seccomp::compile_shared()?.into_iter();
    Ok(shared.chain(filters).collect())
}

fn init_path(policy: &CellPolicy) -> Result<CString, NulError> {
    match &policy.in_place {
        None => CString::new(INIT_PATH),
        Some(place) => CString::new(place.runtime.join(INIT_NAME).as_os_str().as_bytes()),
    }
}

/// The namespaces that the cell is cloned into. The cgroup namespace is left out: it has to be
/// made after the cell joined its cgroup, or `/proc/self/cgroup` would tell the way there.
fn namespace_flags(policy: &CellPolicy) -> u64 {
    if policy.in_place.is_some() {
        return 0;
    }
    [
        (Layer::UserNamespace, libc::CLONE_NEWUSER),
        (Layer::PidNamespace, libc::CLONE_NEWPID),
        (Layer::MountNamespace, libc::CLONE_NEWNS),
        (Layer::NetworkNamespace, libc::CLONE_NEWNET),
        (Layer::IpcNamespace, libc::CLONE_NEWIPC),
        (Layer::UtsNamespace, libc::CLONE_NEWUTS),
    ]
    .into_iter()
    .filter(|(layer, _)| policy.has(*layer))
    .fold(0, |flags, (_, flag)| {
        flags | u64::from(flag.cast_unsigned())
    })
}
