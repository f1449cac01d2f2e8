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
    /// The cgroup killed a process for memory.
    pub out_of_memory: bool,
    /// CPU time used, where known.
    pub cpu: Option<Duration>,
}

/// No verdict on the script: the cell was lost, or the runner failed. Ours, not the script's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoVerdict(pub String);

const SIGKILL: u8 = 9;
const SIGXCPU: u8 = 24;

/// Judges.
pub fn verdict(
    observed: Observed,
    limits: &Limits,
    result_limit: usize,
) -> Result<Result<Box<RawValue>, Failure>, NoVerdict> {
    match observed.stop {
        // A run goes together: when one of its processes was killed, the rest does not answer.
        Stop::Done if observed.out_of_memory => Ok(Err(memory(limits))),
        Stop::Done => answered(observed),
        Stop::Ended(Ended::Lost) => Err(NoVerdict(
            "the cell ended without its init's report".to_owned(),
        )),
        Stop::Ended(Ended::Reported(report)) => Ok(Err(match report.script.ended() {
            ProcessEnd::Signaled(_) if observed.out_of_memory => memory(limits),
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
        Stop::Flooded => Ok(Err(Failure::new(
            ErrorType::ResultTooLarge,
            format!("the answer is larger than the limit of {result_limit} bytes for results"),
        ))),
    }
}

/// The runner said that it is done: its error, else its result.
fn answered(observed: Observed) -> Result<Result<Box<RawValue>, Failure>, NoVerdict> {
    if let Some(error) = observed.error {
        return reported(error).map(Err);
    }
    Ok(match observed.result {
        Some(result) => json::parse(result).map_err(|error| {
            Failure::new(ErrorType::ResultNotJson, format!("the result is {error}"))
        }),
        None => Err(exited(0, None)),
    })
}

fn reported(error: CellError) -> Result<Failure, NoVerdict> {
    let kind = match error.kind {
        CellErrorType::SyntaxError => ErrorType::SyntaxError,
        CellErrorType::MissingMain => ErrorType::MissingMain,
        CellErrorType::Exception => ErrorType::Exception,
        CellErrorType::RestrictedImport => ErrorType::RestrictedImport,
        CellErrorType::ResultNotJson => ErrorType::ResultNotJson,
        CellErrorType::ResultTooLarge => ErrorType::ResultTooLarge,
        CellErrorType::MemoryLimit => ErrorType::MemoryLimit,
        CellErrorType::Exited => ErrorType::Exited,
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
        format!("the script ended its process with exit code {code} before main() returned")
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
fn signal_name(signal: u8) -> String {
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
mod tests {
    use super::*;
    use cellblock_wire::status::{InitReport, WaitStatus};

    const LIMITS: Limits = Limits {
        timeout: Duration::from_secs(1),
        cpu: Duration::from_secs(1),
        memory_bytes: 256 << 20,
    };

    fn observed(stop: Stop) -> Observed {
        Observed {
            stop,
            result: None,
            error: None,
            out_of_memory: false,
            cpu: None,
        }
    }

    fn ended(status: i32) -> Stop {
        let report = InitReport {
            script: WaitStatus(status),
            cpu_us: 0,
            max_rss_kib: 0,
        };
        Stop::Ended(Ended::Reported(report))
    }

    fn kind(observed: Observed) -> ErrorType {
        verdict(observed, &LIMITS, 10).unwrap().unwrap_err().kind
    }

    #[test]
    fn ends_are_told_apart() {
        assert_eq!(kind(observed(ended(0x0300))), ErrorType::Exited);
        assert_eq!(kind(observed(ended(11))), ErrorType::Crashed);
        assert_eq!(kind(observed(ended(24))), ErrorType::CpuLimit);
        assert_eq!(kind(observed(ended(9))), ErrorType::Crashed);
        assert_eq!(
            kind(Observed {
                out_of_memory: true,
                ..observed(ended(9))
            }),
            ErrorType::MemoryLimit
        );
        let used = Some(Duration::from_secs(2));
        assert_eq!(
            kind(Observed {
                cpu: used,
                ..observed(ended(9))
            }),
            ErrorType::CpuLimit
        );
        assert_eq!(kind(observed(Stop::Timeout)), ErrorType::Timeout);
        assert_eq!(kind(observed(Stop::Flooded)), ErrorType::ResultTooLarge);
    }

    #[test]
    fn an_exit_after_a_result_was_begun_is_still_an_exit() {
        let begun = Observed {
            result: Some(b"1".to_vec()),
            ..observed(ended(0))
        };
        assert_eq!(kind(begun), ErrorType::Exited);
    }

    #[test]
    fn a_forged_result_is_json_or_no_result() {
        let forged = |bytes: &[u8]| {
            verdict(
                Observed {
                    result: Some(bytes.to_vec()),
                    ..observed(Stop::Done)
                },
                &LIMITS,
                10,
            )
            .unwrap()
        };
        assert_eq!(forged(b"[1]").unwrap().get(), "[1]");
        assert_eq!(forged(b"NaN").unwrap_err().kind, ErrorType::ResultNotJson);
        assert_eq!(
            forged(b"1,\"x\":2").unwrap_err().kind,
            ErrorType::ResultNotJson
        );
    }

    #[test]
    fn what_is_ours_is_no_verdict() {
        assert!(verdict(observed(Stop::Ended(Ended::Lost)), &LIMITS, 10).is_err());
    }

    #[test]
    fn signals_have_their_names() {
        assert_eq!(signal_name(11), "SIGSEGV");
        assert_eq!(signal_name(31), "SIGSYS");
        assert_eq!(signal_name(40), "signal 40");
    }
}
