//! The native half of the runner.
