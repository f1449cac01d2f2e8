//! Cells without namespaces: whatever dies, nothing of a cell stays, and honest scripts run.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::scope,
};

use cellblock_tests::{
    Engine, Report, Server, Setup, children, dedent, eventually, first_python, named, quoted,
};
use rustix::process::Signal;

use super::load::{PATIENCE, kill, kill_zygotes, while_busy};

/// Leaves children and grandchildren behind that would go on for long, under a name of theirs.
const FAMILY: &str = "
    import os, time, threading
    def main():
        for _ in range(3):
            if os.fork() == 0:
                if os.fork() > 0: os._exit(0)
                import ctypes
                ctypes.CDLL(None).prctl(15, b'NAME')
                time.sleep(60)
        time.sleep(60)
";

fn start() -> Server {
    Setup::new(Engine::Warm, &first_python())
        .set("isolation", "floor", quoted("process"))
        .set("limits", "default_timeout_ms", 60_000)
        .set("environments.default", "restricted", "[]")
        .without_namespaces()
        .start()
}

/// Runs the family on a server and calls `end` once all three are there; they have to be gone then.
fn orphaned(name: &str, end: impl Fn(&Server)) {
    let server = start();
    let script = dedent(FAMILY).replace("NAME", name);
    let body = format!("{{\"script\": {}}}", quoted(&script));
    let client = server.client();
    scope(|threads| {
        threads.spawn(|| {
            let json = [("content-type", "application/json")];
            // Nobody may be left to answer.
            let _ = client.try_send("POST", "/execute", &json, body.as_bytes());
        });
        let all = eventually(PATIENCE, || named(name).len() == 3);
        assert!(all, "the script did not start: {}", server.log());
        let before = named(name);
        end(&server);
        let gone = eventually(PATIENCE, || {
            let left = named(name);
            before.iter().all(|id| !left.contains(id))
        });
        assert!(gone, "left: {:?}", named(name));
        server.signal(Signal::KILL);
    });
    let gone = eventually(PATIENCE, || named(name).is_empty());
    assert!(gone, "left after the server: {:?}", named(name));
}

/// Every init, of cells that wait too: the children of the zygote.
fn inits(server: &Server) -> Vec<u32> {
    server.zygotes().into_iter().flat_map(children).collect()
}

/// What a script tries that knows where another run's file is, and the numbers of the others.
const INTRUDER: &str = "
    import errno, os, signal
    def attempt(call, *args):
        try: call(*args)
        except OSError as error: return errno.errorcode[error.errno]
        return 'done'
    def main(input):
        file, pids = input
        place, own = os.path.dirname(file), os.getcwd()
        os.stat(file)  # that it is there, nothing hides
        calls = [
            (open, file), (open, file, 'w'), (open, place + '/new', 'w'), (os.listdir, place),
            (os.listdir, os.path.dirname(place)), (os.unlink, file), (os.rename, file, own + '/x'),
            (os.link, file, own + '/y'), (os.mkdir, place + '/d'), (os.symlink, 'x', place + '/s'),
            (os.truncate, file, 0), (os.rmdir, place), (os.rename, place, place + '2'),
        ]
        for pid in set(pids) - {os.getpid()}:
            calls += [(os.kill, pid, 0), (os.kill, pid, signal.SIGKILL), (os.kill, -pid, 0)]
            calls += [(os.getpgid, pid), (os.getsid, pid), (os.getpriority, 0, pid)]
            calls += [(open, f'/proc/{pid}/{n}', 'rb', 0) for n in ('mem', 'environ', 'fd/0', 'fd/1', 'fd/2')]
            calls += [(os.listdir, f'/proc/{pid}/cwd'), (os.readlink, f'/proc/{pid}/cwd')]
        os.chmod(place, 0), os.chmod(file, 0), os.utime(file, (1, 1))
        return [repr(call) for call in calls if attempt(*call) == 'done']
";

#[test]
fn a_run_reaches_no_other_even_by_name() {
    let server = start();
    let keeper = dedent(
        "
        import os, time
        def main():
            open('secret', 'w').write('kept')
            time.sleep(3)
            return open('secret').read()
        ",
    );
    let body = format!("{{\"script\": {}}}", quoted(&keeper));
    scope(|threads| {
        let kept = threads.spawn(|| server.client().post("/execute", body.as_bytes()));
        let mut file = None;
        eventually(PATIENCE, || {
            file = secret(&server.scratch());
            file.is_some()
        });
        let file = file.expect("the other run's file");
        let scripts = inits(&server).into_iter().flat_map(children);
        let pids: Vec<u32> = inits(&server)
            .into_iter()
            .chain(scripts)
            .chain(server.zygotes())
            .chain(children(server.id()))
            .chain([server.id(), 1])
            .collect();
        // One of them is its own, which it may ask about.
        let script = dedent(INTRUDER);
        let input = serde_json::json!([file, pids]);
        let body = format!("{{\"script\": {}, \"input\": {input}}}", quoted(&script));
        let tried = server.client().post("/execute", body.as_bytes());
        assert_eq!(tried.text(), r#"{"result":[],"stdout":""}"#);
        let kept = kept.join().expect("the other run's answer");
        assert_eq!(kept.text(), r#"{"result":"kept","stdout":""}"#);
    });
}

/// The one file of that name in the cells' directories.
fn secret(scratch: &Path) -> Option<PathBuf> {
    let below = |place: &Path| fs::read_dir(place).into_iter().flatten().flatten();
    let cells = below(scratch).flat_map(|server| below(&server.path()).collect::<Vec<_>>());
    let mut files = cells.map(|cell| cell.path().join("secret"));
    files.find(|file| file.is_file())
}

#[test]
fn a_killed_init_leaves_nobody() {
    orphaned("in-place-init", |server| {
        // One may have ended with another.
        for id in inits(server) {
            let _ = kill(id);
        }
    });
}

#[test]
fn a_killed_zygote_leaves_nobody() {
    orphaned("in-place-zyg", |server| {
        for id in server.zygotes() {
            let _ = kill(id);
        }
    });
}

#[test]
fn a_killed_server_leaves_nobody() {
    orphaned("in-place-serv", |server| server.signal(Signal::KILL));
}

#[test]
fn a_killed_zygote_costs_no_client_an_answer() {
    let mut report = Report::default();
    let server = start();
    let script = "import time\ndef main():\n    time.sleep(0.02)\n    return 'whole'\n";
    let answer = r#"{"result":"whole","stdout":""}"#;
    while_busy(&server, &mut report, script, answer, || {
        kill_zygotes(&server);
    });
    report.finish();
}
