//! Pairs of local sockets, by which asyncio wakes its loop. A cell has no others.

use super::{Arg, INT, Rule, any, flag, only, within};

const AF_UNIX: u64 = 1;
const SOCK_STREAM: u64 = 1;
const SOL_SOCKET: Arg = Arg::Is(1, 1);

pub(super) const RULES: &[Rule] = &[
    only(
        libc::SYS_socketpair,
        &[&[
            Arg::Is(0, AF_UNIX),
            Arg::Masked(
                1,
                INT & !flag(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK),
                SOCK_STREAM,
            ),
            Arg::Is(2, 0),
        ]],
        "asyncio, multiprocessing.Pipe",
    ),
    only(
        libc::SYS_sendto,
        // With an address, a datagram would go to any socket of that name: unix(7).
        &[&[
            within(3, flag(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)),
            Arg::Null(4),
        ]],
        "asyncio's self-pipe, the cell's first words",
    ),
    only(
        libc::SYS_recvfrom,
        &[&[within(
            3,
            flag(libc::MSG_PEEK | libc::MSG_TRUNC | libc::MSG_DONTWAIT | libc::MSG_WAITALL),
        )]],
        "asyncio's self-pipe, the length of a job",
    ),
    any(libc::SYS_getsockname, "socket objects made by socketpair"),
    any(libc::SYS_getpeername, "socket objects made by socketpair"),
    only(
        libc::SYS_getsockopt,
        // Not who is at the other end: SO_PEERCRED, SO_PEERGROUPS, SO_PEERPIDFD.
        &[
            &[SOL_SOCKET, Arg::Is(2, 3)],  // SO_TYPE
            &[SOL_SOCKET, Arg::Is(2, 4)],  // SO_ERROR
            &[SOL_SOCKET, Arg::Is(2, 7)],  // SO_SNDBUF
            &[SOL_SOCKET, Arg::Is(2, 8)],  // SO_RCVBUF
            &[SOL_SOCKET, Arg::Is(2, 38)], // SO_PROTOCOL
            &[SOL_SOCKET, Arg::Is(2, 39)], // SO_DOMAIN
        ],
        "socket objects made by socketpair, socket.socket(fileno=...)",
    ),
    any(libc::SYS_shutdown, "socket objects made by socketpair"),
];
