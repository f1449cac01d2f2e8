//! The Python class that a wall's main program drives.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    os::fd::{AsRawFd, OwnedFd},
    sync::atomic::{AtomicU64, Ordering},
};

use cellblock_sandbox::{
    CellPolicy, fork,
    fork::{ForkError, Forked},
    limits::Sizes,
    plan::{CellDescriptors, Plan},
};
use cellblock_wire::{
    control::{Event, Ready, Request, Setup, Stage},
    preparation::Preparation,
};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyList};

use crate::{
    control,
    sys::{immortal, interpreter, memory},
};

/// Of the run whose job has come to this process. Not in [`Wall`], which one thread alone may use.
static MEMORY_LIMIT: AtomicU64 = AtomicU64::new(0);

/// The bytes of memory that the run may add, or 0 where no job has come.
#[pyfunction]
pub(crate) fn memory_limit() -> u64 {
    MEMORY_LIMIT.load(Ordering::Relaxed)
}

/// The wall: what the server asked for, and how to make cells.
#[pyclass(unsendable, module = "cellblock_zygote")]
pub(crate) struct Wall {
    /// Modules to import before serving.
    #[pyo3(get)]
    preload: Vec<String>,
    /// Source to run once after the imports.
    #[pyo3(get)]
    exercise: String,
    /// Modules that scripts may not import, each with the reason, if there is one to tell.
    #[pyo3(get)]
    restricted: BTreeMap<String, Option<String>>,
    /// What to leave out of what makes forks cheap.
    without: BTreeSet<Preparation>,
    plan: Plan,
    /// In a cell that cannot look into /proc: its memory as it was before its seal.
    own: Cell<Option<Sizes>>,
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
                without,
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
            without,
            plan,
            own: Cell::new(None),
        })
    }

    /// Has the memory of what is about to be imported kept together.
    fn gather(&self) {
        memory::gather(&self.without);
    }

    /// Has what is made from now on, and in each cell, lie together on few pages.
    fn pack(&self, _py: Python<'_>) {
        memory::pack(&self.without);
    }

    /// Whether the zygote is to run as its cells will, before it forks.
    #[getter]
    fn rehearses(&self) -> bool {
        !self.without.contains(&Preparation::Rehearsal)
    }

    /// Spares cells the counting of references to these objects and all that they lead to, where
    /// the interpreter can.
    fn immortalize(&self, py: Python<'_>, objects: &Bound<'_, PyList>) -> PyResult<()> {
        if self.without.contains(&Preparation::Immortal) {
            return Ok(());
        }
        immortal::settle(py, objects)
    }

    /// Makes the memory of all that has been imported cheap to fork.
    fn settle(&self, _py: Python<'_>) {
        memory::settle(&self.without);
    }

    /// Tells the server what begins now: if the interpreter crashes or hangs in it, nobody else can.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    #[pyo3(signature = (stage, module=None))]
    fn begins(&self, stage: &str, module: Option<String>) -> PyResult<()> {
        let stage = match (stage, module) {
            ("import", Some(module)) => Stage::Import(module),
            ("exercise", None) => Stage::Exercise,
            ("threads", None) => Stage::Threads,
            ("forks", None) => Stage::Forks,
            (other, _) => return Err(error(format_args!("no stage is named {other}"))),
        };
        control::send(&Event::Begins { stage }, None).map_err(error)
    }

    /// Tells the server that this wall cannot serve, because of what was begun last.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn fatal(&self, message: String) -> PyResult<()> {
        control::send(&Event::Fatal { message }, None).map_err(error)
    }

    /// Makes this process a zygote: from now on it can do little but make cells.
    fn become_zygote(&mut self) -> PyResult<()> {
        fork::become_zygote(&mut self.plan).map_err(error)?;
        memory::close(&self.without);
        Ok(())
    }

    /// Forks cells until the server closes the channel (`None`). In each cell's script process the
    /// call returns the number of its channel and whether there is time to rehearse; `reseed` has
    /// been called there, before the seal. `hooks`: somebody wants to be called around each fork.
    fn serve(
        &self,
        py: Python<'_>,
        python: String,
        warm_ms: u64,
        warnings: Vec<String>,
        reseed: &Bound<'_, PyAny>,
        hooks: bool,
    ) -> PyResult<Option<(i32, bool)>> {
        let ready = Ready {
            python,
            warm_ms,
            warnings,
        };
        control::send(&Event::Ready(ready), None).map_err(error)?;
        let fork = interpreter::Fork::new(py, hooks);
        while let Some(Asked {
            cell,
            rehearse,
            uid,
            descriptors,
        }) = next_cell()?
        {
            let numbers = numbers(&descriptors, self.plan.is_in_place())?;
            fork.before();
            match fork::cell(&self.plan, &numbers, uid) {
                Ok(Forked::Script) => {
                    fork.after_in_child();
                    reseed.call0()?;
                    let channel = self.seal(descriptors, &numbers);
                    return Ok(Some((channel, rehearse)));
                }
                Ok(Forked::Zygote { init, script }) => {
                    fork.after_in_parent();
                    let script = self.plan.is_in_place().then_some(script);
                    control::send(&Event::Forked { cell, script }, Some(&init)).map_err(error)?;
                }
                Err(ForkError { step, errno }) => {
                    fork.after_in_parent();
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
    fn await_job(&self, channel: i32) -> usize {
        let (length, limits) = fork::await_job(channel, self.own.get(), self.plan.counts_memory());
        MEMORY_LIMIT.store(limits.memory_bytes, Ordering::Relaxed);
        length
    }

    /// Becomes the one cell that this wall was started for, and returns the same as `serve`.
    fn become_cell(&self, py: Python<'_>, python: String) -> PyResult<Option<(i32, bool)>> {
        let ready = Ready {
            python,
            warm_ms: 0,
            warnings: Vec::new(),
        };
        control::send(&Event::Ready(ready), None).map_err(error)?;
        // Its user is the wall's.
        let Some(Asked {
            rehearse,
            descriptors,
            ..
        }) = next_cell()?
        else {
            return Ok(None);
        };
        let numbers = numbers(&descriptors, self.plan.is_in_place())?;
        let fork = interpreter::Fork::new(py, true);
        fork.before();
        // The parent does not return: it becomes the init program.
        fork::under_init(&self.plan, &numbers).map_err(error)?;
        fork.after_in_child();
        let channel = self.seal(descriptors, &numbers);
        Ok(Some((channel, rehearse)))
    }
}

impl Wall {
    /// Seals this process. The descriptors were laid out and closed on the way, so their owners here
    /// must not close those numbers a second time.
    fn seal(&self, descriptors: Vec<OwnedFd>, numbers: &CellDescriptors) -> i32 {
        self.own.set(fork::sizes_before(&self.plan));
        let channel = fork::seal(&self.plan, numbers);
        std::mem::forget(descriptors);
        channel
    }
}

/// A cell to make: what `control::Request::Fork` says of it, and the descriptors beside that.
struct Asked {
    cell: u64,
    rehearse: bool,
    uid: Option<u32>,
    descriptors: Vec<OwnedFd>,
}

/// The next cell to make.
fn next_cell() -> PyResult<Option<Asked>> {
    match control::receive().map_err(error)? {
        Some((
            Request::Fork {
                cell,
                rehearse,
                uid,
            },
            descriptors,
        )) => Ok(Some(Asked {
            cell,
            rehearse,
            uid,
            descriptors,
        })),
        Some((Request::Setup(_), _)) => Err(PyRuntimeError::new_err("a second setup")),
        None => Ok(None),
    }
}

/// Which descriptor is what, by the order that `control::Request::Fork` fixes.
fn numbers(descriptors: &[OwnedFd], in_place: bool) -> PyResult<CellDescriptors> {
    let [channel, stdout, stderr, report, more @ ..] = descriptors else {
        return Err(PyRuntimeError::new_err(
            "a fork request without its four descriptors",
        ));
    };
    let (directory, cgroups) = match more {
        [directory, cgroups @ ..] if in_place => (Some(directory), cgroups),
        cgroups => (None, cgroups),
    };
    Ok(CellDescriptors {
        channel: channel.as_raw_fd(),
        stdout: stdout.as_raw_fd(),
        stderr: stderr.as_raw_fd(),
        report: report.as_raw_fd(),
        directory: directory.map(AsRawFd::as_raw_fd),
        cgroups: cgroups.iter().map(AsRawFd::as_raw_fd).collect(),
    })
}

fn error(error: impl std::fmt::Display) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
