//! A job's document, taken apart.

use std::convert::Infallible;

use pyo3::{
    exceptions::{PyKeyError, PyValueError},
    prelude::*,
    types::{PyDict, PyInt, PyString},
};

use super::names::Names;

/// No number in a shorter text is cut by any limit that may be set (`sys.set_int_max_str_digits`).
const DIGITS_MIN: usize = 640;

/// What is read, and by what.
pub(super) struct Reader {
    /// Python's scanner of JSON: called with a text and a place, it gives a value and another.
    scan: Py<PyAny>,
    /// The same for long texts, without a limit of digits.
    parse: Py<PyAny>,
}

/// The script, how it is run, what for that, the limit of the result in bytes, and all of it if there
/// is more to it.
pub(super) type Parts<'py> = (
    Bound<'py, PyString>,
    Call,
    Bound<'py, PyAny>,
    usize,
    Option<Bound<'py, PyDict>>,
);

/// How a script is run. A small number in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// `main` is called, and nothing was given for it.
    Main,
    /// `main` is called with an input where it takes one.
    Input,
    /// `main` is called with arguments by their names.
    Arguments,
    /// As a program, without a call.
    Script,
}

impl Call {
    const ALL: [Self; 4] = [Self::Main, Self::Input, Self::Arguments, Self::Script];
}

impl<'py> IntoPyObject<'py> for Call {
    type Target = PyInt;
    type Output = Bound<'py, PyInt>;
    type Error = Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        (self as u8).into_pyobject(py)
    }
}

impl<'py> FromPyObject<'_, 'py> for Call {
    type Error = PyErr;

    fn extract(number: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let place: usize = number.extract()?;
        let known = Self::ALL.get(place).copied();
        known.ok_or_else(|| PyValueError::new_err("no way to run a script"))
    }
}

impl Reader {
    pub(super) fn new(helpers: &Bound<'_, PyModule>) -> PyResult<Self> {
        Ok(Self {
            scan: helpers.getattr("scan")?.unbind(),
            parse: helpers.getattr("parse")?.unbind(),
        })
    }

    pub(super) fn take_apart<'py>(
        &self,
        document: &Bound<'py, PyString>,
        names: &Names,
    ) -> PyResult<Parts<'py>> {
        let py = document.py();
        let job: Bound<'py, PyDict> = if document.len()? < DIGITS_MIN {
            let scanned = self.scan.bind(py).call1((document, 0))?;
            scanned.get_item(0)?.cast_into()?
        } else {
            self.parse.bind(py).call1((document,))?.cast_into()?
        };
        let field = |name: &Py<PyString>| field(&job, name);
        let limits = field(&names.limits)?.cast_into::<PyDict>()?;
        let limit = self::field(&limits, &names.result_bytes)?.extract()?;
        let script = field(&names.script)?.cast_into()?;
        let (call, given) = Self::call(&job, names)?;
        let mut more = false;
        for name in [&names.env, &names.stdin, &names.files, &names.output_files] {
            more |= field(name)?.is_truthy()?;
        }
        Ok((script, call, given, limit, more.then_some(job)))
    }

    /// How the script is run, and what is given for that.
    fn call<'py>(job: &Bound<'py, PyDict>, names: &Names) -> PyResult<(Call, Bound<'py, PyAny>)> {
        Ok(if let Some(input) = job.get_item(&names.input)? {
            (Call::Input, input)
        } else if let Some(arguments) = job.get_item(&names.arguments)? {
            (Call::Arguments, arguments)
        } else {
            let has_mode = job.contains(&names.mode)?; // the only one that is named
            let call = if has_mode { Call::Script } else { Call::Main };
            (call, job.py().None().into_bound(job.py()))
        })
    }
}

fn field<'py>(dict: &Bound<'py, PyDict>, name: &Py<PyString>) -> PyResult<Bound<'py, PyAny>> {
    dict.get_item(name)?
        .ok_or_else(|| PyKeyError::new_err(name.clone_ref(dict.py())))
}
