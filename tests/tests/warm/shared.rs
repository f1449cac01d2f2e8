//! Two runs, one after the other or at the same time, find nothing of each other.

use cellblock_tests::{Case, Engine, Report, each_python};

/// Leaves something wherever a script can.
const LEAVE: &str = r#"
import builtins, gc, os, random, sys, tempfile, threading
import numpy, pandas
SECRET = "left-" + "behind-7f3a"
def main():
    os.environ["SECRET"] = SECRET
    builtins.secret = SECRET
    sys.modules["secret"] = sys
    sys.path.append(SECRET)
    numpy.secret = pandas.DataFrame.secret = SECRET
    gc.secrets = [SECRET * 1000 for _ in range(1000)]
    random.seed(1)
    numpy.random.seed(1)
    tempfile.tempdir = "/tmp/" + SECRET
    os.makedirs("/tmp/" + SECRET + "/deep")
    for place in ("/tmp/", "/dev/shm/", "/packages/", "/python/", "/cellblock/", "/"):
        try:
            with open(place + SECRET, "w") as file:
                file.write(SECRET)
        except OSError:
            pass
    os.umask(0)
    os.dup2(1, 77)
    threading.Thread(target=lambda: threading.Event().wait(60), daemon=True).start()
    if os.fork() == 0:
        os.setsid()
        threading.Event().wait(60)
    return "left"
"#;

/// Looks wherever a script can.
const LOOK: &str = r#"
import builtins, gc, os, sys, tempfile
import numpy, pandas
def main():
    needle = ("left-" + "behind-7f3a").encode()
    found = []
    for key, value in os.environ.items():
        if needle.decode() in value: found.append("environ " + key)
    if hasattr(builtins, "secret") or hasattr(numpy, "secret"): found.append("module attribute")
    if hasattr(pandas.DataFrame, "secret") or hasattr(gc, "secrets"): found.append("class attribute")
    if "secret" in sys.modules or any("left-" in path for path in sys.path): found.append("sys")
    if os.listdir("/tmp"): found.append("/tmp " + str(os.listdir("/tmp")))
    if sorted(map(int, os.listdir("/proc/self/fd"))) != [0, 1, 2, 3, 1000]: found.append("descriptors " + str(os.listdir("/proc/self/fd")))
    if [name for name in os.listdir("/proc") if name.isdigit()] != ["1", "2"]: found.append("processes " + str(os.listdir("/proc")))
    if os.getpid() != 2 or os.getppid() != 1: found.append("pids")
    if tempfile.tempdir: found.append("tempfile")
    if os.umask(0o22) != 0o22: found.append("umask")
    for root in ("/", "/packages", "/cellblock", "/python", "/dev", "/etc"):
        for name in os.listdir(root):
            if "left-" in name: found.append("file in " + root)
    # /proc/self/mem is closed, so the heap is looked at through new arrays, which nobody has cleared.
    for size in (64, 4096, 65536, 1 << 20, 16 << 20):
        for _ in range(20):
            if needle in numpy.empty(size, dtype="u1").tobytes(): found.append("memory")
    return found
"#;

#[test]
fn nothing_is_left_for_the_next() {
    each_python(Engine::Warm, |setup, report| {
        let server = setup.start();
        for _ in 0..5 {
            leave().run(&server, report);
            look().run(&server, report);
        }
        server.stop(report);
    });
}

#[test]
fn nothing_is_shared_at_the_same_time() {
    each_python(Engine::Warm, |setup, report| {
        let server = setup.start();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let mut report = Report::default();
                let lingering = LEAVE.replace(
                    "return \"left\"",
                    "__import__('time').sleep(2); return \"left\"",
                );
                Case::new("lingers", &lingering)
                    .returns("\"left\"")
                    .run(&server, &mut report);
                report
            });
            std::thread::sleep(std::time::Duration::from_millis(500));
            for _ in 0..5 {
                look().run(&server, report);
            }
            other.join().expect("the other client").finish();
        });
        server.stop(report);
    });
}

fn leave() -> Case {
    Case::new("leave", LEAVE).returns("\"left\"")
}

fn look() -> Case {
    Case::new("look", LOOK).returns("[]")
}
