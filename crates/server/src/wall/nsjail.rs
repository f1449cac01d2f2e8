//! The wall's configuration, written for nsjail as data (its `config.proto`, text form).

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use cellblock_sandbox::steps::{IMAGE_PATH, LAYER_PATH, ROOM_PATH};

use super::{
    in_place::{self, InPlaceWall},
    variables::{self, Variable},
};
use crate::{descriptors, runtime::Runtime};

/// What a wall is made of.
#[derive(Debug, Clone)]
pub struct WallSpec {
    /// The nsjail program.
    pub nsjail: PathBuf,
    /// The environment's root image: everything that the inside sees of this machine's files.
    pub root: PathBuf,
    /// What cells see above the image: the runner, its native half and the init program, and more.
    pub runtime: Runtime,
    /// Cells have inodes of their own for the files that all of them see.
    pub private_root: bool,
    /// Memory of the inside may become code.
    pub jit: bool,
    /// Who the inside is, outside.
    pub identity: Identity,
    /// How many uids from that one on are inside.
    pub uids: Uids,
    /// `false`: a zygote, from which cells are forked. `true`: an interpreter that becomes a cell.
    pub cold: bool,
    /// Bytes and inodes of `/tmp` in a cold wall; a zygote's cells mount their own, and have this size for
    /// that of their root.
    pub tmp: (u64, u64),
    /// Without namespaces: nothing is mounted, and all of the above lies where it is.
    pub in_place: Option<InPlaceWall>,
}

/// The uids of a wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uids {
    /// How many: more than one where a zygote gives each cell its own.
    pub count: u32,
    /// They are mapped by newuidmap(1).
    pub newuidmap: bool,
}

impl Default for Uids {
    fn default() -> Self {
        Self {
            count: 1,
            newuidmap: false,
        }
    }
}

/// The user that the inside is mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Uid and gid inside.
    pub inside: u32,
    /// Uid outside: unprivileged.
    pub uid: u32,
    /// Gid outside: unprivileged.
    pub gid: u32,
}

/// Devices that programs expect; none of them leads anywhere.
const DEVICES: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// What all walls have in common. Everything that is not said here is nsjail's default: no
/// capabilities, `no_new_privs`, clean environment, all descriptors but 0, 1, 2 closed.
const FIXED: &str = r#"name: "cellblock"
mode: ONCE
cwd: "/"
time_limit: 0
log_level: WARNING
keep_env: false
keep_caps: false
disable_no_new_privs: false
nice_level: 0
mount_proc: false
rlimit_as_type: HARD
rlimit_core: 0
rlimit_cpu_type: HARD
rlimit_fsize_type: HARD
rlimit_nproc_type: HARD
rlimit_stack: 8
rlimit_memlock: 0
rlimit_msgqueue: 0
"#;

/// As nsjail names them.
const NAMESPACES: [&str; 7] = ["net", "user", "ns", "pid", "ipc", "uts", "cgroup"];

impl WallSpec {
    /// The configuration file's text.
    pub fn to_config(&self) -> String {
        if let Some(place) = &self.in_place {
            return in_place::config(self, place);
        }
        let mut text = fixed(true);
        text.push_str("hostname: \"wall\"\niface_no_lo: true\n");
        for Variable { name, value, .. } in variables::of_cell(self.jit) {
            let variable = quoted(&format!("{name}={value}"));
            line(&mut text, format_args!("envar: {variable}"));
        }
        self.map_users(&mut text);
        self.mount_root(&mut text);
        for device in DEVICES {
            bind(&mut text, Path::new(device), device, "nodev: false");
        }
        self.mount_proc_and_memory(&mut text);
        if self.private_root && !self.cold {
            bind(&mut text, &self.runtime.layer, LAYER_PATH, "nodev: true");
            bind(&mut text, &self.root, IMAGE_PATH, "nodev: true");
            memory(&mut text, ROOM_PATH, self.tmp, "0755");
        }
        if self.cold {
            // To make the cell's cgroup namespace once it has joined its cgroups, and to drop these
            // two again; both count in the wall's own user namespace only.
            text.push_str("cap: \"CAP_SYS_ADMIN\"\ncap: \"CAP_SETPCAP\"\n");
        }
        self.command(&mut text);
        text
    }

