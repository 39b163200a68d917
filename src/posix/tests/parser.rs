//! The parser takes any text without panicking.

use posix::{Terminal, Volume, run_script};
use proptest::prelude::*;

const SCRIPTS: [&str; 2] = [include_str!("shell.txt"), include_str!("tools.txt")];

#[test]
fn every_prefix_of_every_script_is_parsed_or_refused() {
    for text in SCRIPTS {
        for script in text.lines().filter(|l| l.len() > 20) {
            let step = (script.len() / 40).max(1);
            for end in (0..script.len())
                .step_by(step)
                .filter(|i| script.is_char_boundary(*i))
            {
                let _ = Terminal::check(&script[..end]);
                let _ = Terminal::check(&script[end..]);
            }
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    for open in [
        "(",
        "$(",
        "${x:-",
        "\"$(",
        "((",
        "{ ",
        "if ",
        "! ",
        "`",
        "[[ ( ",
        "$((",
        "a=(",
        "case x in x) ",
    ] {
        let _ = Terminal::check(&open.repeat(5_000));
        let done = run_script(&open.repeat(5_000), Volume::new());
        assert_ne!(done.status, None, "{open}");
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,60}") {
        let _ = Terminal::check(&text);
    }

    #[test]
    fn shell_like_text_runs_to_an_end(words in prop::collection::vec(
        prop::sample::select(vec![
            "echo", "x=1", "$x", "\"", "'", "`", "$(", ")", "(", "((", "))", "{", "}", ";", "&&", "||", "|", "if", "then",
            "fi", "for", "in", "do", "done", "case", "esac", ";;", "<<EOF", "EOF", "\n", ">", "f", "2>&1", "[[", "]]", "=",
            "${x", "#", "%", "*", "!", "&", "a", "-n", "[", "]", "$((", "1", "+", "read", "true", "false", "\\", "~", "?",
        ]),
        0..14,
    )) {
        let script = words.join(" ");
        let done = run_script(&script, Volume::new());
        prop_assert!(done.status.is_some(), "{script}");
    }
}
