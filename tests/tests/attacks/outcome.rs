//! What came of an attack, in comparison with the table.

use cellblock_tests::Answer;
use serde_json::Value;

use crate::table::Attack;

/// The parts of a full record, or of an error, that the tables speak of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) result: Value,
    pub(crate) error: String,
    signal: String,
    stdout: String,
    truncated: Vec<String>,
    returned: Vec<String>,
}

impl Outcome {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        Self {
            result: body["result"].clone(),
            error: text(&body["error"]["type"]),
            signal: text(&body["error"]["signal"]),
            stdout: text(&body["stdout"]),
            truncated: list(&body["truncated"]).iter().map(text).collect(),
            returned: list(&body["files"])
                .iter()
                .map(|file| text(&file["path"]))
                .collect(),
        }
    }

    /// In one line.
    pub(crate) fn shown(&self) -> String {
        let text = if self.error.is_empty() {
            self.result.to_string()
        } else {
            format!("error {} {}", self.error, self.signal)
        };
        text.chars().take(300).collect()
    }

    /// Compares; `instead` takes the place of the table's result or error, one of several in a list
    /// that is separated by ` or `.
    pub(crate) fn check(&self, attack: &Attack, instead: Option<&str>) -> Result<(), String> {
        let several = instead.map(|text| text.split(" or ").map(Some));
        let mut each = several.into_iter().flatten();
        let Some(first) = each.next() else {
            return self.compare(attack, None);
        };
        let judged = self.compare(attack, first);
        each.fold(judged, |judged, next| {
            judged.or_else(|said| self.compare(attack, next).map_err(|_| said))
        })
    }

    fn compare(&self, attack: &Attack, instead: Option<&str>) -> Result<(), String> {
        if instead == Some("any result") {
            let failed = || format!("expected any result, got {}", self.shown());
            return self.error.is_empty().then_some(()).ok_or_else(failed);
        }
        let error = instead.and_then(|instead| instead.strip_prefix("error "));
        let result = match error {
            Some(_) => None,
            None => instead.or(attack.result.as_deref()),
        };
        let error = error.or(attack.error.as_deref());
        if let Some(result) = result {
            let expected: Value = serde_json::from_str(result).expect("a result in JSON");
            if !self.error.is_empty() || self.result != expected {
                return Err(format!("expected {expected}, got {}", self.shown()));
            }
        } else if error != Some(&self.error) {
            let got = self.shown();
            return Err(format!("expected error {error:?}, got {got}"));
        }
        let signal = attack
            .signal
            .as_ref()
            .filter(|_| error == attack.error.as_deref());
        if signal.is_some_and(|name| *name != self.signal) {
            return Err(format!("the signal is {:?}", self.signal));
        }
        match attack.stdout_bytes {
            Some(bytes) if self.stdout.len() == bytes => {}
            None if self.stdout == attack.stdout => {}
            _ => {
                let (bytes, start) = (self.stdout.len(), self.stdout.chars().take(200));
                return Err(format!(
                    "stdout has {bytes} bytes: {:?}",
                    start.collect::<String>()
                ));
            }
        }
        if self.truncated != attack.truncated {
            return Err(format!("truncated is {:?}", self.truncated));
        }
        let as_expected = match attack.returned_count {
            _ if attack.returned_any => true,
            Some(count) => self.returned.len() == count,
            None => self.returned == attack.returned,
        };
        if as_expected {
            Ok(())
        } else {
            Err(format!("returned {:?}", self.returned))
        }
    }
}
