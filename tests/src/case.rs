//! One row of a table: a request, and what has to come of it.

use std::time::Duration;

use serde_json::Value;

use crate::{Answer, Failure, Report, Server, Text, dedent, now_within, quoted};

/// Longer than any case takes that does not wait for a limit, on a machine that is busy.
const PROMPTLY: Duration = Duration::from_secs(30);

/// A check of the case's own.
type Check = fn(&Answer) -> Result<(), String>;

/// A request to `/execute`, and what has to come of it.
#[derive(Debug, Clone)]
pub struct Case {
    name: String,
    fields: Vec<(&'static str, String)>,
    expected: Expected,
    within: Option<Duration>,
}

#[derive(Debug, Clone)]
enum Expected {
    /// The result's exact text, and what was printed.
    Result {
        result: String,
        stdout: String,
        truncated: bool,
    },
    Failure(Box<Failure>),
    Check(Check),
}

impl Case {
    /// A script, which may be indented as the code around it; see [`dedent`]. It is expected to
    /// return `null`.
    pub fn new(name: impl Into<String>, script: &str) -> Self {
        Self {
            name: name.into(),
            fields: vec![("script", quoted(&dedent(script)))],
            expected: Expected::Result {
                result: "null".to_owned(),
                stdout: String::new(),
                truncated: false,
            },
            within: None,
        }
    }

    /// A script that returns the value of an expression, after these statements.
    pub fn value(before: &str, expression: &str, result: &str) -> Self {
        let script = format!("{before}\ndef main(input=None):\n    return {expression}\n");
        Self::new(expression, &script).returns(result)
    }

    /// Another field of the request, as JSON.
    #[must_use]
    pub fn field(mut self, name: &'static str, json: impl Into<String>) -> Self {
        self.fields.push((name, json.into()));
        self
    }

    /// `input`, as JSON.
    #[must_use]
    pub fn input(self, json: &str) -> Self {
        self.field("input", json)
    }

    /// `stdin`.
    #[must_use]
    pub fn stdin(self, text: &str) -> Self {
        self.field("stdin", quoted(text))
    }

    /// `limits`, as JSON.
    #[must_use]
    pub fn limits(self, json: &str) -> Self {
        self.field("limits", json)
    }

    /// The answer may take this long.
    #[must_use]
    pub fn within(mut self, seconds: u64) -> Self {
        self.within = Some(Duration::from_secs(seconds));
        self
    }

    /// The answer may take this long, if the case does not say otherwise.
    #[must_use]
    pub fn or_within(self, seconds: u64) -> Self {
        let seconds = self.within.map_or(seconds, |within| within.as_secs());
        self.within(seconds)
    }

    /// 200 with this result, byte for byte.
    #[must_use]
    pub fn returns(mut self, json: &str) -> Self {
        if let Expected::Result { result, .. } = &mut self.expected {
            json.clone_into(result);
        }
        self
    }

    /// What the script prints: exactly this, whether it succeeds or fails.
    #[must_use]
    pub fn prints(mut self, text: &str) -> Self {
        match &mut self.expected {
            Expected::Result { stdout, .. } => text.clone_into(stdout),
            Expected::Failure(failure) => failure.stdout = Text::is(text),
            Expected::Check(_) => {}
        }
        self
    }

    /// Of what it prints only the beginning is kept.
    #[must_use]
    pub fn cut(mut self) -> Self {
        match &mut self.expected {
            Expected::Result { truncated, .. } => *truncated = true,
            Expected::Failure(failure) => failure.truncated = Some(Value::from(vec!["stdout"])),
            Expected::Check(_) => {}
        }
        self
    }

    /// 400 with this type. Without more said: any message, no other field but a traceback, nothing
    /// printed.
    #[must_use]
    pub fn fails(self, kind: &str) -> Self {
        self.fails_either(&[kind])
    }

    /// 400 with one of these types.
    #[must_use]
    pub fn fails_either(mut self, kinds: &[&str]) -> Self {
        self.expected = Expected::Failure(Box::new(Failure {
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            stdout: Text::is(""),
            ..Failure::default()
        }));
        self
    }

    /// What else is expected of the failure.
    #[must_use]
    pub fn and(mut self, change: impl FnOnce(&mut Failure)) -> Self {
        match &mut self.expected {
            Expected::Failure(failure) => change(failure),
            _ => panic!("{}: only a failure has that", self.name),
        }
        self
    }

    /// The failure's message.
    #[must_use]
    pub fn message(self, text: &str) -> Self {
        self.and(|failure| failure.message = Text::is(text))
    }

    /// A part of the failure's message.
    #[must_use]
    pub fn message_has(self, part: &str) -> Self {
        self.and(|failure| failure.message = failure.message.clone().and_has(part))
    }

    /// A field of the error.
    #[must_use]
    pub fn error(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.and(|failure| {
            failure.fields.insert(name, value.into());
        })
    }

    /// A part of the error's hint.
    #[must_use]
    pub fn hint(self, part: &str) -> Self {
        self.and(|failure| {
            failure.any.push("hint");
            failure.hint = Some(part.to_owned());
        })
    }

    /// The error's line.
    #[must_use]
    pub fn line(self, line: u32) -> Self {
        self.error("line", line)
    }

    /// The failure's whole traceback.
    #[must_use]
    pub fn traceback(self, text: &str) -> Self {
        self.and(|failure| failure.traceback = Text::is(dedent(text)))
    }

    /// A part of the failure's traceback.
    #[must_use]
    pub fn traceback_has(self, part: &str) -> Self {
        self.and(|failure| failure.traceback = failure.traceback.clone().and_has(part))
    }

    /// Anything that this takes.
    #[must_use]
    pub fn checked(mut self, check: Check) -> Self {
        self.expected = Expected::Check(check);
        self
    }

    /// The request's body.
    pub fn body(&self) -> String {
        let fields = self
            .fields
            .iter()
            .map(|(name, json)| format!("\"{name}\": {json}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    }

    /// Sends the request and reports.
    pub fn run(&self, server: &Server, report: &mut Report) {
        match server.client().try_send(
            "POST",
            "/execute",
            &[("content-type", "application/json")],
            self.body().as_bytes(),
        ) {
            Ok(answer) => {
                let result = self.check(&answer);
                report.add(
                    &self.name,
                    result.map_err(|problem| format!("{problem}\n    got {}", answer.shown())),
                );
            }
            Err(error) => report.add(&self.name, Err(format!("no answer: {error}"))),
        }
    }

    fn check(&self, answer: &Answer) -> Result<(), String> {
        if answer.header("content-type") != Some("application/json") {
            return Err(format!(
                "content-type is {:?}",
                answer.header("content-type")
            ));
        }
        if answer.header("x-request-id").is_none_or(str::is_empty) {
            return Err("there is no x-request-id".to_owned());
        }
        now_within(answer.took, self.within.unwrap_or(PROMPTLY))?;
        match &self.expected {
            Expected::Check(check) => check(answer),
            Expected::Failure(failure) => failure.check(answer),
            Expected::Result {
                result,
                stdout,
                truncated,
            } => {
                let cut = if *truncated {
                    ",\"truncated\":[\"stdout\"]"
                } else {
                    ""
                };
                let stdout = quoted(stdout);
                let expected = format!("{{\"result\":{result},\"stdout\":{stdout}{cut}}}");
                if answer.status == 200 && answer.text() == expected {
                    return Ok(());
                }
                let end = expected.floor_char_boundary(1500);
                Err(format!("expected 200: {}", &expected[..end]))
            }
        }
    }
}
