//! What came of a script, in a cell or outside, and whether the two are one.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use cellblock_tests::Answer;
use serde_json::Value;

use crate::table::{Difference, Script, parsed};

/// The parts of a run that are compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    result: Value,
    /// `type`, `message`, `line`, `exit_code`, `traceback`, `hint`: those that there are.
    error: BTreeMap<String, Value>,
    stdout: String,
    /// Base64, by path.
    files: BTreeMap<String, String>,
}

impl Outcome {
    /// Of the driver's answer.
    pub(crate) fn new(answer: &Value, stdout: String, files: BTreeMap<String, String>) -> Self {
        let error = answer["error"].as_object().cloned().unwrap_or_default();
        Self {
            result: answer["result"].clone(),
            error: error.into_iter().collect(),
            stdout,
            files,
        }
    }

    /// Of a full record, or of an error in its place.
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let files = body["files"].as_array().cloned().unwrap_or_default();
        let files = files
            .iter()
            .map(|file| (text(&file["path"]), text(&file["content"])));
        Self::new(&body, text(&body["stdout"]), files.collect())
    }

    /// Whether a cell did what plain Python did.
    pub(crate) fn same(&self, plain: &Self, script: &Script) -> Result<(), String> {
        self.same_end(plain)?;
        if !script.stdout_varies && self.stdout != plain.stdout {
            return Err(format!(
                "stdout is {}, outside {}",
                shortened(&format!("{:?}", self.stdout)),
                shortened(&format!("{:?}", plain.stdout))
            ));
        }
        let names = |outcome: &Self| outcome.files.keys().cloned().collect::<Vec<_>>();
        if names(self) != names(plain) {
            let (here, there) = (names(self), names(plain));
            return Err(format!("the files are {here:?}, outside {there:?}"));
        }
        for (name, content) in &self.files {
            if !script.files_vary.contains(name) && content != &plain.files[name] {
                return Err(format!(
                    "{name} holds {}, outside {}",
                    decoded(content),
                    decoded(&plain.files[name])
                ));
            }
        }
        Ok(())
    }

    /// The same result, or the same error.
    fn same_end(&self, plain: &Self) -> Result<(), String> {
        let mut parts = vec!["type", "message", "line", "exit_code"];
        // Files of libraries are shown without their place in the machine.
        let traceback = plain.error.get("traceback").and_then(Value::as_str);
        if traceback.is_some_and(|text| !text.contains("File \"/")) {
            parts.push("traceback");
        }
        let is = |part: &&str| match *part {
            // A message for `exited` is the cell's own.
            "message" if !plain.error.contains_key("message") => true,
            part => self.error.get(part) == plain.error.get(part),
        };
        let different = parts.iter().find(|part| !is(part));
        if different.is_some() || self.error.is_empty() && self.result != plain.result {
            return Err(format!("{}, outside {}", self.shown(), plain.shown()));
        }
        Ok(())
    }

    /// Whether a cell did what the table has in place of what plain Python does.
    pub(crate) fn check(&self, expected: &Difference) -> Result<(), String> {
        let text = |name: &str| self.error.get(name).and_then(Value::as_str).unwrap_or("");
        let is = match (&expected.result, &expected.error) {
            (Some(result), _) => self.error.is_empty() && self.result == parsed(result),
            (None, kind) => Some(text("type")) == kind.as_deref(),
        };
        if !is {
            let result = expected.result.as_ref().or(expected.error.as_ref());
            let result = result.map_or("", String::as_str);
            return Err(format!("{}, expected {result}", self.shown()));
        }
        let said = format!("{}\n{}", text("message"), text("hint"));
        let unsaid = expected.says.iter().find(|part| !said.contains(*part));
        unsaid.map_or(Ok(()), |part| {
            Err(format!("{part:?} is not in what it says: {said}"))
        })
    }

    fn shown(&self) -> String {
        if self.error.is_empty() {
            return shortened(&self.result.to_string());
        }
        let each = self.error.iter().map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}: {text}")
        });
        shortened(&each.collect::<Vec<_>>().join("\n"))
    }
}

fn decoded(content: &str) -> String {
    let bytes = BASE64_STANDARD.decode(content).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    shortened(&format!("{} bytes {text:?}", bytes.len()))
}

fn shortened(text: &str) -> String {
    const MOST: usize = 1_500;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{} [...]", &text[..at]),
        None => text.to_owned(),
    }
}
