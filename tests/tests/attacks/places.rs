//! Where things lie for cells without namespaces.

use cellblock_tests::Server;
use serde_json::json;

/// Paths as scripts of the table have them, and as they are for cells without namespaces.
pub(crate) struct Places([(&'static str, String); 4]);

impl Places {
    /// Asks a script.
    pub(crate) fn of(server: &Server) -> Self {
        const SCRIPT: &str = "import sys\ndef main():\n    return [sys.prefix, \
            [path for path in sys.path if '/runtime-' in path][0]]";
        let body = json!({"script": SCRIPT}).to_string();
        let answer = server.client().post("/execute", body.as_bytes()).json();
        let text = |at: usize| answer["result"][at].as_str().expect("a path").to_owned();
        let (python, runtime) = (text(0), text(1));
        let packages = python.replace("/root/python", "/root/packages");
        Self([
            ("/tmp", ".".to_owned()),
            ("/cellblock", runtime),
            ("/packages", packages),
            ("/python", python),
        ])
    }

    /// In one pass, since the new paths hold the old ones.
    pub(crate) fn put_into(&self, text: &str) -> String {
        let goes_on = |c: char| c.is_alphanumeric() || c == '_';
        let mut put = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let found = self.0.iter().find_map(|(from, to)| {
                let after = rest.strip_prefix(from)?;
                (!after.starts_with(goes_on)).then_some((to, after))
            });
            if let Some((to, after)) = found {
                put += to;
                rest = after;
            } else {
                put.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        put
    }
}
