//! Selectors: which objects a question is about, by labels or by fields.
//!
//! [`LabelSelector`] reads the text of `-l` (`app=web,tier in (a,b),!old`) and `metav1.LabelSelector` values;
//! [`FieldSelector`] reads the text of `--field-selector`. Messages are those of `apimachinery/pkg/labels` and
//! `fields` at v1.36.

use std::fmt;

use crate::{Map, Str, Value, names};

/// Requirements that must all hold, sorted by key. The default selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
    selects_nothing: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub key: Str,
    pub operator: Operator,
    /// Sorted, without repetition; as many as the operator takes.
    pub values: Vec<Str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    In,
    NotIn,
    Equals,
    DoubleEquals,
    NotEquals,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

/// Comparisons of fields that must all hold. The default selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    pub terms: Vec<FieldTerm>,
}

/// `field=value` or `field!=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTerm {
    pub field: Str,
    pub equals: bool,
    pub value: Str,
}

/// Why a text is no selector, in Kubernetes' words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError(pub String);

impl LabelSelector {
    /// Selects every object.
    pub fn everything() -> LabelSelector {
        LabelSelector::default()
    }

    /// Selects no object: what a missing `metav1.LabelSelector` means.
    pub fn nothing() -> LabelSelector {
        LabelSelector {
            requirements: Vec::new(),
            selects_nothing: true,
        }
    }

    /// Objects that have all of `labels`: `Service.spec.selector`.
    pub fn of_labels(labels: &Map) -> LabelSelector {
        let requirement = |(key, value): (&Str, &Value)| Requirement {
            key: key.clone(),
            operator: Operator::Equals,
            values: vec![value.as_shared_str().cloned().unwrap_or_default()],
        };
        LabelSelector {
            requirements: labels.iter().map(requirement).collect(),
            selects_nothing: false,
        }
    }

    /// Reads the text of `-l`.
    pub fn parse(text: &str) -> Result<LabelSelector, SelectorError> {
        let tokens = scan(text);
        let mut requirements = Parser { tokens, at: 0 }.parse().map_err(SelectorError)?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(LabelSelector {
            requirements,
            selects_nothing: false,
        })
    }

    /// Reads a `metav1.LabelSelector`: missing selects nothing, empty selects everything.
    pub fn of(selector: &Value) -> Result<LabelSelector, SelectorError> {
        if selector.is_null() {
            return Ok(LabelSelector::nothing());
        }
        let mut found = LabelSelector::of_labels(selector.get("matchLabels").entries());
        for expression in selector.get("matchExpressions").items() {
            let operator = match expression.str("operator") {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => {
                    let message = format!("{other:?} is not a valid label selector operator");
                    return Err(SelectorError(message));
                }
            };
            let values = expression.get("values").items().iter();
            let values = values.filter_map(Value::as_shared_str).cloned().collect();
            let requirement = Requirement::new(expression.shared_str("key"), operator, values);
            found.requirements.push(requirement.map_err(SelectorError)?);
        }
        found.requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &Map) -> bool {
        !self.selects_nothing && self.requirements.iter().all(|r| r.matches(labels))
    }

    /// Whether `metadata.labels` of `object` is selected.
    pub fn matches_object(&self, object: &Value) -> bool {
        self.matches(object.get("metadata").get("labels").entries())
    }

    /// Whether every object is selected.
    pub fn is_everything(&self) -> bool {
        !self.selects_nothing && self.requirements.is_empty()
    }

    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }
}

impl Requirement {
    /// Checks key, operator and values; the error lists all complaints.
    pub fn new(
        key: impl Into<Str>,
        operator: Operator,
        mut values: Vec<Str>,
    ) -> Result<Requirement, String> {
        let key = key.into();
        values.sort();
        values.dedup();
        let mut problems = Vec::new();
        problems.extend(wrong_key(&key, "key"));
        let complaint = match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                "for 'in', 'notin' operators, values set can't be empty"
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals
                if values.len() != 1 =>
            {
                "exact-match compatibility requires one single value"
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                "values set must be empty for exists and does not exist"
            }
            Operator::GreaterThan | Operator::LessThan if values.len() != 1 => {
                "for 'Gt', 'Lt' operators, exactly one value is required"
            }
            _ => "",
        };
        if !complaint.is_empty() {
            let shown = Value::from(values.iter().map(Value::from).collect::<Vec<_>>()).to_json();
            problems.push(format!("values: Invalid value: {shown}: {complaint}"));
        }
        for (at, value) in values.iter().enumerate() {
            let is_order = matches!(operator, Operator::GreaterThan | Operator::LessThan);
            if is_order && value.parse::<i64>().is_err() {
                problems.push(format!(
                    "values[{at}]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer"
                ));
            }
            let wrong = names::label_value(value);
            if !wrong.is_empty() {
                problems.push(format!(
                    "values[{at}][{key}]: Invalid value: {value:?}: {}",
                    wrong.join("; ")
                ));
            }
        }
        match &problems[..] {
            [] => Ok(Requirement {
                key,
                operator,
                values,
            }),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }

