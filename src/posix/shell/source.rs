//! Reading commands: from a script, from standard input with its prompts, from a line of the terminal.

use super::Shell;
use super::frame::*;
use super::run::Flow;
use crate::syntax::{Dialect, ParseError, Parser};
use crate::system::{Kernel, Process, Read, Wait};
use std::sync::Arc;

impl Shell {
    pub(super) fn read_command(
        &mut self,
        mut source: Box<Source>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let stdin = source.kind == SourceKind::Stdin;
        if stdin && source.text[source.at..].trim().is_empty() {
            source.text = "".into();
            source.at = 0;
            if self.interactive && !source.prompted {
                source.prompted = true;
                self.prompt(p, k, false);
            }
            match self.read_line(&mut source, p, k) {
                Some(true) => {}
                Some(false) => return Flow::Go,
                None => {
                    self.frames.push(Frame::Source(source));
                    return Flow::Wait;
                }
            }
        }
        loop {
            let aliases = self.aliases.clone();
            let mut parser = Parser::resume(&source.text, source.at, source.line, self.dialect);
            if self.interactive {
                parser = parser.with_aliases(&aliases);
            }
            if stdin {
                parser = parser.interactive();
            }
            let result = parser.next_command();
            let (at, line) = parser.position();
            let rewritten = parser.rewritten().map(Arc::from);
            match result {
                Err(ParseError::Incomplete { .. }) if stdin => {
                    if self.interactive {
                        self.prompt(p, k, true);
                    }
                    match self.read_line(&mut source, p, k) {
                        Some(true) => continue,
                        Some(false) => {
                            // The input ended in the middle: read what there is as it is.
                            source.kind = SourceKind::Eval;
                            self.frames.push(Frame::Source(source));
                            return Flow::Go;
                        }
                        None => {
                            self.frames.push(Frame::Source(source));
                            return Flow::Wait;
                        }
                    }
                }
                Err(error) => return self.syntax_error(&source, error, p, k),
                Ok(None) if stdin => {
                    source.at = source.text.len();
                    source.prompted = false;
                    self.frames.push(Frame::Source(source));
                    return Flow::Go;
                }
                Ok(None) => return Flow::Go,
                Ok(Some(cmd)) => {
                    if let Some(text) = rewritten {
                        source.text = text;
                    }
                    source.at = at;
                    source.line = line;
                    source.prompted = false;
                    if self.options.noexec && !self.interactive {
                        self.frames.push(Frame::Source(source));
                        return Flow::Go;
                    }
                    if !(source.kind != SourceKind::Stdin
                        && source.text[at..].trim().is_empty()
                        && source.kind != SourceKind::File)
                    {
                        self.frames.push(Frame::Source(source));
                    }
                    self.frames.push(Frame::Run(cmd));
                    return Flow::Go;
                }
            }
        }
    }

    /// Reads one more line of commands from standard input. `None`: it has to be waited for; `false`: the end.
    fn read_line(
        &mut self,
        source: &mut Source,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Option<bool> {
        let Some(open) = p.fd(0) else {
            return Some(false);
        };
        loop {
            match k.read(open, 1024) {
                Read::Data(bytes) => {
                    if let Some(end) = bytes.iter().position(|b| *b == b'\n') {
                        k.unread(open, &bytes[end + 1..]);
                        source.partial.extend_from_slice(&bytes[..=end]);
                        break;
                    }
                    source.partial.extend_from_slice(&bytes);
                }
                Read::Wait => {
                    p.wait = Wait::Read(open);
                    return None;
                }
                Read::End | Read::Failed(_) if source.partial.is_empty() => return Some(false),
                Read::End | Read::Failed(_) => break,
            }
        }
        let line = std::mem::take(&mut source.partial);
        source.text = format!("{}{}", source.text, String::from_utf8_lossy(&line)).into();
        Some(true)
    }

    fn prompt(&mut self, p: &mut Process, k: &mut Kernel<'_>, more: bool) {
        let text = match (more, self.dialect) {
            (true, _) => "> ".to_string(),
            (false, Dialect::Ash) => {
                let sign = if p.user.uid == 0 { '#' } else { '$' };
                format!("{} {sign} ", p.cwd)
            }
            (false, Dialect::Dash) => (if p.user.uid == 0 { "# " } else { "$ " }).into(),
            (false, Dialect::Bash) => {
                let user = if p.user.uid == 0 {
                    "root"
                } else {
                    "I have no name!"
                };
                let sign = if p.user.uid == 0 { '#' } else { '$' };
                format!("{user}@{}:{}{sign} ", k.host.hostname(), p.cwd)
            }
        };
        let _ = k.put(p, 2, text.as_bytes());
    }

    fn syntax_error(
        &mut self,
        source: &Source,
        error: ParseError,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> Flow {
        let line = error.line();
        let message = error.message(self.dialect);
        let name = self.name.clone();
        let text = match self.dialect {
            Dialect::Bash => {
                let dash_c = if source.kind == SourceKind::Command {
                    " -c:"
                } else {
                    ""
                };
                let who = match source.kind {
                    SourceKind::Line => format!("{name}:"),
                    SourceKind::Eval => format!("{name}: eval: line {line}:"),
                    _ => format!("{name}:{dash_c} line {line}:"),
                };
                let mut text = format!("{who} {message}\n");
                if let ParseError::Syntax { .. } = error {
                    let shown = source.text.lines().nth(line as usize - 1).unwrap_or("");
                    text.push_str(&format!("{who} `{shown}'\n"));
                }
                text
            }
            Dialect::Ash if self.script => format!("{name}: line {line}: {message}\n"),
            Dialect::Ash => format!("{name}: {message}\n"),
            Dialect::Dash => format!("{name}: {line}: {message}\n"),
        };
        let _ = k.put(p, 2, text.as_bytes());
        if matches!(source.kind, SourceKind::Eval | SourceKind::File)
            && self.dialect == Dialect::Bash
        {
            // Only the text that was read is given up.
            return self.settle(2, p, k);
        }
        if source.kind == SourceKind::Stdin {
            let mut source = source.clone();
            source.at = source.text.len();
            source.prompted = false;
            self.frames.push(Frame::Source(Box::new(source)));
        }
        self.fatal(2, p, k)
    }
}
