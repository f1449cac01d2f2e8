//! The zygote's memory made cheap to fork.

use super::{arenas, bump, data, heap, huge, maps, segments, text};

/// Has the memory of what is about to be imported kept together.
pub(crate) fn gather() {
    data::gather();
    heap::gather();
    arenas::gather();
}

/// Takes every gap in memory, for good, and has what is made from now on lie together.
pub(crate) fn pack() {
    if bump::is_open() {
        bump::forget_gaps();
    } else {
        arenas::fill_gaps();
        heap::fill_gaps();
        bump::open();
    }
}

/// Settles what has been imported; the number of bytes that are in huge pages now.
pub(crate) fn settle() -> usize {
    heap::settle();
    let fresh = arenas::settle();
    segments::join(&maps::read());
    let joined = maps::read();
    data::settle(&joined);
    text::settle(&joined);
    huge::collapse(&maps::read(), &fresh)
}