    pub fn matches(&self, labels: &Map) -> bool {
        let value = labels.get(&self.key).and_then(Value::as_str);
        let is_listed = value.is_some_and(|value| self.values.iter().any(|v| v == value));
        let number = || value?.parse::<i64>().ok();
        let bound = || self.values.first()?.parse::<i64>().ok();
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => is_listed,
            Operator::NotIn | Operator::NotEquals => !is_listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => number().zip(bound()).is_some_and(|(n, bound)| n > bound),
            Operator::LessThan => number().zip(bound()).is_some_and(|(n, bound)| n < bound),
        }
    }
}

impl FieldSelector {
    /// Reads the text of `--field-selector`. Which fields a resource supports, its server knows.
    pub fn parse(text: &str) -> Result<FieldSelector, SelectorError> {
        let mut terms = Vec::new();
        for part in split_unescaped(text) {
            if part.is_empty() {
                continue;
            }
            let Some((field, equals, value)) = split_term(part) else {
                return Err(SelectorError(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                )));
            };
            terms.push(FieldTerm {
                field: Str::new(field),
                equals,
                value: unescape(value)?.into(),
            });
        }
        Ok(FieldSelector { terms })
    }

    /// Whether all terms hold of the values that `read` gives for fields.
    pub fn matches<'a>(&self, read: impl Fn(&str) -> &'a str) -> bool {
        let holds = |term: &FieldTerm| (term.value == *read(&term.field)) == term.equals;
        self.terms.iter().all(holds)
    }

    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// The value that `field` must have, if the selector demands one.
    pub fn required(&self, field: &str) -> Option<&Str> {
        let demands = |term: &&FieldTerm| term.equals && term.field == *field;
        self.terms.iter().find(demands).map(|term| &term.value)
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, requirement) in self.requirements.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let values = self.values.join(",");
        match self.operator {
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let operator = if term.equals { "=" } else { "!=" };
            write!(f, "{comma}{}{operator}{}", term.field, escape(&term.value))?;
        }
        Ok(())
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SelectorError {}

fn wrong_key(key: &str, path: &str) -> Option<String> {
    let wrong = names::qualified_name(key);
    let message = || format!("{path}: Invalid value: {key:?}: {}", wrong.join("; "));
    (!wrong.is_empty()).then(message)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Error,
    End,
    Open,
    Close,
    Comma,
    Not,
    In,
    NotIn,
    Identifier,
    Compare(Operator),
}

fn symbol(text: &str) -> Option<Token> {
    Some(match text {
        "(" => Token::Open,
        ")" => Token::Close,
        "," => Token::Comma,
        "!" => Token::Not,
        "=" => Token::Compare(Operator::Equals),
        "==" => Token::Compare(Operator::DoubleEquals),
        "!=" => Token::Compare(Operator::NotEquals),
        ">" => Token::Compare(Operator::GreaterThan),
        "<" => Token::Compare(Operator::LessThan),
        _ => return None,
    })
}

/// The tokens with their text; the last is `End`.
fn scan(text: &str) -> Vec<(Token, String)> {
    let is_symbol = |c: char| "=!(),><".contains(c);
    let is_space = |c: char| " \t\r\n".contains(c);
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let length = if is_symbol(first) {
            // The longest operator; no operator has three characters.
            match rest.get(..2) {
                Some(two) if symbol(two).is_some() => 2,
                _ => 1,
            }
        } else {
            rest.find(|c| is_symbol(c) || is_space(c))
                .unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(length);
        let token = match word {
            "in" => Token::In,
            "notin" => Token::NotIn,
            _ if is_symbol(first) => symbol(word).unwrap_or(Token::Error),
            _ => Token::Identifier,
        };
        tokens.push((token, word.to_owned()));
        rest = after.trim_start_matches(is_space);
    }
    tokens.push((Token::End, String::new()));
    tokens
}

/// Reads requirements; each step's message is what Kubernetes says there.
struct Parser {
    tokens: Vec<(Token, String)>,
    at: usize,
}

