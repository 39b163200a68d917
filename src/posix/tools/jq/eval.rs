//! jq's evaluation: a filter turns one value into none, one or many.

use super::json::Json;
use super::parse::{Filter, Piece};
use crate::regex::Regex;
use crate::shell::Env;
use crate::tools::digest::{decode_base64, encode_base64};
use std::sync::Arc;

/// Filters evaluated for one input.
const STEP_LIMIT: u64 = 500_000;

/// Filters inside filters, and functions that call themselves.
const DEPTH_LIMIT: u32 = 150;

/// A definition with what it may see.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    params: Vec<String>,
    body: Arc<Filter>,
    scope: Scope,
}

/// Variables and functions visible at a place.
#[derive(Clone, Debug, Default)]
struct Scope {
    vars: Vec<(String, Json)>,
    functions: Vec<Arc<Function>>,
}

pub(super) struct Machine {
    scope: Scope,
    env: Arc<Env>,
    now: i64,
    steps: u64,
    depth: u32,
}

type Done = Result<(), String>;
/// A way into a value.
type Path = Vec<Json>;

fn text(t: impl Into<Arc<str>>) -> Json {
    Json::Text(t.into())
}

fn short(value: &Json) -> String {
    let whole = value.write(None);
    if whole.chars().count() > 30 {
        let cut: String = whole.chars().take(27).collect();
        format!("{cut}...")
    } else {
        whole
    }
}

fn describe(value: &Json) -> String {
    match value {
        Json::Null => "null (null)".into(),
        value => format!("{} ({})", value.kind(), short(value)),
    }
}

impl Machine {
    pub(super) fn new(vars: Vec<(String, Json)>, env: Arc<Env>, now: i64) -> Machine {
        Machine {
            scope: Scope {
                vars,
                functions: Vec::new(),
            },
            env,
            now,
            steps: 0,
            depth: 0,
        }
    }

    pub(super) fn run(&mut self, program: &Filter, input: &Json, out: &mut Vec<Json>) -> Done {
        self.steps = 0;
        self.depth = 0;
        let scope = self.scope.clone();
        self.eval(program, input, &scope, out)
    }

    fn collect(&mut self, f: &Filter, input: &Json, scope: &Scope) -> Result<Vec<Json>, String> {
        let mut out = Vec::new();
        self.eval(f, input, scope, &mut out)?;
        Ok(out)
    }

    fn eval(&mut self, f: &Filter, input: &Json, scope: &Scope, out: &mut Vec<Json>) -> Done {
        self.steps += 1;
        self.depth += 1;
        if self.steps > STEP_LIMIT || self.depth > DEPTH_LIMIT || out.len() > 1_000_000 {
            return Err("too much work for one filter".into());
        }
        let result = self.eval_inner(f, input, scope, out);
        self.depth -= 1;
        result
    }

