//! The tables as they are written, and the requests that they come to.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::version::Version;

/// One file of scripts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    script: Vec<Script>,
}

/// One script, and where a cell may differ from plain Python.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    pub(crate) name: String,
    #[serde(rename = "script")]
    pub(crate) source: String,
    /// `main` or `script`.
    mode: Option<String>,
    arguments: Option<Value>,
    /// JSON, since TOML knows no null.
    input: Option<String>,
    #[serde(default)]
    pub(crate) stdin: String,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    limits: Option<Value>,

    /// The versions that have what the script uses.
    min_python: Option<Version>,
    max_python: Option<Version>,
    /// What it prints is not the same twice.
    #[serde(default)]
    pub(crate) stdout_varies: bool,
    /// Files whose content is not the same twice; each is there all the same.
    #[serde(default)]
    pub(crate) files_vary: Vec<String>,
    /// Not for plain Python: what it would do to the machine is no business of a test.
    #[serde(default)]
    pub(crate) only_inside: bool,

    /// What comes of it in a cell by design.
    pub(crate) differs: Option<Difference>,
    pub(crate) cold: Option<Difference>,
    pub(crate) without_namespaces: Option<Difference>,
    /// What is wrong, and not mended yet.
    pub(crate) known: Option<Known>,
}

/// What comes of a script in a cell instead, and why.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Difference {
    /// For the reader of the table.
    why: String,
    /// The oldest version with it.
    min_python: Option<Version>,
    /// JSON.
    pub(crate) result: Option<String>,
    /// `error.type`.
    pub(crate) error: Option<String>,
    /// What `error.message` and `error.hint` say, in part.
    #[serde(default)]
    pub(crate) says: Vec<String>,
}

/// A fault that is known: the test fails when it is gone, so that the entry goes with it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    pub(crate) why: String,
    /// The tiers that have it; all where there is none.
    #[serde(default)]
    on: Vec<String>,
    /// The versions that have it.
    min_python: Option<Version>,
    max_python: Option<Version>,
}

impl Script {
    /// Whether this version can run it.
    pub(crate) fn is_for(&self, version: Version) -> bool {
        within(version, self.min_python, self.max_python)
    }

    /// What a cell of this tier makes of it, where that is not what plain Python does.
    pub(crate) fn difference(&self, tier: &str, version: Version) -> Option<&Difference> {
        let own = match tier {
            "cold" => self.cold.as_ref(),
            "without namespaces" => self.without_namespaces.as_ref(),
            _ => None,
        };
        let here = |difference: &&Difference| within(version, difference.min_python, None);
        own.or(self.differs.as_ref()).filter(here)
    }

    /// The fault that it is known to meet there.
    pub(crate) fn known(&self, tier: &str, version: Version) -> Option<&Known> {
        self.known.as_ref().filter(|known| {
            let here = known.on.is_empty() || known.on.iter().any(|name| name == tier);
            here && within(version, known.min_python, known.max_python)
        })
    }

    /// The body of a request for the full record.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = json!({"script": self.source, "output_files": ["**", "**/.*"]});
        let mut set = |name: &str, value: Value| body[name] = value;
        if !self.stdin.is_empty() {
            set("stdin", json!(self.stdin));
        }
        if !self.env.is_empty() {
            set("env", json!(self.env));
        }
        let given = [("arguments", &self.arguments), ("limits", &self.limits)];
        for (name, value) in given {
            if let Some(value) = value {
                set(name, value.clone());
            }
        }
        if let Some(mode) = &self.mode {
            set("mode", json!(mode));
        }
        if let Some(input) = &self.input {
            set("input", parsed(input));
        }
        body.to_string().into_bytes()
    }

    /// The same for plain Python: what `main` is called with.
    pub(crate) fn job(&self) -> Value {
        let positional: Vec<_> = self.input.iter().map(|input| parsed(input)).collect();
        json!({
            "script": self.source,
            "mode": self.mode.as_deref().unwrap_or("main"),
            "positional": positional,
            "named": self.arguments.clone().unwrap_or_else(|| json!({})),
        })
    }

    /// What is wrong with the entry itself.
    pub(crate) fn fault(&self) -> Option<String> {
        let differences = [&self.differs, &self.cold, &self.without_namespaces];
        for difference in differences.into_iter().flatten() {
            if difference.why.is_empty() {
                return Some("a difference without a reason".to_owned());
            }
            if difference.result.is_some() == difference.error.is_some() {
                return Some("of a difference, one of result and error".to_owned());
            }
        }
        (self.only_inside && self.differs.is_none())
            .then(|| "only_inside, and nothing to compare with".to_owned())
    }
}

fn within(version: Version, least: Option<Version>, most: Option<Version>) -> bool {
    least.is_none_or(|least| version >= least) && most.is_none_or(|most| version <= most)
}

pub(crate) fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text} is no JSON: {error}"))
}

/// The areas, each a file.
pub(crate) fn areas() -> Vec<String> {
    let files = fs::read_dir(directory()).expect("tests/honest").flatten();
    let paths = files.map(|file| file.path());
    let mut areas: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    areas.sort();
    areas
}

/// The areas to run: those of `CELLBLOCK_TEST_AREAS`, names separated by commas, or all.
pub(crate) fn chosen_areas() -> Vec<String> {
    let chosen = env::var("CELLBLOCK_TEST_AREAS").unwrap_or_default();
    let known = areas();
    if chosen.is_empty() {
        return known;
    }
    let chosen: Vec<_> = chosen.split(',').map(str::to_owned).collect();
    for area in &chosen {
        let names = known.contains(area);
        assert!(names, "CELLBLOCK_TEST_AREAS names {area}, of {known:?}");
    }
    chosen
}

/// The scripts of an area.
pub(crate) fn load(area: &str) -> Vec<Script> {
    let text = fs::read_to_string(directory().join(format!("{area}.toml"))).expect("a table");
    let table: Table = toml::from_str(&text).unwrap_or_else(|error| panic!("{area}.toml: {error}"));
    table.script
}

/// Where the tables and the driver of plain Python lie.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("honest")
}
