//! All `unsafe` of the crate: what CPython wants around a fork and for a run, what makes
//! forks cheap, and calls that no library wraps.
#![allow(unsafe_code)]

mod arenas;
mod bump;
mod data;
pub(crate) mod depth;
pub(crate) mod descriptor;
pub(crate) mod exit;
mod heap;
mod huge;
pub(crate) mod immortal;
pub(crate) mod interpreter;
mod maps;
pub(crate) mod memory;
pub(crate) mod open_files;
mod pages;
mod segments;
mod text;
pub(crate) mod timers;
