//! Names that a run looks up, each a string of our own.
//!
//! Interned ones lie scattered over the interpreter's data, and whoever uses one counts a reference to
//! it, on a page that a cell then has to copy. These are made together.

use pyo3::{prelude::*, types::PyString};

macro_rules! names {
    ($($field:ident $text:literal),* $(,)?) => {
        /// All of them.
        pub(super) struct Names {
            $(pub(super) $field: Py<PyString>,)*
        }

        impl Names {
            pub(super) fn new(py: Python<'_>) -> Self {
                Self { $($field: PyString::new(py, $text).unbind(),)* }
            }
        }
    };
}

names! {
    script "script",
    input "input",
    arguments "arguments",
    mode "mode",
    limits "limits",
    result_bytes "result_bytes",
    env "env",
    stdin "stdin",
    files "files",
    output_files "output_files",
    exec "exec",
    main "main",
    program "__main__",
    code "__code__",
    argument_count "co_argcount",
    keyword_count "co_kwonlyargcount",
    flags "co_flags",
    defaults "__defaults__",
    awaits "__await__",
    stdout "stdout",
    stderr "stderr",
    flush "flush",
    numpy "numpy",
    float64 "float64",
    string "str_",
}
