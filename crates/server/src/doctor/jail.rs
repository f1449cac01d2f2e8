//! nsjail, and with it each kind of namespace and an unmasked /proc: a jail is made around this
//! very program, which prints its version and so proves that it ran.

use std::{
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use super::{Finding, State};
use crate::{
    config::{Config, Floor},
    engine::{self, StartError},
    wall::Identity,
};

/// nsjail's flags that leave a kind of namespace out, and the name of the check that has it.
const KINDS: [(&str, &str); 6] = [
    ("--disable_clone_newpid", "pid namespaces"),
    ("--disable_clone_newns", MOUNT),
    ("--disable_clone_newnet", "network namespaces"),
    ("--disable_clone_newipc", "ipc namespaces"),
    ("--disable_clone_newuts", "uts namespaces"),
    ("--disable_clone_newcgroup", "cgroup namespaces"),
];
/// The check of nsjail itself.
const NSJAIL: &str = "nsjail";
/// The kind in which nsjail makes a new root: what was there is mounted into it.
const MOUNT: &str = "mount namespaces";
/// What a jail with pid and mount namespaces is told, to have a /proc of its own.
const PROC: [&str; 2] = ["--mount", "none:/proc:proc:"];
const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/// The flags that a container is started with, all that are needed, as deploy/docker/test.sh does.
macro_rules! container_remedy {
    ($more:literal) => {
        concat!(
            "In a container of Docker, add --security-opt seccomp=seccomp.json --security-opt \
             systempaths=unconfined",
            $more,
            ", with seccomp.json as `cellblock seccomp-profile` prints it"
        )
    };
}

/// Every check that has to do with nsjail.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let nsjail = match engine::find_nsjail(config) {
        Ok(nsjail) => nsjail,
        Err(error @ StartError::NotExecutable(_)) => {
            let remedy = "Make it executable, or give the path of another as --nsjail.";
            return vec![Finding::missing(NSJAIL, error.to_string(), remedy)];
        }
        Err(_) => {
            let remedy = "Run `make setup`, or give its path as --nsjail or CELLBLOCK_NSJAIL.";
            return vec![Finding::missing(NSJAIL, "not found", remedy)];
        }
    };
    let identity = engine::outer_identity(config);
    // What the floor does without, where it cannot be had.
    let spared = config.isolation.floor == Floor::Process;
    let walls = walls(&nsjail, identity).into_iter();
    let judge = |finding: Finding| {
        let spared = spared && is_of_namespaces(&finding);
        finding.or_degraded(spared)
    };
    walls.map(judge).collect()
}

/// The first thing that keeps nsjail from making walls here, if there is one: asked when one could
/// not be made.
pub(crate) fn obstacle(nsjail: &Path, identity: Identity) -> Option<Finding> {
    let mut findings = walls(nsjail, identity).into_iter();
    findings.find(|finding| finding.state == State::Missing)
}

/// Whether nsjail can make a jail with so many uids from that of `identity` on; the error is nsjail's.
pub(crate) fn maps(
    nsjail: &Path,
    identity: Identity,
    count: u32,
    by_newuidmap: bool,
) -> Result<(), String> {
    let Identity { inside, uid, .. } = identity;
    let flag = if by_newuidmap {
        "--uid_mapping"
    } else {
        "--user"
    };
    let users = [flag.to_owned(), format!("{inside}:{uid}:{count}")];
    jail_of(nsjail, &users, identity.gid, inside, &[], &[])
}

/// Whether this is about namespaces, and not about nsjail itself.
pub(crate) fn is_of_namespaces(found: &Finding) -> bool {
    found.name != NSJAIL
}

fn walls(nsjail: &Path, identity: Identity) -> Vec<Finding> {
    let mut findings = vec![runs(nsjail)];
    if findings[0].state != State::Ok {
        return findings;
    }
    let jail = |kinds: &[&str], more: &[&str]| try_jail(nsjail, identity, kinds, more);
    let user = match jail(&[], &[]) {
        Ok(()) => Finding::ok("user namespaces", "can be made"),
        Err(error) => Finding::missing("user namespaces", error, user_remedy()),
    };
    let usable = user.state == State::Ok;
    findings.push(user);
    if usable {
        for (_, name) in KINDS {
            findings.push(match jail(&[name], &[]) {
                Ok(()) => Finding::ok(name, "can be made"),
                Err(error) => Finding::missing(name, error, namespace_remedy()),
            });
        }
        let kinds = ["pid namespaces", MOUNT];
        findings.push(match jail(&kinds, &PROC) {
            Ok(()) => Finding::ok("unmasked /proc", "a sandbox can mount its own"),
            Err(error) => Finding::missing("unmasked /proc", error, PROC_REMEDY),
        });
    }
    let blocked = findings.iter().any(|finding| finding.state != State::Ok);
    findings.push(apparmor(blocked));
    findings
}

fn runs(nsjail: &Path) -> Finding {
    let remedy = "Run `make setup` on this machine, or give the path of another as --nsjail.";
    match Command::new(nsjail).arg("--help").output() {
        Ok(output) if output.status.success() => {
            Finding::ok(NSJAIL, format!("{} runs", nsjail.display()))
        }
        Ok(output) => {
            let said = complaint(&output.stderr).unwrap_or_else(|| output.status.to_string());
            let detail = format!("{} does not run: {said}", nsjail.display());
            Finding::missing(NSJAIL, detail, remedy)
        }
        Err(error) => {
            let detail = format!("{} does not run: {error}", nsjail.display());
            Finding::missing(NSJAIL, detail, remedy)
        }
    }
}

