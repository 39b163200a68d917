//! awk's grammar.

use crate::regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nesting of expressions and statements.
const DEPTH_LIMIT: u32 = 60;

#[derive(Debug)]
pub(super) struct Program {
    pub(super) begin: Vec<Arc<[Stmt]>>,
    pub(super) end: Vec<Arc<[Stmt]>>,
    pub(super) rules: Vec<(Pattern, Arc<[Stmt]>)>,
    pub(super) functions: BTreeMap<String, (Vec<String>, Arc<[Stmt]>)>,
}

impl Program {
    /// A program of `BEGIN` alone reads nothing.
    pub(super) fn reads_input(&self) -> bool {
        !self.rules.is_empty() || !self.end.is_empty()
    }
}

#[derive(Debug)]
pub(super) enum Pattern {
    Always,
    Expr(Expr),
    Range(Expr, Expr),
}

#[derive(Debug)]
pub(super) enum Stmt {
    Expr(Expr),
    Print {
        args: Vec<Expr>,
        to: Option<(bool, Expr)>,
    },
    Printf {
        args: Vec<Expr>,
        to: Option<(bool, Expr)>,
    },
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    While(Expr, Vec<Stmt>),
    Do(Vec<Stmt>, Expr),
    For(
        Option<Box<Stmt>>,
        Option<Expr>,
        Option<Box<Stmt>>,
        Vec<Stmt>,
    ),
    ForIn(String, String, Vec<Stmt>),
    Block(Vec<Stmt>),
    Next,
    Exit(Option<Expr>),
    Break,
    Continue,
    Return(Option<Expr>),
    Delete(String, Option<Vec<Expr>>),
}

