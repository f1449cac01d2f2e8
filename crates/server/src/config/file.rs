//! The configuration file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    ConfigError, KeyConfig, access::AccessOptions, environment::EnvironmentOptions,
    isolation::IsolationOptions, keys::KeysFile, limits::LimitsOptions, options::Origin,
    pool::PoolOptions, server::ServerOptions, telemetry::TelemetryOptions,
};

/// What a file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileOptions {
    pub(super) state_dir: Option<PathBuf>,
    #[serde(default)]
    pub(super) server: ServerOptions,
    #[serde(default)]
    pub(super) access: AccessOptions,
    #[serde(default)]
    pub(super) telemetry: TelemetryOptions,
    #[serde(default)]
    pub(super) limits: LimitsOptions,
    #[serde(default)]
    pub(super) pool: PoolOptions,
    #[serde(default)]
    pub(super) isolation: IsolationOptions,
    #[serde(default)]
    pub(super) environments: BTreeMap<String, EnvironmentOptions>,
    #[serde(default)]
    pub(super) keys: Vec<KeyConfig>,
}

impl FileOptions {
    /// Reads and checks the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let options: Self = read(path)?;
        let origin = Origin::File(path.to_owned());
        options.server.check(&origin)?;
        options.telemetry.check(&origin)?;
        options.limits.check(&origin)?;
        options.pool.check(&origin)?;
        options.isolation.check(&origin)?;
        for (name, environment) in &options.environments {
            let checked = environment.limits.check(&origin);
            checked.map_err(|error| error.within(&format!("environments.{name}")))?;
        }
        Ok(options)
    }
}

/// The keys of the file at `path`.
pub(super) fn read_keys(path: &Path) -> Result<Vec<KeyConfig>, ConfigError> {
    Ok(read::<KeysFile>(path)?.keys)
}

/// The keys of an environment variable, which has what a file of keys would have.
pub(super) fn parse_keys(text: &str, variable: &str) -> Result<Vec<KeyConfig>, ConfigError> {
    let parsed = toml::from_str::<KeysFile>(text);
    let parsed = parsed.map_err(|error| ConfigError::Variable {
        name: variable.to_owned(),
        problem: one_line(error.message()),
    });
    Ok(parsed?.keys)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    let document = toml::Deserializer::parse(&text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        line: line_of(&text, &error),
        problem: one_line(error.message()),
    })?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let key = error.path().to_string();
        ConfigError::file(path, &key, in_words(error.inner().message()))
    })
}

fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let end = error.span().map_or(0, |span| span.start.min(text.len()));
    text.get(..end)
        .map_or(1, |before| 1 + before.matches('\n').count())
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join("; ")
}

/// Says Rust's number types in words.
fn in_words(message: &str) -> String {
    let message = one_line(message);
    for (kind, words) in [
        ("u16", "a whole number from 0 to 65535"),
        ("u32", "a whole number from 0 to 4294967295"),
        ("u64", "a whole number, not negative"),
    ] {
        if let Some(start) = message.strip_suffix(&format!("expected {kind}")) {
            return format!("{start}expected {words}");
        }
    }
    message
}
