//! Rules on how a script is run, and on what `main` is handed.

use cellblock_wire::{job::Mode, json};
use serde_json::value::RawValue;

use super::InvalidRequest;
use crate::execution::ModeDraft;

/// Checks `input` and `arguments` against each other and against the mode.
pub(super) fn check(
    mode: Option<ModeDraft>,
    input: Option<&RawValue>,
    arguments: Option<&RawValue>,
) -> Result<Mode, InvalidRequest> {
    check_value("input", input)?;
    check_value("arguments", arguments)?;
    if arguments.is_some_and(|given| !given.get().starts_with('{')) {
        return Err(InvalidRequest::field(
            "arguments",
            "is not an object of names and values",
        ));
    }
    match mode {
        Some(ModeDraft::Script) if input.is_some() => Err(InvalidRequest::field(
            "input",
            "is for main(), which mode `script` does not call; hand data over in stdin, env or files",
        )),
        Some(ModeDraft::Script) if arguments.is_some() => Err(InvalidRequest::field(
            "arguments",
            "are for main(), which mode `script` does not call; hand data over in stdin, env or files",
        )),
        Some(ModeDraft::Script) => Ok(Mode::Script),
        _ if input.is_some() && arguments.is_some() => Err(InvalidRequest::field(
            "arguments",
            "cannot be sent together with input; send one of them",
        )),
        _ => Ok(Mode::Main),
    }
}

/// The grammar is checked already; the depth is not, and neither are surrogates.
fn check_value(field: &str, value: Option<&RawValue>) -> Result<(), InvalidRequest> {
    match value {
        Some(value) => json::check(value.get())
            .map_err(|error| InvalidRequest::field(field, error.to_string())),
        None => Ok(()),
    }
}
