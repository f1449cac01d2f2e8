//! The limits of one run, lowered by the cell on itself when its job is about to come.

use cellblock_wire::job::CellLimits;
use rustix::{io::Errno, process::Resource};

use crate::{steps::set_limit, sys};

/// Address space beyond the memory limit, in bytes, where nothing counts memory: thread stacks and
/// allocator arenas reserve addresses that they never touch (glibc reserves 64 MiB per arena, malloc(3)).
const ADDRESS_SLACK: u64 = 4 << 30;
/// Writable private mappings beyond the memory limit, in bytes: the stacks of as many threads as there
/// may be, 8 MiB each, which the kernel counts before they are touched.
const DATA_SLACK: u64 = 576 << 20;
/// The same where a cgroup counts memory: a few large stacks as well. What is left of the limit then
/// gives a script that asks for far too much a MemoryError with its line, in place of its death.
const COUNTED_DATA_SLACK: u64 = 2 << 30;

/// What this process has of memory before its run, in bytes, as the kernel counts it for the two
/// limits on it.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    address_space: u64,
    data: u64,
}

/// Lowers this process' limits for the run that is about to come; `own` is what it has already.
/// `counted`: a cgroup counts its memory, so that address space need not be limited.
pub fn apply(limits: &CellLimits, own: Sizes, counted: bool) -> Result<(), Errno> {
    let Sizes {
        address_space,
        data,
    } = own;
    let memory = limits.memory_bytes;
    let mut slack = COUNTED_DATA_SLACK;
    if !counted {
        slack = DATA_SLACK;
        set_limit(
            Resource::As,
            address_space
                .saturating_add(memory)
                .saturating_add(ADDRESS_SLACK),
        )?;
    }
    set_limit(
        Resource::Data,
        data.saturating_add(memory).saturating_add(slack),
    )?;
    set_limit(Resource::Cpu, limits.cpu_seconds)
}

/// The calling process' sizes. From `/proc/self/statm`: proc(5), fields `size` and `data`, in
/// pages.
pub fn sizes() -> Result<Sizes, Errno> {
    let text = std::fs::read_to_string("/proc/self/statm")
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let mut fields = text.split_ascii_whitespace();
    let mut field = |index| {
        let pages: u64 = fields.nth(index)?.parse().ok()?;
        pages.checked_mul(sys::page_size())
    };
    let (address_space, data) = field(0).zip(field(4)).ok_or(Errno::IO)?;
    Ok(Sizes {
        address_space,
        data,
    })
}
