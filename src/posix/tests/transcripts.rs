//! Plays scripts whose outcome on a real system is written beside them.
//!
//! `=== a sentence [shell]`, the script, then `--- stdout`, `--- stderr` and `--- status N` as the real shell and
//! tools gave them (locale C).

use posix::{Flavour, Volume, run_script_as};

struct Case {
    name: String,
    shell: String,
    script: String,
    stdout: String,
    stderr: String,
    status: i32,
}

fn cases(text: &str) -> Vec<Case> {
    let mut all: Vec<Case> = Vec::new();
    let mut part = 0;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("=== ") {
            let (name, shell) = title.rsplit_once(" [").expect("a title ends with [shell]");
            all.push(Case {
                name: name.into(),
                shell: shell.trim_end_matches(']').into(),
                script: String::new(),
                stdout: String::new(),
                stderr: String::new(),
                status: -1,
            });
            part = 1;
            continue;
        }
        let Some(case) = all.last_mut() else { continue };
        let target = match line {
            "--- stdout" => {
                part = 2;
                continue;
            }
            "--- stderr" => {
                part = 3;
                continue;
            }
            _ => match line.strip_prefix("--- status ") {
                Some(status) => {
                    case.status = status.parse().expect("a status is a number");
                    part = 0;
                    continue;
                }
                None => match part {
                    1 => &mut case.script,
                    2 => &mut case.stdout,
                    3 => &mut case.stderr,
                    _ => continue,
                },
            },
        };
        if line == "\\ no newline at the end" {
            target.pop();
        } else {
            target.push_str(line);
            target.push('\n');
        }
    }
    for case in &mut all {
        case.script.pop();
    }
    all
}

fn play(text: &str, flavour: Flavour) {
    let all = cases(text);
    assert!(!all.is_empty());
    let mut failed = Vec::new();
    for case in &all {
        let done = run_script_as(&case.shell, flavour, &case.script, Volume::new());
        let same = done.stdout == case.stdout
            && done.stderr == case.stderr
            && done.status == Some(case.status);
        if !same {
            failed.push(format!(
                "{}: status {:?} instead of {}\nstdout, wanted:\n{}got:\n{}stderr, wanted:\n{}got:\n{}",
                case.name, done.status, case.status, case.stdout, done.stdout, case.stderr, done.stderr
            ));
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {} differ:\n{}",
        failed.len(),
        all.len(),
        failed.join("\n")
    );
}

#[test]
fn the_shell_does_what_bash_and_dash_do() {
    play(include_str!("shell.txt"), Flavour::Gnu);
}

#[test]
fn the_tools_do_what_the_gnu_tools_do() {
    play(include_str!("tools.txt"), Flavour::Gnu);
}