impl Parser {
    /// The next token where values are meant: `in` and `notin` are plain words there.
    fn peek(&self) -> (Token, &str) {
        let (token, text) = &self.tokens[self.at.min(self.tokens.len() - 1)];
        match token {
            Token::In | Token::NotIn => (Token::Identifier, text),
            other => (*other, text),
        }
    }

    fn next(&mut self) -> (Token, String) {
        let (token, text) = self.peek();
        let next = (token, text.to_owned());
        self.at += 1;
        next
    }

    fn parse(mut self) -> Result<Vec<Requirement>, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                (Token::Identifier | Token::Not, _) => {
                    let requirement = self
                        .requirement()
                        .map_err(|why| format!("unable to parse requirement: {why}"))?;
                    requirements.push(requirement);
                    match self.next() {
                        (Token::End, _) => return Ok(requirements),
                        (Token::Comma, _) => {
                            let (token, text) = self.peek();
                            if !matches!(token, Token::Identifier | Token::Not) {
                                return Err(format!(
                                    "found '{text}', expected: identifier after ','"
                                ));
                            }
                        }
                        (_, text) => {
                            return Err(format!(
                                "found '{text}', expected: ',' or 'end of string'"
                            ));
                        }
                    }
                }
                (Token::End, _) => return Ok(requirements),
                (_, text) => {
                    return Err(format!(
                        "found '{text}', expected: !, identifier, or 'end of string'"
                    ));
                }
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut next = self.next();
        let is_negated = next.0 == Token::Not;
        if is_negated {
            next = self.next();
        }
        let (Token::Identifier, key) = next else {
            return Err(format!("found '{}', expected: identifier", next.1));
        };
        if let Some(wrong) = wrong_key(&key, "<nil>") {
            return Err(wrong);
        }
        if is_negated {
            return Requirement::new(key, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Requirement::new(key, Operator::Exists, Vec::new());
        }
        let (token, text) = self.tokens[self.at.min(self.tokens.len() - 1)].clone();
        self.at += 1;
        let (operator, values) = match token {
            Token::In => (Operator::In, self.values()?),
            Token::NotIn => (Operator::NotIn, self.values()?),
            Token::Compare(operator) => (operator, vec![self.exact_value()?]),
            _ => {
                return Err(format!(
                    "found '{text}', expected: in, notin, =, ==, !=, gt, lt"
                ));
            }
        };
        Requirement::new(key, operator, values)
    }

    fn exact_value(&mut self) -> Result<Str, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(Str::EMPTY);
        }
        match self.next() {
            (Token::Identifier, text) => Ok(text.into()),
            (_, text) => Err(format!("found '{text}', expected: identifier")),
        }
    }

    fn values(&mut self) -> Result<Vec<Str>, String> {
        let (token, text) = self.next();
        if token != Token::Open {
            return Err(format!("found '{text}' expected: '('"));
        }
        match self.peek() {
            (Token::Identifier | Token::Comma, _) => {}
            (Token::Close, _) => {
                self.at += 1;
                return Ok(Vec::new());
            }
            (_, text) => return Err(format!("found '{text}', expected: ',', ')' or identifier")),
        }
        let mut values: Vec<Str> = Vec::new();
        loop {
            match self.next() {
                (Token::Identifier, text) => {
                    values.push(text.into());
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => break,
                        (_, text) => return Err(format!("found '{text}', expected: ',' or ')'")),
                    }
                }
                // A missing word beside a comma is the empty value.
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.push(Str::EMPTY);
                    }
                    match self.peek().0 {
                        Token::Close => {
                            values.push(Str::EMPTY);
                            break;
                        }
                        Token::Comma => {
                            self.at += 1;
                            values.push(Str::EMPTY);
                        }
                        _ => {}
                    }
                }
                (_, text) => return Err(format!("found '{text}', expected: ',', or identifier")),
            }
        }
        self.at += 1;
        Ok(values)
    }
}

