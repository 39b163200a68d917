//! Commands whose output needs no cluster, against recordings of the stock kubectl: kustomize, and what `create`, `run` and
//! `expose` generate with `--dry-run=client`.
//!
//! The recordings lie beside the checkout (`../shared/corpus`); without them the tests say so and pass.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use shell::{Options, Session};

/// Generated objects that come out as recorded: never fewer than this.
const FLOOR: usize = 64;

fn recordings(name: &str) -> Option<Vec<Value>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let shared =
        std::env::var_os("KUBENKYO_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let Ok(text) = fs::read_to_string(shared.join("corpus").join(name)) else {
        eprintln!("skipped: no recordings beside the checkout (set KUBENKYO_SHARED)");
        return None;
    };
    serde_json::from_str(&text).expect("a recording is JSON")
}

struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

fn run(session: &mut Session, text: &str) -> Ran {
    let mut outcome = None;
    for line in text.split('\n') {
        outcome = session.line(line, |_| {}).or(outcome);
    }
    let outcome = session
        .end(|_| {})
        .or(outcome)
        .expect("every text is a command");
    Ran {
        status: outcome.status,
        stdout: outcome.text(false),
        stderr: outcome.text(true),
    }
}

#[test]
fn kustomizations_of_the_documentation_come_out_as_stock_kubectl_makes_them() {
    for (at, case) in recordings("golden-kustomize.json")
        .into_iter()
        .flatten()
        .enumerate()
    {
        let mut session = Session::new(Options::default(), "/tmp/kustomize");
        for setup in case["setup"].as_array().expect("a list of commands") {
            run(&mut session, setup.as_str().expect("a command"));
        }
        let ran = run(&mut session, case["cmd"].as_str().expect("a command"));
        assert_eq!(
            ran.stdout,
            case["stdout"].as_str().unwrap_or_default(),
            "case {at}"
        );
        assert_eq!(
            ran.stderr,
            case["stderr"].as_str().unwrap_or_default(),
            "case {at}"
        );
        assert_eq!(
            i64::from(ran.status),
            case["rc"].as_i64().unwrap_or(0),
            "case {at}"
        );
    }
}

/// What kubectl 1.32, which was recorded, and 1.36 print differently; and random suffixes of containers' names.
fn of_today(printed: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in printed.lines() {
        match line.trim() {
            "creationTimestamp: null" => {}
            "metadata: {}" => lines.push(line.replace(" {}", "")),
            _ if line.contains("name: serve-hostname-") => {
                lines.push(line[..line.len() - 5].to_owned());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The files that the documentation has its readers make or download before.
fn put_files(session: &mut Session) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let shared =
        std::env::var_os("KUBENKYO_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let dir = "/tmp/local/configure-pod-container/configmap";
    run(session, &format!("mkdir -p {dir}"));
    for name in ["game.properties", "ui.properties", "ui-env-file.properties"] {
        if let Ok(bytes) = fs::read(shared.join("corpus/manifests/configmap").join(name)) {
            session
                .workstation_mut()
                .put_file(&format!("{dir}/{name}"), bytes)
                .expect("the directory is there");
        }
    }
    run(
        session,
        &format!(
            "printf 'enemies=aliens\\nlives=3\\nallowed=\"true\"\\n\\n# This comment and the empty line above it are ignored\\n' > {dir}/game-env-file.properties"
        ),
    );
    run(
        session,
        "printf admin > username.txt; printf '%s' 'S!B\\*d$zDsb=' > password.txt",
    );
}

#[test]
fn generators_print_what_stock_kubectl_prints() {
    let Some(cases) = recordings("golden-create-run.json") else {
        return;
    };
    let mut report = String::new();
    let mut same = 0;
    for case in &cases {
        let words: Vec<String> = case["ran"]
            .as_array()
            .expect("a list of words")
            .iter()
            .map(|word| {
                format!(
                    "'{}'",
                    word.as_str().expect("a word").replace('\'', r"'\''")
                )
            })
            .collect();
        let line = words.join(" ");
        let mut session = Session::new(Options::default(), "/tmp/local");
        put_files(&mut session);
        let ran = run(&mut session, &line);
        let expected = of_today(case["stdout"].as_str().unwrap_or_default());
        if of_today(&ran.stdout) == expected
            && i64::from(ran.status) == case["rc"].as_i64().unwrap_or(0)
        {
            same += 1;
        } else {
            let _ = writeln!(
                report,
                "$ {line}\n--- expected (rc {})\n{expected}{}--- got (rc {})\n{}{}\n",
                case["rc"],
                case["stderr"].as_str().unwrap_or_default(),
                ran.status,
                ran.stdout,
                ran.stderr
            );
        }
    }
    println!(
        "generators: {same} of {} as stock kubectl prints them",
        cases.len()
    );
    assert!(same >= FLOOR, "fewer than {FLOOR}:\n{report}");
    if same < cases.len() {
        println!("{report}");
    }
}

#[test]
fn commands_that_are_known_to_fail_still_do() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let list =
        fs::read_to_string(root.join("tests/known_failures.txt")).expect("the list is there");
    let known = list.lines().filter(|line| line.starts_with("kubectl "));
    for line in known {
        let (command, reason) = line.split_once(": ").expect("a line has a reason");
        let mut session = Session::new(Options::default(), "/tmp/known");
        run(&mut session, "mkdir -p dir; echo '{.items}' > path.txt");
        let ran = run(&mut session, command);
        assert!(
            ran.status != 0 && !reason.is_empty(),
            "`{command}` works now: take it out of tests/known_failures.txt"
        );
    }
}
