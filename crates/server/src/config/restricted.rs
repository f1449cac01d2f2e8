//! The modules that a script may not import unless an environment says otherwise.
//!
//! A courtesy, not the wall: it tells an honest script at its import line what would not work
//! anyway, why, and what to do instead. What keeps a dishonest one in is the kernel's layers. A name
//! covers its submodules; what numpy or pandas import for themselves is not affected.
//!
//! Only what can never work is on the list. `multiprocessing` is not, since it forks, nor are
//! `asyncore` and `asynchat`, which serve pipes as well as sockets.

use std::collections::BTreeMap;

const PROGRAMS: &str = "a sandbox runs no other program; call a Python library instead";
const NETWORK: &str =
    "there is no network in a sandbox; send what the script needs as `input` or in `files`";
const NATIVE: &str =
    "a script calls no native code by itself; import a package that wraps the code instead";

/// The modules, each with the reason that the script is told.
const RESTRICTED: &[(&str, &str)] = &[
    ("subprocess", PROGRAMS),
    ("_posixsubprocess", PROGRAMS),
    ("pty", PROGRAMS),
    ("webbrowser", PROGRAMS),
    ("ctypes", NATIVE),
    ("_ctypes", NATIVE),
    ("cffi", NATIVE),
    ("_cffi_backend", NATIVE),
    ("socket", NETWORK),
    ("_socket", NETWORK),
    ("ssl", NETWORK),
    ("_ssl", NETWORK),
    ("socketserver", NETWORK),
    ("http.client", NETWORK),
    ("http.server", NETWORK),
    ("urllib.request", NETWORK),
    ("ftplib", NETWORK),
    ("smtplib", NETWORK),
    ("poplib", NETWORK),
    ("imaplib", NETWORK),
    ("xmlrpc", NETWORK),
    ("wsgiref.simple_server", NETWORK),
    // Gone from Python 3.12 or 3.13, there in older ones.
    ("nntplib", NETWORK),
    ("telnetlib", NETWORK),
    ("smtpd", NETWORK),
];

/// The names alone.
pub fn names() -> Vec<String> {
    RESTRICTED
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

/// Each module with the reason why it is restricted; one that only the operator restricts has none.
pub fn with_reasons(modules: &[String]) -> BTreeMap<String, Option<String>> {
    let reason = |module: &str| {
        let mut known = RESTRICTED.iter();
        known
            .find(|(name, _)| *name == module)
            .map(|(_, reason)| (*reason).to_owned())
    };
    modules
        .iter()
        .map(|module| (module.clone(), reason(module)))
        .collect()
}