    fn eval_inner(&mut self, f: &Filter, input: &Json, scope: &Scope, out: &mut Vec<Json>) -> Done {
        match f {
            Filter::Identity => out.push(input.clone()),
            Filter::Literal(value) => out.push(value.clone()),
            Filter::Recurse => recurse(input, out),
            Filter::Format(format, pieces) => {
                let mut texts = vec![String::new()];
                for piece in pieces {
                    match piece {
                        Piece::Text(t) => texts.iter_mut().for_each(|s| s.push_str(t)),
                        Piece::Value(inner) => {
                            let mut next = Vec::new();
                            for value in self.collect(inner, input, scope)? {
                                let shown =
                                    apply_format(format.as_deref().unwrap_or("text"), &value)?;
                                next.extend(texts.iter().map(|t| format!("{t}{shown}")));
                            }
                            texts = next;
                        }
                    }
                }
                out.extend(texts.into_iter().map(text));
            }
            Filter::Field(of, key) => {
                for base in self.collect(of, input, scope)? {
                    for key in self.collect(key, input, scope)? {
                        out.push(index(&base, &key)?);
                    }
                }
            }
            Filter::Slice(of, from, to) => {
                let bound = |f: &Option<Box<Filter>>, m: &mut Machine| match f {
                    None => Ok::<Json, String>(Json::Null),
                    Some(f) => Ok(m.collect(f, input, scope)?.pop().unwrap_or(Json::Null)),
                };
                let (from, to): (Json, Json) = (bound(from, self)?, bound(to, self)?);
                for base in self.collect(of, input, scope)? {
                    out.push(slice(&base, &from, &to)?);
                }
            }
            Filter::Iterate(of) => {
                for base in self.collect(of, input, scope)? {
                    match &base {
                        Json::List(items) => out.extend(items.iter().cloned()),
                        Json::Object(fields) => out.extend(fields.iter().map(|f| f.1.clone())),
                        other => return Err(format!("Cannot iterate over {}", describe(other))),
                    }
                }
            }
            Filter::Try(body, catch) => {
                let depth = self.depth;
                if let Err(message) = self.eval(body, input, scope, out) {
                    self.depth = depth;
                    if self.steps > STEP_LIMIT {
                        return Err(message);
                    }
                    if let Some(catch) = catch {
                        self.eval(catch, &text(message), scope, out)?;
                    }
                }
            }
            Filter::Pipe(a, b) => {
                for value in self.collect(a, input, scope)? {
                    self.eval(b, &value, scope, out)?;
                }
            }
            Filter::Comma(a, b) => {
                self.eval(a, input, scope, out)?;
                self.eval(b, input, scope, out)?;
            }
            Filter::Negate(inner) => {
                for value in self.collect(inner, input, scope)? {
                    match value {
                        Json::Number(n) => out.push(Json::Number(-n)),
                        other => return Err(format!("{} cannot be negated", describe(&other))),
                    }
                }
            }
            Filter::Binary("and", a, b) => {
                for left in self.collect(a, input, scope)? {
                    if !left.truth() {
                        out.push(Json::Bool(false));
                        continue;
                    }
                    for right in self.collect(b, input, scope)? {
                        out.push(Json::Bool(right.truth()));
                    }
                }
            }
            Filter::Binary("or", a, b) => {
                for left in self.collect(a, input, scope)? {
                    if left.truth() {
                        out.push(Json::Bool(true));
                        continue;
                    }
                    for right in self.collect(b, input, scope)? {
                        out.push(Json::Bool(right.truth()));
                    }
                }
            }
            Filter::Binary(op, a, b) => {
                for right in self.collect(b, input, scope)? {
                    for left in self.collect(a, input, scope)? {
                        out.push(binary(op, &left, &right)?);
                    }
                }
            }
            Filter::Alternative(a, b) => {
                let depth = self.depth;
                let mut left = Vec::new();
                // Errors on the left only end its values.
                if self.eval(a, input, scope, &mut left).is_err() {
                    self.depth = depth;
                }
                left.retain(Json::truth);
                if left.is_empty() {
                    self.eval(b, input, scope, out)?;
                } else {
                    out.extend(left);
                }
            }
            Filter::Update(op, target, value) => {
                self.update(op, target, value, input, scope, out)?
            }
            Filter::List(None) => out.push(Json::List([].into())),
            Filter::List(Some(inner)) => {
                let items = self.collect(inner, input, scope)?;
                out.push(Json::List(items.into()));
            }
            Filter::Object(fields) => {
                let mut made: Vec<Vec<(Arc<str>, Json)>> = vec![Vec::new()];
                for (key, value) in fields {
                    let mut next = Vec::new();
                    for key in self.collect(key, input, scope)? {
                        let Json::Text(key) = key else {
                            return Err(format!(
                                "Object keys must be strings, not {}",
                                describe(&key)
                            ));
                        };
                        for value in self.collect(value, input, scope)? {
                            for fields in &made {
                                let mut fields = fields.clone();
                                fields.push((key.clone(), value.clone()));
                                next.push(fields);
                            }
                        }
                    }
                    made = next;
                }
                out.extend(made.into_iter().map(Json::object));
            }
            Filter::If(clauses, otherwise) => {
                self.condition(clauses, otherwise, input, scope, out)?
            }
            Filter::Reduce(source, var, init, update) => {
                let mut state = self
                    .collect(init, input, scope)?
                    .pop()
                    .unwrap_or(Json::Null);
                for value in self.collect(source, input, scope)? {
                    let mut inner = scope.clone();
                    inner.vars.push((var.clone(), value));
                    state = self
                        .collect(update, &state, &inner)?
                        .pop()
                        .unwrap_or(Json::Null);
                }
                out.push(state);
            }
            Filter::Foreach(source, var, init, update, extract) => {
                let mut state = self
                    .collect(init, input, scope)?
                    .pop()
                    .unwrap_or(Json::Null);
                for value in self.collect(source, input, scope)? {
                    let mut inner = scope.clone();
                    inner.vars.push((var.clone(), value));
                    state = self
                        .collect(update, &state, &inner)?
                        .pop()
                        .unwrap_or(Json::Null);
                    match extract {
                        Some(extract) => self.eval(extract, &state, &inner, out)?,
                        None => out.push(state.clone()),
                    }
                }
            }
            Filter::As(source, var, body) => {
                for value in self.collect(source, input, scope)? {
                    let mut inner = scope.clone();
                    inner.vars.push((var.clone(), value));
                    self.eval(body, input, &inner, out)?;
                }
            }
            Filter::Var(name) => match scope.vars.iter().rev().find(|(n, _)| n == name) {
                Some((_, value)) => out.push(value.clone()),
                None if name == "ENV" => out.push(self.environment()),
                None => return Err(format!("${name} is not defined")),
            },
            Filter::Def(name, params, body, rest) => {
                let mut inner = scope.clone();
                inner.functions.push(Arc::new(Function {
                    name: name.clone(),
                    params: params.clone(),
                    body: body.clone(),
                    scope: scope.clone(),
                }));
                self.eval(rest, input, &inner, out)?;
            }
            Filter::Call(name, args) => self.call(name, args, input, scope, out)?,
        }
        Ok(())
    }

    fn condition(
        &mut self,
        clauses: &[(Filter, Filter)],
        otherwise: &Option<Box<Filter>>,
        input: &Json,
        scope: &Scope,
        out: &mut Vec<Json>,
    ) -> Done {
        let Some(((cond, then), rest)) = clauses.split_first() else {
            match otherwise {
                Some(otherwise) => self.eval(otherwise, input, scope, out)?,
                None => out.push(input.clone()),
            }
            return Ok(());
        };
        for value in self.collect(cond, input, scope)? {
            if value.truth() {
                self.eval(then, input, scope, out)?;
            } else {
                self.condition(rest, otherwise, input, scope, out)?;
            }
        }
        Ok(())
    }

    fn environment(&self) -> Json {
        Json::object(
            self.env
                .iter()
                .map(|(k, v)| (k.clone(), Json::Text(v.clone())))
                .collect(),
        )
    }

    fn update(
        &mut self,
        op: &str,
        target: &Filter,
        value: &Filter,
        input: &Json,
        scope: &Scope,
        out: &mut Vec<Json>,
    ) -> Done {
        let paths = self.paths(target, input, scope)?;
        if op == "|=" {
            let mut result = input.clone();
            let mut gone = Vec::new();
            for path in paths {
                let old = get(&result, &path)?;
                let mut new = self.collect(value, &old, scope)?.into_iter();
                match new.next() {
                    Some(new) => result = set(&result, &path, new)?,
                    None => gone.push(path),
                }
            }
            for path in gone.iter().rev() {
                result = remove(&result, path);
            }
            out.push(result);
            return Ok(());
        }
        for right in self.collect(value, input, scope)? {
            let mut result = input.clone();
            for path in &paths {
                let new = match op {
                    "=" => right.clone(),
                    "//=" => {
                        let old = get(&result, path)?;
                        if old.truth() { old } else { right.clone() }
                    }
                    op => binary(&op[..1], &get(&result, path)?, &right)?,
                };
                result = set(&result, path, new)?;
            }
            out.push(result);
        }
        Ok(())
    }

