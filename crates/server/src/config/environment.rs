//! Environments: an interpreter, its packages, and what is imported ahead of need.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, Serializer};

use super::{Config, ConfigError, EngineKind, LimitsConfig, limits::LimitsOptions, restricted};

/// Name of the environment that a request gets where it names none.
pub const DEFAULT_ENVIRONMENT: &str = "default";
/// What the default environment runs in its zygote.
const DEFAULT_EXERCISE: &str = include_str!("exercise.py");
/// The interpreter of an environment that is taken as it was built.
const AS_BUILT: &str = "as-built";
/// Longest name of an environment in bytes: it becomes the name of a directory and of a label.
const MAX_NAME: usize = 64;

/// One environment, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentConfig {
    /// The Python that the environment is made from: a path, or a name that the `PATH` has. Or
    /// `as-built`: the environment is taken as it was built last, whatever it was made from.
    pub interpreter: PathBuf,
    /// What is installed into it.
    pub requirements: Requirements,
    /// Modules that the zygote imports, in order.
    pub preload: Vec<String>,
    /// Python source that the zygote runs once after the imports.
    pub exercise: String,
    /// Modules that a script itself may not import; each name covers its submodules.
    pub restricted: Vec<String>,
    /// Memory may become code, for compilers at run time such as numba's.
    pub jit: bool,
    /// How its cells are made.
    pub engine: EngineKind,
    /// What one execution may use.
    pub limits: LimitsConfig,
}

/// What is installed into an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Requirements {
    /// Nothing: the interpreter is used as it is. In TOML `"none"`.
    None,
    /// The hash-locked list with numpy and pandas that comes with the program. In TOML `"builtin"`.
    Builtin,
    /// A requirements file. In TOML its path.
    File(PathBuf),
}

/// One environment, as a file says it; what is absent has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentOptions {
    interpreter: Option<PathBuf>,
    requirements: Option<Requirements>,
    preload: Option<Vec<String>>,
    exercise: Option<String>,
    restricted: Option<Vec<String>>,
    jit: Option<bool>,
    engine: Option<EngineKind>,
    #[serde(default)]
    pub(super) limits: LimitsOptions,
}

impl EnvironmentConfig {
    /// An environment of which nothing is said: a plain `python3`; the one named `default` has
    /// numpy and pandas in it.
    pub fn new(name: &str, engine: EngineKind, limits: LimitsConfig) -> Self {
        let batteries = name == DEFAULT_ENVIRONMENT;
        Self {
            interpreter: "python3".into(),
            requirements: if batteries {
                Requirements::Builtin
            } else {
                Requirements::None
            },
            preload: if batteries {
                vec!["numpy".to_owned(), "pandas".to_owned()]
            } else {
                Vec::new()
            },
            exercise: if batteries { DEFAULT_EXERCISE } else { "" }.to_owned(),
            restricted: restricted::names(),
            jit: false,
            engine,
            limits,
        }
    }

    /// Whether the environment is taken as it was built last: for a machine, such as a container,
    /// that has no interpreter of its own.
    pub fn is_as_built(&self) -> bool {
        self.interpreter == Path::new(AS_BUILT)
    }

    /// Overlays what a file in directory `base` says.
    pub(super) fn overlay(&mut self, options: EnvironmentOptions, base: &Path) {
        if let Some(preload) = options.preload {
            self.preload = preload;
            // The default exercise uses the default's packages.
            self.exercise = String::new();
        }
        if let Some(interpreter) = options.interpreter {
            self.interpreter = below(base, interpreter);
        }
        if let Some(requirements) = options.requirements {
            self.requirements = match requirements {
                Requirements::File(path) => Requirements::File(base.join(path)),
                other => other,
            };
        }
        self.exercise = options
            .exercise
            .unwrap_or_else(|| std::mem::take(&mut self.exercise));
        self.restricted = options
            .restricted
            .unwrap_or_else(|| std::mem::take(&mut self.restricted));
        self.jit = options.jit.unwrap_or(self.jit);
        self.engine = options.engine.unwrap_or(self.engine);
        self.limits.overlay(&options.limits);
    }

    /// Refuses what cannot work; `section` is where it was read.
    pub(super) fn check(&self, section: &str) -> Result<(), ConfigError> {
        for (key, modules) in [("preload", &self.preload), ("restricted", &self.restricted)] {
            if let Some(bad) = modules.iter().find(|name| !is_module(name)) {
                return Err(ConfigError::Conflict {
                    key: format!("{section}.{key}"),
                    problem: format!(
                        "{bad:?} is no module name; write it as in an import, such as \"os.path\""
                    ),
                });
            }
        }
        self.limits.check(&format!("{section}.limits"))
    }
}

/// Refuses a name that could not be a directory's, a label's or a URL's part.
pub(super) fn check_name(name: &str) -> Result<(), ConfigError> {
    let fine = !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.starts_with(['.', '-'])
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if fine {
        return Ok(());
    }
    Err(ConfigError::Conflict {
        key: format!("environments.{name:?}"),
        problem: format!(
            "not a name for an environment; use at most {MAX_NAME} letters, digits, '.', '_' and '-'"
        ),
    })
}

impl Config {
    /// What is enough for one execution in this environment: one cell, and no other environment.
    #[must_use]
    pub fn only(mut self, environment: &str) -> Self {
        self.environments.retain(|name, _| name == environment);
        self.pool.warm_cells = 1;
        self.pool.max_running = 1;
        self.pool.zygotes = 1;
        self
    }

    /// The names of the environments, for messages.
    pub fn environment_names(&self) -> String {
        join_names(&self.environments)
    }
}

fn join_names<T>(environments: &BTreeMap<String, T>) -> String {
    let names: Vec<&str> = environments.keys().map(String::as_str).collect();
    names.join(", ")
}

/// A bare name is looked for on the `PATH`; anything else is relative to the file that said it.
fn below(base: &Path, path: PathBuf) -> PathBuf {
    if path.components().count() > 1 {
        base.join(path)
    } else {
        path
    }
}

fn is_module(name: &str) -> bool {
    name.split('.').all(|part| {
        let mut letters = part.chars();
        letters
            .next()
            .is_some_and(|c| c == '_' || c.is_alphabetic())
            && letters.all(|c| c == '_' || c.is_alphanumeric())
    })
}

impl From<String> for Requirements {
    fn from(text: String) -> Self {
        match text.as_str() {
            "none" => Self::None,
            "builtin" => Self::Builtin,
            _ => Self::File(text.into()),
        }
    }
}

impl Serialize for Requirements {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Builtin => serializer.serialize_str("builtin"),
            Self::File(path) => path.serialize(serializer),
        }
    }
}
