//! Below its floor a server does not start, and says which layer is missing and what to do. A machine
//! that can give less is made of this one where that is possible.

use std::process::Command;

use cellblock_sandbox::Layer;
use cellblock_tests::{Engine, Program, Report, Setup, first_python};

/// What a machine may lack below the floor `standard`.
const SPARED: [Layer; 2] = [Layer::Cgroup, Layer::Landlock];

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

#[test]
fn what_the_floor_spares_is_reported_and_no_more() {
    let mut report = Report::default();
    for layer in SPARED {
        let server = Setup::new(Engine::Warm, &first_python())
            .set("isolation", "without", format!("\"{layer}\""))
            .start();
        let health = server.client().get("/health").json();
        for entry in health["isolation"].as_array().expect("a list") {
            let expected = entry["name"] != layer.name();
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
