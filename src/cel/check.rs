//! What can be told before an evaluation: names, functions, and fields of things whose schema is known.
//!
//! Not a type checker: what has no schema is taken as anything (`dyn`).

use api::Value;

use crate::ast::{Expr, Literal, Macro, MacroKind, Node};
use crate::{Fault, fault, functions, parse};

/// A type as far as it is known.
#[derive(Clone, Debug)]
enum Kind<'a> {
    Any,
    /// What a schema describes.
    Of(&'a Value),
    Bool,
    Int,
    Double,
    Text,
    List,
}

/// Everything that is wrong with an expression, in order.
pub(crate) fn check(expr: &Expr, variables: &[(&str, &Value)]) -> Vec<Fault> {
    let mut checker = Checker {
        names: variables
            .iter()
            .map(|(name, schema)| ((*name).to_owned(), kind_of(schema)))
            .collect(),
        faults: Vec::new(),
    };
    checker.kind(expr);
    checker.faults.sort_by_key(|fault| fault.at);
    checker.faults
}

struct Checker<'a> {
    names: Vec<(String, Kind<'a>)>,
    faults: Vec<Fault>,
}

/// The type that a schema stands for.
fn kind_of(schema: &Value) -> Kind<'_> {
    if schema.bool("x-kubernetes-int-or-string")
        || schema.bool("x-kubernetes-preserve-unknown-fields")
    {
        return Kind::Any;
    }
    match (schema.str("type"), schema.str("format")) {
        ("object" | "array", _) => Kind::Of(schema),
        ("boolean", _) => Kind::Bool,
        ("integer", _) => Kind::Int,
        ("number", _) => Kind::Double,
        ("string", "" | "byte" | "password" | "uuid" | "email" | "uri" | "hostname") => Kind::Text,
        _ => Kind::Any,
    }
}

