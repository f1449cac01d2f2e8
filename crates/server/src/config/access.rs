//! Who may call the API.

use super::options::options;

options! {
    /// Who may call the API.
    AccessConfig from AccessOptions, ["access"], "Access";
    keys_file: String = String::new();
        "keys-file", "CELLBLOCK_KEYS_FILE",
        "TOML file with [[keys]], besides those of the configuration file; empty means none.";
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
}
