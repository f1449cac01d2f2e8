//! The zygote's memory made cheap to fork. `without`: what is to be left out.

use std::collections::BTreeSet;

use cellblock_wire::preparation::Preparation::{
    self, Arenas, Data, Gaps, Huge, Mappings, Pins, Row, Text,
};

use super::{
    arenas, bump, data, heap,
    huge::{self, HUGE},
    maps::{self, Mapping},
    pin, segments, text, written,
};

/// Pages that a child writes to before it does anything.
const SLACK: usize = 32;

/// Has the memory of what is about to be imported kept together.
pub(crate) fn gather(without: &BTreeSet<Preparation>) {
    huge::allow(false);
    heap::gather();
    if !without.contains(&Arenas) {
        arenas::gather();
    }
}

/// Takes every gap in memory, for good, and has what is made from now on lie together.
pub(crate) fn pack(without: &BTreeSet<Preparation>) {
    if bump::is_open() {
        bump::forget_gaps();
        return;
    }
    if !without.contains(&Gaps) {
        arenas::fill_gaps();
        heap::fill_gaps();
    }
    if !without.contains(&Row) {
        bump::open();
    }
}

/// Settles what has been imported; the number of bytes that are in huge pages now. `rehearse`: what a
/// cell does, to be done in a child of this process; whether it could.
pub(crate) fn settle(without: &BTreeSet<Preparation>, rehearse: impl FnOnce() -> bool) -> usize {
    let does = |one| !without.contains(&one);
    if does(Gaps) {
        heap::fill_gaps();
    }
    heap::settle();
    let fresh = arenas::settle();
    huge::allow(true);
    if does(Mappings) {
        segments::join(&maps::read());
    }
    let joined = maps::read();
    if does(Data) {
        data::settle(&joined);
    }
    if does(Text) {
        text::settle(&joined);
    }
    let maps = maps::read();
    let written = if does(Pins) {
        written::by(&maps, rehearse)
    } else {
        Vec::new()
    };
    let collapse = |written: &[usize]| {
        let quiet = huge::candidates(&maps, &fresh, written);
        let quiet = if does(Huge) { quiet } else { Vec::new() };
        (huge::collapse(&quiet), quiet)
    };
    let (size, quiet) = collapse(&written);
    if does(Pins) && pin_small(&maps, &written, &quiet) {
        return size;
    }
    collapse(&[]).0
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