    /// The ways into the input that a filter of fields and iterations goes.
    fn paths(&mut self, f: &Filter, input: &Json, scope: &Scope) -> Result<Vec<Path>, String> {
        Ok(match f {
            Filter::Identity => vec![Vec::new()],
            Filter::Field(of, key) => {
                let mut all = Vec::new();
                for base in self.paths(of, input, scope)? {
                    for key in self.collect(key, input, scope)? {
                        let mut path = base.clone();
                        path.push(key);
                        all.push(path);
                    }
                }
                all
            }
            Filter::Iterate(of) => {
                let mut all = Vec::new();
                for base in self.paths(of, input, scope)? {
                    for key in keys(&get(input, &base)?)? {
                        let mut path = base.clone();
                        path.push(key);
                        all.push(path);
                    }
                }
                all
            }
            Filter::Pipe(a, b) => {
                let mut all = Vec::new();
                for first in self.paths(a, input, scope)? {
                    let inner = get(input, &first)?;
                    for second in self.paths(b, &inner, scope)? {
                        let mut path = first.clone();
                        path.extend(second);
                        all.push(path);
                    }
                }
                all
            }
            Filter::Comma(a, b) => {
                let mut all = self.paths(a, input, scope)?;
                all.extend(self.paths(b, input, scope)?);
                all
            }
            Filter::Try(inner, _) => self.paths(inner, input, scope).unwrap_or_default(),
            Filter::Recurse => {
                let mut all = Vec::new();
                every_path(input, &mut Vec::new(), &mut all);
                all
            }
            Filter::Call(name, args) if name == "select" && args.len() == 1 => {
                let chosen = self
                    .collect(&args[0], input, scope)?
                    .iter()
                    .any(Json::truth);
                if chosen { vec![Vec::new()] } else { Vec::new() }
            }
            Filter::Call(name, _) if name == "empty" => Vec::new(),
            _ => return Err("Invalid path expression".into()),
        })
    }

