//! The zygote's memory made cheap to fork.

use super::{
    arenas, bump, data, heap,
    huge::{self, HUGE},
    maps::{self, Mapping},
    pin, segments, text, written,
};

/// Pages that a child writes to before it does anything.
const SLACK: usize = 32;

/// Has the memory of what is about to be imported kept together.
pub(crate) fn gather() {
    huge::allow(false);
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

/// Settles what has been imported; the number of bytes that are in huge pages now. `rehearse`: what a
/// cell does, to be done in a child of this process; whether it could.
pub(crate) fn settle(rehearse: impl FnOnce() -> bool) -> usize {
    heap::settle();
    let fresh = arenas::settle();
    huge::allow(true);
    segments::join(&maps::read());
    let joined = maps::read();
    data::settle(&joined);
    text::settle(&joined);
    let maps = maps::read();
    let written = written::by(&maps, rehearse);
    let quiet = huge::candidates(&maps, &fresh, &written);
    let size = huge::collapse(&quiet);
    if pin_small(&maps, &written, &quiet) {
        return size;
    }
    huge::collapse(&huge::candidates(&maps, &fresh, &[]))
}

/// Has each fork copy those pages that are no part of a huge one: to pin a part is to have all of it
/// copied. Whether it is so.
fn pin_small(maps: &[Mapping], written: &[usize], huge: &[usize]) -> bool {
    let is_small = |page: &usize| !huge.contains(&(page / HUGE * HUGE));
    let small: Vec<usize> = written.iter().copied().filter(is_small).collect();
    let Ok(pins) = pin::pin(&small) else {
        return false;
    };
    let copied = written::by(maps, || true);
    // More than were asked for: they are parts of larger pieces after all. Cells rather fault.
    let as_asked = copied.len() <= small.len() + SLACK;
    if as_asked {
        std::mem::forget(pins);
    }
    as_asked
}
