//! kubectl's JSONPath templates: `{.items[*].metadata.name}{"\n"}{range .items[?(@.status.phase=="Running")]}…{end}`.
//!
//! Models `client-go/util/jsonpath` (its dialect and its messages); not RFC 9535.

use api::Value;

use crate::Failure;

/// Renders `template` for `object`; `is_json` prints the matches as a JSON list.
pub(crate) fn print(template: &str, object: &Value, is_json: bool) -> Result<String, Failure> {
    let template = relaxed(template);
    let parts = parse(&template)
        .map_err(|why| Failure::error(format!("error parsing jsonpath {template}, {why}")))?;
    let mut out = String::new();
    let mut matched = Vec::new();
    let mut run = Run {
        root: object,
        out: &mut out,
        matched: &mut matched,
    };
    run.parts(&parts, object).map_err(|why| Failure::error(format!("error executing jsonpath {template:?}: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n", object.to_json())))?;
    if is_json {
        return Ok(super::json(&Value::from(matched)));
    }
    Ok(out)
}

/// The values that the path finds in `object`, none if a field is missing (for `--sort-by`, custom columns, `wait`).
pub(crate) fn find(path: &str, object: &Value) -> Result<Vec<Value>, Failure> {
    let template = relaxed(path);
    let parts = parse(&template)
        .map_err(|why| Failure::error(format!("error parsing jsonpath {template}, {why}")))?;
    let mut out = String::new();
    let mut matched = Vec::new();
    let mut run = Run {
        root: object,
        out: &mut out,
        matched: &mut matched,
    };
    Ok(if run.parts(&parts, object).is_ok() {
        matched
    } else {
        Vec::new()
    })
}

/// Accepts `.a.b`, `a.b` and `{.a.b}` (`get.RelaxedJSONPathExpression`).
fn relaxed(text: &str) -> String {
    if text.contains('{') {
        return text.to_owned();
    }
    if text.starts_with('.')
        || text.starts_with('[')
        || text.starts_with('$')
        || text.starts_with('@')
    {
        format!("{{{text}}}")
    } else {
        format!("{{.{text}}}")
    }
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Part>),
}

#[derive(Clone, Debug)]
enum Step {
    Root,
    Current,
    Field(String),
    Wildcard,
    Recursive,
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        step: Option<i64>,
        is_index: bool,
    },
    Union(Vec<Vec<Step>>),
    Filter {
        left: Operand,
        op: String,
        right: Operand,
    },
}

