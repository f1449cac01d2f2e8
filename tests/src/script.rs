//! Scripts as they stand in tables.

/// A script that begins with a line break is indented as the code around it: the break and the
/// common indentation are taken away, so that its first line is line 1. Others stay as they are.
pub fn dedent(text: &str) -> String {
    let Some(block) = text.strip_prefix('\n') else {
        return text.to_owned();
    };
    let block = block.trim_end_matches(' ');
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let filled = block.lines().filter(|line| !line.trim().is_empty());
    let common = filled.map(indent).min().unwrap_or(0);
    let lines = block.lines().map(|line| line.get(common..).unwrap_or(""));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
