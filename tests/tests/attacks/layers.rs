//! Mutation: without a layer, an attack comes to something else. What no attack misses is no layer.

use std::collections::{BTreeMap, BTreeSet};

use cellblock_tests::{Engine, Report, Server, Setup, first_python};
use serde::Deserialize;

use crate::{
    corpus::{perform, share_a_user},
    table,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layers {
    layer: Vec<Row>,
}

/// What a layer is for; see tests/attacks/layers.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    without: String,
    covered_by: Vec<String>,
    /// Names of attacks, each of which has to come to something else.
    probes: Vec<String>,
    /// Why a server may refuse to start without the layer, where it may: that is noticed too.
    refuses: Option<String>,
    /// What does the same, and cannot be left out: then no attack may come to something else.
    redundant: Option<String>,
}

#[test]
fn each_is_missed_by_an_attack() {
    let layers: Layers = table::read("layers");
    let attacks: BTreeMap<_, _> = table::all()
        .into_iter()
        .map(|attack| (attack.name.clone(), attack))
        .collect();
    let mut report = Report::default();
    every_layer_has_a_row(&layers, &mut report);
    for row in &layers.layer {
        report.enter(format!("without {}, {:?}", row.without, row.covered_by));
        let covered = start(&row.covered_by).expect("a server without the covering layers");
        if row.without == "own_user" && share_a_user(&covered) {
            report.say("this machine gives cells no uids of their own");
            continue;
        }
        let mut all = row.covered_by.clone();
        all.push(row.without.clone());
        let bare = match (start(&all), &row.refuses) {
            (Ok(server), None) => server,
            (Err(_), Some(_)) => {
                report.add("refuses to start", Ok(()));
                continue;
            }
            (Ok(_), Some(why)) => {
                report.add("refuses to start", Err(format!("it starts, though {why}")));
                continue;
            }
            (Err(log), None) => {
                report.add("starts", Err(log));
                continue;
            }
        };
        for probe in &row.probes {
            let attack = &attacks[probe];
            let (with, without) = (perform(&covered, attack), perform(&bare, attack));
            let as_told = (with == without) == row.redundant.is_some();
            let shown = format!("with it {}, without it {}", with.shown(), without.shown());
            report.check(probe, as_told, shown);
        }
    }
    report.finish();
}

/// The names come from a server, so that a new layer cannot be forgotten here.
fn every_layer_has_a_row(layers: &Layers, report: &mut Report) {
    let server = start(&[]).expect("a server");
    let health = server.client().get("/health").json();
    let known = health["isolation"].as_array().expect("a list").iter();
    let rows: BTreeSet<_> = layers
        .layer
        .iter()
        .map(|row| row.without.as_str())
        .collect();
    for layer in known {
        let name = layer["name"].as_str().expect("a name");
        report.check(name, rows.contains(name), "no attack is said to miss it");
    }
}

fn start(without: &[String]) -> Result<Server, String> {
    Setup::new(Engine::Warm, &first_python())
        .set("isolation", "floor", "\"off\"")
        .set("isolation", "without", format!("\"{}\"", without.join(",")))
        .try_start()
}
