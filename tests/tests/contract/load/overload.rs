//! More requests than places: the queue, its end, and nothing lost or mixed up.

use std::time::Duration;

use cellblock_tests::{Answer, Report, Setup, Text, is_error, matrix, quoted};

use super::{hello, new_name, runs, sleeper, together};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    full(setup, report);
    impatient(setup, report);
    many(setup, report);
    nothing_printed_is_lost(setup, report);
}

/// One runs, one waits, the others are turned away at once.
fn full(setup: &Setup, report: &mut Report) {
    let setup = super::setup(setup).set("pool", "max_running", 1);
    let server = setup.set("pool", "queue_length", 1).start();
    let client = server.client();
    let name = new_name();
    let running = client.begin("/execute", &sleeper(&name, 50.0));
    report.check("the first runs", runs(&name), "it does not");
    std::thread::scope(|scope| {
        let bodies: Vec<_> = (0..3)
            .map(|n| sleeper(&format!("waiting-{n}"), 0.0))
            .collect();
        let all = scope.spawn(move || together(client, &bodies));
        // By then the two without a place have long been answered.
        std::thread::sleep(Duration::from_secs(3));
        drop(running);
        let answers = all.join().unwrap().into_iter().map(Result::unwrap);
        let (waited, refused): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.status == 200);
        report.check("one waits and runs", waited.len() == 1, waited.len());
        for answer in refused {
            is_no_room(&answer, report);
            let took = answer.took;
            report.check(
                "no room, at once",
                took.as_millis() < 2900,
                format!("{took:?}"),
            );
        }
    });
    hello().run(&server, report);
    server.stop(report);
}

fn is_no_room(answer: &Answer, report: &mut Report) {
    let result = is_error(answer, 503, "overloaded", &Text::default());
    report.add(
        "no room",
        result.map_err(|problem| problem + &answer.shown()),
    );
    let retry = answer
        .header("retry-after")
        .and_then(|value| value.parse::<u32>().ok());
    report.check(
        "retry-after",
        retry.is_some_and(|n| n >= 1),
        format!("{:?}", answer.headers),
    );
}

/// Whoever waits too long is turned away too.
fn impatient(setup: &Setup, report: &mut Report) {
    let setup = super::setup(setup).set("pool", "max_running", 1);
    let server = setup.set("pool", "queue_timeout_ms", 300).start();
    let name = new_name();
    let running = server.client().begin("/execute", &sleeper(&name, 50.0));
    report.check("the first runs", runs(&name), "it does not");
    let answer = server
        .client()
        .post("/v1/executions", sleeper("late", 0.0).as_bytes());
    is_no_room(&answer, report);
    drop(running);
    server.stop(report);
}

/// Each of many at once gets its own answer.
fn many(setup: &Setup, report: &mut Report) {
    let server = setup.start();
    let bodies: Vec<_> = (0..40)
        .map(|n| {
            let script = quoted("def main(x):\n    print('out', x)\n    return {'x': x}\n");
            format!("{{\"script\": {script}, \"input\": {n}}}")
        })
        .collect();
    for (n, answer) in together(server.client(), &bodies).into_iter().enumerate() {
        let expected = format!("{{\"result\":{{\"x\":{n}}},\"stdout\":\"out {n}\\n\"}}");
        let text = answer.map_or_else(|error| error, |answer| answer.text());
        report.check(format!("request {n} of 40"), text == expected, text);
    }
    server.stop(report);
}

/// What was printed just before the answer is in it, every time.
fn nothing_printed_is_lost(setup: &Setup, report: &mut Report) {
    let server = setup.start();
    let script = "import os\ndef main():\n    if os.fork() == 0:\n        os.write(1, b'child')\n        \
                  os._exit(0)\n    os.wait()\n    os.write(1, b' parent')\n    return 1\n";
    let body = format!("{{\"script\": {}}}", quoted(script));
    let expected = r#"{"result":1,"stdout":"child parent"}"#;
    let texts = (0..100).map(|_| server.client().post("/execute", body.as_bytes()).text());
    let wrong: Vec<_> = texts.filter(|text| text != expected).collect();
    let problem = format!("{} of 100, such as {:?}", wrong.len(), wrong.first());
    report.check("output is complete", wrong.is_empty(), problem);
    server.stop(report);
}
