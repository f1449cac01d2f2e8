//! A plain result as strict JSON (RFC 8259), character by character as Python's encoder writes it
//! without spaces and without escaping what is not ASCII.
//!
//! No Python code runs meanwhile, but for what a script may have made of the table of modules, where
//! numpy's types are looked for once.

use std::cell::OnceCell;

use pyo3::{
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType},
};

use super::names::Names;

/// Levels of nesting that the careful way takes too.
const DEPTH_MAX: usize = 200;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes plain values.
pub(super) struct Encoder {
    modules: Py<PyDict>,
}

/// What came of a value.
pub(super) enum Encoded {
    /// Its JSON.
    Json(Vec<u8>),
    /// The bytes of its JSON, which are more than the limit.
    TooLong(usize),
    /// It has more elements than can be within the limit.
    TooMany,
    /// It is not plain, has no JSON, or is too deep: the Python half knows what to make of it, or what
    /// to say.
    Unusual,
}

impl Encoder {
    pub(super) fn new(py: Python<'_>) -> PyResult<Self> {
        let modules = py.import("sys")?.getattr("modules")?;
        Ok(Self {
            modules: modules.cast_into()?.unbind(),
        })
    }

    /// `limit` is in bytes.
    pub(super) fn encode(&self, value: &Bound<'_, PyAny>, limit: usize, names: &Names) -> Encoded {
        let mut writer = Writer {
            encoder: self,
            names,
            numpy: OnceCell::new(),
            limit,
            length: 0,
            // Each takes two bytes or more.
            elements: limit / 2 + 2,
            too_many: false,
            out: Vec::new(),
        };
        match writer.value(value, DEPTH_MAX) {
            None if writer.too_many => Encoded::TooMany,
            None => Encoded::Unusual,
            Some(()) if writer.length > limit => Encoded::TooLong(writer.length),
            Some(()) => Encoded::Json(writer.out),
        }
    }

    /// Beyond Python's own types: numpy's `float64` is a float and its `str_` a string, and results
    /// are often full of them.
    fn numpy<'py>(&self, py: Python<'py>, names: &Names) -> Option<[Bound<'py, PyType>; 2]> {
        let numpy = self.modules.bind(py).get_item(&names.numpy).ok()??;
        let space = numpy.cast_exact::<PyModule>().ok()?.dict();
        let of_name = |name| space.get_item(name).ok()??.cast_into::<PyType>().ok();
        Some([of_name(&names.float64)?, of_name(&names.string)?])
    }
}

struct Writer<'a, 'py> {
    encoder: &'a Encoder,
    names: &'a Names,
    numpy: OnceCell<Option<[Bound<'py, PyType>; 2]>>,
    limit: usize,
    /// Of the JSON so far; of which `out` has what is within the limit.
    length: usize,
    /// How many more there may be.
    elements: usize,
    /// There was one more.
    too_many: bool,
    out: Vec<u8>,
}

impl<'py> Writer<'_, 'py> {
    fn value(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> Option<()> {
        if let Ok(text) = value.cast_exact::<PyString>() {
            self.text(text)
        } else if value.is_exact_instance_of::<PyInt>() {
            self.push(value.repr().ok()?.to_str().ok()?.as_bytes())
        } else if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.number(number)
        } else if value.is_none() {
            self.push(b"null")
        } else if let Ok(truth) = value.cast_exact::<PyBool>() {
            self.push(if truth.is_true() { b"true" } else { b"false" })
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.items(list.iter(), depth)
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.items(tuple.iter(), depth)
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.entries(dict, depth)
        } else {
            self.numpy_scalar(value)
        }
    }

    fn items(
        &mut self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        depth: usize,
    ) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.push(b"[")?;
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.push(b",")?;
            }
            self.element()?;
            self.value(&item, depth)?;
        }
        self.push(b"]")
    }

    fn entries(&mut self, dict: &Bound<'py, PyDict>, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.push(b"{")?;
        for (index, (key, value)) in dict.iter().enumerate() {
            if index > 0 {
                self.push(b",")?;
            }
            self.element()?;
            self.text(key.cast_exact::<PyString>().ok()?)?;
            self.push(b":")?;
            self.value(&value, depth)?;
        }
        self.push(b"}")
    }

    fn number(&mut self, number: &Bound<'py, PyFloat>) -> Option<()> {
        if !number.value().is_finite() {
            return None;
        }
        self.push(number.repr().ok()?.to_str().ok()?.as_bytes())
    }

    fn numpy_scalar(&mut self, value: &Bound<'py, PyAny>) -> Option<()> {
        let py = value.py();
        let [float, text] = self
            .numpy
            .get_or_init(|| self.encoder.numpy(py, self.names))
            .as_ref()?;
        let kind = value.get_type();
        if kind.is(float) {
            let number = value.cast::<PyFloat>().ok()?.value();
            self.number(&PyFloat::new(py, number))
        } else if kind.is(text) {
            let text = value.cast::<PyString>().ok()?.clone();
            self.text(&text)
        } else {
            None
        }
    }

    /// A string, unless it holds a lone surrogate.
    fn text(&mut self, text: &Bound<'py, PyString>) -> Option<()> {
        let text = text.to_str().ok()?.as_bytes();
        self.push(b"\"")?;
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| must_be_escaped(*byte)) {
            self.push(&rest[..at])?;
            self.escaped(rest[at])?;
            rest = &rest[at + 1..];
        }
        self.push(rest)?;
        self.push(b"\"")
    }

    fn escaped(&mut self, byte: u8) -> Option<()> {
        let digit = |of: u8| HEX[usize::from(of & 0xf)];
        match byte {
            b'"' => self.push(b"\\\""),
            b'\\' => self.push(b"\\\\"),
            b'\n' => self.push(b"\\n"),
            b'\r' => self.push(b"\\r"),
            b'\t' => self.push(b"\\t"),
            0x08 => self.push(b"\\b"),
            0x0c => self.push(b"\\f"),
            other => self.push(&[b'\\', b'u', b'0', b'0', digit(other >> 4), digit(other)]),
        }
    }

    fn element(&mut self) -> Option<()> {
        if let Some(left) = self.elements.checked_sub(1) {
            self.elements = left;
            return Some(());
        }
        self.too_many = true;
        None
    }

    /// Memory may be short in a cell: then the Python half finds that out, and says so.
    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        self.length = self.length.checked_add(bytes.len())?;
        if self.length <= self.limit {
            self.out.try_reserve(bytes.len()).ok()?;
            self.out.extend_from_slice(bytes);
        }
        Some(())
    }
}

const fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
