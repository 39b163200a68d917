//! Values to YAML, byte for byte as `kubectl -o yaml` prints them.
//!
//! Models go-yaml v2's encoder and libyaml's emitter: natural key order, lists not indented below their key,
//! literal blocks for text with line ends, quotes only where a plain scalar would read differently.

use std::cmp::Ordering;

use super::resolve::is_ambiguous;
use crate::Value;

/// Longer lines are folded at a blank.
const WIDTH: usize = 80;

/// The value as a block document with a final line end.
pub fn emit(value: &Value) -> String {
    let mut emitter = Emitter {
        out: String::new(),
        column: 0,
    };
    match value {
        Value::Map(map) if !map.is_empty() => emitter.map(value, 0),
        Value::List(list) if !list.is_empty() => emitter.list(value, 0),
        other => {
            emitter.scalar(other, 0);
            emitter.newline();
        }
    }
    emitter.out
}

struct Emitter {
    out: String,
    column: usize,
}

impl Emitter {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn newline(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn indent(&mut self, indent: usize) {
        for _ in 0..indent {
            self.out.push(' ');
        }
        self.column += indent;
    }

    fn map(&mut self, value: &Value, indent: usize) {
        let mut keys: Vec<(&str, &Value)> = value
            .entries()
            .iter()
            .map(|(key, value)| (key.as_str(), value))
            .collect();
        keys.sort_by(|(a, _), (b, _)| natural(a, b));
        for (at, (key, value)) in keys.into_iter().enumerate() {
            // In a list the first key stands behind the dash.
            if at > 0 || self.column == 0 {
                self.indent(indent);
            }
            self.text(key, indent, true);
            self.push(":");
            self.below(value, indent);
        }
    }

    /// The value of a key at `indent`.
    fn below(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Map(map) if !map.is_empty() => {
                self.newline();
                self.map(value, indent + 2);
            }
            Value::List(list) if !list.is_empty() => {
                self.newline();
                self.list(value, indent);
            }
            other => {
                self.push(" ");
                self.scalar(other, indent + 2);
                self.newline();
            }
        }
    }

    fn list(&mut self, value: &Value, indent: usize) {
        for (at, item) in value.items().iter().enumerate() {
            if at > 0 || self.column == 0 {
                self.indent(indent);
            }
            self.push("-");
            match item {
                Value::Map(map) if !map.is_empty() => {
                    self.push(" ");
                    self.map(item, indent + 2);
                }
                Value::List(list) if !list.is_empty() => {
                    self.push(" ");
                    self.list(item, indent + 2);
                }
                other => {
                    self.push(" ");
                    self.scalar(other, indent + 2);
                    self.newline();
                }
            }
        }
    }

