//! A wall without namespaces: nsjail still gives a clean environment, limits, no privileges and no
//! descriptors, and the interpreter of the environment runs where its image lies.

use std::{fmt::Write, path::PathBuf, sync::Arc};

use super::{
    nsjail::{WallSpec, fixed, map, quoted},
    variables::{self, Variable},
};
use crate::{
    environment::{Loader, PYTHON},
    scratch::Scratch,
};

/// What such a wall takes beside the rest.
#[derive(Debug, Clone)]
pub struct InPlaceWall {
    /// How the interpreter is started.
    pub loader: Loader,
    /// Where its cells have their directories.
    pub scratch: Arc<Scratch>,
}

/// The configuration's text.
pub(super) fn config(spec: &WallSpec, place: &InPlaceWall) -> String {
    let root = spec.root.to_string_lossy();
    // Without a namespace of mounts, nsjail leaves the root as it is.
    let mut text = fixed(false);
    // Writing to a String cannot fail.
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}: {}", quoted(value));
    };
    for Variable { name, value, .. } in variables::of_cell(spec.jit) {
        // A cell has its own HOME and TMPDIR; what else is a path is one in the image.
        let base = if *name == "PATH" { &root } else { "" };
        line("envar", &format!("{name}={base}{value}"));
    }
    // The C library's own files, which it would look for at the machine's root.
    line("envar", &format!("TZDIR={root}/usr/share/zoneinfo"));
    line("envar", &format!("LOCPATH={root}/usr/lib/locale"));
    let (uid, gid) = (spec.identity.uid, spec.identity.gid);
    map(&mut text, "uidmap", uid, uid);
    map(&mut text, "gidmap", gid, gid);
    let arguments: Vec<_> = arguments(spec, place)
        .iter()
        .map(|argument| format!("arg: {}", quoted(argument)))
        .collect();
    let program = quoted(&place.loader.program.to_string_lossy());
    let _ = writeln!(
        text,
        "exec_bin {{ path: {program} {} }}",
        arguments.join(" ")
    );
    text
}

/// See ld.so(8). The name that the program gets leads it to its standard library.
fn arguments(spec: &WallSpec, place: &InPlaceWall) -> Vec<String> {
    let inside = |path: &str| -> PathBuf { spec.root.join(path.trim_start_matches('/')) };
    let python = inside(PYTHON).to_string_lossy().into_owned();
    let program = format!(
        "import sys; sys.path.insert(0, {}); from cellblock_runner import wall; wall.zygote({})",
        literal(&spec.runtime.programs().to_string_lossy()),
        literal(&spec.root.to_string_lossy()),
    );
    let libraries = place.loader.libraries.to_string_lossy();
    let mut arguments: Vec<String> = ["--inhibit-cache", "--library-path", &libraries, "--argv0"]
        .map(str::to_owned)
        .into();
    arguments.extend([python.clone(), python]);
    arguments.extend(["-I", "-S", "-c"].map(str::to_owned));
    arguments.push(program);
    arguments
}

/// A string of Python.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::{
        super::nsjail::{Identity, Uids},
        *,
    };
    use crate::{runtime::Runtime, scratch::Room};

    #[test]
    fn nothing_is_mounted_no_namespace_is_new_and_paths_are_the_images() {
        let parent = tempfile::tempdir().unwrap();
        let own = rustix::process::geteuid().as_raw();
        let identity = Identity {
            inside: own,
            uid: own,
            gid: rustix::process::getegid().as_raw(),
        };
        let room = Room {
            bytes: 1,
            entries: 1,
        };
        let scratch = Scratch::make(parent.path(), identity, room).unwrap();
        let place = InPlaceWall {
            loader: Loader {
                program: "/state/an \"image\"/lib64/ld.so".into(),
                libraries: "/state/an \"image\"/lib".into(),
            },
            scratch: Arc::new(scratch),
        };
        let spec = WallSpec {
            nsjail: "/opt/nsjail".into(),
            root: "/state/an \"image\"".into(),
            runtime: Runtime {
                layer: "/state/runtime".into(),
            },
            private_root: false,
            jit: false,
            identity,
            uids: Uids::default(),
            cold: false,
            tmp: (1, 1),
            in_place: Some(place),
        };
        let config = spec.to_config();
        for absent in ["mount {", "_new", "cap:"] {
            let lines = config.lines().filter(|line| line.contains(absent));
            assert!(lines.into_iter().all(|line| line.ends_with(": false")));
        }
        for present in [
            r#"envar: "PATH=/state/an \"image\"/python/bin""#,
            r#"path: "/state/an \"image\"/lib64/ld.so""#,
            r#"wall.zygote(\"/state/an \\\"image\\\"\")"#,
        ] {
            assert!(config.contains(present), "{config}");
        }
    }
}
