//! From a body's bytes to a [`Draft`], with errors that name the field or the place.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Draft, InvalidRequest, draft::Object, invalid::quoted};

/// Takes a request's body apart. Any bytes give an answer: nothing here recurses with the depth
/// of the JSON, for the types are flat and `input` is scanned, not built.
pub fn parse(body: &[u8]) -> Result<Draft, InvalidRequest> {
    parse_as(body)
}

/// The same for another object whose type is flat.
pub fn parse_as<T: DeserializeOwned>(body: &[u8]) -> Result<T, InvalidRequest> {
    let text =
        std::str::from_utf8(body).map_err(|error| InvalidRequest::NotUtf8(error.valid_up_to()))?;
    // RFC 8259, section 8.1, lets a reader ignore a byte order mark, which some editors write.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(InvalidRequest::Empty);
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let draft: Object<T> = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| explain(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| explain(".", &error))?;
    Ok(draft.0)
}

/// Says where and what; `path` is `.` at the top.
fn explain(path: &str, error: &serde_json::Error) -> InvalidRequest {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let problem = shortened(&in_json_words(
        text.strip_suffix(&position).unwrap_or(&text),
    ));
    // A number that no float holds is JSON nevertheless.
    let is_json = error.classify() == Category::Data || problem == "number out of range";
    if !is_json {
        return InvalidRequest::NotJson {
            problem,
            line: error.line(),
            column: error.column(),
        };
    }
    // serde knows the name of a missing field only in its message.
    if let Some(name) = problem.strip_prefix("missing field `") {
        let name = name.trim_end_matches('`');
        let field = if path == "." {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        return InvalidRequest::field(field, "is required");
    }
    match path {
        "." => InvalidRequest::Shape(format!("the body: {problem}")),
        _ => InvalidRequest::field(shortened(path), problem),
    }
}

/// Says serde's words for types in those of JSON, and leaves what it quotes alone.
fn in_json_words(problem: &str) -> String {
    let mut problem = problem.to_owned();
    for (word, json) in [("sequence,", "array,"), ("map,", "object,")] {
        if let Some(rest) = problem.strip_prefix(&format!("invalid type: {word}")) {
            problem = format!("invalid type: {json}{rest}");
        }
    }
    for (words, json) in [("a sequence", "an array"), ("a map", "an object")] {
        if let Some(rest) = problem.strip_suffix(&format!("expected {words}")) {
            problem = format!("{rest}expected {json}");
        }
    }
    problem
}

/// Cuts what quotes a long value of the client's, but keeps what was expected instead.
fn shortened(problem: &str) -> String {
    const LONG: usize = 400;
    if problem.len() <= LONG {
        return problem.to_owned();
    }
    let expected = problem.rfind(", expected ").map_or("", |at| &problem[at..]);
    let expected = if expected.len() < LONG { expected } else { "" };
    let head = quoted(problem);
    format!(
        "{}{expected}",
        head.replacen('"', "", 1).replace("\"…", "…")
    )
}
