//! What a run may use: what was asked for, within what the server allows.

use std::time::Duration;

use super::InvalidRequest;
use crate::{
    config::LimitsConfig,
    execution::{Limits, LimitsDraft, draft::Whole},
};

const MIB: u64 = 1024 * 1024;

/// Fills in defaults and refuses what is above a maximum.
pub(super) fn resolve(draft: &LimitsDraft, rules: &LimitsConfig) -> Result<Limits, InvalidRequest> {
    let within = |field: &str, value: Option<Whole>, most: u64, default: u64| match value {
        None => Ok(default),
        Some(Whole(value)) if (1..=most).contains(&value) => Ok(value),
        Some(Whole(0)) => {
            let problem = format!("0 is too small; it has to be 1 to {most}");
            Err(InvalidRequest::field(format!("limits.{field}"), problem))
        }
        Some(Whole(value)) => {
            let problem = format!("{value} is above this server's maximum of {most}");
            Err(InvalidRequest::field(format!("limits.{field}"), problem))
        }
    };
    let longest = rules.max_timeout_ms;
    let timeout = within(
        "timeout_ms",
        draft.timeout_ms,
        longest,
        rules.default_timeout_ms,
    )?;
    let cpu = within("cpu_ms", draft.cpu_ms, longest, timeout)?;
    let memory = within(
        "memory_mb",
        draft.memory_mb,
        rules.max_memory_mb,
        rules.default_memory_mb,
    )?;
    Ok(Limits {
        timeout: Duration::from_millis(timeout),
        cpu: Duration::from_millis(cpu),
        memory_bytes: memory.saturating_mul(MIB),
    })
}
