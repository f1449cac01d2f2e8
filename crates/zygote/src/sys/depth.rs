//! How deep Python code is nested, as the recursion limit counts it.
//!
//! The runner's own frames are below a script's. They are taken off the count while the script runs,
//! so that it can recurse as deep as a program that is run by itself, under the limit that
//! `sys.getrecursionlimit()` tells. The count is a word of the thread's state, at a place that differs
//! between versions and is in no header of the stable ABI: it is found by what it does.

use std::{ffi::c_int, sync::OnceLock};

use pyo3::{ffi, prelude::*};

/// Words at the beginning of a thread's state that are looked at. From 3.10 on they hold the count, and
/// each version's state is longer.
const WORDS: usize = 32;
/// By how much the limit is raised for a moment: a difference that no other word makes.
const RAISE: c_int = 1_000_003;
/// Calls that are entered for a moment, likewise.
const CALLS: c_int = 7;

/// Which word it is, and how it counts.
#[derive(Debug, Clone, Copy)]
enum Counter {
    /// 3.10: what is used of the limit.
    Used(usize),
    /// From 3.11 on: what is left, and in the next word the limit.
    Left(usize),
}

static COUNTER: OnceLock<Option<Counter>> = OnceLock::new();

/// Looks for the counter, once in a process and all that are forked from it. Where it is not found,
/// depths stay as they are.
pub(crate) fn find(py: Python<'_>) {
    COUNTER.get_or_init(|| Counter::find(py));
}

/// Runs something whose frames begin at this depth, on top of those that are there by the count.
pub(crate) fn at<T>(py: Python<'_>, depth: c_int, run: impl FnOnce() -> T) -> T {
    let Some(counter) = COUNTER.get().copied().flatten() else {
        return run();
    };
    let moved = counter.depth(py) - depth;
    counter.add(py, -moved);
    let result = run();
    counter.add(py, moved);
    result
}

impl Counter {
    fn find(py: Python<'_>) -> Option<Self> {
        let before = words(py);
        // SAFETY: takes any positive number, and the interpreter's lock is held.
        let limit = unsafe { ffi::Py_GetRecursionLimit() };
        // SAFETY: as above.
        unsafe { ffi::Py_SetRecursionLimit(limit + RAISE) };
        let raised = words(py);
        // SAFETY: as above; it was the limit a moment ago, at this depth.
        unsafe { ffi::Py_SetRecursionLimit(limit) };
        let left = only(|word| {
            let rises = |word: usize| raised[word].wrapping_sub(before[word]) == RAISE;
            word + 1 < WORDS && rises(word) && rises(word + 1) && before[word + 1] == limit
        });
        if left.is_some() {
            return left.map(Self::Left);
        }
        for _ in 0..CALLS {
            // SAFETY: the text ends with a NUL. This is far below the limit, so it does not fail.
            unsafe { ffi::Py_EnterRecursiveCall(c"".as_ptr()) };
        }
        let entered = words(py);
        for _ in 0..CALLS {
            // SAFETY: pairs with the above.
            unsafe { ffi::Py_LeaveRecursiveCall() };
        }
        only(|word| entered[word].wrapping_sub(before[word]) == CALLS).map(Self::Used)
    }

    fn depth(self, py: Python<'_>) -> c_int {
        let words = words(py);
        match self {
            Self::Used(word) => words[word],
            Self::Left(word) => words[word + 1].wrapping_sub(words[word]),
        }
    }

    /// Makes the code that runs count as so much deeper.
    fn add(self, py: Python<'_>, depth: c_int) {
        let (word, change) = match self {
            Self::Used(word) => (word, depth),
            Self::Left(word) => (word, -depth),
        };
        let count = state(py).wrapping_add(word);
        // SAFETY: `find` has seen that this word of a thread's state is the count, which the interpreter
        // reads and writes as an int. The state is this thread's own, as the token proves.
        let now = unsafe { *count };
        // SAFETY: as above.
        unsafe { *count = now.wrapping_add(change) };
    }
}

/// The one word for which this is so.
fn only(is_so: impl Fn(usize) -> bool) -> Option<usize> {
    let mut found = (0..WORDS).filter(|&word| is_so(word));
    found.next().filter(|_| found.next().is_none())
}

fn words(py: Python<'_>) -> [c_int; WORDS] {
    // SAFETY: a thread's state is longer than that in each version, aligned for pointers, and changed by
    // nobody else while this thread has the lock, but for flags that are read here as they may be.
    unsafe { state(py).cast::<[c_int; WORDS]>().read_volatile() }
}

fn state(_attached: Python<'_>) -> *mut c_int {
    // SAFETY: there is one, as the token proves.
    unsafe { ffi::PyThreadState_Get() }.cast()
}
