//! Descriptors by number.

use std::os::fd::{BorrowedFd, RawFd};

/// The descriptor of this number, which is the script's to close: a call on it then fails, or acts
/// on what the script has put in its place.
pub(crate) fn borrow<'fd>(number: RawFd) -> BorrowedFd<'fd> {
    assert!(number >= 0, "a descriptor is not negative");
    // SAFETY: `BorrowedFd` asks that the number be not -1 (asserted) and stay open while it is looked
    // at. The script may close it all the same; no memory depends on it, since whoever gets this makes
    // system calls on the number and nothing else, which fail or act on another file.
    unsafe { BorrowedFd::borrow_raw(number) }
}
