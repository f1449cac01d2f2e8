//! Isolation layers as policy.
