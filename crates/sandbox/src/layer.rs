//! The layers of isolation, each of which can be named, tested, removed in a test, and reported.

use serde::{Deserialize, Serialize};

/// One layer of a cell's isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Own user namespace: one uid, no capability outside. user_namespaces(7)
    UserNamespace,
    /// A user id of the machine that no other cell has at that time: what the kernel counts by user, such
    /// as pages in pipes and watches of epoll, is its own. epoll(7), pipe(7), getrlimit(2)
    OwnUser,
    /// Own pid namespace: nobody else can be seen or signalled. pid_namespaces(7)
    PidNamespace,
    /// Own mount namespace. mount_namespaces(7)
    MountNamespace,
    /// Own, empty network namespace. network_namespaces(7)
    NetworkNamespace,
    /// Own System V and POSIX message queues. ipc_namespaces(7)
    IpcNamespace,
    /// Own host name. uts_namespaces(7)
    UtsNamespace,
    /// Own view of cgroups. cgroup_namespaces(7)
    CgroupNamespace,
    /// Own inodes for the files that all cells see: no lock, time or flush of one is another's. Linux
    /// 5.11 (overlayfs in a user namespace)
    PrivateRoot,
    /// Own `/tmp` and `/dev/shm`, each capped in bytes and inodes. tmpfs(5)
    PrivateTmp,
    /// Own `/proc`, of the cell's processes only. proc(5), `subset=pid` since Linux 5.8
    PrivateProc,
    /// Own cgroup for memory, processes and CPU. cgroups(7)
    Cgroup,
    /// No descriptor but the cell's own. close_range(2)
    Descriptors,
    /// Own session, no controlling terminal. setsid(2)
    Session,
    /// Resource limits. getrlimit(2)
    ResourceLimits,
    /// No capability in any set. capabilities(7)
    Capabilities,
    /// No privilege by exec. `PR_SET_NO_NEW_PRIVS`
    NoNewPrivileges,
    /// No tracing, no core dump, no write to `/proc/self/mem`. `PR_SET_DUMPABLE`
    NotDumpable,
    /// File system and scope rules of the Landlock security module. landlock(7)
    Landlock,
    /// No memory that a process fills becomes code: a part of the system-call filter that compilers at
    /// run time cannot do with.
    NoExecutableMemory,
    /// System-call allow-list. seccomp(2)
    Seccomp,
}

impl Layer {
    /// Every layer, in the order in which a cell puts them on.
    pub const ALL: [Self; 21] = [
        Self::UserNamespace,
        Self::OwnUser,
        Self::PidNamespace,
        Self::MountNamespace,
        Self::NetworkNamespace,
        Self::IpcNamespace,
        Self::UtsNamespace,
        Self::CgroupNamespace,
        Self::PrivateRoot,
        Self::PrivateTmp,
        Self::PrivateProc,
        Self::Cgroup,
        Self::Descriptors,
        Self::Session,
        Self::ResourceLimits,
        Self::Capabilities,
        Self::NoNewPrivileges,
        Self::NotDumpable,
        Self::Landlock,
        Self::NoExecutableMemory,
        Self::Seccomp,
    ];

    /// The name used in configuration, reports and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserNamespace => "user_namespace",
            Self::OwnUser => "own_user",
            Self::PidNamespace => "pid_namespace",
            Self::MountNamespace => "mount_namespace",
            Self::NetworkNamespace => "network_namespace",
            Self::IpcNamespace => "ipc_namespace",
            Self::UtsNamespace => "uts_namespace",
            Self::CgroupNamespace => "cgroup_namespace",
            Self::PrivateRoot => "private_root",
            Self::PrivateTmp => "private_tmp",
            Self::PrivateProc => "private_proc",
            Self::Cgroup => "cgroup",
            Self::Descriptors => "descriptors",
            Self::Session => "session",
            Self::ResourceLimits => "resource_limits",
            Self::Capabilities => "capabilities",
            Self::NoNewPrivileges => "no_new_privileges",
            Self::NotDumpable => "not_dumpable",
            Self::Landlock => "landlock",
            Self::NoExecutableMemory => "no_executable_memory",
            Self::Seccomp => "seccomp",
        }
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
