//! What a zygote does to its memory so that forks of it are cheap.
//!
//! None of it is needed for a right answer, and none is a layer of isolation: each can be left out, to
//! measure what it is worth, or where an interpreter or a kernel does not take it.

use serde::{Deserialize, Serialize};

/// One preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preparation {
    /// The interpreter's small objects lie in one piece of memory.
    Arenas,
    /// Gaps between old objects are filled, so that new ones lie together.
    Gaps,
    /// Small blocks of all sizes lie in one row. It begins behind the filled gaps of the one piece: where
    /// `Arenas` or `Gaps` is left out, so is this.
    Row,
    /// The zygote runs as its cells will, until nothing changes any more.
    Rehearsal,
    /// References to what is loaded are not counted, from CPython 3.12 on.
    Immortal,
    /// The read-only mappings of a library become one.
    Mappings,
    /// The data of libraries becomes a file in memory.
    Data,
    /// The code of the interpreter becomes memory of the zygote.
    Text,
    /// Memory becomes huge pages.
    Huge,
}

impl Preparation {
    /// Every one, in the order in which a zygote comes to them.
    pub const ALL: [Self; 9] = [
        Self::Arenas,
        Self::Gaps,
        Self::Row,
        Self::Rehearsal,
        Self::Immortal,
        Self::Mappings,
        Self::Data,
        Self::Text,
        Self::Huge,
    ];

    /// The name used in the configuration and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arenas => "arenas",
            Self::Gaps => "gaps",
            Self::Row => "row",
            Self::Rehearsal => "rehearsal",
            Self::Immortal => "immortal",
            Self::Mappings => "mappings",
            Self::Data => "data",
            Self::Text => "text",
            Self::Huge => "huge",
        }
    }
}
