//! This process' mappings, as `/proc/self/maps` lists them: proc(5).

use std::ops::Range;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) addresses: Range<usize>,
    /// Such as `r-xp`.
    pub(super) access: String,
    /// Where in the file it begins.
    pub(super) offset: usize,
    /// The file's inode, 0 where there is none.
    pub(super) inode: u64,
    /// What the kernel calls it: a path, `[heap]`, or nothing.
    pub(super) name: Option<String>,
}

impl Mapping {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let hex = |text| usize::from_str_radix(text, 16).ok();
        let (from, to) = fields.next()?.split_once('-')?;
        let access = fields.next()?.to_owned();
        let offset = hex(fields.next()?)?;
        let inode = fields.nth(1)?.parse().ok()?;
        Some(Self {
            addresses: hex(from)?..hex(to)?,
            access,
            offset,
            inode,
            name: fields.next().map(str::to_owned),
        })
    }

    /// Whether `next` begins where this ends, in memory and in the same file.
    pub(super) fn goes_on_in(&self, next: &Self) -> bool {
        self.inode != 0
            && self.inode == next.inode
            && self.name == next.name
            && self.addresses.end == next.addresses.start
            && self.offset + self.addresses.len() == next.offset
    }
}

/// All of them, in order. Empty where they cannot be read.
pub(super) fn read() -> Vec<Mapping> {
    let text = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    text.lines().filter_map(Mapping::parse).collect()
}
