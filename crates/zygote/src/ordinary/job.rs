//! A job's document, taken apart.

use pyo3::{
    exceptions::PyKeyError,
    prelude::*,
    types::{PyDict, PyString},
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

/// The script, the input, the limit of the result in bytes, and all of it if there is more to it.
pub(super) type Parts<'py> = (
    Bound<'py, PyString>,
    Bound<'py, PyAny>,
    usize,
    Option<Bound<'py, PyDict>>,
);

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
        let input = field(&names.input)?;
        let mut more = false;
        for name in [&names.env, &names.stdin, &names.files, &names.output_files] {
            more |= field(name)?.is_truthy()?;
        }
        Ok((script, input, limit, more.then_some(job)))
    }
}

fn field<'py>(dict: &Bound<'py, PyDict>, name: &Py<PyString>) -> PyResult<Bound<'py, PyAny>> {
    dict.get_item(name)?
        .ok_or_else(|| PyKeyError::new_err(name.clone_ref(dict.py())))
}
