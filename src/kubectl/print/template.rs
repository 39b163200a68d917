//! A subset of Go templates for `-o go-template`: fields, pipelines, `range`, `if`, `with`, variables, the
//! usual functions. What is not known is an error, never wrong output.
//!
//! Models Go's `text/template` as kubectl sets it up.

use std::collections::BTreeMap;

use api::Value;

use super::jsonpath;
use crate::Failure;

pub(crate) fn print(template: &str, object: &Value) -> Result<String, Failure> {
    let fail = |why: String| Failure::error(format!("error parsing template {template}, {why}"));
    let tokens = split(template).map_err(fail)?;
    let mut at = 0;
    let nodes = parse(&tokens, &mut at, false).map_err(fail)?.0;
    let mut out = String::new();
    let mut variables = BTreeMap::from([("$".to_owned(), object.clone())]);
    render(&nodes, object, &mut variables, &mut out)
        .map_err(|why| Failure::error(format!("error executing template {template:?}: {why}")))?;
    Ok(out)
}

#[derive(Clone, Debug)]
enum Token {
    Text(String),
    Action(String),
}

#[derive(Clone, Debug)]
enum Node {
    Text(String),
    Print(String),
    Set {
        name: String,
        pipeline: String,
    },
    Block {
        kind: Kind,
        pipeline: String,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    If,
    Range,
    With,
}

fn split(template: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        let end = rest[start..].find("}}").ok_or("unclosed action")? + start;
        let mut text = rest[..start].to_owned();
        let mut action = &rest[start + 2..end];
        if let Some(trimmed) = action.strip_prefix("- ") {
            text = text.trim_end().to_owned();
            action = trimmed;
        }
        rest = &rest[end + 2..];
        if let Some(trimmed) = action.strip_suffix(" -") {
            action = trimmed;
            rest = rest.trim_start();
        }
        tokens.push(Token::Text(text));
        tokens.push(Token::Action(action.trim().to_owned()));
    }
    tokens.push(Token::Text(rest.to_owned()));
    Ok(tokens)
}

/// The nodes up to `end` or `else`; says whether it was `else`.
fn parse(
    tokens: &[Token],
    at: &mut usize,
    in_block: bool,
) -> Result<(Vec<Node>, Option<String>), String> {
    let mut nodes = Vec::new();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        let action = match token {
            Token::Text(text) => {
                nodes.push(Node::Text(text.clone()));
                continue;
            }
            Token::Action(action) => action,
        };
        let (word, rest) = action
            .split_once(char::is_whitespace)
            .unwrap_or((action, ""));
        let kind = match word {
            "if" => Kind::If,
            "range" => Kind::Range,
            "with" => Kind::With,
            "end" | "else" if in_block => {
                return Ok((nodes, (word == "else").then(|| rest.trim().to_owned())));
            }
            "end" | "else" => return Err(format!("unexpected {{{{{word}}}}}")),
            _ if action.starts_with("/*") => continue,
            _ => {
                match action.split_once(":=") {
                    Some((name, pipeline))
                        if name.trim().starts_with('$') && !name.contains(' ')
                            || name.trim_end().starts_with('$')
                                && !name.trim_end().contains(' ') =>
                    {
                        nodes.push(Node::Set {
                            name: name.trim().to_owned(),
                            pipeline: pipeline.trim().to_owned(),
                        });
                    }
                    _ => nodes.push(Node::Print(action.clone())),
                }
                continue;
            }
        };
        nodes.push(block(kind, rest.trim().to_owned(), tokens, at)?);
    }
    if in_block {
        Err("unexpected EOF".into())
    } else {
        Ok((nodes, None))
    }
}

fn block(kind: Kind, pipeline: String, tokens: &[Token], at: &mut usize) -> Result<Node, String> {
    let (body, otherwise) = parse(tokens, at, true)?;
    let otherwise = match otherwise {
        None => Vec::new(),
        Some(rest) => match rest.strip_prefix("if ") {
            Some(pipeline) => vec![block(Kind::If, pipeline.trim().to_owned(), tokens, at)?],
            None => parse(tokens, at, true)?.0,
        },
    };
    Ok(Node::Block {
        kind,
        pipeline,
        body,
        otherwise,
    })
}

type Variables = BTreeMap<String, Value>;