    fn call(
        &mut self,
        name: &str,
        args: &[Filter],
        input: &Json,
        scope: &Scope,
        out: &mut Vec<Json>,
    ) -> Done {
        let own = scope
            .functions
            .iter()
            .rev()
            .find(|f| f.name == name && f.params.len() == args.len())
            .cloned();
        if let Some(function) = own {
            let mut inner = function.scope.clone();
            inner.functions.push(function.clone());
            for (param, arg) in function.params.iter().zip(args) {
                inner.functions.push(Arc::new(Function {
                    name: param.clone(),
                    params: Vec::new(),
                    body: Arc::new(arg.clone()),
                    scope: scope.clone(),
                }));
                if let Some(value) = self.collect(arg, input, scope)?.into_iter().next() {
                    inner.vars.push((param.clone(), value));
                }
            }
            return self.eval(&function.body, input, &inner, out);
        }
        if let Some(format) = name.strip_prefix('@') {
            out.push(text(apply_format(format, input)?));
            return Ok(());
        }
        match (name, args) {
            ("empty", []) => {}
            (
                "values" | "nulls" | "booleans" | "numbers" | "strings" | "arrays" | "objects"
                | "iterables" | "scalars",
                [],
            ) => {
                let kept = match name {
                    "values" => *input != Json::Null,
                    "iterables" => matches!(input, Json::List(_) | Json::Object(_)),
                    "scalars" => !matches!(input, Json::List(_) | Json::Object(_)),
                    name => name.trim_end_matches('s') == input.kind(),
                };
                if kept {
                    out.push(input.clone());
                }
            }
            ("not", []) => out.push(Json::Bool(!input.truth())),
            ("select", [cond]) => {
                for value in self.collect(cond, input, scope)? {
                    if value.truth() {
                        out.push(input.clone());
                    }
                }
            }
            ("map", [f]) => {
                let mut items = Vec::new();
                for item in values(input)? {
                    self.eval(f, &item, scope, &mut items)?;
                }
                out.push(Json::List(items.into()));
            }
            ("map_values", [f]) => {
                let result = match input {
                    Json::Object(fields) => {
                        let mut new = Vec::new();
                        for (key, value) in fields.iter() {
                            if let Some(value) = self.collect(f, value, scope)?.into_iter().next() {
                                new.push((key.clone(), value));
                            }
                        }
                        Json::object(new)
                    }
                    other => {
                        let mut items = Vec::new();
                        for item in values(other)? {
                            items.extend(self.collect(f, &item, scope)?.into_iter().next());
                        }
                        Json::List(items.into())
                    }
                };
                out.push(result);
            }
            ("recurse", []) => recurse(input, out),
            ("error", []) => {
                return Err(match input {
                    Json::Text(t) => t.to_string(),
                    other => format!("{} (not a string)", other.write(None)),
                });
            }
            ("error", [message]) => {
                let value = self
                    .collect(message, input, scope)?
                    .pop()
                    .unwrap_or(Json::Null);
                return Err(match value {
                    Json::Text(t) => t.to_string(),
                    other => other.write(None),
                });
            }
            ("range", [to]) => {
                for to in self.collect(to, input, scope)? {
                    range(&Json::Number(0.0), &to, 1.0, out)?;
                }
            }
            ("range", [from, to]) => {
                for from in self.collect(from, input, scope)? {
                    for to in self.collect(to, input, scope)? {
                        range(&from, &to, 1.0, out)?;
                    }
                }
            }
            ("first", [f]) => out.extend(self.collect(f, input, scope)?.into_iter().next()),
            ("last", [f]) => out.extend(self.collect(f, input, scope)?.pop()),
            ("limit", [n, f]) => {
                let n = self
                    .collect(n, input, scope)?
                    .pop()
                    .and_then(|n| as_number(&n))
                    .unwrap_or(0.0);
                out.extend(
                    self.collect(f, input, scope)?
                        .into_iter()
                        .take(n.max(0.0) as usize),
                );
            }
            ("any" | "all", _) => {
                let all = name == "all";
                let items = match args {
                    [source, _] => self.collect(source, input, scope)?,
                    _ => values(input)?,
                };
                let mut result = all;
                for item in items {
                    let holds = match args.last() {
                        Some(cond) => self.collect(cond, &item, scope)?.iter().any(Json::truth),
                        None => item.truth(),
                    };
                    if holds != all {
                        result = !all;
                    }
                }
                out.push(Json::Bool(result));
            }
            ("sort_by" | "group_by" | "unique_by" | "min_by" | "max_by", [key]) => {
                let mut keyed = Vec::new();
                for item in values(input)? {
                    let key = Json::List(self.collect(key, &item, scope)?.into());
                    keyed.push((key, item));
                }
                keyed.sort_by(|a, b| a.0.order(&b.0));
                out.push(match name {
                    "sort_by" => Json::List(keyed.into_iter().map(|k| k.1).collect()),
                    "min_by" => keyed.into_iter().next().map_or(Json::Null, |k| k.1),
                    "max_by" => keyed.pop().map_or(Json::Null, |k| k.1),
                    "unique_by" => {
                        keyed.dedup_by(|a, b| a.0 == b.0);
                        Json::List(keyed.into_iter().map(|k| k.1).collect())
                    }
                    _ => {
                        let mut groups: Vec<(Json, Vec<Json>)> = Vec::new();
                        for (key, item) in keyed {
                            match groups.last_mut() {
                                Some((last, items)) if *last == key => items.push(item),
                                _ => groups.push((key, vec![item])),
                            }
                        }
                        Json::List(groups.into_iter().map(|g| Json::List(g.1.into())).collect())
                    }
                });
            }
            ("with_entries", [f]) => {
                let mut items = Vec::new();
                let Json::List(entries) = to_entries(input)? else {
                    return Ok(());
                };
                for entry in entries.iter() {
                    self.eval(f, entry, scope, &mut items)?;
                }
                out.push(from_entries(&Json::List(items.into()))?);
            }
            ("paths", []) => {
                let mut all = Vec::new();
                every_path(input, &mut Vec::new(), &mut all);
                out.extend(
                    all.into_iter()
                        .filter(|p| !p.is_empty())
                        .map(|p| Json::List(p.into())),
                );
            }
            ("path", [f]) => {
                for path in self.paths(f, input, scope)? {
                    out.push(Json::List(path.into()));
                }
            }
            ("del", [f]) => {
                let mut result = input.clone();
                for path in self.paths(f, input, scope)?.iter().rev() {
                    result = remove(&result, path);
                }
                out.push(result);
            }
            ("isvalid", [f]) => {
                let good = self.collect(f, input, scope).is_ok();
                out.push(Json::Bool(good));
            }
            ("env", []) => out.push(self.environment()),
            ("now", []) => out.push(Json::Number(self.now as f64 / 1e6)),
            ("input_line_number", []) => out.push(Json::Number(0.0)),
            ("sub" | "gsub", [pattern, with, ..]) => {
                let Json::Text(source) = input else {
                    return Err(format!(
                        "{} cannot be matched, as it is not a string",
                        describe(input)
                    ));
                };
                let pattern = self
                    .collect(pattern, input, scope)?
                    .pop()
                    .unwrap_or(Json::Null);
                let regex = compile(&pattern, "")?;
                let mut result = String::new();
                let (mut at, mut copied) = (0, 0);
                while let Some(spans) = regex.spans_at(source, at) {
                    let Some((start, end)) = spans[0] else { break };
                    result.push_str(&source[copied..start]);
                    let groups = named_groups(&regex, source, &spans);
                    if let Some(Json::Text(t)) =
                        self.collect(with, &groups, scope)?.into_iter().next()
                    {
                        result.push_str(&t);
                    }
                    copied = end;
                    if name == "sub" {
                        break;
                    }
                    at = match source[end..].chars().next() {
                        _ if end > start => end,
                        Some(c) => end + c.len_utf8(),
                        None => break,
                    };
                }
                result.push_str(&source[copied..]);
                out.push(text(result));
            }
            (_, []) => out.push(simple(name, input)?),
            (_, [arg, rest @ ..]) => {
                let flags = match rest.first() {
                    Some(f) => self.collect(f, input, scope)?.pop().unwrap_or(Json::Null),
                    None => Json::Null,
                };
                for arg in self.collect(arg, input, scope)? {
                    with_argument(name, input, &arg, &flags, out)?;
                }
            }
        }
        Ok(())
    }
}

fn recurse(value: &Json, out: &mut Vec<Json>) {
    out.push(value.clone());
    match value {
        Json::List(items) => items.iter().for_each(|i| recurse(i, out)),
        Json::Object(fields) => fields.iter().for_each(|f| recurse(&f.1, out)),
        _ => {}
    }
}

fn every_path(value: &Json, prefix: &mut Path, out: &mut Vec<Path>) {
    out.push(prefix.clone());
    for key in keys(value).unwrap_or_default() {
        if let Ok(inner) = index(value, &key) {
            prefix.push(key);
            every_path(&inner, prefix, out);
            prefix.pop();
        }
    }
}

