//! Transcripts: what was typed (`$ …`) and what came of it: standard output, error output after `! `, and a status
//! other than 0 as `[3]`. A line that has not ended, such as the prompt of a shell in a container, ends in `¬`.

use expect_test::Expect;
use shell::{Options, Outcome, Session};

/// Types the transcript's lines, and compares everything that happens with it.
pub(crate) fn play(session: &mut Session, transcript: Expect) {
    let played: String = transcript
        .data()
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('$'))
        .map(|line| {
            let ran = run(session, line.trim());
            format!("${line}\n{}", shown(&ran))
        })
        .collect();
    assert!(!played.is_empty(), "a transcript has lines that are typed");
    transcript.assert_eq(&played);
}

pub(crate) fn run(session: &mut Session, line: &str) -> Outcome {
    session.line(line, |_| {}).expect("a whole line")
}

/// Runs lines that only prepare; each must succeed.
pub(crate) fn prepare(session: &mut Session, lines: &[&str]) {
    for line in lines {
        assert_eq!(run(session, line).status, 0, "{line}");
    }
}

fn shown(ran: &Outcome) -> String {
    let mut text = String::new();
    for (is_error, mark) in [(false, ""), (true, "! ")] {
        for line in ran.text(is_error).split_inclusive('\n') {
            let (line, end) = match line.strip_suffix('\n') {
                Some(line) => (line, ""),
                None => (line, "¬"),
            };
            // No blank stands at the end of a line here.
            let mark = if line.is_empty() {
                mark.trim_end()
            } else {
                mark
            };
            text += &format!("{mark}{line}{end}\n");
        }
    }
    if ran.status != 0 {
        text += &format!("[{}]\n", ran.status);
    }
    text
}

pub(crate) fn new_session() -> Session {
    Session::new(Options::default(), "/tmp")
}
