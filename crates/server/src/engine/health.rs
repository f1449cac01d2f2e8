//! What an engine says of itself: for `/health`, `/v1/environments` and `cellblock doctor`.

use serde::Serialize;
use utoipa::ToSchema;

/// The state of the engine and its environments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EngineHealth {
    /// An execution that arrives now would be taken.
    pub ready: bool,
    /// No environment can run one now, though the engine is ready.
    pub degraded: bool,
    /// Every configured environment, by name.
    pub environments: Vec<EnvironmentHealth>,
    /// Every isolation layer that the engine knows, in the order in which they are applied.
    pub isolation: Vec<LayerState>,
}

/// The state of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EnvironmentHealth {
    /// Its configured name.
    pub name: String,
    /// It can run an execution now.
    pub ready: bool,
    /// Whether it can, or will by itself.
    pub state: EnvironmentState,
    /// Such as `3.11.7`; `None` until its interpreter has answered.
    pub python: Option<String>,
    /// Why it is degraded, in one line that may be shown to clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is not as it is in a fresh interpreter; absent where there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub warnings: Vec<String>,
}

/// What an environment is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentState {
    /// It runs executions.
    Ready,
    /// It warms up.
    Starting,
    /// It cannot make sandboxes, and its executions are refused with the reason, or wait for it a while
    /// where it could before; or, where it is `ready` all the same, it lacks some of its zygotes. It is
    /// tried again from time to time.
    Degraded,
}

/// One isolation layer, and whether it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Layer)]
pub struct LayerState {
    /// Such as `seccomp`.
    pub name: String,
    /// Whether it is in force.
    pub state: LayerMode,
    /// Why it is not on; may say what is in force where it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a layer is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LayerMode {
    /// In full.
    On,
    /// In part; the reason says which.
    Degraded,
    /// Not at all.
    Off,
}
