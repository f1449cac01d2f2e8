//! What all cells of a zygote have in common lasts no longer than the zygote, also on a server that has
//! nothing to do.

use std::{path::Path, time::Duration};

use cellblock_tests::{Engine, Server, each_python, eventually};
use serde_json::{Value, json};

use super::load::PATIENCE;

/// The secret of hashes, and where memory lies.
const COMMON: &str = "def main():\n    return [hash('secret'), id(main.__globals__)]\n";

fn common(server: &Server) -> Value {
    let body = json!({ "script": COMMON }).to_string();
    server.client().post("/execute", body.as_bytes()).json()["result"].clone()
}

#[test]
fn an_idle_servers_cells_are_no_older_than_its_zygote_may_be() {
    each_python(Engine::Warm, |setup, report| {
        let server = setup.clone().set("pool", "zygote_seconds", 15).start();
        let before = server.zygotes();
        let first = common(&server);
        let second = common(&server);
        let shown = format!("{first} {second}");
        report.check(
            "of one zygote",
            first[0] == second[0] && first[0].is_i64(),
            shown,
        );

        // The first one's cells go too, without anybody's having used them.
        let gone = || {
            let dead = |id: &u32| !Path::new(&format!("/proc/{id}")).exists();
            before.iter().all(dead) && server.zygotes().len() == 1
        };
        let patience = PATIENCE + Duration::from_secs(30);
        let gone = eventually(patience, gone);
        report.check(
            "the zygote is gone",
            gone,
            format!("{:?}", server.zygotes()),
        );
        let ready = server.client().get("/health");
        report.check("there is no gap", ready.status == 200, ready.shown());
        let third = common(&server);
        let new = third[0] != first[0] && third[1] != first[1] && third[0].is_i64();
        report.check("of another", new, format!("{first} {third}"));
        server.stop(report);
    });
}