/// Makes a jail with a user namespace and these kinds, and nothing else but what `more` says.
fn try_jail(
    nsjail: &Path,
    identity: Identity,
    kinds: &[&str],
    more: &[&str],
) -> Result<(), String> {
    let Identity { inside, uid, gid } = identity;
    let users = ["--user".to_owned(), format!("{inside}:{uid}:1")];
    jail_of(nsjail, &users, gid, inside, kinds, more)
}

/// `users`: which uids it has, as nsjail is told.
fn jail_of(
    nsjail: &Path,
    users: &[String],
    gid: u32,
    inside: u32,
    kinds: &[&str],
    more: &[&str],
) -> Result<(), String> {
    let without = KINDS.iter().filter(|(_, name)| !kinds.contains(name));
    let root = kinds.contains(&MOUNT).then_some(["--bindmount", "/:/"]);
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(nsjail)
        .args(["--mode", "o", "--quiet", "--execute_fd", "--disable_proc"])
        .args(["--iface_no_lo", "--disable_rlimits", "--cwd", "/"])
        .args(users)
        .args(["--group", &format!("{inside}:{gid}:1")])
        .args(without.map(|(flag, _)| flag))
        .args(root.iter().flatten())
        .args(more)
        .arg("--")
        .arg(this)
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .current_dir("/")
        .output()
        .map_err(|error| error.to_string())?;
    // What was printed tells, and not nsjail's exit code, which may be that of what it ran.
    if output.stdout.starts_with(b"cellblock ") {
        return Ok(());
    }
    Err(complaint(&output.stderr).unwrap_or_else(|| format!("nsjail ended with {}", output.status)))
}

/// What of a log says best what went wrong: its first line, but for those on who runs, without
/// its head. nsjail logs the cause first, and then what failed because of it.
fn complaint(log: &[u8]) -> Option<String> {
    let log = String::from_utf8_lossy(log);
    let mut lines = log.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !line.contains("logParams()"))?;
    // As in "[W][2026-01-01T00:00:00+0000][1] runChild():511 clone(flags=...) failed: ...".
    let text = match line.split_once("():") {
        Some((head, rest)) if head.starts_with('[') => {
            rest.trim_start_matches(|c: char| c.is_ascii_digit())
        }
        _ => line,
    };
    Some(text.trim().to_owned())
}

/// The number in a file of /proc/sys, where the kernel has it.
fn setting(path: &str) -> Option<u64> {
    let text: io::Result<String> = fs::read_to_string(path);
    text.ok()?.trim().parse().ok()
}

fn privileged() -> bool {
    rustix::process::geteuid().is_root()
}

fn user_remedy() -> &'static str {
    if setting("/proc/sys/user/max_user_namespaces") == Some(0) {
        return "Allow them, as root: sysctl -w user.max_user_namespaces=15000.";
    }
    if !privileged() && setting("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        return "Allow them to ordinary users, as root: sysctl -w \
                kernel.unprivileged_userns_clone=1.";
    }
    namespace_remedy()
}

fn namespace_remedy() -> &'static str {
    if !privileged() && setting(APPARMOR) == Some(1) {
        return "Let AppArmor allow them, as root: sysctl -w \
                kernel.apparmor_restrict_unprivileged_userns=0, or load a profile for nsjail with \
                the rule `userns,`.";
    }
    match (confined_by_apparmor(), privileged()) {
        (true, _) => concat!(
            container_remedy!(" --security-opt apparmor=unconfined"),
            "."
        ),
        (false, true) => concat!(
            container_remedy!(""),
            ", and keep the capabilities SETUID and SETGID, or run as another user."
        ),
        (false, false) => concat!(container_remedy!(""), "."),
    }
}

/// Whether this process has a profile of AppArmor, such as Docker's, which allows no mounts.
fn confined_by_apparmor() -> bool {
    let profile = fs::read_to_string("/proc/self/attr/current").unwrap_or_default();
    profile.trim_end().ends_with("(enforce)")
}

const PROC_REMEDY: &str = "In a container, leave /proc unmasked: --security-opt \
    systempaths=unconfined for Docker, procMount: Unmasked with hostUsers: false for Kubernetes.";

fn apparmor(blocked: bool) -> Finding {
    let name = "apparmor";
    match setting(APPARMOR) {
        Some(1) if !privileged() && blocked => Finding::missing(
            name,
            "restricts the user namespaces of ordinary users",
            namespace_remedy(),
        ),
        Some(1) => Finding::ok(
            name,
            "restricts user namespaces of others, not those of nsjail",
        ),
        _ => Finding::ok(name, "does not restrict user namespaces"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_down_to_what_went_wrong() {
        let log = b"[W][2026-11-23T08:26:41+0000][1] logParams():313 Process will be UID/EUID=0\n\
            [W][2026-11-23T08:26:41+0000][1] runChild():511 clone(flags=CLONE_NEWUSER) failed: No space left on device\n\
            [E][2026-11-23T08:26:41+0000][1] standaloneMode():274 Couldn't launch the child process\n";
        assert_eq!(
            complaint(log).unwrap(),
            "clone(flags=CLONE_NEWUSER) failed: No space left on device"
        );
        assert_eq!(complaint(b"\na\nb\n").unwrap(), "a");
        assert_eq!(complaint(b"\n"), None);
    }

    #[test]
    fn every_remedy_is_one_sentence() {
        for remedy in [user_remedy(), namespace_remedy(), PROC_REMEDY] {
            assert!(remedy.ends_with('.') && !remedy.contains(". "), "{remedy}");
        }
    }

    #[test]
    fn what_is_no_nsjail_does_not_run() {
        let identity = Identity {
            inside: 1000,
            uid: 65534,
            gid: 65534,
        };
        let found = obstacle(Path::new("/bin/false"), identity).unwrap();
        assert_eq!(found.name, "nsjail");
        assert!(obstacle(Path::new("/no/such/nsjail"), identity).is_some());
    }
}
