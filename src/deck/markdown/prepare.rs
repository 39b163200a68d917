//! What is done to a slide's lines before the Markdown parser sees them.

use crate::html;

/// Block tags on lines of their own become comments, which end on their line: so Markdown works right
/// beneath `<div class="columns">` and `<v-click>`, without the blank lines that HTML blocks ask for.
pub(super) fn with_tags_as_comments(text: &str) -> String {
    const TAGS: [&str; 5] = ["div", "details", "summary", "v-click", "v-clicks"];
    const MARKS: [&str; 7] = ["b", "strong", "i", "em", "kbd", "sub", "sup"];
    let mut fence: Option<(char, usize)> = None;
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        let trimmed = body.trim_start();
        let indent = body.len() - trimmed.len();
        match fence {
            Some((mark, length)) => {
                let run = trimmed.chars().take_while(|c| *c == mark).count();
                if run >= length && trimmed[run..].trim().is_empty() {
                    fence = None;
                }
            }
            None => {
                for mark in ['`', '~'] {
                    let length = trimmed.chars().take_while(|c| *c == mark).count();
                    if length >= 3 && (mark == '~' || !trimmed[length..].contains('`')) {
                        fence = Some((mark, length));
                    }
                }
            }
        }
        let only_tags = || {
            let pieces = html::pieces(trimmed);
            let named = |name: &str| {
                pieces
                    .iter()
                    .any(|piece| matches!(piece, html::Piece::Tag(tag) if tag.name == name))
            };
            // These hold their text on the line itself.
            let summary = named("summary") || named("v-click");
            let ours = |tag: &html::Tag<'_>| {
                TAGS.contains(&tag.name.as_str()) || summary && MARKS.contains(&tag.name.as_str())
            };
            pieces.iter().all(|piece| match piece {
                html::Piece::Tag(tag) => ours(tag),
                html::Piece::Text(text) => summary || text.trim().is_empty(),
                html::Piece::Comment(_) => false,
            })
        };
        let slot = trimmed
            .strip_prefix("::")
            .and_then(|rest| rest.strip_suffix("::"));
        if fence.is_none() && indent == 0 && matches!(slot, Some("left" | "right" | "default")) {
            out.push_str("<!--@slot-->");
            out.push_str(&line[body.len()..]);
        } else if fence.is_none()
            && trimmed.starts_with('<')
            && indent < 4
            && !trimmed.contains("--")
            && only_tags()
        {
            out.push_str("<!--@");
            out.push_str(trimmed);
            out.push_str("-->");
            out.push_str(&line[body.len()..]);
        } else {
            out.push_str(line);
        }
    }
    out
}
