//! The zygote's memory made cheap to fork.

use std::ptr;

/// A huge page in bytes, on both architectures with 4 KiB pages.
const HUGE: usize = 2 << 20;
/// Linux 6.1; the constant is younger than the library's.
const MADV_COLLAPSE: i32 = 25;
/// Allocations from this size on are mapped by themselves while a cell runs: between the C
/// library's first choice (128 KiB) and its largest (32 MiB), since arrays of some MiB that come
/// and go would otherwise be mapped and cleared each time.
const MAPPED_FROM: i32 = 4 << 20;

/// Keeps the C library's allocations in one heap while the zygote warms up. mallopt(3)
pub(crate) fn gather() {
    // SAFETY: mallopt takes numbers; called before anything else runs in this process.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, i32::MAX) };
}

/// Gives unused memory back and makes huge pages of what is left; the number of bytes in them.
///
/// Where the kernel does not do it, all stays as it was: forks are slower, nothing else.
pub(crate) fn settle() -> usize {
    // SAFETY: both take numbers and lock the heap themselves.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM) };
    // SAFETY: as above.
    unsafe { libc::malloc_trim(0) };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines()
        .filter_map(private_anonymous)
        .map(|(from, to)| collapse(from, to))
        .sum()
}

/// The range of a line of `/proc/self/maps`, proc(5), where it is private, writable and no file's.
fn private_anonymous(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (from, to) = fields.next()?.split_once('-')?;
    let writable = fields.next()?.starts_with("rw-p");
    let no_file = fields.nth(2)? == "0" && matches!(fields.next(), None | Some("[heap]"));
    let address = |text| usize::from_str_radix(text, 16).ok();
    (writable && no_file).then(|| address(from).zip(address(to)))?
}

fn collapse(from: usize, to: usize) -> usize {
    let (from, to) = (from.next_multiple_of(HUGE), to / HUGE * HUGE);
    let mut collapsed = 0;
    // One by one: a page that cannot be collapsed does not keep the others from it.
    for page in (from..to).step_by(HUGE) {
        // SAFETY: the advice changes how memory is kept, not what it holds; for a range that is
        // not mapped any more the call fails.
        let result =
            unsafe { libc::madvise(ptr::with_exposed_provenance_mut(page), HUGE, MADV_COLLAPSE) };
        if result == 0 {
            collapsed += HUGE;
        }
    }
    collapsed
}
