//! Several environments on one server, each with its own packages, engine and rules.

use cellblock_tests::{Case, Engine, each_python};

#[test]
fn each_has_its_own_packages_engine_and_rules() {
    each_python(Engine::Warm, |setup, report| {
        let setup = setup
            .clone()
            .with_plain()
            .set("environments.plain", "engine", "\"cold\"")
            .set("environments.plain", "restricted", r#"["this", "pty"]"#);
        let server = setup.start();
        let zygotes = server.zygotes().len();
        report.check("one zygote, since plain is cold", zygotes == 1, zygotes);
        let plain =
            |name: &str, script: &str| Case::new(name, script).field("environment", "\"plain\"");
        let import = "def main():\n    import numpy\n    return 1\n";
        Case::new("default has numpy", import)
            .returns("1")
            .run(&server, report);
        plain("plain has none", import)
            .fails("exception")
            .line(2)
            .hint("'numpy' is not in this environment")
            .run(&server, report);
        let socket = "import socket\ndef main():\n    return 1\n";
        Case::new("default restricts", socket)
            .fails("restricted_import")
            .error("module", "socket")
            .line(1)
            .run(&server, report);
        plain("plain does not", socket)
            .returns("1")
            .run(&server, report);
        plain("the operator gives no reason", "import this")
            .fails("restricted_import")
            .message("import of 'this' is restricted in this environment")
            .error("module", "this")
            .line(1)
            .run(&server, report);
        plain("the list's own reason is known", "import pty")
            .fails("restricted_import")
            .message_has("restricted: a sandbox runs no other program")
            .error("module", "pty")
            .line(1)
            .run(&server, report);
        server.stop(report);
    });
}
