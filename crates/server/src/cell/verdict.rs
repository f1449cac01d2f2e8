//! From what was observed to an outcome: one pure function, so that every case can be tested.

use std::time::Duration;

use cellblock_wire::{
    json,
    report::{CellError, CellErrorType},
    status::Ended as ProcessEnd,
};
use serde_json::value::RawValue;

use super::Ended;
use crate::execution::{ErrorType, Failure, Limits};

/// Why the server stopped looking at a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The runner said that its answer is complete.
    Done,
    /// The script's process ended by itself.
    Ended(Ended),
    /// The wall-clock limit was reached.
    Timeout,
    /// The CPU limit was reached.
    Cpu,
    /// The memory limit was reached, found by polling.
    Memory,
    /// The files of a cell without a file system of its own were more than they may be.
    Files,
    /// More came on the channel than any honest answer holds.
    Flooded,
}

/// What was observed of one run.
#[derive(Debug)]
pub struct Observed {
    /// Why it was stopped.
    pub stop: Stop,
    /// Bytes of a result, if any came.
    pub result: Option<Vec<u8>>,
    /// A typed error, if one came.
    pub error: Option<CellError>,
    /// The script had started, so that whatever came may be its forgery.
    pub started: bool,
    /// The kernel killed a process of the cell's cgroup for memory.
    pub out_of_memory: bool,
    /// Most memory that the run had added, in bytes, where that is known.
    pub peak: Option<u64>,
    /// CPU time used, where known.
    pub cpu: Option<Duration>,
}

/// No verdict on the script: the cell was lost, or the runner failed. Ours, not the script's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoVerdict(pub String);

/// A run that was killed for memory had more than this left of its limit, in bytes: then it was not its
/// own limit that was reached, but one above it. More than what counts beside the script's own memory.
const FAR_BELOW: u64 = 32 << 20;

const SIGKILL: u8 = 9;
const SIGXCPU: u8 = 24;
/// The exit code of a runner that failed: `EX_SOFTWARE` of sysexits.h.
const RUNNER_FAILED: i64 = 70;

/// Judges.
pub fn verdict(
    observed: Observed,
    limits: &Limits,
    result_limit: usize,
) -> Result<Result<Box<RawValue>, Failure>, NoVerdict> {
    match observed.stop {
        // A run goes together: when one of its processes was killed, the rest does not answer.
        Stop::Done | Stop::Memory if observed.out_of_memory => {
            Ok(Err(killed(observed.peak, limits)))
        }
        Stop::Done => answered(observed),
        Stop::Ended(Ended::Lost) => Err(NoVerdict(
            "the cell ended without its init's report".to_owned(),
        )),
        Stop::Ended(Ended::Reported(report)) => Ok(Err(match report.script.ended() {
            ProcessEnd::Signaled(_) if observed.out_of_memory => killed(observed.peak, limits),
            ProcessEnd::Signaled(SIGXCPU) => cpu(limits),
            ProcessEnd::Signaled(SIGKILL) if observed.cpu.is_some_and(|cpu| cpu >= limits.cpu) => {
                cpu(limits)
            }
            ProcessEnd::Signaled(signal) => crashed(signal),
            ProcessEnd::Exited(code) => exited(i64::from(code), None),
        })),
        Stop::Timeout => Ok(Err(Failure::new(
            ErrorType::Timeout,
            format!(
                "the script ran longer than its limit of {} ms",
                limits.timeout.as_millis()
            ),
        ))),
        Stop::Cpu => Ok(Err(cpu(limits))),
        Stop::Memory => Ok(Err(memory(limits))),
        Stop::Files => Ok(Err(Failure::new(
            ErrorType::MemoryLimit,
            "the script's files were more than its directory may hold".to_owned(),
        ))),
        Stop::Flooded => Ok(Err(Failure::new(
            ErrorType::ResultTooLarge,
            format!("the answer is larger than the limit of {result_limit} bytes for results"),
        ))),
    }
}