impl<'a> Checker<'a> {
    fn kind(&mut self, expr: &Expr) -> Kind<'a> {
        match &expr.node {
            Node::Literal(literal) => match literal {
                Literal::Bool(_) => Kind::Bool,
                Literal::Int(_) => Kind::Int,
                Literal::Double(_) => Kind::Double,
                Literal::Text(_) => Kind::Text,
                _ => Kind::Any,
            },
            Node::Name(name) => {
                if let Some((_, kind)) = self
                    .names
                    .iter()
                    .rev()
                    .find(|(known, _)| *known == name.as_str())
                {
                    return kind.clone();
                }
                if functions::type_named(name).is_none() {
                    self.faults.push(fault(
                        expr.at,
                        format!("undeclared reference to '{name}' (in container '')"),
                    ));
                }
                Kind::Any
            }
            Node::Select {
                operand,
                field,
                is_optional,
            } => {
                if let Some(name) = parse::qualified(operand, field)
                    && self.names.iter().any(|(known, _)| *known == name)
                {
                    return Kind::Any;
                }
                let kind = self.field(expr.at, operand, field);
                if *is_optional { Kind::Any } else { kind }
            }
            Node::Has { operand, field } => {
                self.field(expr.at, operand, field);
                Kind::Bool
            }
            Node::Index {
                operand,
                index,
                is_optional,
            } => {
                self.kind(index);
                match self.kind(operand) {
                    _ if *is_optional => Kind::Any,
                    Kind::Of(schema) if schema.str("type") == "array" => {
                        kind_of(schema.get("items"))
                    }
                    Kind::Of(schema) => kind_of(schema.get("additionalProperties")),
                    _ => Kind::Any,
                }
            }
            Node::List(items) => {
                for (_, item) in items {
                    self.kind(item);
                }
                Kind::List
            }
            Node::Map(entries) => {
                for (_, key, value) in entries {
                    self.kind(key);
                    self.kind(value);
                }
                Kind::Any
            }
            Node::Struct { fields, .. } => {
                for (_, _, value) in fields {
                    self.kind(value);
                }
                Kind::Any
            }
            Node::Call {
                function,
                target,
                args,
            } => {
                let kinds: Vec<Kind> = args.iter().map(|arg| self.kind(arg)).collect();
                self.call(expr.at, function, target.as_deref(), &kinds)
            }
            Node::Macro(of) => self.comprehension(of),
        }
    }

    fn field(&mut self, at: usize, operand: &Expr, field: &str) -> Kind<'a> {
        let Kind::Of(schema) = self.kind(operand) else {
            return Kind::Any;
        };
        let (properties, additional) =
            (schema.get("properties"), schema.get("additionalProperties"));
        if properties.has(field) {
            return kind_of(properties.get(field));
        }
        if additional.is_map() {
            return kind_of(additional);
        }
        let is_open = properties.is_null()
            || field.contains("__")
            || additional.as_bool() == Some(true)
            || schema.bool("x-kubernetes-preserve-unknown-fields")
            || schema.bool("x-kubernetes-embedded-resource");
        if schema.str("type") == "object" && !is_open {
            self.faults
                .push(fault(at, format!("undefined field '{field}'")));
        }
        Kind::Any
    }

    fn call(
        &mut self,
        at: usize,
        function: &str,
        target: Option<&Expr>,
        args: &[Kind<'a>],
    ) -> Kind<'a> {
        if let Some(target) = target {
            if let Some(name) = parse::qualified(target, function)
                && functions::is_qualified(&name)
            {
                return Kind::Any;
            }
            self.kind(target);
            if !functions::is_method(function) {
                self.unknown(at, function);
            }
            return Kind::Any;
        }
        match function {
            "_&&_" | "_||_" | "!_" => {
                if let Some(found) = args
                    .iter()
                    .find_map(|kind| named(kind).filter(|name| *name != "bool"))
                {
                    self.mismatch(at, function, args, found);
                }
                Kind::Bool
            }
            "_<_" | "_<=_" | "_>_" | "_>=_" | "_==_" | "_!=_" => {
                if let [a, b] = args
                    && let (Some(left), Some(right)) = (named(a), named(b))
                    && left != right
                    // Numbers of different kinds may be ordered, but not be equal.
                    && (matches!(function, "_==_" | "_!=_") || !is_number(left) || !is_number(right))
                {
                    self.mismatch(at, function, args, left);
                }
                Kind::Bool
            }
            "_+_" | "_-_" | "_*_" | "_/_" | "_%_" => {
                if let [a, b] = args
                    && let (Some(left), Some(right)) = (named(a), named(b))
                    && (left != right || left == "bool" || left == "string" && function != "_+_")
                {
                    self.mismatch(at, function, args, left);
                    return Kind::Any;
                }
                args.first().cloned().unwrap_or(Kind::Any)
            }
            "@in" => Kind::Bool,
            "_?_:_" => args.get(1).cloned().unwrap_or(Kind::Any),
            "-_" => Kind::Any,
            "size" => Kind::Int,
            _ => {
                if !functions::is_global(function) {
                    self.unknown(at, function);
                }
                Kind::Any
            }
        }
    }

    fn unknown(&mut self, at: usize, function: &str) {
        self.faults.push(fault(
            at,
            format!("undeclared reference to '{function}' (in container '')"),
        ));
    }

    fn mismatch(&mut self, at: usize, function: &str, args: &[Kind], _first: &str) {
        let shown: Vec<&str> = args
            .iter()
            .map(|kind| named(kind).unwrap_or("dyn"))
            .collect();
        self.faults.push(fault(
            at,
            format!(
                "found no matching overload for '{function}' applied to '({})'",
                shown.join(", ")
            ),
        ));
    }

    fn comprehension(&mut self, of: &Macro) -> Kind<'a> {
        let range = self.kind(&of.range);
        let item = match (&of.kind, &range) {
            (MacroKind::Bind, kind) => (*kind).clone(),
            (_, Kind::Of(schema)) if schema.str("type") == "array" && of.names.len() == 1 => {
                kind_of(schema.get("items"))
            }
            (_, Kind::Of(schema)) if schema.str("type") == "object" && of.names.len() == 1 => {
                Kind::Text
            }
            _ => Kind::Any,
        };
        let depth = self.names.len();
        for name in &of.names {
            self.names.push((name.to_string(), item.clone()));
        }
        if let Some(condition) = &of.condition {
            self.kind(condition);
        }
        let body = self.kind(&of.body);
        self.names.truncate(depth);
        match of.kind {
            MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne => Kind::Bool,
            MacroKind::Bind => body,
            MacroKind::Filter => range,
            _ => Kind::Any,
        }
    }
}

/// The name of a simple type.
fn named(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Bool => Some("bool"),
        Kind::Int => Some("int"),
        Kind::Double => Some("double"),
        Kind::Text => Some("string"),
        Kind::Any | Kind::Of(_) | Kind::List => None,
    }
}

fn is_number(name: &str) -> bool {
    matches!(name, "int" | "double")
}
