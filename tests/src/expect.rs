//! What a run is expected to come to, and the comparison with what came.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Answer;

/// What a text is expected to be: exactly one, or to have some parts and lack others.
#[derive(Debug, Clone, Default)]
pub struct Text {
    is: Option<String>,
    has: Vec<String>,
    lacks: Vec<String>,
}

impl Text {
    /// Exactly this.
    pub fn is(text: impl Into<String>) -> Self {
        Self {
            is: Some(text.into()),
            ..Self::default()
        }
    }

    /// With this in it.
    #[must_use]
    pub fn and_has(mut self, part: impl Into<String>) -> Self {
        self.has.push(part.into());
        self
    }

    /// Without this in it.
    #[must_use]
    pub fn and_lacks(mut self, part: impl Into<String>) -> Self {
        self.lacks.push(part.into());
        self
    }

    fn check(&self, what: &str, text: &str) -> Result<(), String> {
        if let Some(expected) = &self.is
            && expected != text
        {
            return Err(format!("{what} is {text:?}, not {expected:?}"));
        }
        if let Some(part) = self.has.iter().find(|part| !text.contains(*part)) {
            return Err(format!("{what} is {text:?}, without {part:?}"));
        }
        match self.lacks.iter().find(|part| text.contains(*part)) {
            Some(part) => Err(format!("{what} is {text:?}, with {part:?}")),
            None => Ok(()),
        }
    }
}

/// A failed run: its type, its message, and every other field of its error.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// Each is fine.
    pub kinds: Vec<String>,
    /// `error.message`.
    pub message: Text,
    /// `error.traceback`, without the lines that point at an expression.
    pub traceback: Text,
    /// Every other field of `error`, as JSON. One that is not here may not be there.
    pub fields: BTreeMap<&'static str, Value>,
    /// Fields that may have any value, or be absent.
    pub any: Vec<&'static str>,
    /// A part of `error.hint`.
    pub hint: Option<String>,
    /// `stdout`.
    pub stdout: Text,
    /// `stderr`.
    pub stderr: Text,
    /// `truncated`, absent where nothing is.
    pub truncated: Option<Value>,
}

impl Failure {
    /// Compares with the answer of the simple contract.
    pub fn check(&self, answer: &Answer) -> Result<(), String> {
        if answer.status != 400 {
            return Err("the status is not 400".to_owned());
        }
        let body = answer.json();
        let body = body.as_object().ok_or("the body is no object")?;
        let expected = match self.truncated {
            Some(_) => vec!["error", "stderr", "stdout", "truncated"],
            None => vec!["error", "stderr", "stdout"],
        };
        let keys: Vec<_> = body.keys().map(String::as_str).collect();
        if sorted(&keys) != expected {
            return Err(format!(
                "the body has the fields {keys:?}, not {expected:?}"
            ));
        }
        if let Some(truncated) = &self.truncated
            && truncated != &body["truncated"]
        {
            return Err(format!("truncated is {}", body["truncated"]));
        }
        self.stdout.check("stdout", string(&body["stdout"])?)?;
        self.stderr.check("stderr", string(&body["stderr"])?)?;
        let error = body["error"].as_object().ok_or("error is no object")?;
        self.check_error(error)
    }

    fn check_error(&self, error: &Map<String, Value>) -> Result<(), String> {
        let kind = string(&error["type"])?;
        if !self.kinds.iter().any(|expected| expected == kind) {
            return Err(format!(
                "the type is {kind:?}, not {}",
                self.kinds.join(" or ")
            ));
        }
        self.message
            .check("the message", string(&error["message"])?)?;
        for (name, value) in error {
            match name.as_str() {
                "type" | "message" | "traceback" => {}
                name if self.any.contains(&name) => {}
                name => match self.fields.get(name) {
                    Some(expected) if expected == value => {}
                    Some(expected) => return Err(format!("{name} is {value}, not {expected}")),
                    None => return Err(format!("there is a {name}: {value}")),
                },
            }
        }
        if let Some((name, _)) = self
            .fields
            .iter()
            .find(|(name, _)| !error.contains_key(**name))
        {
            return Err(format!("there is no {name}"));
        }
        if let Some(part) = &self.hint {
            let hint = string(error.get("hint").unwrap_or(&Value::Null))?;
            Text::default().and_has(part).check("the hint", hint)?;
        }
        match error.get("traceback") {
            Some(traceback) => check_traceback(&self.traceback, kind, string(traceback)?),
            None if matches!(kind, "exception" | "restricted_import" | "syntax_error") => {
                Err("there is no traceback".to_owned())
            }
            None => Ok(()),
        }
    }
}

/// Compares a traceback, and holds every one to the contract: the user's frames and the
/// libraries', no path of the host, nothing of the runner.
fn check_traceback(expected: &Text, kind: &str, traceback: &str) -> Result<(), String> {
    let is_mark = |line: &str| {
        let mut marks = line.trim_start_matches([' ', '|']).chars();
        line.contains(['^', '~']) && marks.all(|mark| "^~ ".contains(mark))
    };
    let lines = traceback
        .split_inclusive('\n')
        .filter(|line| !is_mark(line.trim_end()));
    let plain: String = lines.collect();
    for (_, rest) in plain
        .match_indices("File \"")
        .map(|(at, found)| plain.split_at(at + found.len()))
    {
        let file = rest.split('"').next().unwrap_or("");
        if file.starts_with('/') || file.contains("cellblock") {
            return Err(format!("the traceback has a frame of {file}: {traceback}"));
        }
    }
    let begins = plain.contains("Traceback (most recent call last):\n");
    if !begins && matches!(kind, "exception" | "restricted_import") {
        return Err(format!("that is no traceback: {traceback}"));
    }
    expected.check("the traceback", &plain)
}

/// Checks an answer that is an error without a run: these two fields, and nothing internal.
pub fn is_error(answer: &Answer, status: u16, kind: &str, message: &Text) -> Result<(), String> {
    if answer.status != status {
        return Err(format!("the status is not {status}"));
    }
    let body = answer.json();
    let body = body.as_object().ok_or("the body is no object")?;
    let error = body
        .get("error")
        .and_then(Value::as_object)
        .ok_or("error is no object")?;
    if body.len() != 1 || error.len() != 2 {
        return Err("there is more than a type and a message".to_owned());
    }
    let found = string(&error["type"])?;
    if found != kind {
        return Err(format!("the type is {found:?}, not {kind:?}"));
    }
    let text = string(error.get("message").unwrap_or(&Value::Null))?;
    if text.is_empty() || text.contains('\n') {
        return Err(format!("the message is not one line: {text:?}"));
    }
    message.check("the message", text)
}

fn string(value: &Value) -> Result<&str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("{value} is no string"))
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}
