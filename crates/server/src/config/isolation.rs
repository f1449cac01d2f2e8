//! Which walls there are, and which of them the server does not start without.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use cellblock_sandbox::Layer;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{
    ConfigError, UidRange,
    options::{UnknownName, named, named_in, options},
};

/// What an environment's root has, see `environment::layout`.
const OWN_DIRECTORIES: [&str; 10] = [
    "cellblock",
    "dev",
    "etc",
    "lib",
    "lib64",
    "packages",
    "proc",
    "python",
    "tmp",
    "usr",
];

options! {
    /// Which walls there are, and which of them the server does not start without.
    IsolationConfig from IsolationOptions, ["isolation"], "Isolation";
    engine: EngineKind = EngineKind::Warm;
        "engine", "CELLBLOCK_ENGINE", "How cells are made, where an environment does not say.";
    floor: Floor = Floor::Standard;
        "floor", "CELLBLOCK_FLOOR", "Isolation below which the server refuses to start.";
    sandbox_uid: u32 = 65_534, in 1..=4_294_967_293;
        "sandbox-uid", "CELLBLOCK_SANDBOX_UID",
        "User id under which sandboxes run where the server runs as root, and they have none of their own.";
    sandbox_gid: u32 = 65_534, in 1..=4_294_967_293;
        "sandbox-gid", "CELLBLOCK_SANDBOX_GID",
        "Group id under which sandboxes run where the server runs as root.";
    uids: String = "auto".to_owned();
        "uids", "CELLBLOCK_UIDS",
        "User ids for sandboxes, one for each while it lives, as FIRST:COUNT; or auto: as root 65536 from \
         2100000000 on, in a container with fewer its last ones, else those of the user in /etc/subuid.";
    nsjail: String = "auto".to_owned();
        "nsjail", "CELLBLOCK_NSJAIL",
        "Path of nsjail, or auto: the one that was set up in the state directory, else on the PATH.";
    cgroup_parent: String = "auto".to_owned();
        "cgroup-parent", "CELLBLOCK_CGROUP_PARENT",
        "Directory below which cgroups of cells are made, or auto: the server's own, or off.";
    without: String = String::new();
        "without", "CELLBLOCK_WITHOUT",
        "Isolation layers to leave out, by name, separated by commas, such as landlock.";
    tmp_links: String = "/mnt/data,/home/user,/workspace".to_owned();
        "tmp-links", "CELLBLOCK_TMP_LINKS",
        "Paths that lead to /tmp in a sandbox, separated by commas: where scripts written for other \
         sandboxes expect their files.";
}

impl IsolationConfig {
    /// Where nsjail is, if that was said.
    pub fn nsjail_path(&self) -> Option<&Path> {
        (self.nsjail != "auto").then(|| Path::new(&self.nsjail))
    }

    /// The layers to leave out.
    ///
    /// # Errors
    /// The name that is no layer's.
    pub fn omitted(&self) -> Result<BTreeSet<Layer>, UnknownName> {
        named_in(&self.without, &Layer::ALL, Layer::name)
    }

    /// The uids for cells, if that was said.
    pub fn uid_range(&self) -> Option<UidRange> {
        self.uids.parse().ok()
    }

    /// Refuses what is no range of uids.
    pub(super) fn check_uids(&self) -> Result<(), ConfigError> {
        let parsed = match self.uids.as_str() {
            "auto" => Ok(()),
            text => text.parse::<UidRange>().map(drop),
        };
        parsed.map_err(|problem| ConfigError::Conflict {
            key: "isolation.uids".to_owned(),
            problem: format!("{:?} {problem}", self.uids),
        })
    }

    /// The paths that lead to `/tmp` in a cell.
    pub fn links(&self) -> Vec<PathBuf> {
        let paths = self.tmp_links.split(',').map(str::trim);
        paths
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .collect()
    }

    /// Refuses paths of [`IsolationConfig::links`] that could not be laid out.
    pub(super) fn check_links(&self) -> Result<(), ConfigError> {
        let links = self.links();
        for (index, link) in links.iter().enumerate() {
            let mut others = links.iter().take(index).chain(links.iter().skip(index + 1));
            let problem = if others.any(|other| link.starts_with(other)) {
                Some("lies below another of these paths")
            } else {
                problem_of(link)
            };
            if let Some(problem) = problem {
                return Err(ConfigError::Conflict {
                    key: "isolation.tmp_links".to_owned(),
                    problem: format!("{} {problem}; leave it out", link.display()),
                });
            }
        }
        Ok(())
    }

    /// What was said of cgroups.
    pub fn cgroups(&self) -> Cgroups {
        match self.cgroup_parent.as_str() {
            "auto" => Cgroups::Auto,
            "off" => Cgroups::Off,
            path => Cgroups::Below(path.into()),
        }
    }
}

/// Why a path cannot lead to `/tmp`.
fn problem_of(link: &Path) -> Option<&'static str> {
    let mut parts = link.components();
    let (Some(Component::RootDir), Some(Component::Normal(first))) = (parts.next(), parts.next())
    else {
        return Some("is no absolute path below /");
    };
    if OWN_DIRECTORIES.iter().any(|own| first == *own) {
        Some("lies in a directory that a sandbox has already")
    } else if parts.any(|part| !matches!(part, Component::Normal(_))) {
        Some("has .. in it")
    } else {
        None
    }
}

/// How cells are made.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Forked ahead of need from an interpreter that has its packages imported.
    Warm,
    /// One nsjail and one fresh interpreter per execution.
    Cold,
}
named!(EngineKind);

/// Isolation below which the server refuses to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Floor {
    /// Every layer is on, but for uids of their own where this machine has none to give.
    Strict,
    /// Every layer that this machine can give is on. The cgroup and uids of their own may be missing;
    /// Landlock, the private root and the ban of executable memory only where the configuration leaves
    /// them out.
    Standard,
    /// As `standard`; and where no namespaces can be made, processes of one user without them. Only for
    /// scripts that one would run beside one another in a virtual machine of their own.
    Process,
    /// Whatever there is. For development only.
    Off,
}
named!(Floor);

impl Floor {
    /// Whether a server with this floor may run without that layer. Uids of their own, where it is the
    /// machine that does not give them, no floor asks for.
    pub fn spares(self, layer: Layer) -> bool {
        match self {
            Self::Strict => false,
            Self::Standard => {
                matches!(
                    layer,
                    Layer::Landlock
                        | Layer::Cgroup
                        | Layer::PrivateRoot
                        | Layer::OwnUser
                        | Layer::NoExecutableMemory
                )
            }
            // Namespaces are not spared: it is tried to have them, and only then done without.
            Self::Process => layer == Layer::Cgroup,
            Self::Off => true,
        }
    }
}

/// Where cgroups of cells are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cgroups {
    /// Below the server's own group, where that may be done.
    Auto,
    /// Nowhere.
    Off,
    /// Below this directory.
    Below(PathBuf),
}
