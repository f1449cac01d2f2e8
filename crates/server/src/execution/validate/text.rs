//! The script and the variables of its environment.

use std::collections::BTreeMap;

use super::{InvalidRequest, quoted};
use crate::config::LimitsConfig;

/// A script has to be there, and Python has to be able to read it.
pub(super) fn check_script(script: &str, rules: &LimitsConfig) -> Result<(), InvalidRequest> {
    let problem = if script.trim().is_empty() {
        "is empty".to_owned()
    } else if script.len() as u64 > rules.script_bytes {
        let (len, most) = (script.len(), rules.script_bytes);
        format!("is {len} bytes long, above this server's maximum of {most}")
    } else if let Some(at) = script.find('\0') {
        let line = 1 + script[..at].matches('\n').count();
        format!("holds a NUL character in line {line}, which Python source may not")
    } else {
        return Ok(());
    };
    Err(InvalidRequest::field("script", problem))
}

/// Names and values that an operating system takes.
pub(super) fn check_env(env: &BTreeMap<String, String>) -> Result<(), InvalidRequest> {
    for (name, value) in env {
        let problem = if name.is_empty() {
            "a variable needs a name".to_owned()
        } else if name.contains(['=', '\0']) {
            format!("the name {} holds '=' or a NUL character", quoted(name))
        } else if value.contains('\0') {
            format!("the value of {} holds a NUL character", quoted(name))
        } else {
            continue;
        };
        return Err(InvalidRequest::field("env", problem));
    }
    Ok(())
}
