//! Tokens to expressions; macros are recognised here.
//!
//! Models cel-go's grammar and its standard macros. Starts at [`parse`].

use api::Str;

use crate::ast::{Expr, Literal, Macro, MacroKind, Node};
use crate::lex::{RESERVED, Token, tokens};
use crate::{Fault, fault};

/// Deeper than this nothing is read (`common.MaxRecursionDepth` is 250; a level of ours takes more stack).
const DEEPEST: usize = 64;

/// Operators by how loosely they bind, with the functions that they are.
const LEVELS: &[&[(&str, &str)]] = &[
    &[("||", "_||_")],
    &[("&&", "_&&_")],
    &[
        ("==", "_==_"),
        ("!=", "_!=_"),
        ("<=", "_<=_"),
        (">=", "_>=_"),
        ("<", "_<_"),
        (">", "_>_"),
        ("in", "@in"),
    ],
    &[("+", "_+_"), ("-", "_-_")],
    &[("*", "_*_"), ("/", "_/_"), ("%", "_%_")],
];

pub(crate) fn parse(text: &str) -> Result<Expr, Fault> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
    };
    let expr = parser.ternary()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.surprise()),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)].1
    }

    fn at(&self) -> usize {
        self.tokens[self.next.min(self.tokens.len() - 1)].0
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.next += usize::from(is_it);
        is_it
    }

    fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.take(sign) {
            return Ok(());
        }
        if *self.peek() == Token::End {
            return Err(fault(
                self.at(),
                format!("Syntax error: missing '{sign}' at '<EOF>'"),
            ));
        }
        Err(self.surprise())
    }

    fn surprise(&self) -> Fault {
        let shown = match self.peek() {
            Token::End => "<EOF>".to_owned(),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::Name(name) => name.to_string(),
            Token::Literal(Literal::Text(text)) => format!("\"{text}\""),
            Token::Literal(Literal::Int(n)) => n.to_string(),
            Token::Literal(Literal::Bool(b)) => b.to_string(),
            Token::Literal(_) => "literal".to_owned(),
        };
        fault(
            self.at(),
            format!("Syntax error: mismatched input '{shown}'"),
        )
    }

    fn ternary(&mut self) -> Result<Expr, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(fault(
                self.at(),
                "expression recursion limit exceeded: 64".to_owned(),
            ));
        }
        let condition = self.binary(0)?;
        let at = self.at();
        let expr = if self.take("?") {
            let then = self.binary(0)?;
            self.expect(":")?;
            let other = self.ternary()?;
            call(at, "_?_:_", None, vec![condition, then, other])
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn binary(&mut self, level: usize) -> Result<Expr, Fault> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        loop {
            let at = self.at();
            let Some((_, function)) = operators.iter().find(|(sign, _)| self.take(sign)) else {
                return Ok(left);
            };
            let right = self.binary(level + 1)?;
            left = call(at, function, None, vec![left, right]);
        }
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let at = self.at();
        let mut signs = Vec::new();
        while matches!(self.peek(), Token::Sign("!" | "-")) {
            signs.push(self.take("!"));
            if signs.last() == Some(&false) {
                self.next += 1;
            }
        }
        if signs.len() > DEEPEST {
            return Err(fault(
                at,
                "expression recursion limit exceeded: 64".to_owned(),
            ));
        }
        let mut expr = self.member()?;
        for is_not in signs.into_iter().rev() {
            expr = match expr.node {
                Node::Literal(Literal::Int(n)) if !is_not => Expr {
                    at,
                    node: Node::Literal(Literal::Int(n.wrapping_neg())),
                },
                Node::Literal(Literal::Double(n)) if !is_not => Expr {
                    at,
                    node: Node::Literal(Literal::Double(-n)),
                },
                _ => call(at, if is_not { "!_" } else { "-_" }, None, vec![expr]),
            };
        }
        Ok(expr)
    }

    fn member(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.primary()?;
        let mut length = 0;
        loop {
            length += 1;
            if length > 4 * DEEPEST {
                return Err(fault(
                    self.at(),
                    "expression recursion limit exceeded: 256".to_owned(),
                ));
            }
            let at = self.at();
            if self.take(".") {
                let is_optional = self.take("?");
                let Token::Name(field) = self.peek().clone() else {
                    return Err(self.surprise());
                };
                self.next += 1;
                if !is_optional && self.take("(") {
                    let args = self.list_until(")")?;
                    expr = method(at, expr, field, args)?;
                    continue;
                }
                if !is_optional && let Some(name) = qualified(&expr, &field) {
                    let is_type = name.rsplit('.').next().is_some_and(|last| {
                        last.starts_with(char::is_uppercase) || first_is_upper(&name)
                    });
                    if is_type && matches!(self.peek(), Token::Sign("{")) {
                        expr = self.structure(at, name.into())?;
                        continue;
                    }
                }
                expr = Expr {
                    at,
                    node: Node::Select {
                        operand: Box::new(expr),
                        field,
                        is_optional,
                    },
                };
            } else if self.take("[") {
                let is_optional = self.take("?");
                let index = self.ternary()?;
                self.expect("]")?;
                expr = Expr {
                    at,
                    node: Node::Index {
                        operand: Box::new(expr),
                        index: Box::new(index),
                        is_optional,
                    },
                };
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let at = self.at();
        match self.peek().clone() {
            Token::Literal(literal) => {
                self.next += 1;
                Ok(Expr {
                    at,
                    node: Node::Literal(literal),
                })
            }
            Token::Sign("(") => {
                self.next += 1;
                let expr = self.ternary()?;
                self.expect(")")?;
                Ok(expr)
            }
            Token::Sign("[") => {
                self.next += 1;
                let mut items = Vec::new();
                while !self.take("]") {
                    let is_optional = self.take("?");
                    items.push((is_optional, self.ternary()?));
                    if !self.take(",") {
                        self.expect("]")?;
                        break;
                    }
                }
                Ok(Expr {
                    at,
                    node: Node::List(items),
                })
            }
            Token::Sign("{") => {
                self.next += 1;
                let mut entries = Vec::new();
                while !self.take("}") {
                    let is_optional = self.take("?");
                    let key = self.ternary()?;
                    self.expect(":")?;
                    entries.push((is_optional, key, self.ternary()?));
                    if !self.take(",") {
                        self.expect("}")?;
                        break;
                    }
                }
                Ok(Expr {
                    at,
                    node: Node::Map(entries),
                })
            }
            Token::Sign(".") => {
                self.next += 1;
                self.primary()
            }
            Token::Name(name) => {
                if RESERVED.contains(&name.as_str()) {
                    return Err(fault(at, format!("reserved identifier: {name}")));
                }
                self.next += 1;
                if self.take("(") {
                    let args = self.list_until(")")?;
                    return function(at, name, args);
                }
                if first_is_upper(&name) && matches!(self.peek(), Token::Sign("{")) {
                    return self.structure(at, name);
                }
                Ok(Expr {
                    at,
                    node: Node::Name(name),
                })
            }
            _ => Err(self.surprise()),
        }
    }

    fn list_until(&mut self, end: &str) -> Result<Vec<Expr>, Fault> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.ternary()?);
            if !self.take(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(items)
    }

    fn structure(&mut self, at: usize, name: Str) -> Result<Expr, Fault> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.take("}") {
            let is_optional = self.take("?");
            let Token::Name(field) = self.peek().clone() else {
                return Err(self.surprise());
            };
            self.next += 1;
            self.expect(":")?;
            fields.push((is_optional, field, self.ternary()?));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Expr {
            at,
            node: Node::Struct { name, fields },
        })
    }
}

