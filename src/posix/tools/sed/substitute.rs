//! `s/…/…/`: what stands in place of a match.

use super::script::Piece;
use crate::regex::Regex;

pub(super) fn substitute(
    regex: &Regex,
    with: &[Piece],
    text: &str,
    global: bool,
    nth: usize,
) -> Option<String> {
    let mut out = String::new();
    let (mut at, mut copied, mut count, mut hit) = (0, 0, 0, false);
    while at <= text.len() {
        let Some(spans) = regex.spans_at(text, at) else {
            break;
        };
        let Some((start, end)) = spans[0] else { break };
        // An empty match right after a match does not count.
        let empty_again = start == end && start == copied && count > 0 && copied == at && at > 0;
        if !empty_again {
            count += 1;
            if count >= nth {
                hit = true;
                out.push_str(&text[copied..start]);
                replacement(&mut out, with, text, &spans);
                copied = end;
                if !global {
                    break;
                }
            }
        }
        at = if end > start {
            end
        } else {
            match text[end..].chars().next() {
                Some(ch) => end + ch.len_utf8(),
                None => break,
            }
        };
    }
    if !hit {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

fn replacement(out: &mut String, with: &[Piece], text: &str, spans: &[Option<(usize, usize)>]) {
    let mut case = 'E';
    let mut once: Option<char> = None;
    for piece in with {
        let piece = match piece {
            Piece::Text(t) => t.as_str(),
            Piece::Group(n) => match spans.get(*n).copied().flatten() {
                Some((a, b)) => &text[a..b],
                None => "",
            },
            Piece::Case(letter @ ('u' | 'l')) => {
                once = Some(*letter);
                continue;
            }
            Piece::Case(letter) => {
                case = *letter;
                continue;
            }
        };
        let changed = match case {
            'U' => piece.to_uppercase(),
            'L' => piece.to_lowercase(),
            _ => piece.to_string(),
        };
        match (once, changed.chars().next()) {
            (Some(letter), Some(first)) => {
                once = None;
                if letter == 'u' {
                    out.extend(first.to_uppercase());
                } else {
                    out.extend(first.to_lowercase());
                }
                out.push_str(&changed[first.len_utf8()..]);
            }
            _ => out.push_str(&changed),
        }
    }
}

/// Reads what stands in place of a match.
pub(super) fn pieces(with: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = with.chars();
    let mut flush = |text: &mut String, piece: Piece| {
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(text)));
        }
        pieces.push(piece);
    };
    while let Some(c) = chars.next() {
        match c {
            '&' => flush(&mut text, Piece::Group(0)),
            '\\' => match chars.next() {
                Some(d @ '0'..='9') => flush(&mut text, Piece::Group(d as usize - '0' as usize)),
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(letter @ ('U' | 'L' | 'E' | 'u' | 'l')) => {
                    flush(&mut text, Piece::Case(letter))
                }
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces
}
