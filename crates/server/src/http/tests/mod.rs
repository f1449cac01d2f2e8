//! The router without a socket, and the accept loop without the router.

mod routes;
mod sockets;
