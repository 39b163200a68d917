//! awk's expressions, from assignment down to operands.

use std::sync::Arc;

use super::parse::{DEPTH_LIMIT, Parsed, Parser};
use super::syntax::Expr;
use super::token::Token;
use crate::regex::Regex;

impl Parser {
    /// Expressions up to a closer, which is read.
    pub(super) fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let mut list = Vec::new();
        self.newlines()?;
        if self.take(close)? {
            return Ok(list);
        }
        let no_in = std::mem::take(&mut self.no_in);
        loop {
            list.push(self.expr()?);
            self.newlines()?;
            if self.take(close)? {
                self.no_in = no_in;
                return Ok(list);
            }
            self.expect(",")?;
            self.newlines()?;
        }
    }

    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err("expression nested too deeply".into());
        }
        let value = self.assignment()?;
        self.depth -= 1;
        Ok(value)
    }

    fn assignment(&mut self) -> Parsed<Expr> {
        let left = self.ternary()?;
        let assignable = matches!(left, Expr::Var(_) | Expr::Field(_) | Expr::Index(..));
        if !assignable {
            return Ok(left);
        }
        for (op, binary) in [
            ("=", ""),
            ("+=", "+"),
            ("-=", "-"),
            ("*=", "*"),
            ("/=", "/"),
            ("%=", "%"),
            ("^=", "^"),
        ] {
            if self.take(op)? {
                self.newlines()?;
                let right = self.expr()?;
                return Ok(Expr::Assign(binary, Box::new(left), Box::new(right)));
            }
        }
        Ok(left)
    }

    fn ternary(&mut self) -> Parsed<Expr> {
        let cond = self.or()?;
        if !self.take("?")? {
            return Ok(cond);
        }
        self.newlines()?;
        let yes = self.expr()?;
        self.newlines()?;
        self.expect(":")?;
        self.newlines()?;
        let no = self.expr()?;
        Ok(Expr::Ternary(Box::new(cond), Box::new(yes), Box::new(no)))
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut left = self.and()?;
        while self.take("||")? {
            self.newlines()?;
            let right = self.and()?;
            left = Expr::Binary("||", Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.membership()?;
        while self.take("&&")? {
            self.newlines()?;
            let right = self.membership()?;
            left = Expr::Binary("&&", Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Parsed<Expr> {
        let mut left = self.matching()?;
        while self.keyword("in") && !self.no_in {
            self.advance()?;
            let Token::Name(array) = self.token.clone() else {
                return self.error();
            };
            self.advance()?;
            left = Expr::In(vec![left], array);
        }
        Ok(left)
    }

    fn matching(&mut self) -> Parsed<Expr> {
        let mut left = self.comparison()?;
        loop {
            let positive = self.is("~");
            if !positive && !self.is("!~") {
                return Ok(left);
            }
            self.advance()?;
            let right = self.comparison()?;
            left = Expr::Match(positive, Box::new(left), Box::new(right));
        }
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let left = self.concatenation()?;
        for op in ["==", "!=", "<=", ">=", "<", ">"] {
            if self.is(op) && !(op == ">" && self.in_print) {
                self.advance()?;
                let right = self.concatenation()?;
                return Ok(Expr::Binary(op, Box::new(left), Box::new(right)));
            }
        }
        Ok(left)
    }

    pub(super) fn concatenation(&mut self) -> Parsed<Expr> {
        let mut left = self.sum()?;
        loop {
            let starts = match &self.token {
                Token::Number(_) | Token::Text(_) | Token::Function(_) | Token::Regex(_) => true,
                Token::Name(name) => !matches!(name.as_str(), "in"),
                Token::Op(op) => matches!(*op, "$" | "!" | "(" | "-" | "+" | "++" | "--"),
                _ => false,
            };
            if !starts || self.is("!") {
                return Ok(left);
            }
            let right = self.sum()?;
            left = Expr::Binary(" ", Box::new(left), Box::new(right));
        }
    }

    fn sum(&mut self) -> Parsed<Expr> {
        let mut left = self.product()?;
        loop {
            let op = if self.is("+") {
                "+"
            } else if self.is("-") {
                "-"
            } else {
                return Ok(left);
            };
            self.advance()?;
            let right = self.product()?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
    }

    fn product(&mut self) -> Parsed<Expr> {
        let mut left = self.unary()?;
        loop {
            let Some(op) = ["*", "/", "%"].into_iter().find(|op| self.is(op)) else {
                return Ok(left);
            };
            self.advance()?;
            let right = self.unary()?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        for op in ["!", "-", "+"] {
            if self.is(op) {
                self.advance()?;
                self.depth += 1;
                if self.depth > DEPTH_LIMIT {
                    return Err("expression nested too deeply".into());
                }
                let inner = self.unary()?;
                self.depth -= 1;
                return Ok(Expr::Unary(op, Box::new(inner)));
            }
        }
        self.power()
    }

    fn power(&mut self) -> Parsed<Expr> {
        let base = self.postfix()?;
        if self.take("^")? {
            let exponent = self.unary()?;
            return Ok(Expr::Binary("^", Box::new(base), Box::new(exponent)));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        for (op, by) in [("++", 1.0), ("--", -1.0)] {
            if self.take(op)? {
                let target = self.primary()?;
                return Ok(Expr::Step {
                    target: Box::new(target),
                    by,
                    before: true,
                });
            }
        }
        let value = self.primary()?;
        if matches!(value, Expr::Var(_) | Expr::Field(_) | Expr::Index(..)) {
            for (op, by) in [("++", 1.0), ("--", -1.0)] {
                if self.is(op) {
                    self.advance()?;
                    self.operand_next = false;
                    return Ok(Expr::Step {
                        target: Box::new(value),
                        by,
                        before: false,
                    });
                }
            }
        }
        Ok(value)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        match self.token.clone() {
            Token::Number(n) => {
                self.advance()?;
                Ok(Expr::Number(n))
            }
            Token::Text(text) => {
                self.advance()?;
                Ok(Expr::Text(text.into()))
            }
            Token::Regex(text) => {
                self.advance()?;
                Ok(Expr::Regex(Arc::new(Regex::extended(&text, false)?)))
            }
            Token::Op("$") => {
                self.advance()?;
                self.depth += 1;
                if self.depth > DEPTH_LIMIT {
                    return Err("expression nested too deeply".into());
                }
                let inner = if self.is("++") || self.is("--") || self.is("-") {
                    self.unary()?
                } else {
                    self.primary()?
                };
                self.depth -= 1;
                Ok(Expr::Field(Box::new(inner)))
            }
            Token::Op("(") => {
                self.advance()?;
                let in_print = std::mem::take(&mut self.in_print);
                let mut list = self.list(")")?;
                self.in_print = in_print;
                if self.keyword("in") && !list.is_empty() {
                    self.advance()?;
                    let Token::Name(array) = self.token.clone() else {
                        return self.error();
                    };
                    self.advance()?;
                    return Ok(Expr::In(list, array));
                }
                match list.len() {
                    1 => Ok(Expr::Group(Box::new(list.remove(0)))),
                    _ => self.error(),
                }
            }
            Token::Function(name) => {
                self.advance()?;
                self.expect("(")?;
                let in_print = std::mem::take(&mut self.in_print);
                let args = self.list(")")?;
                self.in_print = in_print;
                if matches!(name.as_str(), "system" | "getline" | "close_pipe") {
                    return Err(format!("{name} is not supported"));
                }
                Ok(Expr::Call(name, args))
            }
            Token::Name(name) => {
                self.advance()?;
                if name == "length" {
                    return Ok(Expr::Call(name, Vec::new()));
                }
                if name == "getline" {
                    return Err("getline is not supported".into());
                }
                if self.take("[")? {
                    let in_print = std::mem::take(&mut self.in_print);
                    let index = self.list("]")?;
                    self.in_print = in_print;
                    return Ok(Expr::Index(name, index));
                }
                Ok(Expr::Var(name))
            }
            _ => self.error(),
        }
    }
}
