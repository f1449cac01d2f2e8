//! The zygote's memory made cheap to fork. `without`: what is to be left out.

use std::collections::BTreeSet;

use cellblock_wire::preparation::Preparation::{
    self, Arenas, Data, Gaps, Huge, Mappings, Row, Text,
};

use super::{arenas, bump, data, heap, huge, maps, segments, text};

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
        heap::trim();
        heap::fill_gaps();
    }
    if !without.contains(&Row) {
        bump::open();
    }
}

/// Settles what has been imported.
pub(crate) fn settle(without: &BTreeSet<Preparation>) {
    let does = |one| !without.contains(&one);
    if does(Gaps) {
        heap::trim();
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
    if does(Huge) {
        huge::collapse(&maps::read(), &fresh);
    }
}

/// Takes the gaps that have come since: the last step before the first fork.
pub(crate) fn close(without: &BTreeSet<Preparation>) {
    if !without.contains(&Gaps) {
        heap::gather(); // a large piece that is mapped by itself is not from the heap's end
        heap::fill_gaps();
        heap::settle();
    }
}
