//! The data of libraries in a file that all cells share until they write, in one mapping each.
//!
//! A library's data is a mapping of its file, and the part that begins as zeros another, of none. The
//! loader and the imports have written to nearly every page of both, so that they are the zygote's
//! memory: a fork copies an entry for each page, whether the cell will look at it or not, and the
//! lists that lead from such memory to its users. Of a private mapping of a file that nobody has
//! written to since, a fork copies the mapping alone (`vma_needs_copy` in the kernel's
//! `mm/memory.c`). So what the data is now becomes a file in memory.
//!
//! The C library, the loader and this library stay as they are: their code runs while this does.

use std::{
    ffi::{CStr, c_int, c_void},
    fs::File,
    io::{self, Write},
    ops::Range,
    slice,
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::{
    maps::Mapping,
    pages::{self, pointer},
};

/// What is looked at at once: a page, or a part of one.
const PIECE: usize = 4096;
/// Bytes of zeros at the end that are worth a mapping of their own, so as not to be kept in the file.
const MANY: usize = 16 * PIECE;

/// A library that is loaded.
struct Library {
    /// The name of its file; empty for the program.
    file: String,
    /// What of it can be written to, as its program headers have it; not rounded to pages.
    data: Vec<Range<usize>>,
}

/// Puts a copy of their data in its place. Where the kernel refuses, or a part of it has been made
/// read-only, all stays as it was.
pub(super) fn settle(maps: &[Mapping]) {
    let data: Vec<Data> = libraries()
        .into_iter()
        .filter(|library| !is_at_work(library))
        .flat_map(|library| library.data)
        .map(|data| (data.start / PIECE * PIECE)..data.end.next_multiple_of(PIECE))
        .filter(|whole| is_writable(whole, maps))
        // SAFETY: nobody unloads a library meanwhile: this thread is the only one.
        .map(|whole| unsafe { Data::new(whole) })
        .collect();
    if let Ok(file) = copy(&data) {
        // What the kernel refuses once, it is not asked for again.
        let _: Option<i64> = data
            .iter()
            .try_fold(0, |offset, data| data.replace(&file, offset));
    }
}

/// Whether its code runs, or the C library's for it, while this does.
fn is_at_work(library: &Library) -> bool {
    ["libc.", "ld-", "cellblock_zygote"]
        .iter()
        .any(|start| library.file.starts_with(start))
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

/// What of a library can be written to, in whole pages.
struct Data {
    addresses: Range<usize>,
    /// Bytes up to the zeros that it ends with, where those are many.
    filled: usize,
}

impl Data {
    /// # Safety
    ///
    /// The addresses are mapped for as long as this lives, and can be read.
    unsafe fn new(addresses: Range<usize>) -> Self {
        let filled = addresses.len();
        let mut data = Self { addresses, filled };
        let pieces = data.bytes().rchunks_exact(PIECE);
        let zeros = PIECE
            * pieces
                .take_while(|piece| piece.iter().all(|byte| *byte == 0))
                .count();
        if zeros >= MANY {
            data.filled -= zeros;
        }
        data
    }

    /// Without the zeros.
    fn bytes(&self) -> &[u8] {
        // SAFETY: it can be read (`new`). This thread is the only one, and runs no code that writes to
        // it while somebody looks at it here (`is_at_work`).
        unsafe { slice::from_raw_parts(pointer(self.addresses.start), self.filled) }
    }

    /// Puts what the file holds from `offset` on in its place; the offset behind that.
    fn replace(&self, file: &File, offset: i64) -> Option<i64> {
        let start = self.addresses.start;
        let next = offset.checked_add(i64::try_from(self.filled).ok()?)?;
        // SAFETY: the file holds what is there: nothing has written to it since it was copied (see
        // `bytes`), and nobody can change the file. No Rust reference to it is alive.
        let is_done =
            self.filled == 0 || unsafe { pages::map_file_over(start, self.filled, file, offset) };
        is_done.then_some(next)
    }
}

/// A file in memory of all data, one after another, which nobody can change.
fn copy(data: &[Data]) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("data of libraries", flags)?);
    for one in data {
        file.write_all(one.bytes())?;
    }
    let fixed = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&file, fixed)?;
    Ok(file)
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
    let path = if info.dlpi_name.is_null() {
        c""
    } else {
        // SAFETY: as above: a string that ends with a NUL.
        unsafe { CStr::from_ptr(info.dlpi_name) }
    };
    let path = path.to_string_lossy();
    let file = path.rsplit('/').next().unwrap_or_default().to_owned();
    found.push(Library {
        file,
        data: data.collect(),
    });
    0
}
