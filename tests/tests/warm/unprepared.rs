//! What makes forks cheap can be left out, each by itself or all of it, and answers are the same.

use cellblock_tests::{Case, Engine, Program, Report, Server, Setup, each_python, first_python};
use cellblock_wire::preparation::Preparation;

const WORK: &str = "\
import numpy, pandas, json, threading
def main():
    frame = pandas.DataFrame({'key': numpy.arange(1000) % 10, 'value': numpy.arange(1000)})
    thread = threading.Thread(target=lambda: frame.describe())
    thread.start()
    thread.join()
    return [frame.groupby('key')['value'].sum().tolist()[0], json.loads('[1]'), bytes(100)[0]]
";

/// Page faults of the process before its first line: the tenth field of proc(5)'s `stat`.
const FAULTS: &str = "\
def main():
    return int(open('/proc/self/stat').read().rpartition(')')[2].split()[7])
";

fn faults(server: &Server) -> u64 {
    let body = serde_json::json!({ "script": FAULTS }).to_string();
    let answer = server.client().post("/execute", body.as_bytes());
    answer.json()["result"].as_u64().expect("a count")
}

fn without(setup: &Setup, names: &str) -> Setup {
    let setup = setup.clone();
    setup.set("pool", "zygote_without", format!("{names:?}"))
}

#[test]
fn each_can_be_left_out() {
    each_python(Engine::Warm, |setup, report| {
        for preparation in Preparation::ALL {
            let server = without(setup, preparation.name()).start();
            Case::new(format!("without {}", preparation.name()), WORK)
                .returns("[49500,[1],0]")
                .run(&server, report);
            server.stop(report);
        }
    });
}

#[test]
fn all_can_be_left_out() {
    each_python(Engine::Warm, |setup, report| {
        let names = Preparation::ALL.map(Preparation::name).join(", ");
        let server = without(setup, &names).start();
        Case::new("answers", WORK)
            .returns("[49500,[1],0]")
            .run(&server, report);
        let usual = setup.start();
        let (bare, prepared) = (faults(&server), faults(&usual));
        let found = format!("{bare} page faults without them, {prepared} with them");
        report.check("they save faults", prepared * 4 < bare * 3, found);
        server.stop(report);
        usual.stop(report);
    });
}

#[test]
fn what_there_is_not_is_refused() {
    let mut report = Report::default();
    report.enter("refusals".to_owned());
    let directory = without(&Setup::new(Engine::Warm, &first_python()), "huge, wings").prepare();
    let done = Program::find().run(&["serve"], directory.path(), "");
    let told = ["pool.zygote_without", "\"wings\"", "arenas, gaps,"];
    let well = done.code == Some(3) && told.iter().all(|part| done.stderr.contains(part));
    report.check("an unknown name", well, format!("{done:?}"));
    report.finish();
}
