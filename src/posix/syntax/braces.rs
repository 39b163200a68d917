//! Brace expansion: `{a,b}`, `{1..5}`, `pre{x,y}post`. Purely textual, so it happens while parsing.

use super::{Part, Word};

/// Words one word may become.
const LIMIT: usize = 4096;

/// Adds the words that `word` stands for.
pub(crate) fn expand_braces(word: Word, out: &mut Vec<Word>) {
    if !word
        .iter()
        .any(|p| matches!(p, Part::Lit(t) if t.contains('{')))
    {
        out.push(word);
        return;
    }
    let mut todo = vec![word.into_vec()];
    let mut made = 0;
    while let Some(parts) = todo.pop() {
        match split_first(&parts) {
            Some(choices) if made + todo.len() + choices.len() <= LIMIT => {
                todo.extend(choices.into_iter().rev());
            }
            _ => {
                made += 1;
                // A brace that was looked at and refused is kept as text.
                out.push(unmark(parts).into());
            }
        }
    }
}

/// A brace that turned out not to be a list is marked with this character until the end.
const REFUSED: char = '\u{e000}';

fn unmark(parts: Vec<Part>) -> Vec<Part> {
    parts
        .into_iter()
        .map(|p| match p {
            Part::Lit(t) if t.contains(REFUSED) => Part::Lit(t.replace(REFUSED, "{").into()),
            other => other,
        })
        .collect()
}

/// One token of a word: an unquoted character, or a part that is not looked into.
#[derive(Clone)]
enum Token {
    Char(char),
    Part(Part),
}

fn split_first(parts: &[Part]) -> Option<Vec<Vec<Part>>> {
    let mut tokens = Vec::new();
    for part in parts {
        match part {
            Part::Lit(text) => tokens.extend(text.chars().map(Token::Char)),
            other => tokens.push(Token::Part(other.clone())),
        }
    }
    let is = |t: &Token, c: char| matches!(t, Token::Char(x) if *x == c);
    let mut start = 0;
    while let Some(open) = (start..tokens.len()).find(|i| is(&tokens[*i], '{')) {
        let (mut depth, mut commas, mut close) = (0, vec![open], None);
        for (i, token) in tokens.iter().enumerate().skip(open + 1) {
            match token {
                Token::Char('{') => depth += 1,
                Token::Char('}') if depth == 0 => {
                    close = Some(i);
                    break;
                }
                Token::Char('}') => depth -= 1,
                Token::Char(',') if depth == 0 => commas.push(i),
                _ => {}
            }
        }
        let Some(close) = close else {
            start = open + 1;
            continue;
        };
        let (before, after) = (&tokens[..open], &tokens[close + 1..]);
        let middles: Option<Vec<Vec<Token>>> = if commas.len() > 1 {
            commas.push(close);
            Some(
                commas
                    .windows(2)
                    .map(|w| tokens[w[0] + 1..w[1]].to_vec())
                    .collect(),
            )
        } else {
            sequence(&tokens[open + 1..close])
        };
        match middles {
            Some(middles) => {
                return Some(
                    middles
                        .into_iter()
                        .map(|m| {
                            let all = before.iter().cloned().chain(m).chain(after.iter().cloned());
                            join(all)
                        })
                        .collect(),
                );
            }
            None => {
                // `{}` and `{x}` stay as they are, but what is inside may still expand.
                tokens[open] = Token::Char(REFUSED);
                start = open + 1;
            }
        }
    }
    None
}

/// `1..5`, `a..e`, `1..10..2`, `01..03`.
fn sequence(tokens: &[Token]) -> Option<Vec<Vec<Token>>> {
    let mut text = String::new();
    for token in tokens {
        match token {
            Token::Char(c) => text.push(*c),
            Token::Part(_) => return None,
        }
    }
    let fields: Vec<&str> = text.split("..").collect();
    let (from, to) = match fields[..] {
        [from, to] | [from, to, _] => (from, to),
        _ => return None,
    };
    let step = match fields.get(2) {
        Some(step) => step.parse::<i64>().ok()?.unsigned_abs().max(1),
        None => 1,
    };
    let texts: Vec<String> = if let (Ok(a), Ok(b)) = (from.parse::<i64>(), to.parse::<i64>()) {
        let padded = |t: &str| {
            t.trim_start_matches('-').len() > 1 && t.trim_start_matches('-').starts_with('0')
        };
        let width = if padded(from) || padded(to) {
            from.len().max(to.len())
        } else {
            0
        };
        let count = (a.abs_diff(b) / step).min(LIMIT as u64) as i64;
        let step = if a <= b { step as i64 } else { -(step as i64) };
        (0..=count)
            .map(|i| format!("{:0width$}", a.saturating_add(i.saturating_mul(step))))
            .collect()
    } else {
        let (a, b) = (single(from)? as i64, single(to)? as i64);
        let count = a.abs_diff(b) / step;
        let step = if a <= b { step as i64 } else { -(step as i64) };
        (0..=count as i64)
            .filter_map(|i| u8::try_from(a + i * step).ok())
            .map(|b| (b as char).to_string())
            .collect()
    };
    Some(
        texts
            .into_iter()
            .map(|t| t.chars().map(Token::Char).collect())
            .collect(),
    )
}

fn single(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [b] if b.is_ascii_alphabetic() => Some(*b),
        _ => None,
    }
}

fn join(tokens: impl Iterator<Item = Token>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lit = String::new();
    for token in tokens {
        match token {
            Token::Char(c) => lit.push(c),
            Token::Part(part) => {
                if !lit.is_empty() {
                    parts.push(Part::Lit(std::mem::take(&mut lit).into()));
                }
                parts.push(part);
            }
        }
    }
    if !lit.is_empty() {
        parts.push(Part::Lit(lit.into()));
    }
    parts
}