fn keys(value: &Json) -> Result<Vec<Json>, String> {
    match value {
        Json::List(items) => Ok((0..items.len()).map(|i| Json::Number(i as f64)).collect()),
        Json::Object(fields) => Ok(fields.iter().map(|f| Json::Text(f.0.clone())).collect()),
        Json::Null => Ok(Vec::new()),
        other => Err(format!("Cannot iterate over {}", describe(other))),
    }
}

fn values(value: &Json) -> Result<Vec<Json>, String> {
    match value {
        Json::List(items) => Ok(items.to_vec()),
        Json::Object(fields) => Ok(fields.iter().map(|f| f.1.clone()).collect()),
        other => Err(format!("Cannot iterate over {}", describe(other))),
    }
}

fn as_number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(n) => Some(*n),
        _ => None,
    }
}

fn index(base: &Json, key: &Json) -> Result<Json, String> {
    Ok(match (base, key) {
        (Json::Object(_), Json::Text(key)) => base.get(key).cloned().unwrap_or(Json::Null),
        (Json::List(items), Json::Number(n)) => {
            let i = if *n < 0.0 { n + items.len() as f64 } else { *n };
            if i < 0.0 {
                Json::Null
            } else {
                items.get(i as usize).cloned().unwrap_or(Json::Null)
            }
        }
        (Json::Null, Json::Text(_) | Json::Number(_) | Json::Null) => Json::Null,
        (base, Json::Text(key)) => {
            return Err(format!("Cannot index {} with \"{key}\"", base.kind()));
        }
        (base, key) => return Err(format!("Cannot index {} with {}", base.kind(), key.kind())),
    })
}

fn slice(base: &Json, from: &Json, to: &Json) -> Result<Json, String> {
    let bounds = |length: usize| {
        let place = |value: &Json, default: usize| match value {
            Json::Number(n) if *n < 0.0 => (n + length as f64).max(0.0) as usize,
            Json::Number(n) => (*n as usize).min(length),
            _ => default,
        };
        let (from, to) = (place(from, 0), place(to, length));
        from..to.max(from)
    };
    Ok(match base {
        Json::List(items) => Json::List(items[bounds(items.len())].into()),
        Json::Text(t) => {
            let chars: Vec<char> = t.chars().collect();
            text(chars[bounds(chars.len())].iter().collect::<String>())
        }
        Json::Null => Json::Null,
        other => return Err(format!("Cannot index {} with object", other.kind())),
    })
}

fn get(value: &Json, path: &[Json]) -> Result<Json, String> {
    path.iter().try_fold(value.clone(), |v, key| index(&v, key))
}

fn set(value: &Json, path: &[Json], new: Json) -> Result<Json, String> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(new);
    };
    let inner = set(&index(value, key)?, rest, new)?;
    Ok(match (value, key) {
        (Json::List(_) | Json::Null, Json::Number(n)) => {
            let mut items = match value {
                Json::List(items) => items.to_vec(),
                _ => Vec::new(),
            };
            let i = if *n < 0.0 { n + items.len() as f64 } else { *n };
            if !(0.0..1e6).contains(&i) {
                return Err("Out of bounds negative array index".into());
            }
            let i = i as usize;
            if items.len() <= i {
                items.resize(i + 1, Json::Null);
            }
            items[i] = inner;
            Json::List(items.into())
        }
        (value, Json::Text(key)) => {
            let mut fields = match value {
                Json::Object(fields) => (**fields).clone(),
                _ => Vec::new(),
            };
            fields.push((key.clone(), inner));
            Json::object(fields)
        }
        (value, key) => return Err(format!("Cannot index {} with {}", value.kind(), key.kind())),
    })
}

fn remove(value: &Json, path: &[Json]) -> Json {
    let Some((key, rest)) = path.split_first() else {
        return Json::Null;
    };
    if !rest.is_empty() {
        let Ok(inner) = index(value, key) else {
            return value.clone();
        };
        if inner == Json::Null {
            return value.clone();
        }
        return set(value, std::slice::from_ref(key), remove(&inner, rest))
            .unwrap_or(value.clone());
    }
    match (value, key) {
        (Json::Object(fields), Json::Text(key)) => {
            let kept = fields.iter().filter(|f| f.0 != *key).cloned().collect();
            Json::Object(Arc::new(kept))
        }
        (Json::List(items), Json::Number(n)) => {
            let i = if *n < 0.0 { n + items.len() as f64 } else { *n };
            let kept = items
                .iter()
                .enumerate()
                .filter(|(at, _)| *at as f64 != i)
                .map(|(_, v)| v.clone());
            Json::List(kept.collect())
        }
        _ => value.clone(),
    }
}

fn range(from: &Json, to: &Json, by: f64, out: &mut Vec<Json>) -> Done {
    let (Some(from), Some(to)) = (as_number(from), as_number(to)) else {
        return Err("Range bounds must be numeric".into());
    };
    let mut n = from;
    while n < to && out.len() < 1_000_000 {
        out.push(Json::Number(n));
        n += by;
    }
    Ok(())
}

