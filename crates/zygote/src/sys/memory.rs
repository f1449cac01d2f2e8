//! The zygote's memory made cheap to fork.

use super::{arenas, heap, huge, maps, segments, text};

/// Has the memory of what is about to be imported kept together.
pub(crate) fn gather() {
    text::gather();
    heap::gather();
    arenas::gather();
}

/// Settles what has been imported; the number of bytes that are in huge pages now.
pub(crate) fn settle() -> usize {
    heap::settle();
    let fresh = arenas::settle();
    segments::join(&maps::read());
    text::settle(&maps::read());
    huge::collapse(&maps::read(), &fresh)
}
