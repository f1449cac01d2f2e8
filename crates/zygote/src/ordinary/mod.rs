//! The ordinary way of a run: a `main` of at most one argument, a result of plain types, no output
//! files, and nothing left to do at the end.
//!
//! In Python the same takes longer, since each name, method and function that Python code uses
//! counts a reference to it, on a page that a cell then has to copy; and a script's signal handlers
//! and trace functions may run between any two of its steps. Here nothing of the script's runs once
//! `main` has returned, but for what it has put in the place of `sys.stdout` and `sys.stderr`.
//! Whatever is not ordinary, errors above all, goes back to the Python half.

mod channel;
mod ending;
mod job;
mod json;
mod names;
mod script;

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use cellblock_wire::packet::Token;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyCode, PyDict, PyString},
};

use self::{channel::Channel, ending::Ending, job::Call, json::Encoded, names::Names};
use crate::sys::{depth, exit, interpreter, timers};

/// Below `main`, in a program that calls it, there is the program.
const BELOW_MAIN: i32 = 1;

/// What runs are made of, found once and before the fork.
#[pyclass(frozen, module = "cellblock_zygote")]
pub(crate) struct Ordinary {
    names: Names,
    job: job::Reader,
    script: script::Script,
    encoder: json::Encoder,
    ending: Ending,
    /// Who began the last run: a child that the script forks is another.
    runner: AtomicI32,
    /// The last run's result has more elements than its limit could hold, so nobody need count again.
    too_many: AtomicBool,
    /// Whether nobody is at the other end of the channel, and this process is to live on.
    rehearsing: AtomicBool,
}

#[pymethods]
impl Ordinary {
    /// `helpers`: the Python module that does what is not ordinary.
    #[new]
    fn new(helpers: &Bound<'_, PyModule>) -> PyResult<Self> {
        depth::find(helpers.py());
        Ok(Self {
            names: Names::new(helpers.py()),
            job: job::Reader::new(helpers)?,
            script: script::Script::new(helpers)?,
            encoder: json::Encoder::new(helpers.py())?,
            ending: Ending::new(helpers)?,
            runner: AtomicI32::new(0),
            too_many: AtomicBool::new(false),
            rehearsing: AtomicBool::new(false),
        })
    }