fn first_is_upper(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// `a.b.c` if the expression is nothing but names.
pub(crate) fn qualified(expr: &Expr, field: &str) -> Option<String> {
    match &expr.node {
        Node::Name(name) => Some(format!("{name}.{field}")),
        Node::Select {
            operand,
            field: inner,
            is_optional: false,
        } => Some(format!("{}.{field}", qualified(operand, inner)?)),
        _ => None,
    }
}

fn call(at: usize, function: &str, target: Option<Box<Expr>>, args: Vec<Expr>) -> Expr {
    Expr {
        at,
        node: Node::Call {
            function: Str::new(function),
            target,
            args,
        },
    }
}

/// `has(a.b)`, or any global function.
fn function(at: usize, name: Str, mut args: Vec<Expr>) -> Result<Expr, Fault> {
    if name == *"has" && args.len() == 1 {
        let only = args.remove(0);
        let Node::Select { operand, field, .. } = only.node else {
            return Err(fault(at, "invalid argument to has() macro".to_owned()));
        };
        return Ok(Expr {
            at,
            node: Node::Has { operand, field },
        });
    }
    Ok(call(at, &name, None, args))
}

/// A macro on a list or map, or any method.
fn method(at: usize, target: Expr, name: Str, mut args: Vec<Expr>) -> Result<Expr, Fault> {
    let is_cel = matches!(&target.node, Node::Name(n) if *n == *"cel");
    if is_cel && name == *"bind" && args.len() == 3 {
        let (body, value) = (args.remove(2), args.remove(1));
        let names = vec![variable(&args[0])?];
        return Ok(comprehension(at, MacroKind::Bind, value, names, None, body));
    }
    let kind = match (name.as_str(), args.len()) {
        ("all", 2 | 3) => Some(MacroKind::All),
        ("exists", 2 | 3) => Some(MacroKind::Exists),
        ("exists_one" | "existsOne", 2 | 3) => Some(MacroKind::ExistsOne),
        ("map", 2 | 3) => Some(MacroKind::Map),
        ("filter", 2) => Some(MacroKind::Filter),
        ("transformList", 3 | 4) => Some(MacroKind::TransformList),
        ("transformMap", 3 | 4) => Some(MacroKind::TransformMap),
        ("optMap", 2) => Some(MacroKind::OptMap),
        ("optFlatMap", 2) => Some(MacroKind::OptFlatMap),
        _ => None,
    };
    let Some(kind) = kind else {
        return Ok(call(at, &name, Some(Box::new(target)), args));
    };
    let body = args.pop().expect("a macro has arguments");
    let transforms = matches!(kind, MacroKind::TransformList | MacroKind::TransformMap);
    let has_condition = kind == MacroKind::Map && args.len() == 2 || transforms && args.len() == 3;
    let condition = has_condition.then(|| args.pop()).flatten();
    let names = args
        .iter()
        .map(variable)
        .collect::<Result<Vec<Str>, Fault>>()?;
    Ok(comprehension(at, kind, target, names, condition, body))
}

fn comprehension(
    at: usize,
    kind: MacroKind,
    range: Expr,
    names: Vec<Str>,
    condition: Option<Expr>,
    body: Expr,
) -> Expr {
    Expr {
        at,
        node: Node::Macro(Box::new(Macro {
            kind,
            range,
            names,
            condition,
            body,
        })),
    }
}

fn variable(expr: &Expr) -> Result<Str, Fault> {
    match &expr.node {
        Node::Name(name) => Ok(name.clone()),
        _ => Err(fault(expr.at, "argument must be a simple name".to_owned())),
    }
}
