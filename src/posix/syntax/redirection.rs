//! Redirections: their operators and what stands after them; the bodies of here-documents are read in `heredoc`.

use super::error::Parsed;
use super::*;

impl Parser<'_> {
    /// A redirection, if one is next. `&>` gives one, `>&file` too.
    pub(super) fn redirection(&mut self) -> Parsed<Option<Vec<Redir>>> {
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &rest[digits..];
        let ops = [
            ("<<<", RedirOp::Text, 0),
            ("<<-", RedirOp::Text, 0),
            ("<<", RedirOp::Text, 0),
            ("<&", RedirOp::Duplicate, 0),
            ("<>", RedirOp::ReadWrite, 0),
            ("<", RedirOp::Read, 0),
            ("&>>", RedirOp::BothAppend, 1),
            ("&>", RedirOp::Both, 1),
            (">>", RedirOp::Append, 1),
            (">|", RedirOp::Clobber, 1),
            (">&", RedirOp::Duplicate, 1),
            (">", RedirOp::Write, 1),
        ];
        let Some((text, op, default)) = ops.iter().find(|(t, ..)| after.starts_with(t)) else {
            return Ok(None);
        };
        let (text, op, default) = (*text, *op, *default);
        let is_process = matches!(text, "<" | ">") && after[1..].starts_with('(');
        if is_process && self.dialect != Dialect::Dash {
            return Ok(None);
        }
        let both = matches!(op, RedirOp::Both | RedirOp::BothAppend);
        if both && (digits > 0 || self.dialect == Dialect::Dash) {
            return Ok(None);
        }
        let fd = match rest[..digits].parse::<u16>() {
            Ok(n) => n,
            Err(_) if digits == 0 => default,
            Err(_) => return Ok(None),
        };
        self.at += digits + text.len();
        if matches!(text, "<<" | "<<-") {
            let target = self.here_document(text == "<<-")?;
            return Ok(Some(vec![Redir { fd, op, target }]));
        }
        self.skip_blank();
        let Some(mut target) = self.word()? else {
            return Err(self.unexpected());
        };
        if text == "<<<" {
            let mut parts = target.into_vec();
            parts = vec![Part::Double(parts.into()), Part::Quoted("\n".into())];
            target = parts.into();
        }
        // `>&file` is an old spelling of `&>file`.
        let mut op = op;
        if op == RedirOp::Duplicate && text == ">&" && digits == 0 {
            let plain = match &*target {
                [Part::Lit(t)] => !(t.chars().all(|c| c.is_ascii_digit()) || &**t == "-"),
                [Part::Param(_)] => false,
                _ => true,
            };
            if plain {
                op = RedirOp::Both;
            }
        }
        Ok(Some(vec![Redir { fd, op, target }]))
    }
}
