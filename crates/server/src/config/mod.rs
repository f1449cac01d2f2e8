//! The configuration: flags over environment variables over one TOML file over defaults.
//!
//! Each option is defined once, in the file of its concern, with its default, bounds, flag,
//! variable and help ([`options`](self::options)).

mod access;
mod environment;
mod error;
mod file;
mod isolation;
mod keys;
mod limits;
mod load;
mod options;
mod pool;
pub mod restricted;
mod server;
mod telemetry;
#[cfg(test)]
mod tests;
mod uids;

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

pub use access::{AccessConfig, AccessOptions};
pub use environment::{DEFAULT_ENVIRONMENT, EnvironmentConfig, Requirements};
pub use error::ConfigError;
pub use isolation::{Cgroups, EngineKind, Floor, IsolationConfig, IsolationOptions};
pub use keys::KeyConfig;
pub use limits::{Ceilings, LimitsConfig, LimitsOptions};
pub use load::ConfigArgs;
pub use options::{Origin, UnknownName, Variables};
pub use pool::{PoolConfig, PoolOptions};
pub use server::{LogFormat, ServerConfig, ServerOptions};
pub use telemetry::{TelemetryConfig, TelemetryOptions};
pub use uids::UidRange;

/// The effective configuration, complete and checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// Directory for what takes long to make: virtual environments, nsjail.
    pub state_dir: PathBuf,
    /// How the server listens.
    pub server: ServerConfig,
    /// Who may call the API.
    pub access: AccessConfig,
    /// Where traces go.
    pub telemetry: TelemetryConfig,
    /// What one execution may use, where its environment says nothing else.
    pub limits: LimitsConfig,
    /// How many cells there are, and who waits.
    pub pool: PoolConfig,
    /// Which walls there are.
    pub isolation: IsolationConfig,
    /// The environments by name; the one named [`DEFAULT_ENVIRONMENT`] is always there.
    pub environments: BTreeMap<String, EnvironmentConfig>,
    /// The API keys; without any, whoever reaches the server may use it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyConfig>,
}

impl Config {
    /// The defaults alone.
    pub fn defaults() -> Result<Self, ConfigError> {
        ConfigArgs::default().load_with(&|_| None, std::path::Path::new("/nonexistent"))
    }

    /// The configuration as a TOML file that says the same.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}
