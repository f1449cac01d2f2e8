//! How a key is sent.

use utoipa::{
    Modify,
    openapi::{
        OpenApi,
        security::{
            ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
        },
    },
};

/// Adds the two ways to send a key, of which a server without keys needs neither.
pub(super) struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = Http::new(HttpAuthScheme::Bearer);
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = ApiKey::Header(ApiKeyValue::new("X-API-Key"));
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(header));
        let schemes = ["bearer", "api_key"];
        let none = std::iter::once(SecurityRequirement::default());
        let either = schemes.map(|name| SecurityRequirement::new(name, [""; 0]));
        document.security = Some(none.chain(either).collect());
    }
}
