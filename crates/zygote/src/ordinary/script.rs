//! A script as the module `script`: compiled, run, and its `main` called.

use pyo3::{
    exceptions::{
        PyMemoryError, PyOverflowError, PyRecursionError, PySyntaxError, PySystemError,
        PyValueError,
    },
    prelude::*,
    types::{PyBool, PyCode, PyDict, PyFloat, PyInt, PyList, PyModule, PyString, PyTuple},
};

use super::{job::Call, names::Names};
use crate::sys::interpreter;

/// `CO_VARARGS`: a function takes `*args`.
const VARARGS: u32 = 0x04;
/// Bytes of a script whose lines are found here.
const SHORT: usize = 64 << 10;
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What is the same for every script.
pub(super) struct Script {
    /// Does what is not ordinary.
    helpers: Py<PyModule>,
    system: Py<PyModule>,
    modules: Py<PyDict>,
    /// The module `__main__` of this process, in whose place a script's is.
    program: Py<PyAny>,
    compile: Py<PyAny>,
    /// What each module of a script has.
    attributes: Vec<(Py<PyString>, Py<PyAny>)>,
    /// Where the loader finds the source of the script: a list of one.
    sources: Py<PyList>,
    /// The type of plain functions.
    function: Py<PyAny>,
    file: Py<PyString>,
    /// linecache's, if it has been imported.
    lines: Option<Py<PyDict>>,
}

impl Script {
    pub(super) fn new(helpers: &Bound<'_, PyModule>) -> PyResult<Self> {
        let py = helpers.py();
        let system = py.import("sys")?;
        let modules: Bound<'_, PyDict> = system.getattr("modules")?.cast_into()?;
        let builtins = py.import("builtins")?;
        let file: Bound<'_, PyString> = helpers.getattr("FILE")?.cast_into()?;
        let lines = helpers.getattr("lines")?.cast_into::<PyDict>().ok();
        let attributes = [
            ("__spec__", helpers.getattr("spec")?),
            ("__loader__", helpers.getattr("loader")?),
            ("__file__", file.clone().into_any()),
            ("__package__", PyString::new(py, "").into_any()),
            // The public ones, not the runner's own.
            ("__builtins__", builtins.clone().into_any()),
        ];
        Ok(Self {
            program: modules.as_any().get_item("__main__")?.unbind(),
            modules: modules.unbind(),
            compile: builtins.getattr("compile")?.unbind(),
            attributes: attributes
                .into_iter()
                .map(|(name, value)| (PyString::new(py, name).unbind(), value.unbind()))
                .collect(),
            sources: helpers.getattr("sources")?.cast_into()?.unbind(),
            function: helpers.getattr("Function")?.unbind(),
            file: file.unbind(),
            lines: lines.map(Bound::unbind),
            helpers: helpers.clone().unbind(),
            system: system.unbind(),
        })
    }

