//! Version 2: the group below which a server makes its own. cgroups(7), "no internal processes"

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{GroupsError, hierarchy::write};

/// What cells are limited by. Memory is required; without the others `RLIMIT_NPROC` and a request's
/// limit of CPU time still hold.
const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];

/// Chooses the group to make others below, for a process in the group `own`, without changing
/// anything.
///
/// A group that holds processes cannot give controllers to groups below it, unless it is the root.
/// So it is our own where nobody else is in it, as in a service: this server can then move out of
/// the way. In a login session the shell is there too, and groups go beside the session's: below the
/// nearest group above that gives memory to those below it already.
pub(super) fn parent(root: &Path, own: &Path) -> PathBuf {
    if is_root(own) || is_alone(own) {
        return own.to_owned();
    }
    let above = own.ancestors().skip(1);
    let mut above = above.take_while(|group| group.starts_with(root));
    let gives = above.find(|group| is_root(group) || listed(group, "cgroup.subtree_control"));
    gives.unwrap_or(own).to_owned()
}

/// Makes `parent` give its groups the controllers. Where it holds this process, and nobody else, the
/// process is moved to a leaf below.
pub(super) fn delegate(parent: &Path) -> Result<(), GroupsError> {
    let refusal = match give(parent) {
        Ok(()) => return Ok(()),
        Err(refusal) => refusal,
    };
    if !is_alone(parent) {
        return Err(refusal);
    }
    let leaf = parent.join("cellblock-server");
    match fs::create_dir(&leaf) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            return Err(GroupsError::Refused { path: leaf, source });
        }
        _ => {}
    }
    write(&leaf, "cgroup.procs", "0")?;
    give(parent)
}

/// Gives the controllers to what is below a group. One at a time: the kernel takes all that are
/// written at once or none, and a service manager need not have delegated each.
pub(super) fn give(group: &Path) -> Result<(), GroupsError> {
    for controller in CONTROLLERS {
        let given = write(group, "cgroup.subtree_control", &format!("+{controller}"));
        // Somebody above may have seen to it, and may not let us.
        if controller == "memory" && !listed(group, "cgroup.subtree_control") {
            given?;
        }
    }
    Ok(())
}

/// Whether memory is in a group's list of controllers.
pub(super) fn listed(group: &Path, file: &str) -> bool {
    let list = fs::read_to_string(group.join(file)).unwrap_or_default();
    list.split_ascii_whitespace().any(|name| name == "memory")
}

/// Whether a group is the machine's root, which may hold processes beside groups. Only it lacks
/// this file; the root of a cgroup namespace has it.
fn is_root(group: &Path) -> bool {
    group.join("cgroup.procs").is_file() && !group.join("cgroup.events").exists()
}

/// Whether this process is the only one in a group.
fn is_alone(group: &Path) -> bool {
    let own = std::process::id().to_string();
    let members = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    members.lines().all(|id| id == own) && !members.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directories with the files that a choice is made by, as the kernel has them.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn group(&self, path: &str, members: &str, gives: &str) -> PathBuf {
            let group = self.0.path().join(path);
            fs::create_dir_all(&group).unwrap();
            fs::write(group.join("cgroup.procs"), members).unwrap();
            fs::write(group.join("cgroup.subtree_control"), gives).unwrap();
            if !path.is_empty() {
                fs::write(group.join("cgroup.events"), "populated 1\n").unwrap();
            }
            group
        }
    }

    fn tree() -> Tree {
        let tree = Tree(tempfile::tempdir().unwrap());
        tree.group("", "2\n", "cpu memory pids\n");
        tree
    }

    fn me() -> String {
        format!("{}\n", std::process::id())
    }

    #[test]
    fn a_service_of_its_own_is_below_its_own_group() {
        let tree = tree();
        tree.group("system.slice", "", "memory pids\n");
        let own = tree.group("system.slice/cellblock.service", &me(), "");
        assert_eq!(parent(tree.0.path(), &own), own);
    }

    #[test]
    fn beside_a_shell_it_is_beside_the_session() {
        let tree = tree();
        let slice = tree.group("user.slice", "", "memory pids\n");
        tree.group("user.slice/user-0.slice", "", "pids\n");
        let session = "user.slice/user-0.slice/session-1.scope";
        let own = tree.group(session, &format!("1\n{}", me()), "");
        assert_eq!(parent(tree.0.path(), &own), slice);
    }

    #[test]
    fn the_root_may_hold_processes() {
        let tree = tree();
        assert_eq!(parent(tree.0.path(), tree.0.path()), tree.0.path());
        let own = tree.group("others", "1\n", "");
        assert_eq!(parent(tree.0.path(), &own), tree.0.path());
    }

    #[test]
    fn nothing_above_the_mount_is_looked_at() {
        let tree = tree();
        let root = tree.group("container", "1\n", "");
        assert_eq!(parent(&root, &root), root);
    }
}
