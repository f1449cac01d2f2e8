//! What the environment says: interpreters, nsjail, and where to keep what takes long to build.

use std::{
    env,
    fmt::{self, Display},
    path::PathBuf,
};

/// How cells are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Forked from a zygote.
    Warm,
    /// One nsjail and one interpreter per run.
    Cold,
}

impl Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warm => "warm",
            Self::Cold => "cold",
        })
    }
}

/// The interpreters of `CELLBLOCK_TEST_PYTHONS`, or `python3`.
pub fn pythons() -> Vec<PathBuf> {
    let named = env::var("CELLBLOCK_TEST_PYTHONS").unwrap_or_default();
    let named: Vec<_> = named.split(':').filter(|path| !path.is_empty()).collect();
    let named = if named.is_empty() {
        vec!["python3"]
    } else {
        named
    };
    named.into_iter().map(PathBuf::from).collect()
}

/// One interpreter, for suites about what no interpreter can change.
pub fn first_python() -> PathBuf {
    pythons().swap_remove(0)
}

/// Where environments are kept between runs of the tests.
pub fn state_dir() -> PathBuf {
    required(
        "CELLBLOCK_TEST_STATE_DIR",
        "a directory that the sandboxes' user can reach",
    )
}

/// The nsjail to test with.
pub(crate) fn nsjail() -> PathBuf {
    required("CELLBLOCK_TEST_NSJAIL", "the path of nsjail")
}

fn required(name: &str, what: &str) -> PathBuf {
    match env::var_os(name) {
        Some(value) if !value.is_empty() => value.into(),
        _ => panic!("{name} is not set: run the tests with `make test`, or set it to {what}"),
    }
}
