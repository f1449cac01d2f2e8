//! The data of imported libraries as memory of the zygote, in one mapping each.
//!
//! A library's data is a mapping of its file, and the part that begins as zeros another, of none. The
//! loader and the imports have written to nearly every page of both, so that the file is of no use
//! any more; but a fork copies each mapping, enters it in the list of those of its file, and an exit
//! undoes both. Libraries that were there from the beginning stay as they are: their code runs while
//! this does.

use std::{
    ffi::{c_int, c_void},
    ops::Range,
    ptr, slice,
    sync::OnceLock,
};

use super::{
    maps::Mapping,
    pages::{self, pointer},
};

/// What is looked at and copied at once: a page, or a part of one.
const PIECE: usize = 4096;

/// The libraries from the beginning, by the addresses that they are loaded at.
static BEFORE: OnceLock<Vec<usize>> = OnceLock::new();

/// A library that is loaded.
struct Library {
    address: usize,
    /// What of it can be written to, as its program headers have it; not rounded to pages.
    data: Vec<Range<usize>>,
}

/// Notes which libraries are loaded.
pub(super) fn gather() {
    let _ = BEFORE.set(libraries().iter().map(|library| library.address).collect());
}

/// Puts a copy of the data of all others in its place. Where the kernel refuses, or a part of it has
/// been made read-only, all stays as it was.
pub(super) fn settle(maps: &[Mapping]) {
    let before = BEFORE.get().map_or(&[][..], Vec::as_slice);
    let later = libraries()
        .into_iter()
        .filter(|library| !before.contains(&library.address));
    for data in later.flat_map(|library| library.data) {
        let whole = (data.start / PIECE * PIECE)..data.end.next_multiple_of(PIECE);
        if is_writable(&whole, maps) {
            replace(&whole);
        }
    }
}

/// Whether all of it is mapped, private, and can be written to.
fn is_writable(range: &Range<usize>, maps: &[Mapping]) -> bool {
    let within = maps.iter().map(|mapping| {
        let part = mapping.addresses.start.max(range.start)..mapping.addresses.end.min(range.end);
        (part.len(), mapping.access.as_str())
    });
    let covered = within.filter(|(length, access)| *length > 0 && *access == "rw-p");
    !range.is_empty() && covered.map(|(length, _)| length).sum::<usize>() == range.len()
}

fn replace(data: &Range<usize>) {
    let Some(space) = pages::map(data.len(), 0) else {
        return;
    };
    for offset in (0..data.len()).step_by(PIECE) {
        // SAFETY: all of the range can be read (`is_writable`), and nothing writes to it meanwhile:
        // this thread is the only one, and runs no code of that library.
        let piece = unsafe { slice::from_raw_parts(pointer(data.start + offset), PIECE) };
        // What holds zeros only is left to be as it is: new memory is zeros.
        if piece.iter().any(|byte| *byte != 0) {
            // SAFETY: the space is as long as the range, and new, so that they do not overlap.
            unsafe { ptr::copy_nonoverlapping(piece.as_ptr(), pointer(space + offset), PIECE) };
        }
    }
    // SAFETY: the bytes are the same, with the same access, and no Rust reference to them is alive.
    if !unsafe { pages::move_to(space, data.len(), data.start) } {
        pages::unmap(space, data.len());
    }
}

/// All that are loaded now.
fn libraries() -> Vec<Library> {
    let mut found = Vec::new();
    // SAFETY: `note` is called during the call only, with the address of `found`, which nothing else
    // uses meanwhile.
    unsafe { libc::dl_iterate_phdr(Some(note), (&raw mut found).cast()) };
    found
}

/// Called for each by dl_iterate_phdr(3).
unsafe extern "C" fn note(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    found: *mut c_void,
) -> c_int {
    // SAFETY: it is what the man page says, for as long as this call takes.
    let info = unsafe { &*info };
    // SAFETY: as above: that many headers.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    // SAFETY: `libraries` passes the address of such a vector.
    let found = unsafe { &mut *found.cast::<Vec<Library>>() };
    let number = |value: u64| usize::try_from(value).unwrap_or(0);
    let address = number(info.dlpi_addr);
    let writable = headers
        .iter()
        .filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W != 0);
    let data = writable.map(|header| {
        let start = address + number(header.p_vaddr);
        start..start + number(header.p_memsz)
    });
    found.push(Library {
        address,
        data: data.collect(),
    });
    0
}
