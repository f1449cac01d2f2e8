//! The Python class that a wall's main program drives.

use std::os::fd::{AsRawFd, OwnedFd};

use cellblock_sandbox::{
    CellPolicy, fork,
    fork::{ForkError, Forked},
    plan::{CellDescriptors, Plan},
};
use cellblock_wire::control::{Event, Ready, Request, Setup};
use pyo3::{exceptions::PyRuntimeError, prelude::*};

use crate::{
    control,
    sys::{arenas, interpreter, memory},
};

/// The wall: what the server asked for, and how to make cells.
#[pyclass(unsendable, module = "cellblock_zygote")]
pub(crate) struct Wall {
    /// Modules to import before serving.
    #[pyo3(get)]
    preload: Vec<String>,
    /// Source to run once after the imports.
    #[pyo3(get)]
    exercise: String,
    /// Modules that scripts may not import.
    #[pyo3(get)]
    restricted: Vec<String>,
    plan: Plan,
}

#[pymethods]
impl Wall {
    /// Receives the setup, which is the server's first message.
    #[new]
    fn new() -> PyResult<Self> {
        let Some((
            Request::Setup(Setup {
                preload,
                exercise,
                restricted,
                policy,
            }),
            _,
        )) = control::receive().map_err(error)?
        else {
            return Err(PyRuntimeError::new_err(
                "the first request is not the setup",
            ));
        };
        let policy: CellPolicy = serde_json::from_value(policy).map_err(error)?;
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        let plan = Plan::new(policy, uid.as_raw(), gid.as_raw()).map_err(error)?;
        Ok(Self {
            preload,
            exercise,
            restricted,
            plan,
        })
    }

    /// Has the memory of what is about to be imported kept together.
    #[staticmethod]
    fn gather() {
        memory::gather();
        arenas::gather();
    }

    /// Makes the memory of all that has been imported cheap to fork; the bytes in huge pages.
    #[staticmethod]
    fn settle() -> usize {
        arenas::finish();
        memory::settle()
    }

    /// Tells the server that this wall cannot serve.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn fatal(&self, stage: String, message: String) -> PyResult<()> {
        control::send(&Event::Fatal { stage, message }, None).map_err(error)
    }

    /// Makes this process a zygote: from now on it can do little but make cells.
    fn become_zygote(&mut self) -> PyResult<()> {
        fork::become_zygote(&mut self.plan).map_err(error)
    }

    /// Forks cells until the server closes the channel (`None`). In each cell's script process the
    /// call returns the number of its channel; `reseed` has been called there, before the seal.
    fn serve(
        &self,
        py: Python<'_>,
        python: String,
        warm_ms: u64,
        reseed: &Bound<'_, PyAny>,
    ) -> PyResult<Option<i32>> {
        control::send(&Event::Ready(Ready { python, warm_ms }), None).map_err(error)?;
        while let Some((cell, descriptors)) = next_cell()? {
            let numbers = numbers(&descriptors)?;
            interpreter::before_fork(py);
            match fork::cell(&self.plan, &numbers) {
                Ok(Forked::Script) => {
                    interpreter::after_fork_child(py);
                    reseed.call0()?;
                    return Ok(Some(into_cell(&self.plan, descriptors, &numbers)));
                }
                Ok(Forked::Zygote(pidfd)) => {
                    interpreter::after_fork_parent(py);
                    control::send(&Event::Forked { cell }, Some(&pidfd)).map_err(error)?;
                }
                Err(ForkError { step, errno }) => {
                    interpreter::after_fork_parent(py);
                    let (step, error_text) = (step.to_owned(), errno.to_string());
                    let event = Event::ForkFailed {
                        cell,
                        step,
                        error: error_text,
                    };
                    control::send(&event, None).map_err(error)?;
                }
            }
        }
        Ok(None)
    }

    /// In a cell: tells the server that it is ready, and returns when a job has come on the channel
    /// of this number, with the length of its first packet.
    #[staticmethod]
    fn await_job(channel: i32) -> usize {
        fork::await_job(channel)
    }

    /// Becomes the one cell that this wall was started for, and returns the number of its channel.
    fn become_cell(&self, py: Python<'_>, python: String) -> PyResult<Option<i32>> {
        control::send(&Event::Ready(Ready { python, warm_ms: 0 }), None).map_err(error)?;
        let Some((_, descriptors)) = next_cell()? else {
            return Ok(None);
        };
        let numbers = numbers(&descriptors)?;
        interpreter::before_fork(py);
        // The parent does not return: it becomes the init program.
        fork::under_init(&self.plan, &numbers).map_err(error)?;
        interpreter::after_fork_child(py);
        Ok(Some(into_cell(&self.plan, descriptors, &numbers)))
    }
}

/// Seals this process. The descriptors were laid out and closed on the way, so their owners here
/// must not close those numbers a second time.
fn into_cell(plan: &Plan, descriptors: Vec<OwnedFd>, numbers: &CellDescriptors) -> i32 {
    let channel = fork::seal(plan, numbers);
    std::mem::forget(descriptors);
    channel
}

/// The next cell to make.
fn next_cell() -> PyResult<Option<(u64, Vec<OwnedFd>)>> {
    match control::receive().map_err(error)? {
        Some((Request::Fork { cell }, descriptors)) => Ok(Some((cell, descriptors))),
        Some((Request::Setup(_), _)) => Err(PyRuntimeError::new_err("a second setup")),
        None => Ok(None),
    }
}

/// Which descriptor is what, by the order that `control::Request::Fork` fixes.
fn numbers(descriptors: &[OwnedFd]) -> PyResult<CellDescriptors> {
    let [channel, stdout, stderr, report, cgroups @ ..] = descriptors else {
        return Err(PyRuntimeError::new_err(
            "a fork request without its four descriptors",
        ));
    };
    Ok(CellDescriptors {
        channel: channel.as_raw_fd(),
        stdout: stdout.as_raw_fd(),
        stderr: stderr.as_raw_fd(),
        report: report.as_raw_fd(),
        cgroups: cgroups.iter().map(AsRawFd::as_raw_fd).collect(),
    })
}

fn error(error: impl std::fmt::Display) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
