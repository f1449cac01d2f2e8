//! Versions of Python, as the tables name them: `3.12`.

use std::{fmt, path::Path, process::Command, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};

/// Major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u32, u32);

impl Version {
    /// That of an interpreter.
    pub(crate) fn of(python: &Path) -> Self {
        let output = Command::new(python).arg("--version").output();
        let text = String::from_utf8(output.expect("Python starts").stdout).expect("text");
        let number = text.trim().strip_prefix("Python ").expect("its version");
        number.parse().expect("a version")
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.split('.').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self(major, minor)),
            _ => Err(format!("{text} is no version")),
        }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}
