//! Which steps of a script a line is chosen by.

use super::Sed;
use super::script::{Address, Step};

/// Where a range address stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Range {
    pub(super) active: bool,
    pub(super) until: u64,
}

impl Sed {
    pub(super) fn selects(&mut self, i: usize, step: &Step, space: &str, last: bool) -> bool {
        let Some(from) = &step.from else {
            return true;
        };
        let Some(to) = &step.to else {
            return self.hits(from, space, last);
        };
        let line = self.line;
        if self.ranges[i].active {
            let ends = match to {
                Address::Line(n) => line >= *n,
                Address::Plus(_) => line >= self.ranges[i].until,
                to => self.hits(to, space, last),
            };
            if ends {
                self.ranges[i].active = false;
                if let Address::Line(n) = to
                    && line > *n
                {
                    return self.start_range(i, from, to, space, last);
                }
            }
            return true;
        }
        self.start_range(i, from, to, space, last)
    }

    fn start_range(
        &mut self,
        i: usize,
        from: &Address,
        to: &Address,
        space: &str,
        last: bool,
    ) -> bool {
        if let Address::Line(0) = from {
            // `0,/re/`: the range may end in the first line.
            if self.line == 1 {
                self.ranges[i].active = !self.hits(to, space, last);
                return true;
            }
            return false;
        }
        if !self.hits(from, space, last) {
            return false;
        }
        let goes_on = match to {
            Address::Line(n) => *n > self.line,
            Address::Plus(n) => {
                self.ranges[i].until = self.line + n;
                *n > 0
            }
            _ => true,
        };
        self.ranges[i].active = goes_on && !last;
        true
    }

    fn hits(&mut self, address: &Address, space: &str, last: bool) -> bool {
        match address {
            Address::Line(n) => self.line == *n,
            Address::Last => last,
            Address::Step { first, step } => {
                if *step == 0 {
                    self.line == *first
                } else {
                    self.line >= *first && (self.line - first).is_multiple_of(*step)
                }
            }
            Address::Match(regex) => {
                self.last_regex = Some(regex.clone());
                regex.is_match(space)
            }
            Address::Again => self.last_regex.as_ref().is_some_and(|r| r.is_match(space)),
            Address::Plus(_) => false,
        }
    }
}
