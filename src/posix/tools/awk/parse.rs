//! awk's grammar: rules, functions and statements.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::syntax::{Pattern, Program, Stmt};
use super::token::Token;

/// Nesting of expressions and statements.
pub(super) const DEPTH_LIMIT: u32 = 60;

pub(super) struct Parser {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    pub(super) token: Token,
    /// A `/` here starts a regular expression.
    pub(super) operand_next: bool,
    pub(super) depth: u32,
    /// Inside `print`: `>` redirects.
    pub(super) in_print: bool,
    /// Inside `for (`: `in` is not an operator yet.
    pub(super) no_in: bool,
}

pub(super) type Parsed<T> = Result<T, String>;

pub(super) fn parse(text: &str) -> Parsed<Program> {
    let mut p = Parser {
        chars: text.chars().collect(),
        at: 0,
        token: Token::End,
        operand_next: true,
        depth: 0,
        in_print: false,
        no_in: false,
    };
    p.advance()?;
    p.program()
}

impl Parser {
    pub(super) fn error<T>(&self) -> Parsed<T> {
        let near: String = self.chars[self.at.min(self.chars.len())..]
            .iter()
            .take(20)
            .collect();
        Err(match self.token {
            Token::End => "syntax error: unexpected end of program".into(),
            _ => format!("syntax error near `{near}'"),
        })
    }

    pub(super) fn is(&self, op: &str) -> bool {
        matches!(&self.token, Token::Op(o) if *o == op)
    }

    pub(super) fn keyword(&self, name: &str) -> bool {
        matches!(&self.token, Token::Name(n) | Token::Function(n) if n == name)
    }

    pub(super) fn take(&mut self, op: &str) -> Parsed<bool> {
        let found = self.is(op);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, op: &str) -> Parsed<()> {
        if self.take(op)? { Ok(()) } else { self.error() }
    }

    pub(super) fn newlines(&mut self) -> Parsed<()> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    pub(super) fn ends(&mut self) -> Parsed<()> {
        while self.token == Token::Newline || self.is(";") {
            self.advance()?;
        }
        Ok(())
    }

    pub(super) fn program(&mut self) -> Parsed<Program> {
        let mut program = Program {
            begin: Vec::new(),
            end: Vec::new(),
            rules: Vec::new(),
            functions: BTreeMap::new(),
        };
        loop {
            self.ends()?;
            if self.token == Token::End {
                return Ok(program);
            }
            if self.keyword("BEGIN") || self.keyword("END") {
                let begin = self.keyword("BEGIN");
                self.advance()?;
                self.newlines()?;
                let body: Arc<[Stmt]> = self.block()?.into();
                if begin {
                    program.begin.push(body);
                } else {
                    program.end.push(body);
                }
                continue;
            }
            if self.keyword("function") || self.keyword("func") {
                self.advance()?;
                let (Token::Function(name) | Token::Name(name)) = self.token.clone() else {
                    return self.error();
                };
                self.advance()?;
                self.expect("(")?;
                let mut params = Vec::new();
                while let Token::Name(param) = self.token.clone() {
                    params.push(param);
                    self.advance()?;
                    if !self.take(",")? {
                        break;
                    }
                    self.newlines()?;
                }
                self.expect(")")?;
                self.newlines()?;
                let body = self.block()?.into();
                program.functions.insert(name, (params, body));
                continue;
            }
            let pattern = if self.is("{") {
                Pattern::Always
            } else {
                let first = self.expr()?;
                if self.take(",")? {
                    self.newlines()?;
                    Pattern::Range(first, self.expr()?)
                } else {
                    Pattern::Expr(first)
                }
            };
            let body: Arc<[Stmt]> = if self.is("{") {
                self.block()?.into()
            } else {
                vec![Stmt::Print {
                    args: Vec::new(),
                    to: None,
                }]
                .into()
            };
            program.rules.push((pattern, body));
        }
    }

    pub(super) fn block(&mut self) -> Parsed<Vec<Stmt>> {
        self.expect("{")?;
        let mut list = Vec::new();
        loop {
            self.ends()?;
            if self.take("}")? {
                return Ok(list);
            }
            if self.token == Token::End {
                return self.error();
            }
            list.push(self.statement()?);
        }
    }

    pub(super) fn body(&mut self) -> Parsed<Vec<Stmt>> {
        self.newlines()?;
        if self.is("{") {
            return self.block();
        }
        if self.take(";")? {
            return Ok(Vec::new());
        }
        Ok(vec![self.statement()?])
    }

