//! What the environment says: interpreters, nsjail, and where to keep what takes long to build.

use std::{
    env,
    fmt::{self, Display},
    path::PathBuf,
    time::Duration,
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

/// How many times as long as on an ordinary machine things may take: `CELLBLOCK_TEST_SLOWNESS`, a
/// whole number from 1, which is what it is where it is not set. For machines that are emulated:
/// every patience of the tests, and every limit of time in the attack table, is multiplied by it.
pub fn slowness() -> u32 {
    let set = env::var("CELLBLOCK_TEST_SLOWNESS").unwrap_or_default();
    if set.is_empty() {
        return 1;
    }
    let number = set.parse().ok().filter(|number| *number > 0);
    number.unwrap_or_else(|| panic!("CELLBLOCK_TEST_SLOWNESS={set} is no whole number from 1"))
}

/// A time on an ordinary machine, as long as it may be on this one.
pub(crate) fn stretched(time: Duration) -> Duration {
    time * slowness()
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
