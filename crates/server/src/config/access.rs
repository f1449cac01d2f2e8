//! Who may call the API.

use super::{ConfigError, options::options};

options! {
    /// Who may call the API.
    AccessConfig from AccessOptions, ["access"], "Access";
    keys_file: String = String::new();
        "keys-file", "CELLBLOCK_KEYS_FILE",
        "TOML file of keys, besides those of the configuration file; empty means none.";
    cors_origins: String = String::new();
        "cors-origins", "CELLBLOCK_CORS_ORIGINS",
        "Origins whose pages may call the API, separated by commas, or *; empty means none.";
}

impl AccessConfig {
    /// The origins whose pages may call the API.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        let origins = self.cors_origins.split(',').map(str::trim);
        origins.filter(|origin| !origin.is_empty())
    }

    /// Refuses what no browser sends as an origin.
    pub(super) fn check_origins(&self) -> Result<(), ConfigError> {
        match self.origins().find(|origin| !is_origin(origin)) {
            None => Ok(()),
            Some(bad) => Err(ConfigError::Conflict {
                key: "access.cors_origins".to_owned(),
                problem: format!(
                    "{bad:?} is no origin; write it as https://app.example, without a path, or *"
                ),
            }),
        }
    }
}

fn is_origin(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let fine =
        |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
    text == "*" || host.is_some_and(fine)
}
