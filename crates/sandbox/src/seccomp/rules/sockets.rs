//! Pairs of local sockets, by which asyncio wakes its loop. A cell has no others.

use super::{Arg, Rule, any, only};

const AF_UNIX: u64 = 1;

pub(super) const RULES: &[Rule] = &[
    only(libc::SYS_socketpair, &[&[Arg::Is(0, AF_UNIX)]], "asyncio"),
    any(libc::SYS_sendto, "asyncio's self-pipe"),
    any(libc::SYS_recvfrom, "asyncio's self-pipe"),
    any(libc::SYS_getsockname, "socket objects made by socketpair"),
    any(libc::SYS_getpeername, "socket objects made by socketpair"),
    any(libc::SYS_getsockopt, "socket objects made by socketpair"),
    any(libc::SYS_shutdown, "socket objects made by socketpair"),
];