#[derive(Clone, Debug)]
enum Operand {
    Path(Vec<Step>),
    Literal(Value),
    Nothing,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

fn parse(template: &str) -> Result<Vec<Part>, String> {
    let mut parser = Parser {
        text: template,
        at: 0,
    };
    let parts = parser.parts(false)?;
    Ok(parts)
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let is_there = self.rest().starts_with(text);
        if is_there {
            self.at += text.len();
        }
        is_there
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.bump();
        }
    }

    fn parts(&mut self, in_range: bool) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        loop {
            let text: String = self.rest().chars().take_while(|c| *c != '{').collect();
            self.at += text.len();
            if !text.is_empty() {
                parts.push(Part::Text(text));
            }
            if self.peek().is_none() {
                return if in_range {
                    Err("unterminated range, missing {end}".into())
                } else {
                    Ok(parts)
                };
            }
            self.bump();
            self.space();
            if self.eat("end") && matches!(self.peek(), Some('}' | ' ')) {
                self.space();
                self.close()?;
                return if in_range {
                    Ok(parts)
                } else {
                    Err("not in range, nothing to end".into())
                };
            }
            if self.rest().starts_with("range ") {
                self.at += "range ".len();
                let path = self.steps()?;
                self.close()?;
                parts.push(Part::Range(path, self.parts(true)?));
                continue;
            }
            while self.peek() != Some('}') {
                match self.peek() {
                    None => return Err("unclosed action".into()),
                    Some(quote @ ('"' | '\'')) => parts.push(Part::Text(self.quoted(quote)?)),
                    Some(_) => parts.push(Part::Path(self.steps()?)),
                }
                self.space();
            }
            self.bump();
        }
    }

    fn close(&mut self) -> Result<(), String> {
        self.space();
        if self.eat("}") {
            Ok(())
        } else {
            Err("unclosed action".into())
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return Err("unterminated quoted string".into()),
                Some(c) if c == quote => return Ok(text),
                Some('\\') => match self.bump() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(c) => text.push(c),
                    None => return Err("unterminated quoted string".into()),
                },
                Some(c) => text.push(c),
            }
        }
    }

    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        self.space();
        loop {
            match self.peek() {
                Some('$') => {
                    self.bump();
                    steps.push(Step::Root);
                }
                Some('@') => {
                    self.bump();
                    steps.push(Step::Current);
                }
                Some('.') => {
                    self.bump();
                    if self.peek() == Some('.') {
                        self.bump();
                        steps.push(Step::Recursive);
                    }
                    match self.peek() {
                        Some('*') => {
                            self.bump();
                            steps.push(Step::Wildcard);
                        }
                        Some('[') => {}
                        _ => {
                            let name = self.name();
                            if !name.is_empty() {
                                steps.push(Step::Field(name));
                            }
                        }
                    }
                }
                Some('[') => {
                    self.bump();
                    steps.push(self.bracket()?);
                }
                Some(c) if steps.is_empty() && (c.is_alphanumeric() || c == '_') => {
                    let name = self.name();
                    return Err(format!("unrecognized identifier {name}"));
                }
                Some(c) if !(c.is_whitespace() || "})=!<>,]".contains(c)) => {
                    return Err(format!(
                        "unrecognized character in action: U+{:04X} {c:?}",
                        u32::from(c)
                    ));
                }
                _ => return Ok(steps),
            }
        }
    }

    /// A field name; `\.` stands for a dot in it.
    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.bump();
                name.extend(self.bump());
            } else if c.is_whitespace() || ".[]{}()=!<>,".contains(c) {
                break;
            } else {
                name.push(c);
                self.bump();
            }
        }
        name
    }

    fn bracket(&mut self) -> Result<Step, String> {
        self.space();
        if self.eat("?(") {
            let left = self.operand()?;
            self.space();
            let op: String = self
                .rest()
                .chars()
                .take_while(|c| "=!<>".contains(*c))
                .collect();
            self.at += op.len();
            let right = if op.is_empty() {
                Operand::Nothing
            } else {
                self.operand()?
            };
            self.space();
            if !(self.eat(")") && self.eat("]")) {
                return Err("unterminated filter".into());
            }
            return Ok(Step::Filter { left, op, right });
        }
        if !self.rest().contains(']') {
            return Err("unterminated array".into());
        }
        let mut union = Vec::new();
        loop {
            self.space();
            let step = match self.peek() {
                None => return Err("unterminated array".into()),
                Some('*') => {
                    self.bump();
                    Step::Wildcard
                }
                Some(quote @ ('"' | '\'')) => Step::Field(self.quoted(quote)?),
                Some(_) => {
                    let text: String = self
                        .rest()
                        .chars()
                        .take_while(|c| !",]".contains(*c))
                        .collect();
                    self.at += text.len();
                    slice(text.trim())?
                }
            };
            union.push(vec![step]);
            self.space();
            if self.eat(",") {
                continue;
            }
            if !self.eat("]") {
                return Err("unterminated array".into());
            }
            return Ok(if union.len() == 1 {
                union.remove(0).remove(0)
            } else {
                Step::Union(union)
            });
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.space();
        Ok(match self.peek() {
            Some(quote @ ('"' | '\'')) => Operand::Literal(self.quoted(quote)?.into()),
            Some('@' | '$' | '.') => Operand::Path(self.steps()?),
            _ => {
                let word: String = self
                    .rest()
                    .chars()
                    .take_while(|c| !c.is_whitespace() && !")=!<>".contains(*c))
                    .collect();
                self.at += word.len();
                Operand::Literal(match word.as_str() {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    "null" => Value::Null,
                    number => match (number.parse::<i64>(), number.parse::<f64>()) {
                        (Ok(n), _) => Value::Int(n),
                        (_, Ok(n)) => Value::Float(n),
                        _ => return Err(format!("unrecognized character in action: {word:?}")),
                    },
                })
            }
        })
    }
}

