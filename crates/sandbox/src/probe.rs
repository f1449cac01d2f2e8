//! Tries, outside of any cell, whether the kernel takes the layers that a thread puts on itself.
//! Each is put on a thread that ends with the probe, so the rest of the process is not affected.

use std::{collections::BTreeMap, fs, thread};

use landlock::{LandlockStatus, RestrictionStatus};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::{landlocked, seccomp, steps::StepError};

/// Restricts a thread by the Landlock rules of a cell. The text tells what the kernel has.
///
/// # Errors
/// What went wrong, for the operator.
pub fn landlock() -> Result<String, String> {
    let status: RestrictionStatus = on_a_thread(|| landlocked::enforce(None, &[]))?;
    Ok(match status.landlock {
        LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        } => format!(
            "version {} of its interface",
            kernel_abi.unwrap_or(effective_abi as i32)
        ),
        other => format!("{other:?}"),
    })
}

/// Compiles the system-call filters of a cell, and puts on a thread one that allows everything.
///
/// # Errors
/// What went wrong, for the operator.
pub fn seccomp() -> Result<(), String> {
    seccomp::compile_cell(seccomp::Memory::Data).map_err(|error| error.to_string())?;
    on_a_thread(|| {
        // The first action is that for calls which no rule names, and no rule names any.
        let filter = SeccompFilter::new(
            BTreeMap::new(),
            SeccompAction::Allow,
            SeccompAction::KillProcess,
            std::env::consts::ARCH.try_into()?,
        )?;
        seccompiler::apply_filter(&BpfProgram::try_from(filter)?)?;
        let status = fs::read_to_string("/proc/thread-self/status")?;
        if status.lines().any(|line| line == "Seccomp:\t2") {
            Ok(())
        } else {
            Err("the kernel took a filter and does not show it".into())
        }
    })
}

fn on_a_thread<T: Send + 'static>(
    probe: impl FnOnce() -> Result<T, StepError> + Send + 'static,
) -> Result<T, String> {
    let thread = thread::spawn(|| probe().map_err(|error| error.to_string()));
    thread
        .join()
        .unwrap_or_else(|_| Err("the probe panicked".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_probes_own_threads_are_restricted() {
        let before = fs::read_to_string("/proc/thread-self/status").unwrap();
        // What they find depends on the machine.
        let _ = landlock();
        let _ = seccomp();
        let after = fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = |text: &str, name: &str| {
            let found = text.lines().find(|line| line.starts_with(name));
            found.map(str::to_owned)
        };
        for name in ["Seccomp:", "NoNewPrivs:"] {
            assert_eq!(line(&before, name), line(&after, name));
        }
        assert!(fs::create_dir_all(std::env::temp_dir()).is_ok());
    }
}
