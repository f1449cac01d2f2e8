//! Which walls there are, and which of them the server does not start without.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use cellblock_sandbox::Layer;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::options::{UnknownName, named, named_in, options};

options! {
    /// Which walls there are, and which of them the server does not start without.
    IsolationConfig from IsolationOptions, ["isolation"], "Isolation";
    engine: EngineKind = EngineKind::Warm;
        "engine", "CELLBLOCK_ENGINE", "How cells are made, where an environment does not say.";
    floor: Floor = Floor::Standard;
        "floor", "CELLBLOCK_FLOOR", "Isolation below which the server refuses to start.";
    sandbox_uid: u32 = 65_534, in 1..=4_294_967_293;
        "sandbox-uid", "CELLBLOCK_SANDBOX_UID",
        "User id under which sandboxes run where the server runs as root.";
    sandbox_gid: u32 = 65_534, in 1..=4_294_967_293;
        "sandbox-gid", "CELLBLOCK_SANDBOX_GID",
        "Group id under which sandboxes run where the server runs as root.";
    nsjail: String = "auto".to_owned();
        "nsjail", "CELLBLOCK_NSJAIL",
        "Path of nsjail, or auto: the one that was set up in the state directory, else on the PATH.";
    cgroup_parent: String = "auto".to_owned();
        "cgroup-parent", "CELLBLOCK_CGROUP_PARENT",
        "Directory below which cgroups of cells are made, or auto: the server's own, or off.";
    without: String = String::new();
        "without", "CELLBLOCK_WITHOUT",
        "Isolation layers to leave out, by name, separated by commas, such as landlock.";
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

    /// What was said of cgroups.
    pub fn cgroups(&self) -> Cgroups {
        match self.cgroup_parent.as_str() {
            "auto" => Cgroups::Auto,
            "off" => Cgroups::Off,
            path => Cgroups::Below(path.into()),
        }
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
    /// Every layer is on.
    Strict,
    /// Every layer that this machine can give is on. Landlock, and the cgroup, may be missing;
    /// Landlock only where the configuration leaves it out.
    Standard,
    /// As `standard`; and where no namespaces can be made, processes of one user without them. Only for
    /// scripts that one would run beside one another in a virtual machine of their own.
    Process,
    /// Whatever there is. For development only.
    Off,
}
named!(Floor);

impl Floor {
    /// Whether a server with this floor may run without that layer.
    pub fn spares(self, layer: Layer) -> bool {
        match self {
            Self::Strict => false,
            Self::Standard => matches!(layer, Layer::Landlock | Layer::Cgroup),
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
