//! What the address or the host page wants done in the terminal: one thing after another, never into a command that runs, each with an
//! answer once it has ended.

use std::collections::VecDeque;

use playground::{Output, Problem};

/// What a host calls its message, given back with the answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Id {
    Number(f64),
    Text(String),
}

/// Something for the terminal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Work {
    Apply { file: String, text: String },
    Run(Vec<String>),
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) id: Id,
    /// The exit status.
    pub(crate) code: i32,
    /// What was printed, both streams as they came; the beginning, if it was much.
    pub(crate) output: String,
    /// Refused fields: line from 1, path, words in English.
    pub(crate) problems: Vec<(u32, String, String)>,
}

/// Jobs that may wait; a host that asks faster than the cluster works is told so.
const WAITING: usize = 100;
/// Bytes of output that an answer carries.
const OUTPUT: usize = 256 * 1024;

/// The jobs, and the one that runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Jobs {
    waiting: VecDeque<(Option<Id>, Work)>,
    active: Option<Active>,
}

#[derive(Clone, Debug, PartialEq)]
struct Active {
    id: Option<Id>,
    output: String,
    /// Set while an Apply has not said how it ended.
    awaits_apply: bool,
    problems: Vec<(u32, String, String)>,
}

impl Jobs {
    /// Takes a job, unless too many wait.
    pub(crate) fn push(&mut self, id: Option<Id>, work: Work) -> bool {
        let has_room = self.waiting.len() < WAITING;
        if has_room {
            self.waiting.push_back((id, work));
        }
        has_room
    }

    /// The job to begin now, if the terminal is free.
    pub(crate) fn begin(&mut self, is_free: bool) -> Option<Work> {
        if !is_free || self.active.is_some() {
            return None;
        }
        let (id, work) = self.waiting.pop_front()?;
        self.active = Some(Active {
            id,
            output: String::new(),
            awaits_apply: matches!(work, Work::Apply { .. }),
            problems: Vec::new(),
        });
        Some(work)
    }

    /// Hears what the terminal prints.
    pub(crate) fn hear(&mut self, output: &Output) {
        let (Some(active), Output::Stdout(text) | Output::Stderr(text)) =
            (&mut self.active, output)
        else {
            return;
        };
        let room = OUTPUT.saturating_sub(active.output.len()).min(text.len());
        active
            .output
            .push_str(&text[..text.floor_char_boundary(room)]);
    }

    /// Hears that an Apply has ended, and what was wrong with it.
    pub(crate) fn applied(&mut self, problems: &[Problem]) {
        if let Some(active) = &mut self.active {
            active.awaits_apply = false;
            let told = problems.iter().map(|problem| {
                (
                    problem.line,
                    problem.path.clone(),
                    problem.message.en.clone(),
                )
            });
            active.problems = told.collect();
        }
    }

    /// Ends the job that runs, if the terminal is free again, with `code` as its last command's status. The answer is for its asker.
    pub(crate) fn settle(&mut self, is_free: bool, code: i32) -> Option<Ended> {
        self.active
            .take_if(|active| is_free && !active.awaits_apply)
            .and_then(|active| {
                Some(Ended {
                    id: active.id?,
                    code,
                    output: active.output,
                    problems: active.problems,
                })
            })
    }

    /// Drops everything, because another cluster begins. Whoever asked is told.
    pub(crate) fn give_up(&mut self) -> Vec<Id> {
        let active = self.active.take().and_then(|active| active.id);
        let waiting = self.waiting.drain(..).filter_map(|(id, _)| id);
        active.into_iter().chain(waiting).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Work {
        Work::Run(vec![line.into()])
    }

    #[test]
    fn a_job_begins_when_the_terminal_is_free_and_ends_when_it_is_free_again() {
        let mut jobs = Jobs::default();
        assert!(jobs.push(Some(Id::Number(1.0)), run("kubectl get nodes")));
        assert!(jobs.push(Some(Id::Text("b".into())), run("false")));
        assert_eq!(jobs.begin(false), None);
        jobs.hear(&Output::Stdout("of somebody else".into()));
        assert_eq!(jobs.begin(true), Some(run("kubectl get nodes")));
        assert_eq!(jobs.begin(true), None, "one at a time");
        jobs.hear(&Output::Stdout("node-1\n".into()));
        jobs.hear(&Output::Stderr("warned\n".into()));
        assert_eq!(jobs.settle(false, 0), None);
        let ended = jobs.settle(true, 0).expect("it has ended");
        assert_eq!(
            (ended.id, ended.code, &*ended.output),
            (Id::Number(1.0), 0, "node-1\nwarned\n")
        );
        assert_eq!(jobs.begin(true), Some(run("false")));
        assert_eq!(jobs.settle(true, 1).map(|ended| ended.code), Some(1));
        assert_eq!(jobs.settle(true, 1), None);
    }

    #[test]
    fn an_apply_waits_for_its_verdict() {
        let mut jobs = Jobs::default();
        let work = Work::Apply {
            file: "a.yaml".into(),
            text: "a".into(),
        };
        jobs.push(Some(Id::Number(7.0)), work.clone());
        assert_eq!(jobs.begin(true), Some(work));
        assert_eq!(jobs.settle(true, 0), None, "no verdict yet");
        jobs.applied(&[]);
        assert_eq!(jobs.settle(true, 1).map(|ended| ended.code), Some(1));
    }

    #[test]
    fn too_many_are_refused_and_those_that_are_dropped_are_told() {
        let mut jobs = Jobs::default();
        jobs.push(None, run("first"));
        jobs.begin(true);
        for number in 0..WAITING {
            assert!(jobs.push(Some(Id::Number(number as f64)), run("x")));
        }
        assert!(!jobs.push(None, run("one too many")));
        assert_eq!(jobs.give_up().len(), WAITING);
        assert_eq!(jobs, Jobs::default());
    }

    #[test]
    fn much_output_is_cut_between_letters() {
        let mut jobs = Jobs::default();
        jobs.push(Some(Id::Number(0.0)), run("yes"));
        jobs.begin(true);
        for _ in 0..OUTPUT / 3 + 100 {
            jobs.hear(&Output::Stdout("勉".into()));
        }
        let output = jobs.settle(true, 0).expect("it has ended").output;
        assert_eq!(output.len(), OUTPUT / 3 * 3);
    }
}