    /// A scalar or an empty collection; further lines of it stand at `indent`.
    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Map(_) => self.push("{}"),
            Value::List(_) => self.push("[]"),
            Value::Null => self.push("null"),
            Value::Str(text) => self.text(text, indent, false),
            other => {
                let text = other.to_json();
                self.push(&text);
            }
        }
    }

    fn text(&mut self, text: &str, indent: usize, is_key: bool) {
        let shape = Shape::of(text);
        if is_ambiguous(text) {
            self.double_quoted(text, indent, is_key);
        } else if text.contains('\n') && !is_key && shape.block_allowed {
            self.literal(text, indent);
        } else if shape.plain_allowed && !text.contains('\n') {
            self.plain(text, indent, is_key);
        } else if shape.single_allowed && !(is_key && text.contains('\n')) && !text.contains('\n') {
            self.single_quoted(text, indent, is_key);
        } else {
            self.double_quoted(text, indent, is_key);
        }
    }

    /// Words up to the width; the break replaces one blank.
    fn plain(&mut self, text: &str, indent: usize, is_key: bool) {
        self.folded(
            text,
            indent,
            is_key,
            |_, _| true,
            |emitter, c| emitter.out.push(c),
        );
    }

    fn single_quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        self.push("'");
        let len = text.chars().count();
        let inside = move |at: usize, _: &[char]| at > 0 && at + 1 < len;
        self.folded(text, indent, is_key, inside, |emitter, c| {
            if c == '\'' {
                emitter.out.push('\'');
                emitter.column += 1;
            }
            emitter.out.push(c);
        });
        self.push("'");
    }

    fn folded(
        &mut self,
        text: &str,
        indent: usize,
        is_key: bool,
        may_break: impl Fn(usize, &[char]) -> bool,
        write: impl Fn(&mut Emitter, char),
    ) {
        let chars: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (at, c) in chars.iter().enumerate() {
            let is_space = *c == ' ';
            let next_is_space = chars.get(at + 1) == Some(&' ');
            if is_space
                && !is_key
                && !after_space
                && self.column > WIDTH
                && !next_is_space
                && may_break(at, &chars)
            {
                self.newline();
                self.indent(indent);
            } else {
                write(self, *c);
                self.column += 1;
            }
            after_space = is_space;
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        self.push("\"");
        let chars: Vec<char> = text.chars().collect();
        let mut after_space = false;
        for (at, c) in chars.iter().enumerate() {
            let escape = match c {
                '"' => Some("\\\"".to_owned()),
                '\\' => Some("\\\\".to_owned()),
                '\0' => Some("\\0".to_owned()),
                '\u{7}' => Some("\\a".to_owned()),
                '\u{8}' => Some("\\b".to_owned()),
                '\t' => Some("\\t".to_owned()),
                '\n' => Some("\\n".to_owned()),
                '\u{b}' => Some("\\v".to_owned()),
                '\u{c}' => Some("\\f".to_owned()),
                '\r' => Some("\\r".to_owned()),
                '\u{1b}' => Some("\\e".to_owned()),
                '\u{85}' => Some("\\N".to_owned()),
                '\u{a0}' => Some("\\_".to_owned()),
                '\u{2028}' => Some("\\L".to_owned()),
                '\u{2029}' => Some("\\P".to_owned()),
                c if is_printable(*c) => None,
                c if u32::from(*c) <= 0xff => Some(format!("\\x{:02X}", u32::from(*c))),
                c if u32::from(*c) <= 0xffff => Some(format!("\\u{:04X}", u32::from(*c))),
                c => Some(format!("\\U{:08X}", u32::from(*c))),
            };
            if let Some(escape) = escape {
                self.push(&escape);
                after_space = false;
            } else if *c == ' ' {
                if !is_key && !after_space && self.column > WIDTH && at > 0 && at + 1 < chars.len()
                {
                    self.newline();
                    self.indent(indent);
                    if chars.get(at + 1) == Some(&' ') {
                        self.push("\\");
                    }
                } else {
                    self.push(" ");
                }
                after_space = true;
            } else {
                self.out.push(*c);
                self.column += 1;
                after_space = false;
            }
        }
        self.push("\"");
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.push("|");
        if text.starts_with([' ', '\n']) {
            self.push("2");
        }
        if !text.ends_with('\n') {
            self.push("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.push("+");
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            self.newline();
            if !line.is_empty() {
                self.indent(indent);
                self.push(line);
            }
        }
    }
}

/// What the emitter may do with a text (`yaml_emitter_analyze_scalar`).
struct Shape {
    plain_allowed: bool,
    single_allowed: bool,
    block_allowed: bool,
}

impl Shape {
    fn of(text: &str) -> Shape {
        let chars: Vec<char> = text.chars().collect();
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let mut special = false;
        let (mut break_space, mut space_break) = (false, false);
        let (mut previous_space, mut previous_break) = (false, false);
        let mut preceded_by_blank = true;
        for (at, c) in chars.iter().enumerate() {
            let followed_by_blank = chars
                .get(at + 1)
                .is_none_or(|next| matches!(next, ' ' | '\t' | '\n' | '\r'));
            if at == 0 {
                indicators |= match c {
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\''
                    | '"' | '%' | '@' | '`' => true,
                    '?' | ':' | '-' => followed_by_blank,
                    _ => false,
                };
            } else {
                indicators |= (*c == ':' && followed_by_blank) || (*c == '#' && preceded_by_blank);
            }
            special |= !(is_printable(*c) || *c == '\n');
            match c {
                ' ' => {
                    break_space |= previous_break;
                    (previous_space, previous_break) = (true, false);
                }
                '\n' => {
                    space_break |= previous_space;
                    (previous_space, previous_break) = (false, true);
                }
                _ => (previous_space, previous_break) = (false, false),
            }
            preceded_by_blank = matches!(c, ' ' | '\t' | '\n' | '\r');
        }
        let edge = |c: Option<&char>| matches!(c, Some(' ' | '\n'));
        let trailing_space = chars.last() == Some(&' ');
        let no_plain = edge(chars.first())
            || edge(chars.last())
            || break_space
            || space_break
            || special
            || indicators;
        Shape {
            plain_allowed: !chars.is_empty() && !no_plain,
            single_allowed: !(break_space || space_break || special),
            block_allowed: !(trailing_space || space_break || special),
        }
    }
}

fn is_printable(c: char) -> bool {
    matches!(c, '\t' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
        && c != '\t'
}

/// go-yaml's order of keys: letters before digits' runs compared as numbers.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut digits = false;
    for i in 0..a.len().min(b.len()) {
        if a[i] == b[i] {
            digits = a[i].is_numeric();
            continue;
        }
        let (al, bl) = (a[i].is_alphabetic(), b[i].is_alphabetic());
        if al && bl {
            return a[i].cmp(&b[i]);
        }
        if al || bl {
            let less = if digits { al } else { bl };
            return if less {
                Ordering::Less
            } else {
                Ordering::Greater
            };
        }
        let seed = u64::from(
            (a[i] == '0' || b[i] == '0')
                && a[..i]
                    .iter()
                    .rev()
                    .take_while(|c| c.is_ascii_digit())
                    .any(|c| *c != '0'),
        );
        let run = |chars: &[char]| {
            let digits: Vec<u64> = chars[i..]
                .iter()
                .map_while(|c| c.to_digit(10).map(u64::from))
                .collect();
            (
                digits
                    .iter()
                    .fold(seed, |n, d| n.wrapping_mul(10).wrapping_add(*d)),
                digits.len(),
            )
        };
        let ((an, ai), (bn, bi)) = (run(&a), run(&b));
        return an.cmp(&bn).then(ai.cmp(&bi)).then(a[i].cmp(&b[i]));
    }
    a.len().cmp(&b.len())
}
