//! Flags over environment over file over defaults.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    AccessConfig, Config, ConfigError, DEFAULT_ENVIRONMENT, EnvironmentConfig, IsolationConfig,
    LimitsConfig, PoolConfig, ServerConfig, TelemetryConfig,
    access::AccessOptions,
    environment::check_name,
    file::{self, FileOptions},
    isolation::IsolationOptions,
    keys,
    limits::LimitsOptions,
    options::{Origin, Variables, variable},
    pool::PoolOptions,
    server::ServerOptions,
    telemetry::TelemetryOptions,
};

/// The file that is read where no other is named, if it is there.
const DEFAULT_FILE: &str = "cellblock.toml";
/// The variable with keys, in the form of a file of keys: for where a secret is handed over as one.
const KEYS: &str = "CELLBLOCK_KEYS";
const CONFIG_HELP: &str = "Configuration file in TOML; `cellblock config` prints one. \
    [default: cellblock.toml, if it is there] [env: CELLBLOCK_CONFIG]";
const STATE_DIR_HELP: &str = "Directory for what takes long to make, such as virtual environments. \
    [default: /var/lib/cellblock for root, else ~/.local/state/cellblock] [env: CELLBLOCK_STATE_DIR]";
const PYTHON_HELP: &str = "Interpreter of the environment named default: a path, or a name on the \
    PATH; or as-built, to take the environment as it was built last. [default: python3] [env: CELLBLOCK_PYTHON]";

/// The flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", help_heading = "Configuration", help = CONFIG_HELP)]
    config: Option<PathBuf>,
    /// The state directory.
    #[arg(long, value_name = "DIR", help_heading = "Configuration", help = STATE_DIR_HELP)]
    state_dir: Option<PathBuf>,
    /// Interpreter of the default environment.
    #[arg(long, value_name = "PYTHON", help_heading = "Configuration", help = PYTHON_HELP)]
    python: Option<PathBuf>,
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    access: AccessOptions,
    #[command(flatten)]
    telemetry: TelemetryOptions,
    #[command(flatten)]
    limits: LimitsOptions,
    #[command(flatten)]
    pool: PoolOptions,
    #[command(flatten)]
    isolation: IsolationOptions,
}

impl ConfigArgs {
    /// The effective configuration, with this process' environment and working directory.
    pub fn load(&self) -> Result<Config, ConfigError> {
        self.load_with(&|name| std::env::var_os(name), Path::new(""))
    }

    /// The effective configuration with these variables; `directory` is where the file without a
    /// name is looked for.
    pub fn load_with(&self, variables: Variables, directory: &Path) -> Result<Config, ConfigError> {
        self.check()?;
        let named = match &self.config {
            Some(path) => Some(path.clone()),
            None => path_variable(variables, "CELLBLOCK_CONFIG")?,
        };
        let default = Some(directory.join(DEFAULT_FILE)).filter(|path| path.exists());
        let path = named.or(default);
        let file = path
            .as_deref()
            .map(FileOptions::read)
            .transpose()?
            .unwrap_or_default();
        let base = path.as_deref().and_then(Path::parent).unwrap_or(directory);
        self.merge(&Self::from_variables(variables)?, file, base, variables)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.check_from(&Origin::Flags)
    }

    fn check_from(&self, origin: &Origin) -> Result<(), ConfigError> {
        self.server.check(origin)?;
        self.access.check(origin)?;
        self.telemetry.check(origin)?;
        self.limits.check(origin)?;
        self.pool.check(origin)?;
        self.isolation.check(origin)
    }

    fn from_variables(variables: Variables) -> Result<Self, ConfigError> {
        let options = Self {
            config: None,
            state_dir: path_variable(variables, "CELLBLOCK_STATE_DIR")?,
            python: path_variable(variables, "CELLBLOCK_PYTHON")?,
            server: ServerOptions::from_variables(variables)?,
            access: AccessOptions::from_variables(variables)?,
            telemetry: TelemetryOptions::from_variables(variables)?,
            limits: LimitsOptions::from_variables(variables)?,
            pool: PoolOptions::from_variables(variables)?,
            isolation: IsolationOptions::from_variables(variables)?,
        };
        options.check_from(&Origin::Environment)?;
        Ok(options)
    }