/// Splits at commas that no backslash precedes.
fn split_unescaped(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_escaped) = (0, false);
    for (at, c) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == ',' {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

fn split_term(part: &str) -> Option<(&str, bool, &str)> {
    let at = part.find(['!', '='])?;
    // A lone `!` belongs to the field's name; the comparison comes later.
    let at = if part[at..].starts_with('!') && !part[at..].starts_with("!=") {
        part.find('=')?
    } else {
        at
    };
    let (field, rest) = part.split_at(at);
    for (operator, equals) in [("!=", false), ("==", true), ("=", true)] {
        if let Some(value) = rest.strip_prefix(operator) {
            return Some((field, equals, value));
        }
    }
    None
}

fn unescape(value: &str) -> Result<String, SelectorError> {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped @ ('\\' | ',' | '=')) => text.push(escaped),
                other => {
                    let sequence: String = std::iter::once('\\').chain(other).collect();
                    return Err(SelectorError(format!(
                        "invalid field selector: invalid escape sequence: {sequence}"
                    )));
                }
            },
            '=' => {
                return Err(SelectorError(
                    "invalid field selector: unescaped character in value: =".to_owned(),
                ));
            }
            other => text.push(other),
        }
    }
    Ok(text)
}

fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '=') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{list, map};

    #[test]
    fn label_selectors_are_read_sorted_and_written() {
        for (text, written) in [
            ("", ""),
            ("  ", ""),
            ("b=1,a==2", "a==2,b=1"),
            ("env in (qa, dev,qa),!old,tier", "env in (dev,qa),!old,tier"),
            ("x notin (),y", "error"),
            ("app=", "app="),
            ("app!=web", "app!=web"),
            ("n>3,m<4", "m<4,n>3"),
            ("in in (in)", "in in (in)"),
            ("a in (,b)", "a in (,b)"),
            ("app.kubernetes.io/name = web", "app.kubernetes.io/name=web"),
        ] {
            let read = LabelSelector::parse(text).map(|s| s.to_string());
            assert_eq!(read.unwrap_or("error".into()), written, "{text}");
        }
    }

    #[test]
    fn what_is_no_label_selector_is_refused_in_kubernetes_words() {
        let name = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
        for (text, message) in [
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt".to_owned()),
            ("x in a", "unable to parse requirement: found 'a' expected: '('".to_owned()),
            ("x in", "unable to parse requirement: found '' expected: '('".to_owned()),
            ("a,", "found '', expected: identifier after ','".to_owned()),
            ("=a", "found '=', expected: !, identifier, or 'end of string'".to_owned()),
            ("a=b c", "found 'c', expected: ',' or 'end of string'".to_owned()),
            ("-a=b", format!("unable to parse requirement: <nil>: Invalid value: \"-a\": name part {name}")),
            ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'".to_owned()),
            ("a notin ()", "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty".to_owned()),
            ("a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer".to_owned()),
        ] {
            assert_eq!(LabelSelector::parse(text), Err(SelectorError(message)), "{text}");
        }
    }

    #[test]
    fn selectors_match_labels() {
        let labels = map! { "app": "web", "n": "5" };
        for (text, is_match) in [
            ("", true),
            ("app=web", true),
            ("app!=web", false),
            ("gone!=web", true),
            ("app in (web,db)", true),
            ("gone notin (x)", true),
            ("n>4", true),
            ("n<4", false),
            ("gone>4", false),
            ("!gone,app", true),
        ] {
            let selector = LabelSelector::parse(text).expect("a selector");
            assert_eq!(selector.matches(labels.entries()), is_match, "{text}");
        }
    }

    #[test]
    fn a_missing_label_selector_selects_nothing_and_an_empty_one_everything() {
        let of = |value: &Value| LabelSelector::of(value).expect("a selector");
        assert!(!of(&Value::Null).matches(map! {}.entries()));
        assert!(of(&map! {}).is_everything());
        let selector = map! {
            "matchLabels": map! { "b": "1" },
            "matchExpressions": list![map! { "key": "a", "operator": "In", "values": list!["y", "x"] }],
        };
        assert_eq!(of(&selector).to_string(), "a in (x,y),b=1");
        let wrong = map! { "matchExpressions": list![map! { "key": "a", "operator": "Near" }] };
        assert_eq!(
            LabelSelector::of(&wrong),
            Err(SelectorError(
                "\"Near\" is not a valid label selector operator".into()
            ))
        );
    }

    #[test]
    fn field_selectors_compare_fields() {
        let selector = FieldSelector::parse(r"status.phase!=Running,metadata.name=a\,b,,x==1")
            .expect("a selector");
        assert_eq!(
            selector.to_string(),
            r"status.phase!=Running,metadata.name=a\,b,x=1"
        );
        assert!(selector.matches(|field| match field {
            "metadata.name" => "a,b",
            "x" => "1",
            _ => "Pending",
        }));
        assert_eq!(selector.required("x"), Some(&"1".into()));
        assert_eq!(
            FieldSelector::parse("a=b,c"),
            Err(SelectorError(
                "invalid selector: 'a=b,c'; can't understand 'c'".into()
            ))
        );
    }
}