    /// What `main` returned, or what the last expression of a program is.
    pub(super) fn run<'py>(
        &self,
        source: &Bound<'py, PyString>,
        call: Call,
        given: &Bound<'py, PyAny>,
        names: &Names,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = source.py();
        let source = &without_mark(source);
        if call == Call::Script {
            let codes = self.compile_by("compile_program", source)?;
            let module = self.enter("__main__", source, names)?;
            return self.help("run_program", (&module, codes), py);
        }
        let code = self.compile(source, names)?;
        let module = self.enter("script", source, names)?;
        interpreter::run(&code, &module.dict())?;
        let result = self.call_main(&module, call, given, names)?;
        if is_plain(&result) || !result.get_type().hasattr(&names.awaits)? {
            return Ok(result);
        }
        self.help("wait_for", (result,), py)
    }

    /// Makes the module, and has it known.
    fn enter<'py>(
        &self,
        name: &str,
        source: &Bound<'py, PyString>,
        names: &Names,
    ) -> PyResult<Bound<'py, PyModule>> {
        let py = source.py();
        let module = PyModule::new(py, name)?;
        let space = module.dict();
        for (name, value) in &self.attributes {
            space.set_item(name, value)?;
        }
        self.sources.bind(py).set_item(0, source)?;
        // Whatever looks for the program that runs finds it, unittest and pickle for example.
        for name in [&names.script, &names.program] {
            self.modules.bind(py).set_item(name, &module)?;
        }
        self.remember_lines(source)?;
        Ok(module)
    }

    fn call_main<'py>(
        &self,
        module: &Bound<'py, PyModule>,
        call: Call,
        given: &Bound<'py, PyAny>,
        names: &Names,
    ) -> PyResult<Bound<'py, PyAny>> {
        let main = module.dict().get_item(&names.main)?;
        let count = match &main {
            Some(main) if call != Call::Arguments => self.arguments(main, names)?,
            _ => None,
        };
        match (main, count) {
            // Without an input, what has a default keeps it, and what has none is None.
            (Some(main), Some(1))
                if call == Call::Input || main.getattr(&names.defaults)?.is_none() =>
            {
                main.call1((given,))
            }
            (Some(main), Some(0 | 1)) => main.call0(),
            _ => self.help("call_main", (module, call, given), given.py()),
        }
    }

    /// Flushes what the script has left in sys.stdout and sys.stderr; they may be anything by now.
    pub(super) fn flush(&self, py: Python<'_>, names: &Names) {
        let system = self.system.bind(py);
        for name in [&names.stdout, &names.stderr] {
            let stream = system.getattr(name);
            let _ = stream.and_then(|stream| stream.call_method0(&names.flush));
        }
    }

    /// Takes the module and its lines back.
    pub(super) fn forget(&self, py: Python<'_>, names: &Names) {
        // None of them need be there.
        let _ = self
            .modules
            .bind(py)
            .set_item(&names.program, &self.program);
        let _ = self.modules.bind(py).del_item(&names.script);
        if let Some(lines) = &self.lines {
            let _ = lines.bind(py).del_item(&self.file);
        }
    }

    fn compile<'py>(
        &self,
        source: &Bound<'py, PyString>,
        names: &Names,
    ) -> PyResult<Bound<'py, PyCode>> {
        // The last: do not inherit future statements, of whom ever.
        let arguments = (source, &self.file, &names.exec, 0, true);
        let compiled = self.compile.bind(source.py()).call1(arguments);
        let compiled = compiled.map_err(|error| self.of_compiler(error, source))?;
        Ok(compiled.cast_into()?)
    }

    /// What the Python half compiles.
    fn compile_by<'py>(
        &self,
        helper: &str,
        source: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let compiled = self.help(helper, (source,), source.py());
        compiled.map_err(|error| self.of_compiler(error, source))
    }

    /// Says of an error that it is the compiler's, if it is.
    fn of_compiler(&self, error: PyErr, source: &Bound<'_, PyString>) -> PyErr {
        let py = source.py();
        if !is_of_compiler(&error, py) {
            return error;
        }
        let cause = error.into_value(py);
        match self.help("BadSyntax", (cause, source), py) {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    }

    /// Registers the source in linecache, as an entry that checkcache() leaves alone.
    fn remember_lines(&self, source: &Bound<'_, PyString>) -> PyResult<()> {
        let py = source.py();
        let text = source.to_str()?;
        // In Python one can run out of memory with good grace.
        let Some(cache) = self.lines.as_ref().filter(|_| text.len() <= SHORT) else {
            return self.help("remember_lines", (source,), py).map(|_| ());
        };
        let lines = PyList::empty(py);
        let mut line = String::new();
        let mut rest = text.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '\r' if rest.peek() == Some(&'\n') => continue,
                '\r' | '\n' => line.push('\n'),
                other => {
                    line.push(other);
                    continue;
                }
            }
            lines.append(&line)?;
            line.clear();
        }
        line.push('\n');
        lines.append(&line)?;
        let entry = (source.len()?, py.None(), lines, &self.file);
        cache.bind(py).set_item(&self.file, entry)
    }

    /// Has the Python half do it.
    fn help<'py>(
        &self,
        name: &str,
        arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let helper = self.helpers.bind(py).getattr(name)?;
        helper.call1(arguments.into_pyobject(py)?)
    }

    /// How many arguments a plain function takes that has neither `*args` nor any that must be named,
    /// read off its code. Nothing for whatever else there is to call.
    fn arguments(&self, main: &Bound<'_, PyAny>, names: &Names) -> PyResult<Option<u32>> {
        if !main.get_type().is(&self.function) {
            return Ok(None);
        }
        let code = main.getattr(&names.code)?;
        let number = |name: &Py<PyString>| code.getattr(name)?.extract::<u32>();
        let unusual = number(&names.keyword_count)? != 0 || number(&names.flags)? & VARARGS != 0;
        Ok((!unusual).then_some(number(&names.argument_count)?))
    }
}

/// Without an editor's byte order mark.
fn without_mark<'py>(source: &Bound<'py, PyString>) -> Bound<'py, PyString> {
    match source.to_str() {
        Ok(text) if let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) => {
            PyString::new(source.py(), rest)
        }
        // A lone surrogate, which the compiler refuses.
        _ => source.clone(),
    }
}

/// Whether the compiler raises such an error for what a script says.
fn is_of_compiler(error: &PyErr, py: Python<'_>) -> bool {
    error.is_instance_of::<PySyntaxError>(py)
        || error.is_instance_of::<PyValueError>(py)
        || error.is_instance_of::<PyRecursionError>(py)
        || error.is_instance_of::<PyMemoryError>(py)
        || error.is_instance_of::<PyOverflowError>(py)
        || error.is_instance_of::<PySystemError>(py)
}

/// Whether it is of a type that nobody waits for.
fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyTuple>()
}
