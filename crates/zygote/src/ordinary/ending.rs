//! Whether a script has left anything to do for the end of its program.
//!
//! Most leave nothing, so it has to cost next to nothing to find that out. What there is to do is the
//! Python half's.

use pyo3::{
    prelude::*,
    types::{PyList, PyString},
};

use crate::sys::open_files;

/// What a script says that has objects which want to be told of their end: a class with a finalizer, or
/// the tables of `dbm.dumb`, which have one and no open file.
const FINALIZERS: [&str; 3] = ["__del__", "dbm", "shelve"];

/// What there was before the script.
pub(super) struct Ending {
    /// Says how many callbacks atexit has.
    count: Py<PyAny>,
    callbacks: usize,
    /// Tables of what waits for a callback that was there before, and their lengths.
    tables: Vec<(Py<PyAny>, usize)>,
}

impl Ending {
    pub(super) fn new(helpers: &Bound<'_, PyModule>) -> PyResult<Self> {
        let count = helpers.py().import("atexit")?.getattr("_ncallbacks")?;
        let tables: Bound<'_, PyList> = helpers.getattr("tables")?.cast_into()?;
        let tables = tables.iter().map(|table| {
            let length = table.len()?;
            Ok((table.unbind(), length))
        });
        Ok(Self {
            callbacks: count.call0()?.extract()?,
            count: count.unbind(),
            tables: tables.collect::<PyResult<_>>()?,
        })
    }

    /// Whether there is anything to do. If that cannot be told, there is.
    pub(super) fn is_due(&self, source: &Bound<'_, PyString>) -> bool {
        self.has_callbacks(source.py()).unwrap_or(true) || Self::has_objects(source)
    }

    /// Whether there may be objects of the script's to which their end matters: open files, and those
    /// of its own classes.
    pub(super) fn has_objects(source: &Bound<'_, PyString>) -> bool {
        open_files::any()
            || source
                .to_str()
                .map_or(true, |text| FINALIZERS.iter().any(|it| text.contains(it)))
    }

    fn has_callbacks(&self, py: Python<'_>) -> PyResult<bool> {
        let mut changed = self.count.bind(py).call0()?.extract::<usize>()? != self.callbacks;
        for (table, length) in &self.tables {
            changed |= table.bind(py).len()? != *length;
        }
        Ok(changed)
    }
}