    fn map_users(&self, text: &mut String) {
        let Identity { inside, uid, gid } = self.identity;
        let Uids { count, newuidmap } = self.uids;
        line(
            text,
            format_args!(
                "uidmap {{ inside_id: \"{inside}\" outside_id: \"{uid}\" count: {count} \
                 use_newidmap: {newuidmap} }}"
            ),
        );
        map(text, "gidmap", inside, gid);
        if count > 1 {
            // To be any of these for the moment in which it makes a cell; counts in the wall's own user
            // namespace only, which has no other uids.
            text.push_str("cap: \"CAP_SETUID\"\n");
        }
    }

    /// A cold wall's root is its cell's own: an overlay, as a zygote's cells make one of what is bound
    /// here.
    fn mount_root(&self, text: &mut String) {
        if !(self.private_root && self.cold) {
            bind(text, &self.root, "/", "nodev: true");
            let programs = self.runtime.programs();
            return bind(text, &programs, "/cellblock", "nodev: true");
        }
        let (above, below) = (overlay_path(&self.runtime.layer), overlay_path(&self.root));
        let options = quoted(&format!("lowerdir={above}:{below}"));
        line(
            text,
            format_args!(
                "mount {{ dst: \"/\" fstype: \"overlay\" rw: false options: {options} \
                 nosuid: true nodev: true }}"
            ),
        );
    }

    fn mount_proc_and_memory(&self, text: &mut String) {
        // A zygote needs /proc writable, for its cells' uid maps, and whole, because the kernel
        // lets a cell mount its own only where an unmasked one is visible. A cold wall's is the
        // script's own: cut down to its processes.
        let options = if self.cold {
            " options: \"subset=pid\""
        } else {
            ""
        };
        line(
            text,
            format_args!(
                "mount {{ dst: \"/proc\" fstype: \"proc\" rw: true{options} \
                 nosuid: true nodev: true noexec: true }}"
            ),
        );
        let size = if self.cold { self.tmp } else { (4096, 16) };
        // A zygote's cells mount their own. What it holds, they have to come by, as users of their own.
        let mode = if self.uids.count > 1 { "0711" } else { "0700" };
        let directories: &[&str] = if self.cold {
            &["/tmp", "/dev/shm"]
        } else {
            &["/tmp"]
        };
        for directory in directories {
            memory(text, directory, size, mode);
        }
    }

    fn command(&self, text: &mut String) {
        let main = if self.cold { "cold" } else { "zygote" };
        let program = format!(
            "import sys; sys.path.insert(0, '/cellblock'); \
             from cellblock_runner import wall; wall.{main}()"
        );
        line(
            text,
            format_args!(
                "exec_bin {{ path: \"/python/bin/python3\" arg: \"-I\" arg: \"-S\" arg: \"-c\" \
                 arg: {} }}",
                quoted(&program)
            ),
        );
    }
}

/// What is alike in all walls of a kind: each namespace is new, and with it the root is pivoted, or
/// none is.
pub(super) fn fixed(namespaces: bool) -> String {
    let mut text = FIXED.to_owned();
    line(
        &mut text,
        format_args!("rlimit_nofile: {}", descriptors::inside()),
    );
    for kind in NAMESPACES {
        line(&mut text, format_args!("clone_new{kind}: {namespaces}"));
    }
    text
}

/// Who a user or group inside is outside.
pub(super) fn map(text: &mut String, name: &str, inside: u32, outside: u32) {
    line(
        text,
        format_args!("{name} {{ inside_id: \"{inside}\" outside_id: \"{outside}\" count: 1 }}"),
    );
}

