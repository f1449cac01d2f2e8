//! How many descriptors this process may have open, and how many it needs: `RLIMIT_NOFILE`, getrlimit(2).

use cellblock_sandbox::CHANNEL_FD;
use rustix::process::{Resource, getrlimit, setrlimit};
use thiserror::Error;

use crate::config::Config;

/// The runtime, the listener, the log, files that are looked at for a moment.
const PROGRAM: u64 = 48;
/// A wall: its channel, its log, its process, its configuration.
const WALL: u64 = 8;
/// A cell: its channel, its output, its report, its process, the other ends of those while it is made, and
/// the files of its cgroups.
const CELL: u64 = 20;
/// Clients that are to be served in any case.
const CONNECTIONS: u64 = 32;
/// What the inside of a wall may have open, where this process may have as many.
const INSIDE: u64 = 2048;

/// The limit is too low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "at most {limit} descriptors may be open, the hard limit of RLIMIT_NOFILE, and this configuration \
     needs {needed}: raise it (ulimit -Hn, LimitNOFILE= of systemd, --ulimit nofile= of Docker), or lower \
     pool.max_running and pool.warm_cells"
)]
pub struct TooFew {
    /// The hard limit.
    pub limit: u64,
    /// What it would have to be at least.
    pub needed: u64,
}

/// What a server of this configuration needs beside its connections.
fn needed(config: &Config) -> u64 {
    let (pool, environments) = (&config.pool, config.environments.len() as u64);
    let waiting = u64::from(pool.warm_cells.max(1)) * environments;
    let cells = u64::from(pool.running_places()) + waiting;
    // A zygote is started before the one that it replaces ends.
    let walls = 2 * u64::from(pool.zygotes.max(1)) * environments;
    PROGRAM + CELL * cells + WALL * walls
}

/// The hard limit; `None` where there is none.
fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Whether the limit is enough for cells and a few clients: what it is, and what is needed.
///
/// # Errors
/// It is not.
pub(crate) fn check(config: &Config) -> Result<(Option<u64>, u64), TooFew> {
    checked(limit(), needed(config))
}

fn checked(limit: Option<u64>, cells: u64) -> Result<(Option<u64>, u64), TooFew> {
    // A cell's channel has a number that is out of the script's way.
    let needed = (cells + CONNECTIONS).max(u64::from(CHANNEL_FD.unsigned_abs()) + 1);
    match limit {
        Some(limit) if limit < needed => Err(TooFew { limit, needed }),
        limit => Ok((limit, needed)),
    }
}

/// Raises the soft limit to what this configuration needs, as far as the hard one lets it, and gives how many
/// connections there is room for.
pub(crate) fn raise(config: &Config) -> u32 {
    let (cells, wanted) = (needed(config), config.server.max_connections);
    let enough = cells + u64::from(wanted);
    let mut limits = getrlimit(Resource::Nofile);
    if limits.current.is_some_and(|current| current < enough) {
        limits.current = Some(limits.maximum.map_or(enough, |most| most.min(enough)));
        // It cannot fail up to the hard limit; and if it did, less would be open.
        let _ = setrlimit(Resource::Nofile, limits);
    }
    let open = getrlimit(Resource::Nofile).current;
    let room = open.map_or(u64::from(wanted), |open| open.saturating_sub(cells));
    u32::try_from(room).unwrap_or(u32::MAX).clamp(1, wanted)
}

/// What nsjail is to limit the inside of a wall to: it cannot give more than this process may have.
pub(crate) fn inside() -> u64 {
    limit().map_or(INSIDE, |limit| limit.min(INSIDE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_enough_for_cells_and_a_few_clients() {
        assert_eq!(checked(None, 2000), Ok((None, 2032)));
        assert_eq!(checked(Some(2032), 2000), Ok((Some(2032), 2032)));
        let too_few = TooFew {
            limit: 2031,
            needed: 2032,
        };
        assert_eq!(checked(Some(2031), 2000), Err(too_few));
        assert!(checked(Some(500), 100).is_err());
    }
}
