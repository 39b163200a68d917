//! How the cells that were pressed ended, by the terminal's own account.

use std::collections::BTreeMap;
use std::rc::Rc;

use playground::{Output, PromptState};

/// How a cell stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Running,
    Done,
    /// The exit status that was not 0, and what was said about it.
    Failed(i32, String),
}

/// Outcomes by the cell's key.
pub(crate) type Outcomes = BTreeMap<String, Outcome>;

/// The cells that were pressed, and the one that runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    outcomes: Rc<Outcomes>,
    running: Option<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    key: String,
    /// Prompts until its end; an Apply tells its end by itself.
    left: usize,
    said: String,
    failed: Option<(i32, String)>,
}

/// A cell shows the first line of an error; more is in the terminal.
const LETTERS: usize = 400;

impl Cells {
    /// What the slides show.
    pub(crate) fn shown(&self) -> Rc<Outcomes> {
        Rc::clone(&self.outcomes)
    }

    /// A cell was pressed. `lines` is 0 for an Apply.
    pub(crate) fn begin(&mut self, key: String, lines: usize) {
        self.give_up();
        self.set(key.clone(), Outcome::Running);
        self.running = Some(Running {
            key,
            left: lines,
            said: String::new(),
            failed: None,
        });
    }

    /// Hears what the terminal prints.
    pub(crate) fn hear(&mut self, output: &Output) {
        let Some(running) = &mut self.running else {
            return;
        };
        match output {
            Output::Stderr(text) if running.said.len() < LETTERS => running.said.push_str(text),
            Output::Prompt(PromptState::Ready { rc }) if running.left > 0 => {
                running.left -= 1;
                let said = std::mem::take(&mut running.said);
                if *rc != 0 {
                    running.failed = Some((*rc, said));
                }
                if running.left == 0 {
                    let failed = running.failed.take();
                    self.end(failed);
                }
            }
            _ => {}
        }
    }

    /// An Apply has ended.
    pub(crate) fn applied(&mut self, rc: i32) {
        if let Some(running) = &mut self.running
            && running.left == 0
        {
            let said = std::mem::take(&mut running.said);
            self.end((rc != 0).then_some((rc, said)));
        }
    }

    /// Nothing will be heard of the cell that runs.
    pub(crate) fn give_up(&mut self) {
        if let Some(running) = self.running.take() {
            Rc::make_mut(&mut self.outcomes).remove(&running.key);
        }
    }

    fn end(&mut self, failed: Option<(i32, String)>) {
        if let Some(running) = self.running.take() {
            let outcome = failed.map_or(Outcome::Done, |(rc, said)| {
                let first = said.lines().find(|line| !line.trim().is_empty());
                let first: String = first.unwrap_or_default().chars().take(LETTERS).collect();
                Outcome::Failed(rc, first)
            });
            self.set(running.key, outcome);
        }
    }

    fn set(&mut self, key: String, outcome: Outcome) {
        Rc::make_mut(&mut self.outcomes).insert(key, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(rc: i32) -> Output {
        Output::Prompt(PromptState::Ready { rc })
    }

    #[test]
    fn a_cell_of_two_lines_fails_when_one_of_them_does() {
        let mut cells = Cells::default();
        cells.begin("a:1".into(), 2);
        cells.hear(&Output::Stderr("\nError: no\nmore\n".into()));
        cells.hear(&ready(1));
        assert_eq!(cells.shown()["a:1"], Outcome::Running);
        cells.hear(&ready(0));
        assert_eq!(cells.shown()["a:1"], Outcome::Failed(1, "Error: no".into()));
        cells.hear(&ready(3));
        assert_eq!(cells.shown()["a:1"], Outcome::Failed(1, "Error: no".into()));
    }

    #[test]
    fn an_apply_ends_with_its_verdict_and_another_cell_takes_its_place() {
        let mut cells = Cells::default();
        cells.begin("a:1".into(), 0);
        cells.hear(&ready(0));
        assert_eq!(cells.shown()["a:1"], Outcome::Running);
        cells.applied(0);
        assert_eq!(cells.shown()["a:1"], Outcome::Done);
        cells.begin("b:2".into(), 1);
        cells.begin("c:3".into(), 1);
        assert!(!cells.shown().contains_key("b:2"));
    }
}