/// A file system in memory, of so many bytes and inodes.
fn memory(text: &mut String, to: &str, (bytes, inodes): (u64, u64), mode: &str) {
    line(
        text,
        format_args!(
            "mount {{ dst: \"{to}\" fstype: \"tmpfs\" rw: true \
             options: \"size={bytes},nr_inodes={inodes},mode={mode}\" \
             nosuid: true nodev: true noexec: true }}"
        ),
    );
}

/// A bind mount, always read-only. For a device too: that leaves reading and writing the device as
/// it is, but not the times of its node, which every cell and the machine share and which would
/// otherwise be a way for one cell to tell another something.
fn bind(text: &mut String, from: &Path, to: &str, devices: &str) {
    line(
        text,
        format_args!(
            "mount {{ src: {} dst: {} is_bind: true rw: false mandatory: true nosuid: true \
             {devices} }}",
            quoted(&from.to_string_lossy()),
            quoted(to),
        ),
    );
}

/// A path in the options of an overlay, where colons part directories and commas options:
/// the kernel's Documentation/filesystems/overlayfs.rst, "Multiple lower layers".
fn overlay_path(path: &Path) -> String {
    let mut escaped = String::new();
    for character in path.to_string_lossy().chars() {
        if matches!(character, ':' | ',' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{arguments}");
}

/// A string in protobuf's text form.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "\\{byte:03o}");
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(cold: bool) -> WallSpec {
        WallSpec {
            nsjail: "/opt/nsjail".into(),
            root: "/var/lib/cell block/\"root\"".into(),
            runtime: Runtime {
                layer: "/run/runtime".into(),
            },
            private_root: true,
            jit: false,
            identity: Identity {
                inside: 1000,
                uid: 65534,
                gid: 65534,
            },
            uids: Uids::default(),
            cold,
            tmp: (64 << 20, 8192),
            in_place: None,
        }
    }

    #[test]
    fn odd_paths_are_quoted() {
        let root = r#"src: "/var/lib/cell block/\"root\"" dst: "/""#;
        assert!(spec(false).to_config().contains(root));
        let root = r#"options: "lowerdir=/run/runtime:/var/lib/cell block/\"root\"""#;
        assert!(spec(true).to_config().contains(root));
        assert_eq!(overlay_path(Path::new("/a:b,c\\d")), "/a\\:b\\,c\\\\d");
        assert_eq!(quoted("é\n"), r#""\303\251\012""#);
    }

    #[test]
    fn every_bind_is_read_only_and_every_namespace_is_new() {
        for cold in [false, true] {
            let config = spec(cold).to_config();
            for line in config.lines().filter(|line| line.contains("is_bind: true")) {
                assert!(line.contains("rw: false"), "{line}");
                assert_eq!(line.contains("nodev: false"), line.contains("\"/dev/"));
            }
            for space in ["net", "user", "ns", "pid", "ipc", "uts", "cgroup"] {
                assert!(config.contains(&format!("clone_new{space}: true")));
            }
        }
    }

    #[test]
    fn a_cold_wall_is_its_cells_own() {
        assert!(
            spec(true)
                .to_config()
                .contains("size=67108864,nr_inodes=8192")
        );
        assert!(spec(true).to_config().contains("subset=pid"));
        assert!(!spec(false).to_config().contains("subset=pid"));
        assert!(!spec(false).to_config().contains("cap: "));
    }

    #[test]
    fn a_zygote_with_uids_for_its_cells_may_take_them_on() {
        let config = WallSpec {
            uids: Uids {
                count: 100,
                newuidmap: true,
            },
            ..spec(false)
        };
        let config = config.to_config();
        let map =
            r#"uidmap { inside_id: "1000" outside_id: "65534" count: 100 use_newidmap: true }"#;
        assert!(config.contains(map), "{config}");
        let capabilities: Vec<_> = config
            .lines()
            .filter(|line| line.starts_with("cap"))
            .collect();
        assert_eq!(capabilities, ["cap: \"CAP_SETUID\""]);
    }
}
