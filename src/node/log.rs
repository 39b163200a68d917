//! What a container wrote: bounded, line by line, with times.

use std::collections::VecDeque;

use api::Str;
use sim::Time;

/// Lines and bytes kept per container; the oldest go first, as when a log file is rotated.
const MOST_LINES: usize = 4000;
const MOST_BYTES: usize = 1 << 20;
/// A line without an end is cut here, as the runtime does.
const LONGEST_LINE: usize = 16 << 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Time,
    /// 1 or 2.
    pub channel: u8,
    /// Without the newline; `is_whole` is false if there was none.
    pub text: Str,
    pub is_whole: bool,
}

/// The log of one run of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    lines: VecDeque<Line>,
    bytes: usize,
    partial: [Vec<u8>; 2],
}

/// Which part of a log is asked for (`PodLogOptions`).
#[derive(Clone, Debug, Default)]
pub struct Excerpt {
    pub tail: Option<usize>,
    pub since: Option<Time>,
    pub timestamps: bool,
    pub limit_bytes: Option<usize>,
}

impl Log {
    /// Takes output; returns the lines that it completed.
    pub fn write(&mut self, at: Time, channel: u8, bytes: &[u8]) -> Vec<Line> {
        let mut done = Vec::new();
        let slot = usize::from(channel == 2);
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            self.partial[slot].extend_from_slice(piece);
            let ends = piece.ends_with(b"\n");
            if ends || self.partial[slot].len() >= LONGEST_LINE {
                done.push(self.flush_line(at, channel, ends));
            }
        }
        done
    }

    /// The process ended: what has no newline is a line all the same.
    pub fn close(&mut self, at: Time) -> Vec<Line> {
        let mut done = Vec::new();
        for channel in [1, 2] {
            if !self.partial[usize::from(channel == 2)].is_empty() {
                done.push(self.flush_line(at, channel, false));
            }
        }
        done
    }

    fn flush_line(&mut self, at: Time, channel: u8, ends: bool) -> Line {
        let mut bytes = std::mem::take(&mut self.partial[usize::from(channel == 2)]);
        if ends {
            bytes.pop();
        }
        let text = Str::new(&String::from_utf8_lossy(&bytes));
        let line = Line {
            at,
            channel,
            text,
            is_whole: ends,
        };
        self.bytes += line.text.len() + 1;
        self.lines.push_back(line.clone());
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            if let Some(old) = self.lines.pop_front() {
                self.bytes -= old.text.len() + 1;
            }
        }
        line
    }

    /// The lines that were asked for, and the log's text as it stands after them without a newline.
    pub fn read(&self, excerpt: &Excerpt) -> String {
        let chosen: Vec<&Line> = self
            .lines
            .iter()
            .filter(|line| excerpt.since.is_none_or(|since| line.at >= since))
            .collect();
        let skip = excerpt
            .tail
            .map_or(0, |tail| chosen.len().saturating_sub(tail));
        let mut text: String = chosen[skip..]
            .iter()
            .map(|line| line.show(excerpt.timestamps))
            .collect();
        if let Some(limit) = excerpt.limit_bytes.filter(|limit| *limit < text.len()) {
            let cut = (0..=limit)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0);
            text.truncate(cut);
        }
        text
    }

    /// The end of the log, for `FallbackToLogsOnError`.
    pub fn tail(&self, lines: usize, bytes: usize) -> String {
        let text = self.read(&Excerpt {
            tail: Some(lines),
            ..Excerpt::default()
        });
        let from = text.len().saturating_sub(bytes);
        let cut = (from..=text.len())
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(text.len());
        text[cut..].to_owned()
    }
}

impl Line {
    pub fn show(&self, timestamps: bool) -> String {
        let end = if self.is_whole { "\n" } else { "" };
        if !timestamps {
            return format!("{}{end}", self.text);
        }
        let whole = self.at.rfc3339_micros();
        // Nanoseconds, as the runtime writes them; ours end in zeros.
        format!("{}000Z {}{end}", &whole[..whole.len() - 1], self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_those_of_the_log_options() {
        let mut log = Log::default();
        log.write(Time::from_secs(10), 1, b"one\ntw");
        log.write(Time::from_secs(20), 1, b"o\nthree");
        log.close(Time::from_secs(30));
        let read = |excerpt: Excerpt| log.read(&excerpt);
        assert_eq!(read(Excerpt::default()), "one\ntwo\nthree");
        assert_eq!(
            read(Excerpt {
                tail: Some(1),
                ..Excerpt::default()
            }),
            "three"
        );
        let since = Some(Time::from_secs(20));
        assert_eq!(
            read(Excerpt {
                since,
                ..Excerpt::default()
            }),
            "two\nthree"
        );
        assert_eq!(
            read(Excerpt {
                limit_bytes: Some(5),
                ..Excerpt::default()
            }),
            "one\nt"
        );
        let stamped = read(Excerpt {
            tail: Some(1),
            timestamps: true,
            ..Excerpt::default()
        });
        assert_eq!(stamped, "1970-01-01T00:00:30.000000000Z three");
    }
}
