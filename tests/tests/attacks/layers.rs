//! Each layer is what stops something.
