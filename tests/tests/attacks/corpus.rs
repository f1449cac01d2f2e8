//! The whole table, with each engine and on each tier that this machine can be made to be.

use std::collections::BTreeSet;

use cellblock_tests::{Engine, Report, Server, Setup, first_python, quoted};

use crate::{
    beside::hold,
    outcome::Outcome,
    places::Places,
    table::{self, Attack},
    world::World,
};

/// The least that the corpus may shrink to.
const LEAST: usize = 150;
/// An honest run, whose every part is known.
const HONEST: &str = r#"{"script": "import json, os\ndef main(n):\n    print('honest')\n    return [sorted(os.listdir('/tmp')), n, json.dumps({'a': 1})]", "input": 7}"#;

#[test]
fn the_table_is_large_and_names_are_unique() {
    let attacks = table::all();
    let names: BTreeSet<_> = attacks.iter().map(|attack| &attack.name).collect();
    assert_eq!(names.len(), attacks.len());
    assert!(attacks.len() >= LEAST, "{} attacks", attacks.len());
    for attack in &attacks {
        assert!(!attack.proves.is_empty(), "{} proves nothing", attack.name);
        assert!(
            attack.result.is_some() != attack.error.is_some(),
            "{}: one of result and error",
            attack.name
        );
    }
}

#[test]
fn warm() {
    run("warm", Engine::Warm, "", |_| None);
}

#[test]
fn cold() {
    run("cold", Engine::Cold, "", |attack| attack.cold.as_deref());
}

/// A host whose cgroups cannot be written.
#[test]
fn warm_without_cgroup() {
    run("no cgroup", Engine::Warm, "cgroup", |attack| {
        attack.without_cgroup.as_deref()
    });
}

/// A host whose kernel has no Landlock.
#[test]
fn warm_without_landlock() {
    run("no landlock", Engine::Warm, "landlock", |attack| {
        attack.without_landlock.as_deref()
    });
}

/// Both at once: what is left in a container on an old kernel.
#[test]
fn warm_without_either() {
    run("neither", Engine::Warm, "cgroup,landlock", |attack| {
        let outcome = attack.without_cgroup.as_deref();
        outcome.or(attack.without_landlock.as_deref())
    });
}

/// A host that gives no namespaces, as a container without flags; the floor `process` accepts that.
#[test]
fn warm_without_namespaces() {
    attack(
        "no namespaces",
        without_namespaces().start(),
        true,
        |attack| attack.without_namespaces.as_deref(),
    );
}

/// What the layers must not stop.
#[test]
fn honest_scripts_run() {
    let mut report = Report::default();
    for engine in [Engine::Warm, Engine::Cold] {
        let server = Setup::new(engine, &first_python()).start();
        for (name, script) in table::honest() {
            let body = format!("{{\"script\": {}}}", quoted(&script));
            let answer = server.client().post("/execute", body.as_bytes());
            let passed = answer.status == 200 && answer.json()["result"] == true;
            report.check(format!("{engine}, {name}"), passed, answer.shown());
        }
        server.stop(&mut report);
    }
    report.finish();
}

/// The same where there are no namespaces, which costs some of them a part of what they do.
#[test]
fn honest_scripts_run_without_namespaces() {
    let mut report = Report::default();
    let server = without_namespaces().start();
    for (name, script) in table::honest() {
        let script = script.replace("/tmp", ".");
        let body = format!("{{\"script\": {}}}", quoted(&script));
        let answer = server.client().post("/execute", body.as_bytes());
        let passed = answer.status == 200 && answer.json()["result"] == true;
        report.check(name, passed, answer.shown());
    }
    server.stop(&mut report);
    report.finish();
}

fn without_namespaces() -> Setup {
    Setup::new(Engine::Warm, &first_python())
        .set("isolation", "floor", "\"process\"")
        .without_namespaces()
}

fn run(name: &str, engine: Engine, without: &str, instead: fn(&Attack) -> Option<&str>) {
    let server = Setup::new(engine, &first_python())
        .set("isolation", "floor", "\"off\"")
        .set("isolation", "without", format!("\"{without}\""))
        .start();
    attack(name, server, false, instead);
}

/// `in_place`: what a cell sees elsewhere at fixed paths lies where the machine has it.
fn attack(name: &str, server: Server, in_place: bool, instead: fn(&Attack) -> Option<&str>) {
    let mut report = Report::default();
    // What is made once, at the first use, is not left behind.
    let _ = honest(&server, in_place);
    let mut world = World::settled(&server);
    let shared = share_a_user(&server);
    for area in table::chosen_areas() {
        report.enter(format!("{name}, {area}"));
        let mut attacks = table::load(&area);
        if in_place {
            let places = Places::of(&server);
            for attack in &mut attacks {
                attack.move_to(&places);
            }
        }
        let mut passed = 0;
        for attack in &attacks {
            let failed = report.failed();
            let outcome = perform(&server, attack);
            let of_shared = attack.shared_user.as_deref().filter(|_| shared);
            let instead = of_shared
                .or_else(|| instead(attack))
                .or_else(|| attack.on_this_linux());
            report.add(&attack.name, outcome.check(attack, instead));
            report.add(
                format!("{}, after it", attack.name),
                honest(&server, in_place),
            );
            report.add(format!("{}, left", attack.name), world.again(&server));
            passed += usize::from(report.failed() == failed);
        }
        let all = attacks.len();
        report.say(format!("{passed} of {all} attacks came out as told"));
    }
    report.enter(name.to_owned());
    server.stop(&mut report);
    report.finish();
}

/// Sends an attack, after what goes before it.
pub(crate) fn perform(server: &Server, attack: &Attack) -> Outcome {
    let client = server.client();
    let beside = attack.beside().map(|(body, word, times)| {
        let name = &attack.name;
        hold(client, &body, word, times).unwrap_or_else(|| panic!("{name}: ended: {body}"))
    });
    if let Some(before) = attack.before() {
        client.post("/v1/executions", &before);
    }
    let outcome = Outcome::of(&client.post("/v1/executions", &attack.body()));
    drop(beside);
    outcome
}

/// Whether cells have no uids of their own here.
pub(crate) fn share_a_user(server: &Server) -> bool {
    let health = server.client().get("/health").json();
    let layers = health["isolation"].as_array().expect("a list");
    !layers
        .iter()
        .any(|layer| layer["name"] == "own_user" && layer["state"] == "on")
}

/// The server is well, and a run with nothing hostile in it is answered in full.
fn honest(server: &Server, in_place: bool) -> Result<(), String> {
    let health = server.client().get("/health");
    if health.status != 200 {
        return Err(format!("not healthy: {}", health.shown()));
    }
    let body = if in_place {
        HONEST.replace("/tmp", ".")
    } else {
        HONEST.to_owned()
    };
    let answer = server.client().post("/execute", body.as_bytes());
    let expected = r#"{"result":[[],7,"{\"a\": 1}"],"stdout":"honest\n"}"#;
    if answer.status == 200 && answer.text() == expected {
        return Ok(());
    }
    Err(format!("an honest run got {}", answer.shown()))
}
