//! All `unsafe` of the crate: what CPython wants around a fork, and what makes one cheap.
#![allow(unsafe_code)]

mod arenas;
mod bump;
mod data;
mod heap;
mod huge;
pub(crate) mod immortal;
pub(crate) mod interpreter;
mod maps;
pub(crate) mod memory;
mod pages;
mod segments;
mod text;
