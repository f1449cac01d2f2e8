//! The native half of the runner: the Python extension module `cellblock_zygote`.
//!
//! [`Wall`] is the wall's view of its control socket, which is descriptor 0. A warm
//! wall serves: it forks a cell whenever the server asks for one. A cold wall becomes the one cell
//! that it was started for. Either call returns to Python in a sealed process whose job is about
//! to come, with the number of the cell channel.
//!
//! [`Ordinary`] runs that job, as far as it is an ordinary one.

mod control;
mod opened;
mod ordinary;
mod sys;
mod wall;

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
mod cellblock_zygote {
    #[pymodule_export]
    use super::{
        opened::{open, open_instead},
        ordinary::Ordinary,
        wall::{Wall, memory_limit},
    };
}