fn slice(text: &str) -> Result<Step, String> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return Err(format!("invalid array index {text}"));
    }
    let number = |part: Option<&&str>| match part {
        None | Some(&"") => Ok(None),
        Some(part) => part
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| format!("invalid array index {text}")),
    };
    let from = number(parts.first())?;
    if parts.len() == 1 && from.is_none() {
        return Err(format!("invalid array index {text}"));
    }
    Ok(Step::Slice {
        from,
        to: number(parts.get(1))?,
        step: number(parts.get(2))?,
        is_index: parts.len() == 1,
    })
}

struct Run<'a> {
    root: &'a Value,
    out: &'a mut String,
    matched: &'a mut Vec<Value>,
}

impl<'a> Run<'a> {
    fn parts(&mut self, parts: &[Part], current: &'a Value) -> Result<(), String> {
        for part in parts {
            match part {
                Part::Text(text) => self.out.push_str(text),
                Part::Path(path) => {
                    let found = self.walk(path, vec![current])?;
                    let texts: Vec<String> = found.iter().map(|value| shown(value)).collect();
                    self.out.push_str(&texts.join(" "));
                    self.matched.extend(found.into_iter().cloned());
                }
                Part::Range(path, body) => {
                    for item in self.walk(path, vec![current])? {
                        self.parts(body, item)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn walk(&self, steps: &[Step], mut values: Vec<&'a Value>) -> Result<Vec<&'a Value>, String> {
        for step in steps {
            let mut next = Vec::new();
            match step {
                Step::Root => next.push(self.root),
                Step::Current => next = values,
                Step::Field(name) => {
                    for value in &values {
                        // kubectl allows missing keys: they print nothing.
                        next.extend(value.as_map().and_then(|map| map.get(name)));
                    }
                }
                Step::Wildcard => {
                    for value in values {
                        next.extend(value.items());
                        next.extend(value.entries().values());
                    }
                }
                Step::Recursive => {
                    for value in values {
                        descend(value, &mut next);
                    }
                    // A name after `..` matches wherever it is there.
                    let rest = &steps[steps
                        .iter()
                        .position(|s| std::ptr::eq(s, step))
                        .expect("this step")
                        + 1..];
                    let mut found = Vec::new();
                    for value in next {
                        if let Ok(mut some) = self.walk(rest, vec![value]) {
                            found.append(&mut some);
                        }
                    }
                    return Ok(found);
                }
                Step::Slice {
                    from,
                    to,
                    step,
                    is_index,
                } => {
                    for value in values {
                        let Some(list) = value.as_list() else {
                            if value.is_null() {
                                continue;
                            }
                            return Err(format!("{} is not array or slice", go_kind(value)));
                        };
                        next.extend(sliced(list, *from, *to, *step, *is_index)?);
                    }
                }
                Step::Union(paths) => {
                    for value in values {
                        for path in paths {
                            next.append(&mut self.walk(path, vec![value])?);
                        }
                    }
                }
                Step::Filter { left, op, right } => {
                    for value in values {
                        let items: Vec<&Value> = if value.is_map() {
                            value.entries().values().collect()
                        } else {
                            value.items().iter().collect()
                        };
                        for item in items {
                            if self.holds(item, left, op, right)? {
                                next.push(item);
                            }
                        }
                    }
                }
            }
            values = next;
        }
        Ok(values)
    }

    fn holds(
        &self,
        item: &'a Value,
        left: &Operand,
        op: &str,
        right: &Operand,
    ) -> Result<bool, String> {
        let value = |operand: &Operand| -> Option<Value> {
            match operand {
                Operand::Literal(value) => Some(value.clone()),
                Operand::Path(path) => self
                    .walk(path, vec![item])
                    .ok()?
                    .first()
                    .map(|v| (*v).clone()),
                Operand::Nothing => None,
            }
        };
        let Some(left) = value(left) else {
            return Ok(false);
        };
        if op.is_empty() {
            return Ok(true);
        }
        let Some(right) = value(right) else {
            return Ok(false);
        };
        let order = match (&left, &right) {
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Str(a), Value::Str(b)) => a.cmp(b),
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                number(&left).total_cmp(&number(&right))
            }
            _ => {
                let (a, b) = (shown(&left), shown(&right));
                a.cmp(&b)
            }
        };
        Ok(match op {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            _ => return Err(format!("unrecognized filter operator {op}")),
        })
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Int(n) => *n as f64,
        Value::Float(n) => *n,
        _ => 0.0,
    }
}

fn descend<'a>(value: &'a Value, out: &mut Vec<&'a Value>) {
    out.push(value);
    for child in value.items().iter().chain(value.entries().values()) {
        descend(child, out);
    }
}

fn sliced(
    list: &[Value],
    from: Option<i64>,
    to: Option<i64>,
    step: Option<i64>,
    is_index: bool,
) -> Result<Vec<&Value>, String> {
    let len = list.len() as i64;
    let absolute = |n: i64| if n < 0 { n + len } else { n };
    if is_index {
        let at = absolute(from.unwrap_or(0));
        return match usize::try_from(at).ok().and_then(|at| list.get(at)) {
            Some(value) => Ok(vec![value]),
            None if list.is_empty() => {
                Err(format!("array index out of bounds: index {at}, length 0"))
            }
            None => Err(format!(
                "array index out of bounds: index {at}, length {len}"
            )),
        };
    }
    let step = step.unwrap_or(1);
    if step < 1 {
        return Err("step must be > 0".into());
    }
    let from = absolute(from.unwrap_or(0)).clamp(0, len);
    let to = absolute(to.unwrap_or(len)).clamp(0, len);
    Ok((from..to)
        .step_by(step as usize)
        .map(|at| &list[at as usize])
        .collect())
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Map(_) => "map",
        Value::Str(_) => "string",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Bool(_) => "bool",
        _ => "nil",
    }
}

/// A value as a template prints it: text bare, the rest as JSON.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Null => String::new(),
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_print_as_kubectl_prints_them() {
        let object = Value::from_json(
            r#"{"kind":"List","items":[{"metadata":{"name":"a","labels":{"app.kubernetes.io/x":"1"}},"status":{"phase":"Running","n":3}},{"metadata":{"name":"b"},"status":{"phase":"Pending","n":5}}]}"#,
        )
        .expect("valid");
        for (template, text) in [
            ("{.items[*].metadata.name}", "a b"),
            ("{.items[0].metadata.name}{\"\\n\"}", "a\n"),
            (
                "{range .items[*]}{.metadata.name}:{.status.phase};{end}",
                "a:Running;b:Pending;",
            ),
            (
                "{.items[?(@.status.phase==\"Running\")].metadata.name}",
                "a",
            ),
            ("{.items[?(@.status.n>3)].metadata.name}", "b"),
            ("{.items[-1:].metadata.name}", "b"),
            ("{.items[0].metadata.labels.app\\.kubernetes\\.io/x}", "1"),
            ("{.items[0].metadata['name']}", "a"),
            ("{..phase}", "Running Pending"),
            (
                "{.items[0].metadata.labels}",
                r#"{"app.kubernetes.io/x":"1"}"#,
            ),
            ("{$.kind}", "List"),
            ("kind={.kind}", "kind=List"),
        ] {
            assert_eq!(
                print(template, &object, false).expect(template),
                text,
                "{template}"
            );
        }
        assert_eq!(print("{.nothing}", &object, false).as_deref(), Ok(""));
        assert!(print("{range .items[*]}", &object, false).is_err());
    }
}
