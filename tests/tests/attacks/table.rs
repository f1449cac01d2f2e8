//! The tables as they are written, and the requests they come to.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use cellblock_tests::{quoted, slowness};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::places::Places;

/// One file of attacks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Its attacks make raw system calls, where they do not say otherwise.
    #[serde(default)]
    native: bool,
    attack: Vec<Attack>,
}

/// One attack, and what has to come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a key of the table that is there or not"
)]
pub(crate) struct Attack {
    pub(crate) name: String,
    /// What stops it: layers, or `server`, `runner`, `kernel`.
    pub(crate) proves: Vec<String>,
    native: Option<bool>,
    /// The script forges packets of the runner.
    #[serde(default)]
    forge: bool,
    /// A script that runs, to its end, before this one.
    before: Option<String>,
    /// A script that runs beside this one, and what its output has to have had, and how often, before this
    /// one begins.
    beside: Option<String>,
    beside_says: Option<(String, usize)>,
    script: Option<String>,
    /// An expression whose value `main` returns, in place of a script.
    value: Option<String>,
    /// A whole body, in place of a script.
    body: Option<String>,
    /// A body of one text so many times.
    body_repeat: Option<(String, usize)>,
    limits: Option<Value>,
    output_files: Option<Value>,
    stdin: Option<String>,

    /// The result, as JSON.
    pub(crate) result: Option<String>,
    /// `error.type`.
    pub(crate) error: Option<String>,
    /// `error.signal`.
    pub(crate) signal: Option<String>,
    #[serde(default)]
    pub(crate) stdout: String,
    /// So many bytes of output, whichever.
    pub(crate) stdout_bytes: Option<usize>,
    #[serde(default)]
    pub(crate) truncated: Vec<String>,
    /// The names of the files that are returned.
    #[serde(default)]
    pub(crate) returned: Vec<String>,
    pub(crate) returned_count: Option<usize>,
    /// Which files are returned is a race that either side may win.
    #[serde(default)]
    pub(crate) returned_any: bool,
    /// What comes of it elsewhere instead: a result, or `error` and its type.
    pub(crate) cold: Option<String>,
    pub(crate) without_cgroup: Option<String>,
    pub(crate) without_landlock: Option<String>,
    /// Where cells share a uid, since this machine gives them none of their own.
    pub(crate) shared_user: Option<String>,
    /// There, paths are others: see [`Attack::move_to`]. Where it depends on who runs the server or on
    /// who is faster, the outcomes are separated by ` or `.
    pub(crate) without_namespaces: Option<String>,
    /// What comes of it on kernels that differ, by version, such as `6.1`.
    #[serde(default)]
    on_linux: BTreeMap<String, String>,
}

impl Attack {
    /// Says where things lie for a cell without namespaces, so that what is tried there is the attack,
    /// and not whether a path is there.
    pub(crate) fn move_to(&mut self, places: &Places) {
        let texts = [
            &mut self.script,
            &mut self.value,
            &mut self.before,
            &mut self.beside,
        ];
        for text in texts.into_iter().flatten() {
            *text = places.put_into(text);
        }
    }

    /// What comes of it on this kernel, where that differs.
    pub(crate) fn on_this_linux(&self) -> Option<&str> {
        let name = rustix::system::uname();
        let mut numbers = name.release().to_str().ok()?.split('.');
        let version = format!("{}.{}", numbers.next()?, numbers.next()?);
        self.on_linux.get(&version).map(String::as_str)
    }

    /// The request's body.
    pub(crate) fn body(&self) -> Vec<u8> {
        if let Some(body) = &self.body {
            return body.clone().into_bytes();
        }
        if let Some((text, times)) = &self.body_repeat {
            return text.repeat(*times).into_bytes();
        }
        let mut script = self.preludes();
        match (&self.script, &self.value) {
            (Some(text), None) => script += text,
            (None, Some(value)) => script.extend(["def main():\n    return ", value, "\n"]),
            _ => panic!("{}: give a script, a value or a body", self.name),
        }
        let mut body = json!({"script": script});
        if let Some(limits) = &self.limits {
            body["limits"] = stretched(limits.clone());
        }
        if let Some(files) = &self.output_files {
            body["output_files"] = files.clone();
        }
        if let Some(stdin) = &self.stdin {
            body["stdin"] = stdin.clone().into();
        }
        body.to_string().into_bytes()
    }

    fn preludes(&self) -> String {
        let mut text = prelude("attempt");
        if self.forge {
            text += &prelude("forge");
        }
        if self.native == Some(true) {
            text += &prelude("native");
        }
        text
    }

    /// The body of the request that goes before.
    pub(crate) fn before(&self) -> Option<Vec<u8>> {
        let script = self.preludes() + self.before.as_deref()?;
        Some(format!("{{\"script\": {}}}", quoted(&script)).into_bytes())
    }

    /// The body of the request that goes on meanwhile, and the word that its output has so many times when
    /// this one may begin.
    pub(crate) fn beside(&self) -> Option<(String, &str, usize)> {
        let script = self.preludes() + self.beside.as_deref()?;
        let (word, times) = self.beside_says.as_ref().expect("what it says");
        Some((json!({"script": script}).to_string(), word, *times))
    }
}

/// Limits in which a slow machine has the time for what the table's are for.
fn stretched(mut limits: Value) -> Value {
    for name in ["timeout_ms", "cpu_ms"] {
        if let Some(time) = limits[name].as_u64() {
            limits[name] = (time * u64::from(slowness())).into();
        }
    }
    limits
}

/// The areas, each a file.
pub(crate) fn areas() -> Vec<String> {
    let files = fs::read_dir(directory()).expect("tests/attacks").flatten();
    let paths = files.map(|file| file.path());
    let mut areas: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "layers")
        .collect();
    areas.sort();
    areas
}

/// The areas to run: those of `CELLBLOCK_TEST_AREAS`, names separated by commas, or all.
pub(crate) fn chosen_areas() -> Vec<String> {
    let chosen = env::var("CELLBLOCK_TEST_AREAS").unwrap_or_default();
    if chosen.is_empty() {
        return areas();
    }
    let chosen: Vec<_> = chosen.split(',').map(str::to_owned).collect();
    let known = areas();
    for area in &chosen {
        assert!(
            known.contains(area),
            "CELLBLOCK_TEST_AREAS names {area}, of {known:?}"
        );
    }
    chosen
}

/// The attacks of an area.
pub(crate) fn load(area: &str) -> Vec<Attack> {
    let table: Table = read(area);
    let native = table.native;
    let mut attacks = table.attack;
    for attack in &mut attacks {
        attack.native = attack.native.or(Some(native));
    }
    attacks
}

/// Every attack.
pub(crate) fn all() -> Vec<Attack> {
    areas().iter().flat_map(|area| load(area)).collect()
}

/// Reads a file of tests/attacks.
pub(crate) fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let text = fs::read_to_string(directory().join(format!("{name}.toml"))).expect("a table");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}.toml: {error}"))
}

/// The honest scripts, by name.
pub(crate) fn honest() -> Vec<(String, String)> {
    let files = fs::read_dir(directory().join("honest")).expect("honest scripts");
    let paths = files.flatten().map(|file| file.path());
    paths
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a script");
            (path.display().to_string(), text)
        })
        .collect()
}

fn prelude(name: &str) -> String {
    fs::read_to_string(directory().join(format!("preludes/{name}.py"))).expect("a prelude")
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("attacks")
}
