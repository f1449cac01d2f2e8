//! How the interpreter in a wall ended, by what nsjail passes on of it.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use crate::cell::verdict::signal_name;

/// Added to the number of a signal in the exit code of a program that ran another one.
const BY_SIGNAL: i32 = 128;

/// As in "was ended by SIGSEGV".
pub(super) fn describe(status: ExitStatus) -> String {
    let by_signal = status.code().and_then(|code| code.checked_sub(BY_SIGNAL));
    let signal = status
        .signal()
        .or(by_signal.filter(|signal| (1..=64).contains(signal)));
    match (
        signal.and_then(|signal| u8::try_from(signal).ok()),
        status.code(),
    ) {
        (Some(signal), _) => format!("was ended by {}", signal_name(signal)),
        (None, Some(code)) => format!("exited with code {code}"),
        (None, None) => "ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_named_and_a_code_is_told() {
        let exited = |code: i32| describe(ExitStatus::from_raw(code << 8));
        assert_eq!(exited(128 + 11), "was ended by SIGSEGV");
        assert_eq!(exited(3), "exited with code 3");
        assert_eq!(describe(ExitStatus::from_raw(9)), "was ended by SIGKILL");
    }
}