fn binary(op: &str, a: &Json, b: &Json) -> Result<Json, String> {
    let order = a.order(b);
    Ok(match (op, a, b) {
        ("==", ..) => Json::Bool(order.is_eq()),
        ("!=", ..) => Json::Bool(order.is_ne()),
        ("<", ..) => Json::Bool(order.is_lt()),
        ("<=", ..) => Json::Bool(order.is_le()),
        (">", ..) => Json::Bool(order.is_gt()),
        (">=", ..) => Json::Bool(order.is_ge()),
        ("+", Json::Null, x) | ("+", x, Json::Null) => x.clone(),
        ("+", Json::Number(x), Json::Number(y)) => Json::Number(x + y),
        ("+", Json::Text(x), Json::Text(y)) => text(format!("{x}{y}")),
        ("+", Json::List(x), Json::List(y)) => {
            Json::List(x.iter().chain(y.iter()).cloned().collect())
        }
        ("+", Json::Object(x), Json::Object(y)) => {
            Json::object(x.iter().chain(y.iter()).cloned().collect())
        }
        ("-", Json::Number(x), Json::Number(y)) => Json::Number(x - y),
        ("-", Json::List(x), Json::List(y)) => {
            Json::List(x.iter().filter(|i| !y.contains(i)).cloned().collect())
        }
        ("*", Json::Number(x), Json::Number(y)) => Json::Number(x * y),
        ("*", Json::Text(t), Json::Number(n)) if *n > 0.0 && t.len() as f64 * n < 1e6 => {
            text(t.repeat((*n as usize).max(1)))
        }
        ("*", Json::Object(x), Json::Object(y)) => {
            let mut fields = (**x).clone();
            for (key, value) in y.iter() {
                let merged = match (a.get(key), value) {
                    (Some(old @ Json::Object(_)), Json::Object(_)) => binary("*", old, value)?,
                    _ => value.clone(),
                };
                fields.push((key.clone(), merged));
            }
            Json::object(fields)
        }
        ("/" | "%", Json::Number(_), Json::Number(y)) if *y == 0.0 => {
            return Err(format!(
                "{} and {} cannot be divided because the divisor is zero",
                describe(a),
                describe(b)
            ));
        }
        ("/", Json::Number(x), Json::Number(y)) => Json::Number(x / y),
        ("/", Json::Text(x), Json::Text(y)) => Json::List(x.split(&**y).map(text).collect()),
        ("%", Json::Number(x), Json::Number(y)) => {
            Json::Number((*x as i64).wrapping_rem((*y as i64).max(1)) as f64)
        }
        (op, ..) => {
            let verb = match op {
                "+" => "added",
                "-" => "subtracted",
                "*" => "multiplied",
                _ => "divided",
            };
            return Err(format!(
                "{} and {} cannot be {verb}",
                describe(a),
                describe(b)
            ));
        }
    })
}

fn apply_format(format: &str, value: &Json) -> Result<String, String> {
    let plain = |value: &Json| match value {
        Json::Text(t) => t.to_string(),
        other => other.write(None),
    };
    let row = |value: &Json| match value {
        Json::List(items) => Ok(items.to_vec()),
        other => Err(format!(
            "{} cannot be {format}-formatted, only an array can be",
            describe(other)
        )),
    };
    Ok(match format {
        "text" => plain(value),
        "json" => value.write(None),
        "base64" => encode_base64(plain(value).as_bytes()),
        "base64d" => {
            let (bytes, _) = decode_base64(plain(value).as_bytes());
            String::from_utf8_lossy(&bytes).into_owned()
        }
        "html" => plain(value)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('\'', "&#39;")
            .replace('"', "&quot;"),
        "uri" => plain(value)
            .bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                    (b as char).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect(),
        "csv" => row(value)?
            .iter()
            .map(|v| match v {
                Json::Text(t) => format!("\"{}\"", t.replace('"', "\"\"")),
                Json::Null => String::new(),
                other => other.write(None),
            })
            .collect::<Vec<_>>()
            .join(","),
        "tsv" => row(value)?
            .iter()
            .map(|v| match v {
                Json::Text(t) => t
                    .replace('\\', "\\\\")
                    .replace('\t', "\\t")
                    .replace('\n', "\\n"),
                Json::Null => String::new(),
                other => other.write(None),
            })
            .collect::<Vec<_>>()
            .join("\t"),
        "sh" => {
            let quote = |v: &Json| match v {
                Json::Text(t) => format!("'{}'", t.replace('\'', "'\\''")),
                other => other.write(None),
            };
            match value {
                Json::List(items) => items.iter().map(quote).collect::<Vec<_>>().join(" "),
                other => quote(other),
            }
        }
        other => return Err(format!("{other} is not a valid format")),
    })
}

fn to_entries(value: &Json) -> Result<Json, String> {
    match value {
        Json::Object(fields) => Ok(Json::List(
            fields
                .iter()
                .map(|(k, v)| {
                    Json::object(vec![
                        ("key".into(), Json::Text(k.clone())),
                        ("value".into(), v.clone()),
                    ])
                })
                .collect(),
        )),
        other => Err(format!("{} has no keys", describe(other))),
    }
}

fn from_entries(value: &Json) -> Result<Json, String> {
    let mut fields = Vec::new();
    for entry in values(value)? {
        let key = ["key", "k", "name", "Name", "Key", "K"]
            .iter()
            .find_map(|n| entry.get(n))
            .cloned()
            .unwrap_or(Json::Null);
        let key: Arc<str> = match key {
            Json::Text(t) => t,
            other => other.write(None).into(),
        };
        let value = ["value", "v", "Value", "V"]
            .iter()
            .find_map(|n| entry.get(n))
            .cloned()
            .unwrap_or(Json::Null);
        fields.push((key, value));
    }
    Ok(Json::object(fields))
}

