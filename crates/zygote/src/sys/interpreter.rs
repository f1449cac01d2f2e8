//! What CPython wants around a fork that it does not make itself.

use pyo3::{Python, ffi};

/// To be called before the fork: takes the import lock and tells `os.register_at_fork` users.
pub(crate) fn before_fork(_attached: Python<'_>) {
    // SAFETY: documented for exactly this use; it asks for an attached thread state, which the
    // token proves.
    unsafe { ffi::PyOS_BeforeFork() }
}

/// To be called in the parent, whether the fork succeeded or not.
pub(crate) fn after_fork_parent(_attached: Python<'_>) {
    // SAFETY: as above; pairs with `before_fork` in the same process.
    unsafe { ffi::PyOS_AfterFork_Parent() }
}

/// To be called in the child: new locks, new thread identity, `random` reseeded.
pub(crate) fn after_fork_child(_attached: Python<'_>) {
    // SAFETY: as above; the child is a copy of the thread that called `before_fork`, so its thread
    // state is attached here too.
    unsafe { ffi::PyOS_AfterFork_Child() }
}
