//! All `unsafe` of the crate: what CPython wants around a fork, and where its memory lies.
#![allow(unsafe_code)]

pub(crate) mod arenas;
pub(crate) mod interpreter;
pub(crate) mod memory;