    /// Waits for a job on the channel of this number, and returns its token and its document; `None`
    /// when the server has gone, or does not send a job. `length`: of its first packet, if that is
    /// known.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn receive<'py>(
        &self,
        py: Python<'py>,
        channel: i32,
        length: Option<usize>,
    ) -> PyResult<Option<(Bound<'py, PyBytes>, Bound<'py, PyString>)>> {
        let Some((token, document)) = Channel::receive(channel, length) else {
            return Ok(None);
        };
        job_in_python(py, &token, &document).map(Some)
    }

    /// Does with a small job's only packet what `receive` does with what comes.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn unpack<'py>(
        &self,
        py: Python<'py>,
        packet: &[u8],
    ) -> PyResult<Option<(Bound<'py, PyBytes>, Bound<'py, PyString>)>> {
        // As if it had come: that takes memory too.
        let received = packet.to_vec();
        let Some((token, _, document)) = channel::unpack(&received) else {
            return Ok(None);
        };
        job_in_python(py, &token, &document).map(Some)
    }

    /// The script, how it is run, what is given for that, the limit of the result in bytes, and the
    /// whole job if there is more to it.
    fn take_apart<'py>(&self, document: &Bound<'py, PyString>) -> PyResult<job::Parts<'py>> {
        self.job.take_apart(document, &self.names)
    }

    /// Runs the script. Has it come to a plain result of at most `limit` bytes, and is that the `whole`
    /// answer, this sends it, waits until the server has hung up, and ends the process; in a
    /// rehearsal it returns `None`. Otherwise it returns whether `main` has returned, and what it has or
    /// what was raised.
    ///
    /// `channel`: its number, and the token. Without one nothing is sent.
    fn run<'py>(
        &self,
        source: &Bound<'py, PyString>,
        call: Call,
        given: &Bound<'py, PyAny>,
        limit: usize,
        channel: Option<(i32, Bound<'py, PyBytes>)>,
        whole: bool,
    ) -> Option<(bool, Bound<'py, PyAny>)> {
        let py = source.py();
        let channel = channel.and_then(|(number, token)| Channel::new(number, token.as_bytes()));
        if let Some(channel) = channel {
            channel.started();
        }
        self.runner.store(pid(), Ordering::Relaxed);
        let run = || self.script.run(source, call, given, &self.names);
        match depth::at(py, BELOW_MAIN, run) {
            Ok(value) => {
                if whole && !self.is_fork() {
                    timers::stop();
                    let encoded = self.encoder.encode(&value, limit, &self.names);
                    let too_many = matches!(encoded, Encoded::TooMany);
                    self.too_many.store(too_many, Ordering::Relaxed);
                    // Looked for in a rehearsal too, so that a run finds it warm.
                    let is_due = self.ending.is_due(source);
                    let is_due = is_due && channel.is_some() && !self.is_rehearsal();
                    if let Encoded::Json(result) = encoded
                        && !is_due
                    {
                        self.script.flush(py, &self.names);
                        if channel.is_some_and(|channel| self.answer(channel, &result)) {
                            return None;
                        }
                    }
                }
                Some((true, value))
            }
            Err(error) => Some((false, error.into_value(py).into_bound(py).into_any())),
        }
    }

    /// Whether the script has left anything to do for the end of its program.
    fn is_end_due(&self, source: &Bound<'_, PyString>) -> bool {
        !self.is_rehearsal() && self.ending.is_due(source)
    }

    /// Whether that may be objects to which their end matters.
    #[expect(clippy::unused_self, reason = "a method in Python")]
    fn has_objects(&self, source: &Bound<'_, PyString>) -> bool {
        Ending::has_objects(source)
    }

    /// Runs code of a program in its module, with nothing below it. The value of an expression.
    #[staticmethod]
    fn evaluate<'py>(
        code: &Bound<'py, PyCode>,
        space: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        interpreter::run(code, space)
    }

    /// Whether this process is a child that the script forked: it answers nothing.
    fn is_fork(&self) -> bool {
        pid() != self.runner.load(Ordering::Relaxed)
    }

    /// Takes back what a run has registered, after a rehearsal, so that the run to come finds its
    /// memory free.
    fn forget(&self, py: Python<'_>) {
        self.script.forget(py, &self.names);
    }

    /// Whether what runs is a rehearsal.
    fn rehearse(&self, on: bool) {
        self.rehearsing.store(on, Ordering::Relaxed);
    }

    /// The value as strict JSON if it is plain, or the length of that if it is more than `limit` bytes,
    /// or -1 if it has more elements than that could hold, or `None`.
    fn encode<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        limit: usize,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = value.py();
        let encoded = if self.too_many.load(Ordering::Relaxed) {
            Encoded::TooMany
        } else {
            self.encoder.encode(value, limit, &self.names)
        };
        Ok(match encoded {
            Encoded::Json(data) => {
                let bytes = PyBytes::new_with(py, data.len(), |bytes| {
                    bytes.copy_from_slice(&data);
                    Ok(())
                })?;
                Some(bytes.into_any())
            }
            Encoded::TooLong(length) => Some(length.into_pyobject(py)?.into_any()),
            Encoded::TooMany => Some((-1_isize).into_pyobject(py)?.into_any()),
            Encoded::Unusual => None,
        })
    }
}

impl Ordinary {
    fn is_rehearsal(&self) -> bool {
        self.rehearsing.load(Ordering::Relaxed)
    }

    /// Answers and ends the process, but for a rehearsal: to return to Python could run code of the
    /// script, and would free what it has made. `false` if nobody is there, or this is a child that
    /// the flushing has forked.
    fn answer(&self, channel: Channel, result: &[u8]) -> bool {
        if self.is_fork() || channel.answer(result).is_none() {
            return false;
        }
        if !self.is_rehearsal() {
            exit::now(0);
        }
        true
    }
}

fn job_in_python<'py>(
    py: Python<'py>,
    token: &Token,
    document: &[u8],
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyString>)> {
    let document = PyString::from_bytes(py, document)?;
    Ok((PyBytes::new(py, &token.0), document))
}

fn pid() -> i32 {
    rustix::process::getpid().as_raw_pid()
}
