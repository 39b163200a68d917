//! What the person at the terminal reads: steps with their time, and failures that say which, why and what to do.

use std::fmt;
use std::time::{Duration, Instant};

/// A step that did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    why: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: Vec::new(),
            hint: None,
        }
    }

    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {}", self.what)?;
        for why in &self.why {
            write!(
                f,
                "\n   why: {}",
                why.trim_end().replace('\n', "\n        ")
            )?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n   hint: {}", hint.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}

/// Runs one step of a longer command, telling when it begins and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    eprintln!("── {name} …");
    let start = Instant::now();
    let outcome = work();
    let took = seconds(start.elapsed());
    match &outcome {
        Ok(_) => eprintln!("── {name}: done in {took}"),
        Err(_) => eprintln!("── {name}: FAILED after {took}"),
    }
    outcome
}

/// Says that a step had nothing to do.
pub(crate) fn present(name: &str, found: impl fmt::Display) {
    eprintln!("── {name}: {found}");
}

/// `2m 07s`, `31.4s`.
pub(crate) fn seconds(took: Duration) -> String {
    let secs = took.as_secs();
    if secs >= 60 {
        format!("{}m {:02}s", secs / 60, secs % 60)
    } else {
        format!("{:.1}s", took.as_secs_f64())
    }
}
