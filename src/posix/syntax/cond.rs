//! The inside of `[[ … ]]`.

use super::error::Parsed;
use super::*;

impl Parser<'_> {
    pub(super) fn cond_or(&mut self) -> Parsed<Cond> {
        self.deeper()?;
        let mut left = self.cond_and()?;
        loop {
            self.skip_newlines();
            if !self.rest().starts_with("||") {
                break;
            }
            self.at += 2;
            let right = self.cond_and()?;
            left = Cond::Or(Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn cond_and(&mut self) -> Parsed<Cond> {
        let mut left = self.cond_not()?;
        loop {
            self.skip_newlines();
            if !self.rest().starts_with("&&") {
                return Ok(left);
            }
            self.at += 2;
            let right = self.cond_not()?;
            left = Cond::And(Box::new(left), Box::new(right));
        }
    }

    fn cond_not(&mut self) -> Parsed<Cond> {
        self.skip_newlines();
        if self.word_is("!") {
            self.at += 1;
            self.deeper()?;
            let inner = self.cond_not()?;
            self.depth -= 1;
            return Ok(Cond::Not(Box::new(inner)));
        }
        if self.peek() == Some('(') {
            self.at += 1;
            let inner = self.cond_or()?;
            self.skip_newlines();
            if self.peek() != Some(')') {
                return Err(self.unexpected());
            }
            self.at += 1;
            return Ok(inner);
        }
        let Some(first) = self.word()? else {
            return Err(self.unexpected());
        };
        self.skip_blank();
        if let [Part::Lit(op)] = &*first
            && op.len() == 2
            && op.starts_with('-')
            && !self.word_is("]]")
            && !self.rest().starts_with("&&")
            && !self.rest().starts_with("||")
            && self.peek() != Some(')')
        {
            let op = op.clone();
            let Some(operand) = self.word()? else {
                return Err(self.unexpected());
            };
            return Ok(Cond::Unary(op, operand));
        }
        for op in ["==", "=~", "!=", "=", "<", ">"] {
            if self.rest().starts_with(op) {
                self.at += op.len();
                self.skip_blank();
                let right = if op == "=~" {
                    self.regex_word()?
                } else {
                    match self.word()? {
                        Some(word) => word,
                        None => return Err(self.unexpected()),
                    }
                };
                return Ok(Cond::Binary(first, op.into(), right));
            }
        }
        for op in [
            "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
        ] {
            if self.word_is(op) {
                self.at += op.len();
                self.skip_blank();
                let Some(right) = self.word()? else {
                    return Err(self.unexpected());
                };
                return Ok(Cond::Binary(first, op.into(), right));
            }
        }
        Ok(Cond::Word(first))
    }
}