    pub(super) fn statement(&mut self) -> Parsed<Stmt> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err("program nested too deeply".into());
        }
        let stmt = self.statement_inner()?;
        self.depth -= 1;
        Ok(stmt)
    }

    pub(super) fn statement_inner(&mut self) -> Parsed<Stmt> {
        if self.is("{") {
            return Ok(Stmt::Block(self.block()?));
        }
        let word = match &self.token {
            Token::Name(n) | Token::Function(n) => n.clone(),
            _ => String::new(),
        };
        match word.as_str() {
            "if" => {
                self.advance()?;
                self.expect("(")?;
                let cond = self.expr()?;
                self.expect(")")?;
                let yes = self.body()?;
                let save = (self.at, self.token.clone(), self.operand_next);
                self.ends()?;
                if self.keyword("else") {
                    self.advance()?;
                    let no = self.body()?;
                    return Ok(Stmt::If(cond, yes, no));
                }
                (self.at, self.token, self.operand_next) = save;
                Ok(Stmt::If(cond, yes, Vec::new()))
            }
            "while" => {
                self.advance()?;
                self.expect("(")?;
                let cond = self.expr()?;
                self.expect(")")?;
                Ok(Stmt::While(cond, self.body()?))
            }
            "do" => {
                self.advance()?;
                let body = self.body()?;
                self.ends()?;
                if !self.keyword("while") {
                    return self.error();
                }
                self.advance()?;
                self.expect("(")?;
                let cond = self.expr()?;
                self.expect(")")?;
                Ok(Stmt::Do(body, cond))
            }
            "for" => self.for_statement(),
            "print" | "printf" => {
                self.advance()?;
                self.print(word == "printf")
            }
            "next" | "nextfile" => self.plain(Stmt::Next),
            "break" => self.plain(Stmt::Break),
            "continue" => self.plain(Stmt::Continue),
            "exit" | "return" => {
                self.advance()?;
                let done = matches!(self.token, Token::Newline | Token::End)
                    || self.is(";")
                    || self.is("}");
                let value = if done { None } else { Some(self.expr()?) };
                Ok(if word == "exit" {
                    Stmt::Exit(value)
                } else {
                    Stmt::Return(value)
                })
            }
            "delete" => {
                self.advance()?;
                let Token::Name(name) = self.token.clone() else {
                    return self.error();
                };
                self.advance()?;
                if !self.take("[")? {
                    return Ok(Stmt::Delete(name, None));
                }
                let index = self.list("]")?;
                Ok(Stmt::Delete(name, Some(index)))
            }
            _ => Ok(Stmt::Expr(self.expr()?)),
        }
    }

    pub(super) fn plain(&mut self, stmt: Stmt) -> Parsed<Stmt> {
        self.advance()?;
        Ok(stmt)
    }

    pub(super) fn for_statement(&mut self) -> Parsed<Stmt> {
        self.advance()?;
        self.expect("(")?;
        let save = (self.at, self.token.clone(), self.operand_next);
        if let Token::Name(var) = self.token.clone() {
            self.advance()?;
            if self.keyword("in") {
                self.advance()?;
                if let Token::Name(array) = self.token.clone() {
                    self.advance()?;
                    if self.take(")")? {
                        return Ok(Stmt::ForIn(var, array, self.body()?));
                    }
                }
            }
            (self.at, self.token, self.operand_next) = save;
        }
        self.no_in = true;
        let init = if self.is(";") {
            None
        } else {
            Some(Box::new(self.statement()?))
        };
        self.no_in = false;
        self.expect(";")?;
        let cond = if self.is(";") {
            None
        } else {
            Some(self.expr()?)
        };
        self.expect(";")?;
        let step = if self.is(")") {
            None
        } else {
            Some(Box::new(self.statement()?))
        };
        self.expect(")")?;
        Ok(Stmt::For(init, cond, step, self.body()?))
    }

    pub(super) fn print(&mut self, formatted: bool) -> Parsed<Stmt> {
        let mut args = Vec::new();
        let done = |p: &Parser| {
            matches!(p.token, Token::Newline | Token::End)
                || ["}", ";", ">", ">>", "|"].iter().any(|o| p.is(o))
        };
        self.in_print = true;
        if !done(self) {
            // `print (a, b)` has a list in parentheses; `print (a)(b)` does not.
            let save = (self.at, self.token.clone(), self.operand_next);
            let mut listed = false;
            if self.is("(") {
                self.in_print = false;
                self.advance()?;
                if let Ok(list) = self.list(")")
                    && done(self)
                {
                    args = list;
                    listed = true;
                }
                self.in_print = true;
            }
            if !listed {
                (self.at, self.token, self.operand_next) = save;
                args.push(self.expr()?);
                while self.take(",")? {
                    self.newlines()?;
                    args.push(self.expr()?);
                }
            }
        }
        self.in_print = false;
        let mut to = None;
        for (op, append) in [(">>", true), (">", false)] {
            if self.take(op)? {
                to = Some((append, self.concatenation()?));
                break;
            }
        }
        if self.is("|") {
            return Err("output to a command is not supported".into());
        }
        Ok(if formatted {
            Stmt::Printf { args, to }
        } else {
            Stmt::Print { args, to }
        })
    }
}
