//! Below its floor a server does not start, and says which layer is missing and what to do. A machine
//! that can give less is made of this one where that is possible.

use std::process::Command;

use cellblock_sandbox::{Layer, in_place::WITHOUT};
use cellblock_tests::{Engine, Program, Report, Setup, first_python, quoted};
use serde_json::Value;

/// What a machine may lack below the floor `standard`.
const SPARED: [Layer; 5] = [
    Layer::OwnUser,
    Layer::Landlock,
    Layer::Cgroup,
    Layer::PrivateRoot,
    Layer::NoExecutableMemory,
];

#[test]
fn every_layer_is_held_to_the_floor() {
    let mut report = Report::default();
    let directory = Setup::new(Engine::Warm, &first_python()).prepare();
    for floor in ["strict", "standard"] {
        report.enter(format!("floor {floor}"));
        for layer in Layer::ALL {
            if floor == "standard" && SPARED.contains(&layer) {
                continue;
            }
            let arguments = ["serve", "--floor", floor, "--without", layer.name()];
            let done = Program::find().run(&arguments, directory.path(), "");
            let told = done.stderr.contains(&format!("{layer} is not in force"))
                && done.stderr.contains("--floor")
                && done.stderr.lines().count() == 1;
            report.check(layer, done.code == Some(3) && told, format!("{done:?}"));
        }
    }
    report.finish();
}

/// Whether a server of who runs the tests has that layer of `/health`: an ordinary user may have no uids
/// to give to cells.
fn is_given(entry: &Value) -> bool {
    entry["name"] != Layer::OwnUser.name() || rustix::process::geteuid().is_root()
}

#[test]
fn what_the_floor_spares_is_reported_and_no_more() {
    let mut report = Report::default();
    for layer in SPARED {
        let server = Setup::new(Engine::Warm, &first_python())
            .set("isolation", "without", format!("\"{layer}\""))
            .start();
        let health = server.client().get("/health").json();
        for entry in health["isolation"].as_array().expect("a list") {
            let expected = entry["name"] != layer.name() && is_given(entry);
            let as_told = (entry["state"] == "on") == expected;
            report.check(format!("without {layer}"), as_told, entry);
        }
        server.stop(&mut report);
    }
    report.finish();
}

/// As in a container with the usual profile, or where an administrator has switched them off.
#[test]
fn without_user_namespaces_nothing_starts() {
    let mut report = Report::default();
    let directory = Setup::new(Engine::Warm, &first_python()).prepare();
    for engine in ["warm", "cold"] {
        let program = Program::find().command(&[]);
        let none = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
        let done = Command::new("unshare")
            .args([
                "--user",
                "--map-root-user",
                "timeout",
                "60",
                "sh",
                "-c",
                none,
                "sh",
            ])
            .arg(program.get_program())
            .args(["serve", "--engine", engine, "--floor", "off"])
            .current_dir(directory.path())
            .output()
            .expect("unshare, of util-linux, runs");
        let told = String::from_utf8_lossy(&done.stderr);
        let refused = done.status.code() == Some(3) && told.contains("user namespace");
        report.check(engine, refused, format!("{:?}: {told}", done.status));
    }
    report.finish();
}

/// As in a container with the usual profile and no flag: a filter refuses what makes a namespace.
#[test]
fn without_namespaces_only_the_floor_process_starts() {
    let mut report = Report::default();
    let setup = Setup::new(Engine::Warm, &first_python()).without_namespaces();
    for floor in ["standard", "off"] {
        let refused = setup
            .clone()
            .set("isolation", "floor", quoted(floor))
            .try_start();
        let said = refused.err().unwrap_or_default();
        for part in [
            "--security-opt seccomp=",
            "--floor process",
            "CELLBLOCK_FLOOR=process",
        ] {
            report.check(floor, said.contains(part), &said);
        }
    }
    let server = setup.set("isolation", "floor", quoted("process")).start();
    let health = server.client().get("/health").json();
    for layer in Layer::ALL {
        let layers = health["isolation"].as_array().expect("a list");
        let told = layers.iter().find(|entry| entry["name"] == layer.name());
        let told = told.expect("every layer");
        let state = match layer {
            _ if WITHOUT.contains(&layer) => "off",
            Layer::PrivateTmp
            | Layer::PrivateProc
            | Layer::Cgroup
            | Layer::ResourceLimits
            | Layer::Capabilities => "degraded",
            _ => "on",
        };
        let reasoned = state == "on" || told["reason"].is_string();
        report.check(layer, told["state"] == state && reasoned, told);
    }
    server.stop(&mut report);
    report.finish();
}

/// What stands in for namespaces is not done without, whoever asks for it.
#[test]
fn without_namespaces_nothing_else_is_spared() {
    let mut report = Report::default();
    let setup = Setup::new(Engine::Warm, &first_python())
        .set("isolation", "floor", quoted("process"))
        .without_namespaces();
    for layer in Layer::ALL
        .into_iter()
        .filter(|layer| *layer != Layer::Cgroup)
    {
        let refused = setup
            .clone()
            .set("isolation", "without", quoted(layer.name()));
        let said = refused.try_start().err().unwrap_or_default();
        let told = said.contains(&format!("{layer} is not in force"));
        report.check(layer, told, said);
    }
    let cold = setup.set("isolation", "engine", quoted("cold")).try_start();
    let said = cold.err().unwrap_or_default();
    report.check(
        "cold",
        said.contains("every environment has the engine warm"),
        said,
    );
    report.finish();
}

/// The floor lowers nothing where there are namespaces.
#[test]
fn with_namespaces_the_floor_process_has_them() {
    let mut report = Report::default();
    let server = Setup::new(Engine::Warm, &first_python())
        .set("isolation", "floor", quoted("process"))
        .start();
    let health = server.client().get("/health").json();
    for entry in health["isolation"].as_array().expect("a list") {
        let spared = entry["name"] == Layer::Cgroup.name() || !is_given(entry);
        report.check(&entry["name"], spared || entry["state"] == "on", entry);
    }
    server.stop(&mut report);
    report.finish();
}