fn render(
    nodes: &[Node],
    dot: &Value,
    variables: &mut Variables,
    out: &mut String,
) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Print(pipeline) => out.push_str(&shown(&eval(pipeline, dot, variables)?)),
            Node::Set { name, pipeline } => {
                let value = eval(pipeline, dot, variables)?;
                variables.insert(name.clone(), value);
            }
            Node::Block {
                kind,
                pipeline,
                body,
                otherwise,
            } => {
                let (names, pipeline) = match pipeline.split_once(":=") {
                    Some((names, rest)) => (
                        names.split(',').map(|n| n.trim().to_owned()).collect(),
                        rest.trim(),
                    ),
                    None => (Vec::new(), pipeline.as_str()),
                };
                let value = eval(pipeline, dot, variables)?;
                if value.is_empty() {
                    render(otherwise, dot, variables, out)?;
                    continue;
                }
                match kind {
                    Kind::If => render(body, dot, variables, out)?,
                    Kind::With => {
                        if let Some(name) = names.first() {
                            variables.insert(name.clone(), value.clone());
                        }
                        render(body, &value, variables, out)?;
                    }
                    Kind::Range => {
                        let pairs: Vec<(Value, Value)> = match &value {
                            Value::Map(map) => map
                                .iter()
                                .map(|(k, v)| (Value::from(k), v.clone()))
                                .collect(),
                            _ => value
                                .items()
                                .iter()
                                .enumerate()
                                .map(|(i, v)| (Value::from(i), v.clone()))
                                .collect(),
                        };
                        for (key, item) in pairs {
                            match &names[..] {
                                [one] => {
                                    variables.insert(one.clone(), item.clone());
                                }
                                [first, second] => {
                                    variables.insert(first.clone(), key);
                                    variables.insert(second.clone(), item.clone());
                                }
                                _ => {}
                            }
                            render(body, &item, variables, out)?;
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

fn eval(pipeline: &str, dot: &Value, variables: &Variables) -> Result<Value, String> {
    let mut result: Option<Value> = None;
    for command in split_outside(pipeline, '|') {
        let mut words = words(&command)?;
        if words.is_empty() {
            return Err("missing value for command".into());
        }
        let head = words.remove(0);
        let mut args = Vec::new();
        for word in &words {
            args.push(operand(word, dot, variables)?);
        }
        args.extend(result.take());
        result = Some(match function(&head, &args)? {
            Some(value) => value,
            None if args.is_empty() => operand(&head, dot, variables)?,
            None => return Err(format!("function {head:?} not defined")),
        });
    }
    result.ok_or_else(|| "missing value for command".into())
}

fn function(name: &str, args: &[Value]) -> Result<Option<Value>, String> {
    let text = |at: usize| args.get(at).map(shown).unwrap_or_default();
    let compare = || -> std::cmp::Ordering {
        match (args.first(), args.get(1)) {
            (Some(Value::Int(a)), Some(Value::Int(b))) => a.cmp(b),
            _ => text(0).cmp(&text(1)),
        }
    };
    Ok(Some(match name {
        "eq" => Value::Bool(args.iter().skip(1).any(|other| Some(other) == args.first())),
        "ne" => Value::Bool(args.first() != args.get(1)),
        "lt" => Value::Bool(compare().is_lt()),
        "le" => Value::Bool(compare().is_le()),
        "gt" => Value::Bool(compare().is_gt()),
        "ge" => Value::Bool(compare().is_ge()),
        "not" => Value::Bool(args.first().is_none_or(Value::is_empty)),
        "and" => args
            .iter()
            .find(|v| v.is_empty())
            .or(args.last())
            .cloned()
            .unwrap_or_default(),
        "or" => args
            .iter()
            .find(|v| !v.is_empty())
            .or(args.last())
            .cloned()
            .unwrap_or_default(),
        "len" => match args.first() {
            Some(Value::List(list)) => list.len().into(),
            Some(Value::Map(map)) => map.len().into(),
            Some(Value::Str(text)) => text.len().into(),
            _ => return Err("error calling len: len of nil pointer".into()),
        },
        "index" => {
            let mut value = args.first().cloned().unwrap_or_default();
            for key in &args[1.min(args.len())..] {
                value = match key {
                    Value::Int(at) => value
                        .items()
                        .get(usize::try_from(*at).unwrap_or(usize::MAX))
                        .cloned()
                        .ok_or_else(|| format!("error calling index: index out of range: {at}"))?,
                    key => value.get(&shown(key)).clone(),
                };
            }
            value
        }
        "print" => args.iter().map(shown).collect::<Vec<_>>().join(" ").into(),
        "println" => (args.iter().map(shown).collect::<Vec<_>>().join(" ") + "\n").into(),
        "printf" => printf(&text(0), &args[1.min(args.len())..]).into(),
        "exists" => {
            let mut value = args.first().cloned().unwrap_or_default();
            for key in &args[1.min(args.len())..] {
                value = value.get(&shown(key)).clone();
            }
            Value::Bool(!value.is_null())
        }
        "base64decode" => base64_decode(&text(0))?.into(),
        _ => return Ok(None),
    }))
}

fn printf(format: &str, args: &[Value]) -> String {
    let mut out = String::new();
    let mut args = args.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut width = String::new();
        while chars
            .peek()
            .is_some_and(|c| c.is_ascii_digit() || *c == '-')
        {
            width.extend(chars.next());
        }
        let text = match chars.next() {
            Some('%') => "%".to_owned(),
            Some('q') => format!("{:?}", args.next().map(shown).unwrap_or_default()),
            _ => args.next().map(shown).unwrap_or_default(),
        };
        let size: usize = width.trim_start_matches('-').parse().unwrap_or(0).min(1000);
        out += &if width.starts_with('-') {
            format!("{text:<size$}")
        } else {
            format!("{text:>size$}")
        };
    }
    out
}

fn base64_decode(text: &str) -> Result<String, String> {
    let bytes = api::base64::decode(text).map_err(|at| {
        format!("error calling base64decode: base64 decode failed: illegal base64 data at input byte {at}")
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn operand(word: &str, dot: &Value, variables: &Variables) -> Result<Value, String> {
    if let Some(inner) = word.strip_prefix('(').and_then(|w| w.strip_suffix(')')) {
        return eval(inner, dot, variables);
    }
    if let Some(text) = word.strip_prefix('"').and_then(|w| w.strip_suffix('"')) {
        return Ok(text
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\\"", "\"")
            .into());
    }
    if let Some(text) = word.strip_prefix('`').and_then(|w| w.strip_suffix('`')) {
        return Ok(text.to_owned().into());
    }
    if let Ok(number) = word.parse::<i64>() {
        return Ok(number.into());
    }
    match word {
        "true" => return Ok(true.into()),
        "false" => return Ok(false.into()),
        "nil" => return Ok(Value::Null),
        "." => return Ok(dot.clone()),
        _ => {}
    }
    let (base, path) = match word.split_once('.') {
        // `(index .spec.ports 0).nodePort`
        _ if word.starts_with('(') => {
            let Some((inner, path)) = word[1..].rsplit_once(").") else {
                return Err(format!("unexpected {word:?} in operand"));
            };
            (eval(inner, dot, variables)?, path)
        }
        Some(("", path)) => (dot.clone(), path),
        Some((name, path)) if name.starts_with('$') => (
            variables
                .get(name)
                .cloned()
                .ok_or_else(|| format!("undefined variable {name:?}"))?,
            path,
        ),
        None if word.starts_with('$') => {
            return variables
                .get(word)
                .cloned()
                .ok_or_else(|| format!("undefined variable {word:?}"));
        }
        _ => return Err(format!("function {word:?} not defined")),
    };
    let mut value = base;
    for key in path.split('.') {
        value = match &value {
            Value::Map(map) => map.get(key).cloned().unwrap_or_default(),
            Value::Null => Value::Null,
            other => {
                return Err(format!(
                    "can't evaluate field {key} in type {}",
                    if other.as_list().is_some() {
                        "[]interface {}"
                    } else {
                        "interface {}"
                    }
                ));
            }
        };
    }
    Ok(value)
}

/// `<no value>` is what Go prints for a missing key.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::Map(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{key}:{}", shown(value)))
                .collect();
            format!("map[{}]", pairs.join(" "))
        }
        Value::List(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(" ")),
        other => jsonpath::shown(other),
    }
}

fn split_outside(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quote, mut depth) = (None, 0);
    for c in text.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, c) if c == separator && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("starts with one part").push(c);
    }
    parts
}

