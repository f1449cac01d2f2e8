//! What the warm engine promises beyond the contract: cells that share nothing, and zygotes that
//! may die or be replaced without a client's noticing.

mod death;
mod environments;
mod load;
mod shared;
mod thousand;
