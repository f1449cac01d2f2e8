//! Fewer mappings for the libraries that are loaded.
//!
//! The linker lays a library out as five mappings: headers, code, constants, what is constant after
//! relocation, and data. A fork copies each, and an exit undoes each. Neighbours of one file with
//! the same access are one mapping for the kernel, so that headers and constants are made executable
//! like the code between them, and what was relocated writable like the data behind it: two
//! mappings are left of five.
//!
//! What that gives up: a script that can make the interpreter jump anywhere may land in constants,
//! where it had the libraries' code before, and may write to their tables of functions, where it had
//! other data that holds addresses. Nothing that can be written becomes executable, and no layer
//! counts on what such a script cannot reach in its own process.

use super::maps::Mapping;

/// Makes neighbours alike where that lets the kernel join them. Where it refuses, all stays as it
/// was.
pub(super) fn join(maps: &[Mapping]) {
    for pair in maps.windows(2) {
        let [first, second] = pair else { continue };
        if !first.goes_on_in(second) {
            continue;
        }
        match (first.access.as_str(), second.access.as_str()) {
            ("r--p", "r-xp") => allow(first, libc::PROT_READ | libc::PROT_EXEC),
            ("r-xp", "r--p") => allow(second, libc::PROT_READ | libc::PROT_EXEC),
            ("r--p", "rw-p") => allow(first, libc::PROT_READ | libc::PROT_WRITE),
            _ => {}
        }
    }
}

fn allow(mapping: &Mapping, access: i32) {
    let start = std::ptr::with_exposed_provenance_mut(mapping.addresses.start);
    // SAFETY: the range is a mapping of this process that can be read. More access than before
    // changes neither what it holds nor what may be done already, and no Rust reference relies on a
    // fault. The only thread is this one, so the mapping is still there.
    unsafe { libc::mprotect(start, mapping.addresses.len(), access) };
}
