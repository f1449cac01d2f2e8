//! `jit = true`: what an environment with it opens, that nothing else is open, and that no other
//! environment has it.

use cellblock_tests::{Answer, Engine, Report, Server, Setup, first_python, quoted};
use serde_json::{Value, json};

/// Runs machine code that it has just written.
const COMPILES: &str = "
import ctypes, mmap, os
CODE = {'x86_64': '31c0b82a000000c3', 'aarch64': '40058052c0035fd6'}[os.uname().machine]
def main():
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(bytes.fromhex(CODE))
    code = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    called = []
    ctypes.CFUNCTYPE(None)(lambda: called.append(1))()
    return [ctypes.CFUNCTYPE(ctypes.c_int)(code)(), called]
";
/// What stays closed: code in files that a script can write, programs, the network.
const STILL_CLOSED: &str = "
import errno, mmap, os, socket
def attempt(function, *args, **named):
    try: function(*args, **named)
    except OSError as error: return errno.errorcode[error.errno]
    return 'done'
def main():
    file = os.open('code', os.O_RDWR | os.O_CREAT, 0o755)
    os.ftruncate(file, 4096)
    both = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    return [attempt(mmap.mmap, file, 4096, mmap.MAP_SHARED, both), attempt(mmap.mmap, file, 4096, mmap.MAP_PRIVATE, 5),
            attempt(os.execv, '/python/bin/python3', ['x']), attempt(os.execv, '/tmp/code', ['x']), attempt(socket.socket)]
";

#[test]
fn opens_executable_memory_and_nothing_else() {
    let mut report = Report::default();
    for engine in [Engine::Warm, Engine::Cold] {
        report.enter(engine.to_string());
        let server = Setup::new(engine, &first_python())
            .with_plain()
            .set("environments.plain", "jit", true)
            .start();
        let compiled = run(&server, COMPILES, "plain");
        let record = compiled.json();
        report.check(
            "code",
            record["result"] == json!([42, [1]]),
            compiled.shown(),
        );
        let off = record["isolation"]["no_executable_memory"] == "off";
        report.check("the record says so", off, compiled.shown());
        let closed = run(&server, STILL_CLOSED, "plain");
        let as_told =
            closed.json()["result"] == json!(["EPERM", "EPERM", "EPERM", "EPERM", "EPERM"]);
        report.check("nothing else", as_told, closed.shown());
        other_environments(&server, &mut report);
        server.stop(&mut report);
    }
    report.finish();
}

/// The default one is as ever, and `/health` tells of both.
fn other_environments(server: &Server, report: &mut Report) {
    let script = "import mmap\ndef main(): mmap.mmap(-1, 4096, prot=mmap.PROT_READ | 4)";
    let refused = run(server, script, "default");
    let record = refused.json();
    let on = record["isolation"]["no_executable_memory"] == "on";
    let as_told = on && record["error"]["type"] == "exception";
    report.check("not in another environment", as_told, refused.shown());
    let health = server.client().get("/health");
    let layers = health.json()["isolation"].clone();
    let layer = layers.as_array().and_then(|all| {
        let named = |layer: &&Value| layer["name"] == "no_executable_memory";
        all.iter().find(named).cloned()
    });
    let told = layer.is_some_and(|layer| {
        layer["state"] == "degraded" && layer["reason"].to_string().contains("plain")
    });
    report.check("health", told, health.shown());
}

#[test]
fn is_refused_by_the_floor_strict() {
    let started = Setup::new(Engine::Warm, &first_python())
        .with_plain()
        .set("environments.plain", "jit", true)
        .set("isolation", "floor", "\"strict\"")
        .try_start();
    let log = started.expect_err("it does not start");
    assert!(
        log.contains("no_executable_memory") && log.contains("jit = true"),
        "{log}"
    );
}

fn run(server: &Server, script: &str, environment: &str) -> Answer {
    let body = format!(
        "{{\"script\": {}, \"environment\": \"{environment}\"}}",
        quoted(script)
    );
    server.client().post("/v1/executions", body.as_bytes())
}