    /// Puts the layers on top of each other. `base` is what the file's paths are relative to.
    fn merge(
        &self,
        environment: &Self,
        file: FileOptions,
        base: &Path,
        variables: Variables,
    ) -> Result<Config, ConfigError> {
        let layers = [environment, self];
        let mut server = ServerConfig::default();
        let mut access = AccessConfig::default();
        let mut telemetry = TelemetryConfig::default();
        let mut limits = LimitsConfig::default();
        let mut pool = PoolConfig::default();
        let mut isolation = IsolationConfig::default();
        server.overlay(&file.server);
        access.overlay(&file.access);
        access.keys_file = beside(base, &access.keys_file);
        telemetry.overlay(&file.telemetry);
        limits.overlay(&file.limits);
        pool.overlay(&file.pool);
        isolation.overlay(&file.isolation);
        for layer in layers {
            server.overlay(&layer.server);
            access.overlay(&layer.access);
            telemetry.overlay(&layer.telemetry);
            limits.overlay(&layer.limits);
            pool.overlay(&layer.pool);
            isolation.overlay(&layer.isolation);
        }
        let state_dir = layers
            .into_iter()
            .rev()
            .find_map(|layer| layer.state_dir.clone())
            .or_else(|| file.state_dir.map(|path| base.join(path)))
            .unwrap_or_else(|| default_state_dir(variables));
        let mut config = Config {
            state_dir,
            server,
            access,
            telemetry,
            limits,
            pool,
            isolation,
            environments: std::iter::empty().collect(),
            keys: file.keys,
        };
        config.read_keys(variables)?;
        config.add_environment(DEFAULT_ENVIRONMENT);
        for (name, options) in file.environments {
            check_name(&name)?;
            config.add_environment(&name).overlay(options, base);
        }
        if let Some(python) = self.python.clone().or_else(|| environment.python.clone()) {
            config.add_environment(DEFAULT_ENVIRONMENT).interpreter = python;
        }
        config.check()?;
        Ok(config)
    }
}

impl Config {
    /// The environment of that name, made with its defaults if it is not there.
    fn add_environment(&mut self, name: &str) -> &mut EnvironmentConfig {
        let (engine, limits) = (self.isolation.engine, &self.limits);
        self.environments
            .entry(name.to_owned())
            .or_insert_with(|| EnvironmentConfig::new(name, engine, limits.clone()))
    }

    /// Adds the keys that have a file of their own, and forgets the file; then those of a variable.
    fn read_keys(&mut self, variables: Variables) -> Result<(), ConfigError> {
        let path = std::mem::take(&mut self.access.keys_file);
        if !path.is_empty() {
            self.keys.extend(file::read_keys(Path::new(&path))?);
        }
        if let Some(text) = variable::<String>(variables, &[KEYS], "keys in TOML")? {
            self.keys.extend(file::parse_keys(&text, KEYS)?);
        }
        keys::check(&self.keys)
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.access.check_origins()?;
        self.telemetry.check_otlp_endpoint()?;
        self.isolation.check_links()?;
        self.isolation.check_uids()?;
        self.limits.check("limits")?;
        for (name, environment) in &self.environments {
            environment.check(&format!("environments.{name}"))?;
        }
        Ok(())
    }
}

fn path_variable(variables: Variables, name: &str) -> Result<Option<PathBuf>, ConfigError> {
    variable(variables, &[name], "a path")
}

/// A path that the configuration file says, if it says one, relative to that file.
fn beside(base: &Path, path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    base.join(path).to_string_lossy().into_owned()
}

/// Where a system keeps what programs make and can make again.
fn default_state_dir(variables: Variables) -> PathBuf {
    let set = |name: &str| variables(name).filter(|value: &OsString| !value.is_empty());
    if rustix::process::geteuid().is_root() {
        return "/var/lib/cellblock".into();
    }
    if let Some(state) = set("XDG_STATE_HOME") {
        return Path::new(&state).join("cellblock");
    }
    match set("HOME") {
        Some(home) => Path::new(&home).join(".local/state/cellblock"),
        None => std::env::temp_dir().join("cellblock"),
    }
}
