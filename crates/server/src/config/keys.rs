//! API keys. What is configured is never a key itself, only its hash: a key has more randomness
//! than anybody could try, so that a plain SHA-256 gives nothing away.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Ceilings, ConfigError};

/// Longest name of a key in bytes: it is repeated in log lines.
const MAX_NAME: usize = 64;
/// Most requests in a minute, and at once, that can be granted.
const MAX_GRANT: u32 = 1_000_000;

/// One key and what it may do. What is absent is not limited, but for the server's own limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// For the log; no secret.
    pub name: String,
    /// SHA-256 of the key, in hexadecimal.
    pub sha256: String,
    /// Executions that it may ask for in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<u32>,
    /// Executions that it may ask for at once after a pause. [default: as many as in a minute]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Executions that it may have running or waiting at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Largest wall clock, and largest CPU time, that it may set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_timeout_ms: Option<u64>,
    /// Largest memory that it may set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_memory_mb: Option<u64>,
    /// The environments that it may use. [default: all]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<String>>,
}

/// A file with keys and nothing else.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeysFile {
    #[serde(default)]
    pub(super) keys: Vec<KeyConfig>,
}

impl KeyConfig {
    /// A key that is limited by nothing of its own.
    pub fn new(name: &str, sha256: String) -> Self {
        Self {
            name: name.to_owned(),
            sha256,
            rate_per_minute: None,
            burst: None,
            concurrency: None,
            max_timeout_ms: None,
            max_memory_mb: None,
            environments: None,
        }
    }

    /// What it may set at most.
    pub fn ceilings(&self) -> Ceilings {
        Ceilings {
            timeout_ms: self.max_timeout_ms,
            memory_mb: self.max_memory_mb,
        }
    }

    /// Refuses what cannot be meant: the field, and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let named = !self.name.is_empty()
            && self.name.len() <= MAX_NAME
            && self.name.bytes().all(|b| b.is_ascii_graphic());
        if !named {
            let problem = format!("use at most {MAX_NAME} visible ASCII characters");
            return Err(("name", problem));
        }
        if self.digest().is_none() {
            let problem =
                "has to be a SHA-256 in 64 hexadecimal digits; `cellblock key new` makes one";
            return Err(("sha256", problem.to_owned()));
        }
        for (field, value) in [
            ("rate_per_minute", self.rate_per_minute),
            ("burst", self.burst),
            ("concurrency", self.concurrency),
        ] {
            if value.is_some_and(|value| !(1..=MAX_GRANT).contains(&value)) {
                return Err((
                    field,
                    format!("is out of bounds; set it to 1 to {MAX_GRANT}"),
                ));
            }
        }
        if self.burst.is_some() && self.rate_per_minute.is_none() {
            return Err(("burst", "means nothing without rate_per_minute".to_owned()));
        }
        for (field, value) in [
            ("max_timeout_ms", self.max_timeout_ms),
            ("max_memory_mb", self.max_memory_mb),
        ] {
            if value == Some(0) {
                return Err((
                    field,
                    "0 would allow nothing; leave it out or raise it".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// The hash as bytes.
    pub fn digest(&self) -> Option<[u8; 32]> {
        let text = self.sha256.as_bytes();
        let mut digest = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(text.chunks(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(digest)
    }
}

/// Refuses keys that cannot be meant, or cannot be told apart.
pub(super) fn check(keys: &[KeyConfig]) -> Result<(), ConfigError> {
    let (mut names, mut digests) = (BTreeSet::new(), BTreeSet::new());
    for (index, key) in keys.iter().enumerate() {
        let checked = key.check().and_then(|()| {
            if !names.insert(&key.name) {
                return Err(("name", format!("{:?} is the name of another key", key.name)));
            }
            if !digests.insert(key.digest()) {
                return Err(("sha256", "is the hash of another key".to_owned()));
            }
            Ok(())
        });
        checked.map_err(|(field, problem)| ConfigError::Conflict {
            key: format!("keys[{index}].{field}"),
            problem,
        })?;
    }
    Ok(())
}
