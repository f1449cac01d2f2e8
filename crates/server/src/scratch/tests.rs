use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

const ROOM: Room = Room {
    bytes: 1 << 20,
    entries: 100,
};

fn scratch(parent: &Path) -> Arc<Scratch> {
    let identity = Identity {
        inside: 1000,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
    };
    Arc::new(Scratch::make(parent, identity, ROOM).unwrap())
}

fn place(directory: &Directory) -> PathBuf {
    directory.scratch.path.join(&directory.name)
}

#[test]
fn whatever_a_script_left_is_removed_and_no_link_followed() {
    let parent = tempfile::tempdir().unwrap();
    let kept = parent.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("file"), "kept").unwrap();
    let scratch = scratch(parent.path());
    let directory = scratch.directory().unwrap();
    let top = place(&directory);
    std::os::unix::fs::symlink(&kept, top.join("link")).unwrap();
    fs::create_dir_all(top.join("a/.moved-1/b")).unwrap();
    fs::write(top.join(".moved-1"), "in the way").unwrap();
    fs::create_dir(top.join("closed")).unwrap();
    fs::write(top.join("closed/file"), "").unwrap();
    for path in ["closed", "a/.moved-1/b", "a/.moved-1"] {
        fs::set_permissions(top.join(path), fs::Permissions::from_mode(0o0)).unwrap();
    }
    directory.remove();
    assert!(!top.exists());
    assert_eq!(fs::read_to_string(kept.join("file")).unwrap(), "kept");
    drop(scratch);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
}

#[test]
fn depth_costs_neither_descriptors_nor_stack() {
    let parent = tempfile::tempdir().unwrap();
    let scratch = scratch(parent.path());
    let directory = scratch.directory().unwrap();
    let mut at = rustix::io::dup(directory.as_fd()).unwrap();
    for _ in 0..5000 {
        rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
        at = rustix::fs::openat(&at, "d", DIRECTORY, Mode::empty()).unwrap();
    }
    assert!(directory.is_over());
    let top = place(&directory);
    directory.remove();
    assert!(!top.exists());
}

#[test]
fn bytes_and_entries_are_counted() {
    let parent = tempfile::tempdir().unwrap();
    let scratch = scratch(parent.path());
    let directory = scratch.directory().unwrap();
    fs::write(place(&directory).join("small"), vec![1; 500_000]).unwrap();
    assert!(!directory.is_over());
    fs::write(place(&directory).join("more"), vec![1; 700_000]).unwrap();
    assert!(directory.is_over());
    let many = scratch.directory().unwrap();
    fs::create_dir(place(&many).join("d")).unwrap();
    for number in 0..99 {
        fs::write(place(&many).join(format!("d/{number}")), "").unwrap();
    }
    assert!(!many.is_over());
    fs::write(place(&many).join("another"), "").unwrap();
    assert!(many.is_over());
}

#[test]
fn what_a_dead_server_left_is_removed_and_a_living_ones_is_not() {
    let parent = tempfile::tempdir().unwrap();
    let living = scratch(parent.path());
    let dead = parent.path().join(format!("{PREFIX}dead"));
    fs::create_dir_all(dead.join("cell/file")).unwrap();
    let next = scratch(parent.path());
    assert!(!dead.exists());
    assert!(living.path.exists() && next.path.exists());
}