fn words(command: &str) -> Result<Vec<String>, String> {
    Ok(split_outside(command.trim(), ' ')
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_print_as_go_prints_them() {
        let object = Value::from_json(r#"{"metadata":{"name":"box","labels":{"a":"1","b":"2"}},"spec":{"containers":[{"name":"x","image":"i"}]}}"#).expect("valid");
        for (template, text) in [
            (
                "{{(index .spec.containers 0).name}} {{(index (index .spec.containers 0) \"image\")}}",
                "x i",
            ),
            (
                "{{.metadata.name}} {{range .spec.containers}}{{.name}}={{.image}}{{end}}{{\"\\n\"}}",
                "box x=i\n",
            ),
            (
                "{{range $k, $v := .metadata.labels}}{{$k}}={{$v}},{{end}}",
                "a=1,b=2,",
            ),
            ("{{if .status}}yes{{else}}no{{end}}", "no"),
            ("{{len .spec.containers}}", "1"),
            ("{{index .spec.containers 0 \"image\"}}", "i"),
            ("{{.nothing}}", "<no value>"),
            (
                "{{with .metadata}}{{.name | printf \"%s!\"}}{{end}}",
                "box!",
            ),
        ] {
            assert_eq!(
                print(template, &object).expect(template),
                text,
                "{template}"
            );
        }
        assert!(print("{{if .x}}", &object).is_err());
    }
}