/// The runner said that it is done: its error, else its result.
fn answered(observed: Observed) -> Result<Result<Box<RawValue>, Failure>, NoVerdict> {
    if let Some(error) = observed.error {
        return reported(error, observed.started).map(Err);
    }
    Ok(match observed.result {
        Some(result) => json::parse(result).map_err(|error| {
            Failure::new(ErrorType::ResultNotJson, format!("the result is {error}"))
        }),
        None => Err(exited(0, None)),
    })
}

fn reported(error: CellError, started: bool) -> Result<Failure, NoVerdict> {
    let kind = match error.kind {
        CellErrorType::SyntaxError => ErrorType::SyntaxError,
        CellErrorType::MissingMain => ErrorType::MissingMain,
        CellErrorType::Exception => ErrorType::Exception,
        CellErrorType::RestrictedImport => ErrorType::RestrictedImport,
        CellErrorType::ResultNotJson => ErrorType::ResultNotJson,
        CellErrorType::ResultTooLarge => ErrorType::ResultTooLarge,
        CellErrorType::MemoryLimit => ErrorType::MemoryLimit,
        CellErrorType::Exited => ErrorType::Exited,
        // The runner says so only before the script has started. Were a script believed, it could
        // have itself run a second time, and our faults logged and answered where there are none.
        CellErrorType::Internal if started => return Ok(exited(RUNNER_FAILED, None)),
        CellErrorType::Internal => {
            return Err(NoVerdict(format!("the runner failed: {}", error.message)));
        }
    };
    Ok(Failure {
        line: error.line,
        column: error.column,
        traceback: error.traceback,
        module: error.module,
        path: error.path,
        hint: error.hint,
        exit_code: error.exit_code,
        ..Failure::new(kind, error.message)
    })
}

/// The kernel killed it. Where its own limit was far away, memory ran out for all: in a container, or on
/// the machine. It is not run again, since it had the most, and would be the next to be killed.
fn killed(peak: Option<u64>, limits: &Limits) -> Failure {
    let (mib, limit) = (peak.unwrap_or_default() >> 20, limits.memory_bytes >> 20);
    if peak.is_none_or(|peak| peak.saturating_add(FAR_BELOW) >= limits.memory_bytes) {
        return memory(limits);
    }
    Failure::new(
        ErrorType::MemoryLimit,
        format!(
            "the script was killed because the server's memory ran out; it used {mib} MB of its limit \
             of {limit} MB"
        ),
    )
}

fn memory(limits: &Limits) -> Failure {
    let mib = limits.memory_bytes >> 20;
    Failure::new(
        ErrorType::MemoryLimit,
        format!("the script used more than its limit of {mib} MB of memory"),
    )
}

fn cpu(limits: &Limits) -> Failure {
    let limit = limits.cpu.as_millis();
    Failure::new(
        ErrorType::CpuLimit,
        format!("the script used more than its limit of {limit} ms of CPU time"),
    )
}

fn exited(code: i64, message: Option<String>) -> Failure {
    let message = message.unwrap_or_else(|| {
        format!("the script ended its process with exit code {code} before it had answered")
    });
    Failure {
        exit_code: Some(code),
        ..Failure::new(ErrorType::Exited, message)
    }
}

fn crashed(signal: u8) -> Failure {
    let name = signal_name(signal);
    // The kernel does not say who sent a SIGKILL, so neither do we.
    let message = format!("the script's process was ended by {name}");
    Failure {
        signal: Some(name),
        ..Failure::new(ErrorType::Crashed, message)
    }
}

/// The names of signal(7); numbers that differ between architectures do not occur on ours.
pub(crate) fn signal_name(signal: u8) -> String {
    const NAMES: [&str; 31] = [
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    match NAMES.get(usize::from(signal).wrapping_sub(1)) {
        Some(name) => (*name).to_owned(),
        None => format!("signal {signal}"),
    }
}

#[cfg(test)]
mod tests;
