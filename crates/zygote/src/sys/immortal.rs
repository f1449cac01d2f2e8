//! Objects that a cell can use without writing to them.
//!
//! Whoever looks at an object counts a reference to it, and in a fork the first count copies the
//! page. Since CPython 3.12 there are immortal objects, whose count nobody touches (PEP 683): here
//! all that a zygote has loaded becomes immortal. Older interpreters know none; then nothing is
//! done.

use std::{
    ffi::{c_int, c_void},
    ptr,
};

use pyo3::{
    Bound, PyResult, Python, ffi,
    prelude::*,
    types::{PyDict, PyList, PyTuple},
};

/// The least count that an immortal object has, in the half of its count that is looked at.
const IMMORTAL_FROM: u32 = 1 << 31;

/// What a code object refers to. It is no container to the collector, so it must be asked.
const OF_CODE: [&str; 7] = [
    "co_consts",
    "co_names",
    "co_filename",
    "co_name",
    "co_qualname",
    "co_linetable",
    "co_exceptiontable",
];

/// Makes everything immortal that `objects` lead to.
pub(crate) fn settle(py: Python<'_>, objects: &Bound<'_, PyList>) -> PyResult<()> {
    let Some(count) = immortal_count(py) else {
        return Ok(());
    };
    let code = py.import("types")?.getattr("CodeType")?;
    let mut walk = Walk {
        count,
        todo: Vec::new(),
    };
    for object in objects {
        walk.meet(object.as_ptr());
    }
    while let Some(object) = walk.todo.pop() {
        // SAFETY: `meet` has made it immortal, so it is there for good.
        let object = unsafe { Bound::from_borrowed_ptr(py, object) };
        if object.get_type().is(&code) {
            for name in OF_CODE {
                if let Ok(part) = object.getattr(name) {
                    walk.meet(part.as_ptr());
                }
            }
        } else {
            walk.look_into(&object);
        }
    }
    Ok(())
}

/// The reference count of an immortal object, which this interpreter's `None` has, if it knows any.
fn immortal_count(py: Python<'_>) -> Option<u32> {
    let count = count_of(py.None().as_ptr());
    // SAFETY: `None` is a valid object, and the interpreter's lock is held.
    let count = unsafe { *count };
    (cfg!(target_endian = "little") && count >= IMMORTAL_FROM).then_some(count)
}

/// The half of an object's reference count that tells whether it is immortal: its first four bytes,
/// in every 64-bit build with the stable ABI that this extension uses.
fn count_of(object: *mut ffi::PyObject) -> *mut u32 {
    object.cast()
}

/// `traverseproc` of `cpython/object.h`; safe to call for an object that is tracked.
type Traverse = extern "C" fn(*mut ffi::PyObject, Visit, *mut c_void) -> c_int;
type Visit = extern "C" fn(*mut ffi::PyObject, *mut c_void) -> c_int;

struct Walk {
    count: u32,
    todo: Vec<*mut ffi::PyObject>,
}

impl Walk {
    /// Makes an object immortal and remembers to look into it, unless it is immortal already.
    fn meet(&mut self, object: *mut ffi::PyObject) {
        // SAFETY: it is a valid object, for a list, a traversal or an attribute has just given it;
        // the interpreter's lock is held, and this thread is the only one. An immortal object is
        // never freed, so whoever counted a reference to it may drop it or not.
        let count = unsafe { &mut *count_of(object) };
        if *count >= IMMORTAL_FROM {
            return;
        }
        *count = self.count;
        self.todo.push(object);
    }

    /// Meets what an object refers to.
    fn look_into(&mut self, object: &Bound<'_, PyAny>) {
        if let Some(traverse) = traverse_of(object) {
            traverse(object.as_ptr(), visit, ptr::from_mut(self).cast());
        } else if let Ok(tuple) = object.cast_exact::<PyTuple>() {
            tuple.iter().for_each(|item| self.meet(item.as_ptr()));
        } else if let Ok(dict) = object.cast_exact::<PyDict>() {
            for (key, value) in dict {
                self.meet(key.as_ptr());
                self.meet(value.as_ptr());
            }
        }
    }
}

/// How the collector traverses an object, if it is one that it tracks: tuples and dictionaries of
/// plain values are not, so they must be read as what they are.
fn traverse_of(object: &Bound<'_, PyAny>) -> Option<Traverse> {
    // SAFETY: it takes any valid object.
    if unsafe { ffi::PyObject_GC_IsTracked(object.as_ptr()) } == 0 {
        return None;
    }
    let kind = object.get_type();
    // SAFETY: a valid type, static ones included since 3.10.
    let slot = unsafe { ffi::PyType_GetSlot(kind.as_type_ptr(), ffi::Py_tp_traverse) };
    // SAFETY: a slot of this name holds a function of this signature, or nothing. It may be called
    // for this object at any time, for the collector does.
    unsafe { std::mem::transmute::<*mut c_void, Option<Traverse>>(slot) }
}

/// What a traverse function calls for each reference.
extern "C" fn visit(object: *mut ffi::PyObject, walk: *mut c_void) -> c_int {
    // SAFETY: `Walk::look_into` passes itself, and does nothing else with it until the traversal ends.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    walk.meet(object);
    0
}
