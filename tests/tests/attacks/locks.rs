//! Locks on files that every cell reads: another cell that runs at the same moment sees none of them,
//! nor does the machine, whose files they are.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use cellblock_tests::{Client, Engine, Report, Setup, first_python, quoted, state_dir};
use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use crate::beside::hold;

/// Takes every lock that a cell can take of a file and of directories, says so, and holds them until it is killed.
const HOLDER: &str = "
import fcntl, os, time
def main():
    for path in (os.__file__, '/', '/dev', '/etc'):
        file = os.open(path, os.O_RDONLY)
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_SH)
    print('held', flush=True)
    time.sleep(60)
";
/// Whether somebody else has a lock: by trying for one, and by asking who would stand in the way.
const LOOKER: &str = "
import fcntl, os, struct
def main():
    return [path for path in (os.__file__, '/', '/dev', '/etc') if not free(os.open(path, os.O_RDONLY))]
def free(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    wanted = struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    found = struct.unpack('hhqqi4x', fcntl.fcntl(file, fcntl.F_GETLK, wanted))
    return found[0] == fcntl.F_UNLCK
";

#[test]
fn of_shared_files_show_to_nobody_else() {
    let mut report = Report::default();
    for engine in [Engine::Warm, Engine::Cold] {
        report.enter(engine.to_string());
        let server = Setup::new(engine, &first_python())
            .set("pool", "max_running", 2)
            .start();
        let body = format!("{{\"script\": {}}}", quoted(HOLDER));
        let held = hold(server.client(), &body, "held", 1);
        report.check("held", held.is_some(), "the holder did not say so");
        let body = format!("{{\"script\": {}}}", quoted(LOOKER));
        let answer = server.client().post("/execute", body.as_bytes());
        let free = answer.status == 200 && answer.json()["result"] == json!([]);
        report.check("by another cell", free, answer.shown());
        let images = images(server.client());
        report.check("images", !images.is_empty(), "there is none");
        for image in images {
            let file = File::open(&image).expect("the image's os.py");
            let free = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
            report.check("by the machine", free, image.display());
        }
        drop(held);
        server.stop(&mut report);
    }
    report.finish();
}

/// Where the machine has the file that is locked, in each image that is built with such a library.
fn images(client: &Client) -> Vec<PathBuf> {
    let script = "import os\ndef main(): return os.__file__";
    let body = format!("{{\"script\": {}}}", quoted(script));
    let answer = client.post("/execute", body.as_bytes()).json();
    let file = answer["result"].as_str().expect("a path");
    let inside = file.trim_start_matches('/');
    let environments = fs::read_dir(state_dir().join("environments")).expect("environments");
    let roots = environments
        .flatten()
        .map(|entry| entry.path().join("root"));
    roots
        .map(|root| root.join(inside))
        .filter(|path| path.is_file())
        .collect()
}
