//! How an outcome is shown in a terminal.

use std::{fmt::Write, io};

use crate::{
    cli::terminal,
    execution::{Failure, Outcome, Truncated},
};

/// Prints both streams to their namesakes, then the result or why there is none.
pub(super) fn show(outcome: &Outcome) -> io::Result<()> {
    terminal::print_error(&errors(outcome))?;
    terminal::print(&output(outcome))
}

/// What the script printed, and as the last line its result.
fn output(outcome: &Outcome) -> String {
    let mut text = outcome.stdout.clone();
    if let Ok(result) = &outcome.result {
        end_line(&mut text);
        text.push_str(&one_line(result.get()));
        text.push('\n');
    }
    text
}

/// What the script wrote to standard error, and what there is to say about the run.
fn errors(outcome: &Outcome) -> String {
    let mut text = outcome.stderr.clone();
    end_line(&mut text);
    for part in &outcome.truncated {
        let what = match part {
            Truncated::Stdout => "stdout was longer than is kept; the rest is dropped",
            Truncated::Stderr => "stderr was longer than is kept; the rest is dropped",
            Truncated::Files => "the output files were more than is returned",
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "cellblock: {what}");
    }
    for name in &outcome.missing {
        let _ = writeln!(text, "cellblock: {name}: the script left no such file");
    }
    if let Err(failure) = &outcome.result {
        explain(&mut text, failure);
    }
    text
}

fn explain(text: &mut String, failure: &Failure) {
    if let Some(traceback) = &failure.traceback {
        text.push_str(traceback);
        end_line(text);
    }
    let place = match (failure.line, failure.column) {
        (Some(line), Some(column)) => format!(" (line {line}, column {column})"),
        (Some(line), None) => format!(" (line {line})"),
        (None, _) => String::new(),
    };
    let _ = writeln!(text, "cellblock: {}{place}", failure.message);
    if let Some(hint) = &failure.hint {
        let _ = writeln!(text, "cellblock: hint: {hint}");
    }
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

/// JSON has line breaks only between its tokens, never inside a string.
fn one_line(json: &str) -> String {
    json.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::execution::{ErrorType, Usage};

    fn outcome(result: Result<&str, Failure>, stdout: &str, stderr: &str) -> Outcome {
        Outcome {
            result: result.map(|text| RawValue::from_string(text.to_owned()).unwrap()),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            truncated: Vec::new(),
            files: Vec::new(),
            missing: Vec::new(),
            usage: Usage::default(),
        }
    }

    #[test]
    fn the_result_is_the_last_line_of_standard_output() {
        let shown = outcome(Ok("{\"a\":\n1}"), "no newline", "warned");
        assert_eq!(output(&shown), "no newline\n{\"a\": 1}\n");
        assert_eq!(errors(&shown), "warned\n");
        assert_eq!(output(&outcome(Ok("1"), "", "")), "1\n");
    }

    #[test]
    fn a_failure_goes_to_standard_error() {
        let mut failure = Failure::new(ErrorType::Exception, "ValueError: x");
        failure.line = Some(2);
        failure.traceback = Some("Traceback (most recent call last):\n  ...\nValueError: x".into());
        failure.hint = Some("look closer".into());
        let mut shown = outcome(Err(failure), "printed\n", "");
        shown.truncated = vec![Truncated::Stdout, Truncated::Files];
        shown.missing = vec!["a.png".to_owned()];
        assert_eq!(output(&shown), "printed\n");
        assert_eq!(
            errors(&shown),
            "cellblock: stdout was longer than is kept; the rest is dropped\n\
             cellblock: the output files were more than is returned\n\
             cellblock: a.png: the script left no such file\n\
             Traceback (most recent call last):\n  ...\nValueError: x\n\
             cellblock: ValueError: x (line 2)\ncellblock: hint: look closer\n"
        );
    }
}
