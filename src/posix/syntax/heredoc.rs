//! Here-documents: their bodies stand after the line that asks for them.

use super::error::Parsed;
use super::*;

impl Parser<'_> {
    /// Reads the delimiter and, ahead of everything else, the body; `<<` was read.
    pub(super) fn here_document(&mut self, strip_tabs: bool) -> Parsed<Word> {
        self.skip_blank();
        let (delimiter, quoted) = self.delimiter()?;
        let newline = match self.skip {
            Some((newline, _)) => Some(newline),
            None => self.line_end(),
        };
        let Some(newline) = newline else {
            if self.more_may_come {
                return self.incomplete(&delimiter);
            }
            return Ok(Word::default());
        };
        let start = self.skip.map_or(newline + 1, |(_, resume)| resume);
        let mut text = String::new();
        let mut at = start;
        let mut closed = false;
        while at < self.src.len() {
            let rest = &self.src[at..];
            let (line, length) = match rest.find('\n') {
                Some(n) => (&rest[..n], n + 1),
                None => (rest, rest.len()),
            };
            at += length;
            let line = if strip_tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if line == delimiter {
                closed = true;
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        if !closed && self.more_may_come {
            return self.incomplete(&delimiter);
        }
        self.skip = Some((newline, at));
        if quoted {
            return Ok(Box::new([Part::Quoted(text.into())]));
        }
        Parser::quoted_text(&text, self.dialect, self.line + 1, self.depth)
    }

    fn delimiter(&mut self) -> Parsed<(String, bool)> {
        let (mut text, mut quoted) = (String::new(), false);
        loop {
            match self.peek() {
                None => break,
                Some(c) if c.is_ascii_whitespace() || ";&|()<>".contains(c) => break,
                Some(q @ ('\'' | '"')) => {
                    quoted = true;
                    self.bump();
                    loop {
                        match self.bump() {
                            None => return self.incomplete(&q.to_string()),
                            Some(c) if c == q => break,
                            Some(c) => text.push(c),
                        }
                    }
                }
                Some('\\') => {
                    quoted = true;
                    self.bump();
                    text.extend(self.bump());
                }
                Some(c) => {
                    text.push(c);
                    self.bump();
                }
            }
        }
        if text.is_empty() && !quoted {
            return Err(self.unexpected());
        }
        Ok((text, quoted))
    }

    /// Where the current line ends, outside quotes.
    fn line_end(&self) -> Option<usize> {
        let (mut quote, mut escaped) = (None, false);
        for (i, c) in self.rest().char_indices() {
            if escaped {
                escaped = false;
                continue;
            }
            match (quote, c) {
                (Some('\''), '\'') => quote = None,
                (Some('\''), _) => {}
                (_, '\\') => escaped = true,
                (Some(q), c) if q == c => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '\n') => return Some(self.at + i),
                _ => {}
            }
        }
        None
    }
}
