//! The README's requests, sent as they stand there, get the answers that stand below them.

use std::{fs, path::Path};

use cellblock_tests::{Report, Setup, matrix};

/// Where the README's server listens.
const ADDRESS: &str = "http://127.0.0.1:8080";
/// `error.type`, as `ErrorType` of the server has it.
const TYPES: &str = include_str!("../../../crates/server/src/execution/outcome.rs");

/// What tries the image.
const CONTAINER_TEST: &str = include_str!("../../../deploy/docker/test.sh");

matrix!(every_example_is_answered_as_shown);

fn every_example_is_answered_as_shown(setup: &Setup, report: &mut Report) {
    let server = setup.start();
    let examples = examples(&readme());
    assert!(examples.len() >= 3, "the README has lost its examples");
    for (command, shown) in &examples {
        let request = Request::read(command);
        let path = request.url.strip_prefix(ADDRESS).expect(&request.url);
        let header = request.header.split_once(": ").expect("a header");
        let body = request.body.as_bytes();
        let answer = server.client().send("POST", path, &[header], body);
        let same = answer.text() == *shown;
        report.check(command, same, format!("got {}", answer.shown()));
    }
    server.stop(report);
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    fs::read_to_string(path).expect("the README is there")
}

/// Each block of shell that is a curl, and the block of JSON that follows it.
fn examples(readme: &str) -> Vec<(String, String)> {
    let blocks: Vec<_> = readme.split("```").skip(1).step_by(2).collect();
    let pairs = blocks.windows(2);
    pairs
        .filter_map(|pair| {
            let command = pair[0].strip_prefix("sh\n")?;
            let answer = pair[1].strip_prefix("json\n")?;
            Some((command.to_owned(), answer.trim_end().to_owned()))
        })
        .collect()
}

struct Request {
    url: String,
    header: String,
    body: String,
}

impl Request {
    /// Understands what a shell would of `curl URL -H '...' -d '...'`.
    fn read(command: &str) -> Self {
        let words = words(command);
        let after = |flag: &str| {
            let at = words.iter().position(|word| word == flag).expect(flag);
            words[at + 1].clone()
        };
        assert_eq!(words[0], "curl");
        Self {
            url: words[1].clone(),
            header: after("-H"),
            body: after("-d"),
        }
    }
}

/// Splits at white space outside of single quotes, which stand for themselves inside.
fn words(command: &str) -> Vec<String> {
    let command = command.replace("\\\n", " ");
    let mut words = Vec::new();
    for (index, part) in command.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn the_first_request_is_the_seeds() {
    let examples = examples(&readme());
    let (command, answer) = &examples[0];
    assert_eq!(
        Request::read(command).body,
        r#"{"script": "def main():\n    return {\"message\": \"Hello from sandbox!\"}"}"#
    );
    assert_eq!(
        answer,
        r#"{"result":{"message":"Hello from sandbox!"},"stdout":""}"#
    );
}

#[test]
fn every_command_for_containers_is_one_that_is_tested() {
    let readme = readme();
    let lines = readme.lines().filter_map(|line| line.strip_prefix("    "));
    let commands: Vec<_> = lines.filter(|line| line.starts_with("docker ")).collect();
    assert!(commands.len() >= 4, "the README has lost its commands");
    for command in commands {
        let tested = CONTAINER_TEST.lines().any(|line| line.trim() == command);
        assert!(tested, "deploy/docker/test.sh does not run: {command}");
    }
}

#[test]
fn the_table_of_error_types_is_the_programs() {
    let (_, list) = TYPES.split_once("pub enum ErrorType {").expect("the list");
    let (list, _) = list.split_once('}').expect("its end");
    let variants = list
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','));
    let mut types: Vec<_> = variants.map(snake_case).collect();
    let text = readme();
    let rows = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let status = rest.starts_with(|c: char| c.is_ascii_digit());
        (status && !name.contains(' ')).then(|| name.to_owned())
    });
    let mut rows: Vec<_> = rows.collect();
    types.sort();
    rows.sort();
    assert_eq!(rows, types);
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
