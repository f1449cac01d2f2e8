//! Whether a script has left files open.

use std::array;

/// The first number that is not one of the three streams.
const FIRST: usize = 3;
/// The limit of open files in a cell (`RLIMIT_NOFILE`), above which its channel is.
const END: usize = 256;

/// Whether any descriptor is open but the streams and the channel, asked by one call: of a number that
/// is none, poll(2) says so.
pub(crate) fn any() -> bool {
    let mut asked: [libc::pollfd; END - FIRST] = array::from_fn(|place| libc::pollfd {
        fd: i32::try_from(FIRST + place).unwrap_or(-1),
        events: 0,
        revents: 0,
    });
    // SAFETY: the pointer and the length are those of `asked`, which outlives the call, and which is
    // all that it writes to.
    let answered = unsafe { libc::poll(asked.as_mut_ptr(), (END - FIRST) as libc::nfds_t, 0) };
    // It refuses if the script has lowered the limit: then nobody knows.
    answered < 0 || asked.iter().any(|one| one.revents & libc::POLLNVAL == 0)
}
