//! Locks on files that every cell reads: another cell that runs at the same moment sees none of them,
//! nor does the machine, whose files they are.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use cellblock_tests::{Client, Engine, Report, Setup, first_python, quoted};
use rustix::fs::{FlockOperation, flock};

/// Takes every lock that a cell can take of the file, says so, and holds them until it is killed.
const HOLDER: &str = "
import fcntl, os, time
def main():
    file = open(os.__file__)
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_SH)
    print('held', flush=True)
    time.sleep(60)
";
/// Whether somebody else has a lock: by trying for one, and by asking who would stand in the way.
const LOOKER: &str = "
import fcntl, os, struct
def main():
    file = open(os.__file__)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = True
    except BlockingIOError:
        free = False
    wanted = struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    found = struct.unpack('hhqqi4x', fcntl.fcntl(file, fcntl.F_GETLK, wanted))
    return [free, found[0] == fcntl.F_UNLCK]
";

#[test]
fn of_shared_files_show_to_nobody_else() {
    let mut report = Report::default();
    for engine in [Engine::Warm, Engine::Cold] {
        report.enter(engine.to_string());
        let server = Setup::new(engine, &first_python())
            .set("pool", "max_running", 2)
            .start();
        let held = hold(server.client());
        report.check("held", held.is_some(), "the holder did not say so");
        let body = format!("{{\"script\": {}}}", quoted(LOOKER));
        let answer = server.client().post("/execute", body.as_bytes());
        let free = answer.status == 200 && answer.json()["result"].to_string() == "[true,true]";
        report.check("by another cell", free, answer.shown());
        let image = image(server.client());
        let file = File::open(&image).expect("the image's os.py");
        let free = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        report.check("by the machine", free, image.display().to_string());
        drop((held, file));
        server.stop(&mut report);
    }
    report.finish();
}

/// A stream of a run that holds the locks, once it does.
fn hold(client: &Client) -> Option<impl BufRead> {
    let body = format!("{{\"script\": {}}}", quoted(HOLDER));
    let stream = client.begin_stream("/v1/executions", &body);
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        if line.contains("held") {
            return Some(reader);
        }
        line.clear();
    }
    None
}

/// Where the machine has the file that is locked.
fn image(client: &Client) -> PathBuf {
    let script = "import os\ndef main(): return [os.__file__, open('/proc/self/mountinfo').read()]";
    let body = format!("{{\"script\": {}}}", quoted(script));
    let answer = client.post("/execute", body.as_bytes()).json();
    let (file, mounts) = (&answer["result"][0], &answer["result"][1]);
    let file = file.as_str().expect("a path").trim_start_matches('/');
    let mounts = mounts.as_str().expect("text");
    let root = root_of(mounts).expect("a mount of the image or an overlay of it");
    Path::new(root).join(file)
}

/// The image's directory: what is mounted as the root of a wall (proc_pid_mountinfo(5), field 4), or
/// the lower directory of an overlay.
fn root_of(mounts: &str) -> Option<&str> {
    let word = mounts
        .split(|mark: char| mark.is_whitespace() || matches!(mark, ':' | ',' | '='))
        .find(|word| word.contains("/environments/") && word.ends_with("/root"))?;
    Some(word)
}
