//! A thousand runs of one zygote: each draws from every source of randomness, and no two agree.

use std::collections::HashMap;

use cellblock_tests::{Engine, each_python};

const RUNS: usize = 1000;

const DRAW: &str = r#"
import os, random, secrets, tempfile, uuid, ssl
import numpy
def main():
    return {
        "random": random.random(),
        "random.Random": random.Random().random(),
        "numpy": numpy.random.random(),
        "numpy normal": numpy.random.normal(),
        "default_rng": numpy.random.default_rng().random(),
        "tempfile": os.path.basename(tempfile.mktemp()),
        "uuid1": str(uuid.uuid1()),
        "uuid4": str(uuid.uuid4()),
        "secrets": secrets.token_hex(16),
        "openssl": ssl.RAND_bytes(16).hex(),
        "urandom": os.urandom(16).hex(),
    }
"#;

#[test]
fn no_two_draw_the_same() {
    each_python(Engine::Warm, |setup, report| {
        // The restricted list is a courtesy: `ssl` is on it, and what OpenSSL draws matters here.
        let server = setup
            .clone()
            .set("environments.default", "restricted", "[]")
            .set("pool", "zygote_runs", 1_000_000)
            .start();
        let zygotes = server.zygotes();
        let body = serde_json::json!({ "script": DRAW }).to_string();
        let mut drawn: HashMap<(String, String), usize> = HashMap::new();
        for _ in 0..RUNS {
            let answer = server.client().post("/execute", body.as_bytes()).json();
            let Some(values) = answer["result"].as_object() else {
                report.check("a draw", false, &answer);
                continue;
            };
            for (source, value) in values {
                *drawn
                    .entry((source.clone(), value.to_string()))
                    .or_default() += 1;
            }
        }
        let repeated: Vec<_> = drawn.iter().filter(|(_, count)| **count > 1).collect();
        report.check(
            "all different",
            repeated.is_empty(),
            format!("{repeated:?}"),
        );
        report.check(
            "all drawn",
            drawn.len() == 11 * RUNS,
            format!("{} were", drawn.len()),
        );
        report.check("one zygote", server.zygotes() == zygotes, "it was replaced");
        server.stop(report);
    });
}
