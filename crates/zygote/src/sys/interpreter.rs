//! What CPython wants around a fork that it does not make itself, its functions by name, and to run code.

use std::ffi::{CStr, c_void};

use pyo3::{
    ffi,
    prelude::*,
    types::{PyCode, PyDict},
};

use super::depth;

/// Forks of the thread that holds the interpreter.
pub(crate) struct Fork<'py> {
    _attached: Python<'py>,
    hooks: bool,
}

impl<'py> Fork<'py> {
    /// `hooks`: whether CPython is told of the fork, which calls whoever asked by
    /// `os.register_at_fork`, and makes locks anew that other threads might have held. A process of
    /// one thread, whose hooks do nothing that is needed, can do without: the child is a copy with
    /// the same thread identity, and every lock in it is free or its own.
    pub(crate) fn new(attached: Python<'py>, hooks: bool) -> Self {
        Self {
            _attached: attached,
            hooks,
        }
    }

    /// To be called before the fork: takes the import lock.
    pub(crate) fn before(&self) {
        if self.hooks {
            // SAFETY: documented for exactly this use; it asks for an attached thread state, which
            // the token proves.
            unsafe { ffi::PyOS_BeforeFork() }
        }
    }

    /// To be called in the parent, whether the fork succeeded or not.
    pub(crate) fn after_in_parent(&self) {
        if self.hooks {
            // SAFETY: as above; pairs with `before` in the same process.
            unsafe { ffi::PyOS_AfterFork_Parent() }
        }
    }

    /// To be called in the child.
    pub(crate) fn after_in_child(&self) {
        if self.hooks {
            // SAFETY: as above; the child is a copy of the thread that called `before`, so its
            // thread state is attached here too.
            unsafe { ffi::PyOS_AfterFork_Child() }
        }
    }
}

/// CPython's function of that name, which is not in the stable ABI, if this interpreter has it.
pub(super) fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name ends with a NUL, and RTLD_DEFAULT asks the libraries that are loaded.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

/// Runs the code with `space` as its globals and locals, as that of a program: nothing is below it.
/// Gives the value of an expression, and of statements none.
pub(crate) fn run<'py>(
    code: &Bound<'py, PyCode>,
    space: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = code.py();
    let (code, space) = (code.as_ptr(), space.as_ptr());
    // SAFETY: both are alive during the call, and a code object and a dictionary, which is what this
    // function takes them for unseen. That they are at hand proves an attached thread state.
    let result = depth::at(py, 0, || unsafe {
        ffi::PyEval_EvalCode(code, space, space)
    });
    // SAFETY: a new reference, or null with an error set (documented of that function).
    unsafe { Bound::from_owned_ptr_or_err(py, result) }
}
