//! The modules that a script may not import unless an environment says otherwise.
//!
//! A courtesy, not the wall: it tells an honest script at its import line what would not work
//! anyway, and why. What keeps a dishonest one in is the kernel's layers. A name covers its
//! submodules; what numpy or pandas import for themselves is not affected.

const PROCESS: &str = "a cell runs no other program";
const NETWORK: &str = "a cell has no network";
const NATIVE: &str = "calls native code that Python cannot check";

/// The modules, each with why it is on the list.
pub const RESTRICTED: &[(&str, &str)] = &[
    ("subprocess", PROCESS),
    ("_posixsubprocess", PROCESS),
    ("pty", PROCESS),
    ("webbrowser", PROCESS),
    (
        "multiprocessing",
        "starts interpreters and servers that a cell does not have",
    ),
    (
        "_multiprocessing",
        "starts interpreters and servers that a cell does not have",
    ),
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
    ("asyncore", NETWORK),
    ("asynchat", NETWORK),
];

/// The names alone.
pub fn names() -> Vec<String> {
    RESTRICTED
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect()
}
