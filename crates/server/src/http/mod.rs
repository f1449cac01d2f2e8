//! The HTTP API. `router` and `middleware` show all of it on a page each; `serve` brings it to a
//! socket.

mod accept;
mod access;
mod access_log;
mod batch;
mod body;
mod connection;
mod cors;
mod environments;
mod error;
mod execute;
mod executions;
mod health;
mod metrics;
mod middleware;
mod once;
mod openapi;
mod pages;
mod request_id;
mod router;
mod serve;
mod state;
mod status;
mod stream;
mod task;
#[cfg(test)]
mod tests;
mod trace;

pub use error::ApiError;
pub use router::router;
pub use serve::serve;
pub use state::Api;
