//! Which uids this server may give to cells, found out by trying.

use std::{fs, path::Path};

use super::Users;
use crate::{
    cgroup::{Groups, Version},
    config::{Config, UidRange},
    doctor::jail,
    engine::outer_identity,
    environment::reachable_by_others,
    wall::Identity,
};

/// What root takes where nothing is said: in no range that is commonly given to people (up to
/// 2 000 200 000 with the directory services of SSSD), to users' containers (/etc/subuid) or to those of
/// systemd (`UIDS-GIDS.md`: 524 288 to 1 879 048 191, and 2 147 352 576 on).
const FIRST: u32 = 2_100_000_000;
const COUNT: u32 = 65_536;
/// In a container that has fewer, so many of its last ones, but for the very last: nobody is among those.
const OF_CONTAINER: u32 = 4096;
const LAST: u32 = 16;
/// Uids beside those of cells: the zygotes' own, and some for cells whose end is not seen.
const SPARE: u32 = 64;

/// The users of cells; or, in half a sentence, why there are none.
pub(crate) fn find(
    config: &Config,
    nsjail: &Path,
    groups: Option<&Groups>,
) -> Result<Users, String> {
    let root = rustix::process::geteuid().is_root();
    let needed = needed(config);
    let range = match config.isolation.uid_range() {
        Some(range) => range,
        None if root => of_root(&own(), needed)?,
        None => of_user()?,
    };
    if range.count < needed {
        return Err(format!(
            "of the uids {range} there are fewer than the {needed} that so many places and environments take"
        ));
    }
    if root && !own().iter().any(|own| own.holds(range)) {
        return Err(format!("the server itself does not have the uids {range}"));
    }
    if !root && !reachable_by_others(&config.state_dir) {
        let path = config.state_dir.display();
        return Err(format!("other users cannot reach {path}"));
    }
    if !root && groups.is_some_and(|groups| groups.version() == Version::One) {
        return Err("cgroups of version 1 take no process of another user".to_owned());
    }
    let identity = Identity {
        uid: range.first,
        ..outer_identity(config)
    };
    jail::maps(nsjail, identity, range.count, !root).map_err(|error| {
        let how = if root { "" } else { " by newuidmap" };
        format!("the uids {range} cannot be mapped{how}: {error}")
    })?;
    Ok(Users::new(range, !root))
}

/// As many as cells can be at a time: those that run, and twice those that wait for a job, since a
/// zygote's may still be ending when its successor's are made.
fn needed(config: &Config) -> u32 {
    let pool = &config.pool;
    let environments = u32::try_from(config.environments.len()).unwrap_or(u32::MAX);
    let waiting = pool.warm_cells.max(pool.zygotes).saturating_mul(2);
    let waiting = waiting.saturating_mul(environments);
    waiting
        .saturating_add(pool.running_places())
        .saturating_add(SPARE)
}

/// The uids that this process has. user_namespaces(7)
fn own() -> Vec<UidRange> {
    let text = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    parse_map(&text)
}

fn parse_map(text: &str) -> Vec<UidRange> {
    let line = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse);
        let (first, count) = (numbers.next()?.ok()?, numbers.nth(1)?.ok()?);
        Some(UidRange { first, count })
    };
    text.lines().filter_map(line).collect()
}

/// What root takes of its own.
fn of_root(own: &[UidRange], needed: u32) -> Result<UidRange, String> {
    let usual = UidRange {
        first: FIRST,
        count: COUNT.max(needed),
    };
    if own.iter().any(|own| own.holds(usual)) {
        return Ok(usual);
    }
    let count = OF_CONTAINER.max(needed);
    // Those of its first half are for what a container is for.
    let has_room = |own: &&UidRange| own.count / 2 >= count.saturating_add(LAST);
    match own.iter().filter(has_room).max_by_key(|own| own.count) {
        Some(own) => Ok(UidRange {
            first: own.first + (own.count - LAST - count),
            count,
        }),
        None => Err("the server itself has too few uids".to_owned()),
    }
}

/// What an ordinary user has been given. subuid(5)
fn of_user() -> Result<UidRange, String> {
    let uid = rustix::process::getuid().as_raw();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let subuid = fs::read_to_string("/etc/subuid").unwrap_or_default();
    let found = given(&subuid, name(&passwd, uid), uid);
    found.ok_or_else(|| "the server is not root, and has no uids in /etc/subuid".to_owned())
}

/// passwd(5)
fn name(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

fn given(subuid: &str, name: Option<&str>, uid: u32) -> Option<UidRange> {
    let line = |line: &str| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let own = Some(owner) == name || owner.parse() == Ok(uid);
        own.then_some(UidRange { first, count })
    };
    subuid
        .lines()
        .filter_map(line)
        .max_by_key(|range| range.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u32, count: u32) -> UidRange {
        UidRange { first, count }
    }

    #[test]
    fn root_takes_what_is_nobody_elses() {
        let whole = parse_map("         0          0 4294967295\n");
        assert_eq!(of_root(&whole, 100), Ok(range(FIRST, COUNT)));
        assert_eq!(of_root(&whole, 100_000), Ok(range(FIRST, 100_000)));
        let container = parse_map("0 100000 65536\n");
        assert_eq!(of_root(&container, 100), Ok(range(61_424, 4096)));
        let rootless = parse_map("0 1000 1\n1 100000 65536\n");
        assert_eq!(of_root(&rootless, 100), Ok(range(61_425, 4096)));
        for few in ["0 1000 1\n", "0 100000 1000\n", ""] {
            assert!(of_root(&parse_map(few), 100).is_err());
        }
    }

    #[test]
    fn an_ordinary_user_has_what_is_written_for_it() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1001:1001::/home/ada:/bin/sh\n";
        assert_eq!(name(passwd, 1001), Some("ada"));
        assert_eq!(name(passwd, 1002), None);
        let subuid = "bob:100000:65536\nada:165536:1000\n1001:300000:65536\nada:nonsense\n";
        assert_eq!(
            given(subuid, Some("ada"), 1001),
            Some(range(300_000, 65_536))
        );
        assert_eq!(given(subuid, Some("ada"), 7), Some(range(165_536, 1000)));
        assert_eq!(given(subuid, None, 7), None);
    }
}
