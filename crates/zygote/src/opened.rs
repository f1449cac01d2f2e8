//! `open`, but for a few files of `/proc` that a cell does not have: another function opens these.
//!
//! A native function, because one of Python's would be a method where a class has it as an attribute,
//! and would show in tracebacks.

use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyFrozenSet, PyString, PyTuple},
};

/// What stands behind [`open`].
struct Behind {
    real: Py<PyAny>,
    instead: Py<PyAny>,
    paths: Py<PyFrozenSet>,
}

static BEHIND: PyOnceLock<Behind> = PyOnceLock::new();
const PROC: &str = "/proc/";

/// Has `open` call `instead` for a path of `paths`, and `real` for all else. The first call counts.
#[pyfunction]
pub(crate) fn open_instead(
    py: Python<'_>,
    real: Py<PyAny>,
    paths: Py<PyFrozenSet>,
    instead: Py<PyAny>,
) {
    let behind = Behind {
        real,
        instead,
        paths,
    };
    let _ = BEHIND.set(py, behind);
}

/// Open file and return a stream. As the function of this name that Python has.
#[pyfunction]
#[pyo3(
    signature = (*args, **kwargs),
    text_signature = "(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)"
)]
pub(crate) fn open<'py>(
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    let Some(behind) = BEHIND.get(py) else {
        return py.import("_io")?.getattr("open")?.call(args, kwargs);
    };
    let named = |kwargs: &Bound<'py, PyDict>| kwargs.get_item(intern!(py, "file")).ok()?;
    let file = args.get_item(0).ok().or_else(|| kwargs.and_then(named));
    let opened = match file {
        Some(file) if is_among(&file, &behind.paths, py)? => &behind.instead,
        _ => &behind.real,
    };
    opened.bind(py).call(args, kwargs)
}

/// Whether a file is given by one of these paths.
fn is_among(file: &Bound<'_, PyAny>, paths: &Py<PyFrozenSet>, py: Python<'_>) -> PyResult<bool> {
    let path = if let Ok(text) = file.cast_exact::<PyString>() {
        text.clone()
    } else if file.hasattr(intern!(py, "__fspath__"))? {
        match file.call_method0(intern!(py, "__fspath__"))?.cast_into() {
            Ok(text) => text,
            Err(_) => return Ok(false),
        }
    } else {
        return Ok(false);
    };
    // A lone surrogate is in none of them.
    let begins = path.to_str().is_ok_and(|path| path.starts_with(PROC));
    Ok(begins && paths.bind(py).contains(&path)?)
}
