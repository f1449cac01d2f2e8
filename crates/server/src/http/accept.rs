//! Which form of an answer a client prefers. RFC 9110, section 12.5.1

use axum::http::{HeaderMap, header};

/// Whether the client asks for `media_type`, and for no kind of JSON more: the higher weight wins,
/// then what is named first. Ranges such as `*/*` are everybody's default and ask for nothing.
pub(super) fn prefers(headers: &HeaderMap, media_type: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter();
    let ranges = lines.filter_map(|value| value.to_str().ok());
    let mut best: Option<(&str, f32)> = None;
    for range in ranges.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or("");
        let known = [media_type, "application/json"]
            .into_iter()
            .find(|known| name.eq_ignore_ascii_case(known));
        let weight = parts.find_map(weight).unwrap_or(1.0);
        if let Some(known) = known
            && weight > best.map_or(0.0, |(_, weight)| weight)
        {
            best = Some((known, weight));
        }
    }
    best.is_some_and(|(name, _)| name == media_type)
}

/// The value of `q=0.5`; what cannot be read weighs nothing.
fn weight(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    let named = name.trim().eq_ignore_ascii_case("q");
    named.then(|| value.trim().parse().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_weight_wins_then_the_first() {
        let prefers = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            prefers(&headers, "text/event-stream")
        };
        for yes in [
            "text/event-stream",
            "Text/Event-Stream; charset=utf-8, */*",
            "application/json;q=0.5, text/event-stream;q=0.6",
            "text/event-stream, application/json",
        ] {
            assert!(prefers(yes), "{yes}");
        }
        for no in [
            "*/*",
            "text/*",
            "application/json, text/event-stream",
            "text/event-stream;q=0",
            "text/event-stream;q=x",
            "text/event-streams",
        ] {
            assert!(!prefers(no), "{no}");
        }
    }
}