fn simple(name: &str, input: &Json) -> Result<Json, String> {
    let wrong = |what: &str| Err(format!("{} {what}", describe(input)));
    let sorted = || -> Result<Vec<Json>, String> {
        match input {
            Json::List(items) => {
                let mut items = items.to_vec();
                items.sort_by(Json::order);
                Ok(items)
            }
            other => Err(format!(
                "{} cannot be sorted, as it is not an array",
                describe(other)
            )),
        }
    };
    Ok(match name {
        "length" => match input {
            Json::Null => Json::Number(0.0),
            Json::Number(n) => Json::Number(n.abs()),
            Json::Text(t) => Json::Number(t.chars().count() as f64),
            Json::List(items) => Json::Number(items.len() as f64),
            Json::Object(fields) => Json::Number(fields.len() as f64),
            Json::Bool(_) => return wrong("has no length"),
        },
        "utf8bytelength" => match input {
            Json::Text(t) => Json::Number(t.len() as f64),
            _ => return wrong("only strings have UTF-8 byte length"),
        },
        "keys" | "keys_unsorted" => match input {
            Json::Null => return wrong("has no keys"),
            other => {
                let mut list =
                    keys(other).map_err(|_| format!("{} has no keys", describe(other)))?;
                if name == "keys" {
                    list.sort_by(Json::order);
                }
                Json::List(list.into())
            }
        },
        "add" => {
            let mut sum = Json::Null;
            for item in values(input)? {
                sum = binary("+", &sum, &item)?;
            }
            sum
        }
        "type" => text(input.kind()),
        "tostring" => match input {
            Json::Text(_) => input.clone(),
            other => text(other.write(None)),
        },
        "tojson" => text(input.write(None)),
        "fromjson" => match input {
            Json::Text(t) => super::json::parse_all(t)?.pop().unwrap_or(Json::Null),
            _ => return wrong("cannot be parsed as JSON"),
        },
        "tonumber" => match input {
            Json::Number(_) => input.clone(),
            Json::Text(t) => match t.trim().parse() {
                Ok(n) => Json::Number(n),
                Err(_) => return wrong("cannot be parsed as a number"),
            },
            _ => return wrong("cannot be parsed as a number"),
        },
        "sort" => Json::List(sorted()?.into()),
        "unique" => {
            let mut items = sorted()?;
            items.dedup();
            Json::List(items.into())
        }
        "min" => sorted()?.into_iter().next().unwrap_or(Json::Null),
        "max" => sorted()?.pop().unwrap_or(Json::Null),
        "reverse" => match input {
            Json::Text(t) => text(t.chars().rev().collect::<String>()),
            Json::Null => Json::List([].into()),
            other => Json::List(values(other)?.into_iter().rev().collect()),
        },
        "first" => index(input, &Json::Number(0.0))?,
        "last" => index(input, &Json::Number(-1.0))?,
        "flatten" => {
            let mut out = Vec::new();
            flatten(input, 64, &mut out);
            Json::List(out.into())
        }
        "to_entries" => to_entries(input)?,
        "from_entries" => from_entries(input)?,
        "ascii_downcase" | "ascii_upcase" | "trim" | "ltrim" | "rtrim" | "explode" => match input {
            Json::Text(t) => match name {
                "ascii_downcase" => text(t.to_ascii_lowercase()),
                "ascii_upcase" => text(t.to_ascii_uppercase()),
                "trim" => text(t.trim()),
                "ltrim" => text(t.trim_start()),
                "rtrim" => text(t.trim_end()),
                _ => Json::List(t.chars().map(|c| Json::Number(c as u32 as f64)).collect()),
            },
            _ => return wrong("input must be a string"),
        },
        "implode" => text(
            values(input)?
                .iter()
                .filter_map(|v| char::from_u32(as_number(v)? as u32))
                .collect::<String>(),
        ),
        "floor" | "ceil" | "round" | "fabs" | "abs" | "sqrt" => match input {
            Json::Number(n) => Json::Number(match name {
                "floor" => n.floor(),
                "ceil" => n.ceil(),
                "round" => n.round(),
                "sqrt" => n.sqrt(),
                _ => n.abs(),
            }),
            _ => return wrong("number required"),
        },
        "isnan" => Json::Bool(as_number(input).is_some_and(f64::is_nan)),
        "todate" | "todateiso8601" => match input {
            Json::Number(n) => text(crate::tools::date::format(
                "%Y-%m-%dT%H:%M:%SZ",
                (*n as i64) * 1_000_000,
            )),
            _ => return wrong("strftime/1 requires parsed datetime inputs"),
        },
        "fromdate" | "fromdateiso8601" => match input {
            Json::Text(t) => match crate::tools::date::parse(t, 0) {
                Some(micros) => Json::Number((micros / 1_000_000) as f64),
                None => {
                    return Err(format!(
                        "date \"{t}\" does not match format \"%Y-%m-%dT%H:%M:%SZ\""
                    ));
                }
            },
            _ => return wrong("cannot be parsed as a date"),
        },
        "halt" => Json::Null,
        other => return Err(format!("{other}/0 is not defined")),
    })
}

fn flatten(value: &Json, depth: u32, out: &mut Vec<Json>) {
    match value {
        Json::List(items) => {
            for item in items.iter() {
                match item {
                    Json::List(_) if depth > 0 => flatten(item, depth - 1, out),
                    other => out.push(other.clone()),
                }
            }
        }
        other => out.push(other.clone()),
    }
}

fn compile(pattern: &Json, flags: &str) -> Result<Regex, String> {
    match pattern {
        Json::Text(t) => Regex::compile(t, flags.contains('i'))
            .map_err(|e| format!("{t} (at offset 0) is not a valid regex: {e}")),
        other => Err(format!(
            "{} cannot be matched, as it is not a string",
            describe(other)
        )),
    }
}

fn named_groups(regex: &Regex, source: &str, spans: &[Option<(usize, usize)>]) -> Json {
    let fields = regex
        .group_names()
        .into_iter()
        .zip(spans)
        .filter_map(|(name, span)| {
            let value = span.map_or(Json::Null, |(a, b)| text(&source[a..b]));
            Some((Arc::from(name?), value))
        })
        .collect();
    Json::object(fields)
}

