//! What is sent, and what has to be answered.

use std::collections::HashSet;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// A request whose answer is known.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Whose.
    pub kind: Kind,
    /// Its name in tables.
    pub name: &'static str,
    /// The script; where it begins with a brace, the whole body instead.
    pub script: &'static str,
    /// The request's limits, in JSON.
    pub limits: &'static str,
    /// What has to come.
    pub expect: Expect,
    /// How often it is sent, against the others.
    pub weight: usize,
}

/// Who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody who knows what to do.
    Honest,
    /// Somebody who does not.
    Failing,
    /// Somebody who wants harm.
    Hostile,
}

/// What has to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// 200 with this result, in JSON.
    Result(&'static str),
    /// 200 with a result that no run had before: a list, each of whose members is new.
    New,
    /// 400 with this `error.type`.
    Fails(&'static str),
    /// 200 or 400: its own answer is all that the script can spoil.
    Anything,
    /// Nothing: the client goes away.
    Disconnect,
}

impl Case {
    /// The same with other limits.
    pub(super) const fn limits(mut self, limits: &'static str) -> Self {
        self.limits = limits;
        self
    }

    /// The request's body.
    pub fn body(&self) -> String {
        if self.script.starts_with('{') {
            return self.script.to_owned();
        }
        let limits: Value = serde_json::from_str(self.limits).unwrap_or(Value::Null);
        json!({ "script": self.script, "limits": limits, "input": [1, "two"] }).to_string()
    }

    /// Says what is wrong with an answer. `seen` is what has to be new.
    pub fn judge(&self, status: u16, answer: &[u8], seen: &mut HashSet<String>) -> Result<()> {
        let found: Value = serde_json::from_slice(answer).context("the answer is no JSON")?;
        let shown = || -> String { String::from_utf8_lossy(answer).chars().take(300).collect() };
        match self.expect {
            Expect::Result(expected) => {
                let expected: Value = serde_json::from_str(expected)?;
                ensure!(
                    status == 200 && found["result"] == expected,
                    "{status} {}",
                    shown()
                );
            }
            Expect::New => {
                ensure!(status == 200, "{status} {}", shown());
                for value in found["result"].as_array().context("a list")? {
                    ensure!(
                        seen.insert(value.to_string()),
                        "{value} has been seen before"
                    );
                }
            }
            Expect::Fails(kind) => {
                let right = status == 400 && found["error"]["type"] == kind;
                ensure!(right, "{status} {}", shown());
            }
            Expect::Anything => ensure!(matches!(status, 200 | 400), "{status} {}", shown()),
            Expect::Disconnect => bail!("nobody waits for this answer"),
        }
        Ok(())
    }
}
