//! Whether a script has left files open.

use std::array;

/// The first number that is not one of the three streams.
const FIRST: usize = 3;
/// Whoever opens a file gets the lowest number that is free, so it is enough to look at a few: a script
/// that has others open has closed all of these. Each costs a tenth of a microsecond.
const END: usize = 19;

/// Whether any descriptor is open but the streams and the channel, which is above, asked by one call: of
/// a number that is none, poll(2) says so.
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
