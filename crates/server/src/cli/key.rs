//! `cellblock key`.

use std::{fmt::Write, process::ExitCode};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use sha2::{Digest, Sha256};

use super::{CliError, terminal};
use crate::config::KeyConfig;

/// What `cellblock key` takes.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Makes an API key: the key goes to standard error, for whoever is to use it, and what the
    /// server has to know of it to standard output, to be appended to the configuration file or to
    /// that of CELLBLOCK_KEYS_FILE. The key itself is kept nowhere.
    New {
        /// Whose it is, for the log.
        name: String,
    },
}

/// Carries out `cellblock key`.
pub(super) fn key(args: &KeyArgs) -> Result<ExitCode, CliError> {
    let KeyCommand::New { name } = &args.command;
    let key = random_key()?;
    let config = KeyConfig::new(name, key_digest(&key));
    config
        .check()
        .map_err(|(field, problem)| CliError::Usage(format!("{field}: {problem}")))?;
    let toml = toml::to_string(&config).map_err(|error| CliError::Fault(error.to_string()))?;
    terminal::print_error(&format!("The key, shown this once: {key}\n"))?;
    terminal::print(&format!("[[keys]]\n{toml}"))?;
    Ok(ExitCode::SUCCESS)
}

/// What the configuration holds of a key.
pub(crate) fn key_digest(key: &str) -> String {
    let digest = Sha256::digest(key);
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// 256 random bits, behind a mark by which leaked keys can be searched for.
fn random_key() -> Result<String, CliError> {
    let mut bytes = [0; 32];
    let flags = rustix::rand::GetRandomFlags::empty();
    // Up to 256 bytes are never cut short: getrandom(2).
    match rustix::rand::getrandom(&mut bytes[..], flags) {
        Ok(32) => Ok(format!("cellblock_{}", URL_SAFE_NO_PAD.encode(bytes))),
        _ => Err(CliError::Fault(
            "the kernel gave no random bytes".to_owned(),
        )),
    }
}
