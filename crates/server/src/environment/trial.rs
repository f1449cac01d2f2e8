//! What came of warming an environment up, kept beside it.

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BuildError, Environment, error::Attempt, tree};
use crate::digest;

const FILE: &str = "trial.json";

/// What came of starting an environment's zygote once, as it was to be warmed up then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Identifies how it was to be warmed up.
    key: String,
    /// Why it could not be; `None` where it could.
    pub problem: Option<String>,
    /// What is not as it is in a fresh interpreter.
    pub warnings: Vec<String>,
}

impl Trial {
    /// A trial of an environment that is warmed up by `parts`: its preload list and whatever else
    /// decides how it comes out.
    pub fn new(parts: &[&str], problem: Option<String>, warnings: Vec<String>) -> Self {
        Self {
            key: key(parts),
            problem,
            warnings,
        }
    }
}

impl Environment {
    /// What came of the last trial, if it was one of the same parts.
    pub fn trial(&self, parts: &[&str]) -> Option<Trial> {
        let text = fs::read(self.trial_path()?).ok()?;
        let trial: Trial = serde_json::from_slice(&text).ok()?;
        (trial.key == key(parts)).then_some(trial)
    }

    /// Keeps what came of a trial.
    pub fn keep_trial(&self, trial: &Trial) -> Result<(), BuildError> {
        let Some(path) = self.trial_path() else {
            return Ok(());
        };
        // Another builder may write it at the same moment.
        let passing = path.with_extension(std::process::id().to_string());
        let text = serde_json::to_vec(trial).attempt("write", &passing)?;
        fs::write(&passing, text).attempt("write", &passing)?;
        tree::set_mode(&passing, 0o644)?;
        fs::rename(&passing, &path).attempt("write", &path)
    }

    fn trial_path(&self) -> Option<PathBuf> {
        Some(self.root.parent()?.join(FILE))
    }
}

fn key(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    digest::short(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_found_again_by_its_parts_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let environment = Environment {
            name: "x".to_owned(),
            root: directory.path().join("root"),
            python: String::new(),
            implementation: String::new(),
            machine: String::new(),
            standard_library: PathBuf::new(),
            packages: Vec::new(),
            fingerprint: String::new(),
            size_bytes: 0,
            built_at: 0,
        };
        assert_eq!(environment.trial(&["a", "b"]), None);
        let trial = Trial::new(&["a", "b"], Some("importing \"a\"".to_owned()), Vec::new());
        environment.keep_trial(&trial).expect("kept");
        assert_eq!(environment.trial(&["a", "b"]), Some(trial));
        assert_eq!(environment.trial(&["ab", ""]), None);
    }
}