#[derive(Debug, Clone)]
pub(super) enum Expr {
    Number(f64),
    Text(Arc<str>),
    Regex(Arc<Regex>),
    Var(String),
    Field(Box<Expr>),
    Index(String, Vec<Expr>),
    Assign(&'static str, Box<Expr>, Box<Expr>),
    Unary(&'static str, Box<Expr>),
    Step {
        target: Box<Expr>,
        by: f64,
        before: bool,
    },
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Match(bool, Box<Expr>, Box<Expr>),
    In(Vec<Expr>, String),
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    Group(Box<Expr>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    /// A name right before `(`.
    Function(String),
    Op(&'static str),
    Newline,
    End,
}

const OPS: [&str; 42] = [
    "**=", "&&", "||", "==", "!=", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=",
    "**", ">>", "!~", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!",
    ">", "<", "|", "?", ":", "~", "$", "=", "&",
];

struct Parser {
    chars: Vec<char>,
    at: usize,
    token: Token,
    /// A `/` here starts a regular expression.
    operand_next: bool,
    depth: u32,
    /// Inside `print`: `>` redirects.
    in_print: bool,
    /// Inside `for (`: `in` is not an operator yet.
    no_in: bool,
}

type Parsed<T> = Result<T, String>;

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
    fn error<T>(&self) -> Parsed<T> {
        let near: String = self.chars[self.at.min(self.chars.len())..]
            .iter()
            .take(20)
            .collect();
        Err(match self.token {
            Token::End => "syntax error: unexpected end of program".into(),
            _ => format!("syntax error near `{near}'"),
        })
    }

    fn advance(&mut self) -> Parsed<()> {
        self.token = self.read()?;
        self.operand_next = match &self.token {
            Token::Number(_)
            | Token::Text(_)
            | Token::Regex(_)
            | Token::Name(_)
            | Token::Function(_) => false,
            Token::Op(op) => !matches!(*op, ")" | "]" | "$" | "++" | "--"),
            _ => true,
        };
        Ok(())
    }

    fn read(&mut self) -> Parsed<Token> {
        loop {
            match self.chars.get(self.at) {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.chars.get(self.at + 1) == Some(&'\n') => self.at += 2,
                Some('#') => {
                    while self.chars.get(self.at).is_some_and(|c| *c != '\n') {
                        self.at += 1;
                    }
                }
                _ => break,
            }
        }
        let Some(c) = self.chars.get(self.at).copied() else {
            return Ok(Token::End);
        };
        if c == '\n' {
            self.at += 1;
            return Ok(Token::Newline);
        }
        if c.is_ascii_digit()
            || c == '.'
                && self
                    .chars
                    .get(self.at + 1)
                    .is_some_and(char::is_ascii_digit)
        {
            let start = self.at;
            while self
                .chars
                .get(self.at)
                .is_some_and(|c| c.is_ascii_digit() || *c == '.')
            {
                self.at += 1;
            }
            if matches!(self.chars.get(self.at), Some('e' | 'E')) {
                let sign = matches!(self.chars.get(self.at + 1), Some('+' | '-')) as usize;
                if self
                    .chars
                    .get(self.at + 1 + sign)
                    .is_some_and(char::is_ascii_digit)
                {
                    self.at += 1 + sign;
                    while self.chars.get(self.at).is_some_and(char::is_ascii_digit) {
                        self.at += 1;
                    }
                }
            }
            let text: String = self.chars[start..self.at].iter().collect();
            return Ok(Token::Number(text.parse().unwrap_or(0.0)));
        }
        if c.is_alphabetic() || c == '_' {
            let start = self.at;
            while self
                .chars
                .get(self.at)
                .is_some_and(|c| c.is_alphanumeric() || *c == '_')
            {
                self.at += 1;
            }
            let name: String = self.chars[start..self.at].iter().collect();
            if self.chars.get(self.at) == Some(&'(') {
                return Ok(Token::Function(name));
            }
            return Ok(Token::Name(name));
        }
        if c == '"' {
            self.at += 1;
            return self.string();
        }
        if c == '/' && self.operand_next {
            self.at += 1;
            return self.regex();
        }
        for op in OPS {
            let length = op.len();
            let end = self.at + length;
            if end <= self.chars.len() && self.chars[self.at..end].iter().copied().eq(op.chars()) {
                self.at = end;
                return Ok(Token::Op(match op {
                    "**" => "^",
                    "**=" => "^=",
                    op => op,
                }));
            }
        }
        Err(format!("syntax error near `{c}'"))
    }

    fn string(&mut self) -> Parsed<Token> {
        let mut text = String::new();
        loop {
            let Some(c) = self.chars.get(self.at).copied() else {
                return Err("unterminated string".into());
            };
            self.at += 1;
            match c {
                '"' => return Ok(Token::Text(text)),
                '\n' => return Err("unterminated string".into()),
                '\\' => {
                    let next = self.chars.get(self.at).copied().unwrap_or('\\');
                    self.at += 1;
                    match next {
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        'r' => text.push('\r'),
                        'a' => text.push('\u{7}'),
                        'b' => text.push('\u{8}'),
                        'f' => text.push('\u{c}'),
                        'v' => text.push('\u{b}'),
                        '\\' | '"' | '/' => text.push(next),
                        '0'..='7' => {
                            let mut value = next as u32 - '0' as u32;
                            while let Some(d) = self.chars.get(self.at).and_then(|c| c.to_digit(8))
                            {
                                value = value * 8 + d;
                                self.at += 1;
                            }
                            text.push(char::from_u32(value).unwrap_or('?'));
                        }
                        other => {
                            text.push('\\');
                            text.push(other);
                        }
                    }
                }
                c => text.push(c),
            }
        }
    }

    fn regex(&mut self) -> Parsed<Token> {
        let mut text = String::new();
        let mut bracket = false;
        loop {
            let Some(c) = self.chars.get(self.at).copied() else {
                return Err("unterminated regular expression".into());
            };
            self.at += 1;
            match c {
                '/' if !bracket => return Ok(Token::Regex(text)),
                '\n' => return Err("unterminated regular expression".into()),
                '\\' => {
                    let next = self.chars.get(self.at).copied().unwrap_or('\\');
                    self.at += 1;
                    if next != '/' {
                        text.push('\\');
                    }
                    text.push(next);
                }
                c => {
                    match c {
                        '[' => bracket = true,
                        ']' => bracket = false,
                        _ => {}
                    }
                    text.push(c);
                }
            }
        }
    }

    fn is(&self, op: &str) -> bool {
        matches!(&self.token, Token::Op(o) if *o == op)
    }

    fn keyword(&self, name: &str) -> bool {
        matches!(&self.token, Token::Name(n) | Token::Function(n) if n == name)
    }

    fn take(&mut self, op: &str) -> Parsed<bool> {
        let found = self.is(op);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, op: &str) -> Parsed<()> {
        if self.take(op)? { Ok(()) } else { self.error() }
    }

    fn newlines(&mut self) -> Parsed<()> {
        while self.token == Token::Newline {
            self.advance()?;
        }
        Ok(())
    }

    fn ends(&mut self) -> Parsed<()> {
        while self.token == Token::Newline || self.is(";") {
            self.advance()?;
        }
        Ok(())
    }

    fn program(&mut self) -> Parsed<Program> {
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

    fn block(&mut self) -> Parsed<Vec<Stmt>> {
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

    fn body(&mut self) -> Parsed<Vec<Stmt>> {
        self.newlines()?;
        if self.is("{") {
            return self.block();
        }
        if self.take(";")? {
            return Ok(Vec::new());
        }
        Ok(vec![self.statement()?])
    }

    fn statement(&mut self) -> Parsed<Stmt> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err("program nested too deeply".into());
        }
        let stmt = self.statement_inner()?;
        self.depth -= 1;
        Ok(stmt)
    }

    fn statement_inner(&mut self) -> Parsed<Stmt> {
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

    fn plain(&mut self, stmt: Stmt) -> Parsed<Stmt> {
        self.advance()?;
        Ok(stmt)
    }

    fn for_statement(&mut self) -> Parsed<Stmt> {
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

    fn print(&mut self, formatted: bool) -> Parsed<Stmt> {
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

    /// Expressions up to a closer, which is read.
    fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
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

    fn expr(&mut self) -> Parsed<Expr> {
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

    fn concatenation(&mut self) -> Parsed<Expr> {
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