fn with_argument(name: &str, input: &Json, arg: &Json, flags: &Json, out: &mut Vec<Json>) -> Done {
    let flags = match flags {
        Json::Text(t) => t.to_string(),
        _ => String::new(),
    };
    let source = || match input {
        Json::Text(t) => Ok(t.clone()),
        other => Err(format!(
            "{} cannot be matched, as it is not a string",
            describe(other)
        )),
    };
    out.push(match name {
        "has" => Json::Bool(match (input, arg) {
            (Json::Object(_), Json::Text(key)) => input.get(key).is_some(),
            (Json::List(items), Json::Number(n)) => *n >= 0.0 && (*n as usize) < items.len(),
            _ => {
                return Err(format!(
                    "Cannot check whether {} has a {} key",
                    input.kind(),
                    arg.kind()
                ));
            }
        }),
        "in" => return with_argument("has", arg, input, &Json::Null, out),
        "contains" => Json::Bool(contains(input, arg)),
        "inside" => Json::Bool(contains(arg, input)),
        "startswith" | "endswith" => match (input, arg) {
            (Json::Text(a), Json::Text(b)) => Json::Bool(if name == "startswith" {
                a.starts_with(&**b)
            } else {
                a.ends_with(&**b)
            }),
            _ => return Err(format!("{name}() requires string inputs")),
        },
        "ltrimstr" | "rtrimstr" => match (input, arg) {
            (Json::Text(a), Json::Text(b)) => {
                let cut = if name == "ltrimstr" {
                    a.strip_prefix(&**b)
                } else {
                    a.strip_suffix(&**b)
                };
                text(cut.unwrap_or(a))
            }
            _ => input.clone(),
        },
        "split" => match (input, arg) {
            (Json::Text(a), Json::Text(b)) if a.is_empty() => {
                let _ = b;
                Json::List([].into())
            }
            (Json::Text(a), Json::Text(b)) if b.is_empty() => {
                Json::List(a.chars().map(|c| text(c.to_string())).collect())
            }
            (Json::Text(a), Json::Text(b)) => Json::List(a.split(&**b).map(text).collect()),
            _ => return Err("split input and separator must be strings".into()),
        },
        "join" => {
            let Json::Text(glue) = arg else {
                return Err(format!("{} cannot be added to a string", describe(arg)));
            };
            let mut parts = Vec::new();
            for item in values(input)? {
                parts.push(match item {
                    Json::Text(t) => t.to_string(),
                    Json::Null => String::new(),
                    Json::List(_) | Json::Object(_) => {
                        return Err(format!(
                            "string (\"\") and {} cannot be added",
                            describe(&item)
                        ));
                    }
                    other => other.write(None),
                });
            }
            text(parts.join(glue))
        }
        "test" => Json::Bool(compile(arg, &flags)?.is_match(&source()?)),
        "capture" => {
            let source = source()?;
            let regex = compile(arg, &flags)?;
            match regex.spans_at(&source, 0) {
                Some(spans) => named_groups(&regex, &source, &spans),
                None => return Ok(()),
            }
        }
        "match" | "scan" => {
            let source = source()?;
            let regex = compile(arg, &flags)?;
            let all = name == "scan" || flags.contains('g');
            let mut at = 0;
            while let Some(spans) = regex.spans_at(&source, at) {
                let Some((start, end)) = spans[0] else { break };
                let groups: Vec<Json> = spans[1..]
                    .iter()
                    .map(|s| s.map_or(Json::Null, |(a, b)| text(&source[a..b])))
                    .collect();
                let matched = text(&source[start..end]);
                out.push(if name == "match" {
                    Json::object(vec![
                        (
                            "offset".into(),
                            Json::Number(source[..start].chars().count() as f64),
                        ),
                        (
                            "length".into(),
                            Json::Number(source[start..end].chars().count() as f64),
                        ),
                        ("string".into(), matched),
                        ("captures".into(), Json::List(groups.into())),
                    ])
                } else if groups.is_empty() {
                    matched
                } else {
                    Json::List(groups.into())
                });
                at = match source[end..].chars().next() {
                    _ if end > start => end,
                    Some(c) => end + c.len_utf8(),
                    None => break,
                };
                if !all {
                    break;
                }
            }
            return Ok(());
        }
        "index" | "indices" | "rindex" => match (input, arg) {
            (Json::Text(a), Json::Text(b)) if !b.is_empty() => {
                let found: Vec<Json> = a
                    .match_indices(&**b)
                    .map(|(i, _)| Json::Number(i as f64))
                    .collect();
                match name {
                    "index" => found.first().cloned().unwrap_or(Json::Null),
                    "rindex" => found.last().cloned().unwrap_or(Json::Null),
                    _ => Json::List(found.into()),
                }
            }
            (Json::List(items), needle) => {
                let found: Vec<Json> = items
                    .iter()
                    .enumerate()
                    .filter(|(_, v)| *v == needle)
                    .map(|(i, _)| Json::Number(i as f64))
                    .collect();
                match name {
                    "index" => found.first().cloned().unwrap_or(Json::Null),
                    "rindex" => found.last().cloned().unwrap_or(Json::Null),
                    _ => Json::List(found.into()),
                }
            }
            _ => Json::Null,
        },
        "flatten" => {
            let mut flat = Vec::new();
            flatten(input, as_number(arg).unwrap_or(1.0) as u32, &mut flat);
            Json::List(flat.into())
        }
        "getpath" => match arg {
            Json::List(path) => get(input, path)?,
            _ => return Err("Path must be specified as an array".into()),
        },
        "nth" => index(input, arg)?,
        "strftime" => match (input, arg) {
            (Json::Number(n), Json::Text(format)) => {
                text(crate::tools::date::format(format, (*n as i64) * 1_000_000))
            }
            _ => return Err("strftime/1 requires parsed datetime inputs".into()),
        },
        "pow" => return Err("pow is not simulated".into()),
        other => return Err(format!("{other}/1 is not defined")),
    });
    Ok(())
}

fn contains(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Text(a), Json::Text(b)) => a.contains(&**b),
        (Json::List(a), Json::List(b)) => b.iter().all(|y| a.iter().any(|x| contains(x, y))),
        (Json::Object(_), Json::Object(fields)) => fields
            .iter()
            .all(|(k, v)| a.get(k).is_some_and(|x| contains(x, v))),
        (a, b) => a == b,
    }
}
