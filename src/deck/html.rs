//! The little raw HTML that a deck may hold, and the addresses that it may name.
//!
//! HTML is never passed on: it is cut into pieces here, and whoever builds the slide knows a handful of
//! tags. Everything else is text.

/// A piece of raw HTML.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    /// The inside of `<!-- … -->`, trimmed.
    Comment(&'a str),
    Tag(Tag<'a>),
}

/// A tag as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tag<'a> {
    pub(crate) source: &'a str,
    /// In lower case.
    pub(crate) name: String,
    pub(crate) closing: bool,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Tag<'_> {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Cuts raw HTML into text, comments and tags.
pub(crate) fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut rest = source;
    while let Some(open) = rest.find('<') {
        let (before, here) = rest.split_at(open);
        if !before.is_empty() {
            out.push(Piece::Text(before));
        }
        if let Some(comment) = here.strip_prefix("<!--") {
            let end = comment.find("-->").unwrap_or(comment.len());
            out.push(Piece::Comment(comment[..end].trim()));
            rest = comment.get(end + 3..).unwrap_or("");
        } else if let Some((tag, after)) = tag(here) {
            out.push(Piece::Tag(tag));
            rest = after;
        } else {
            out.push(Piece::Text("<"));
            rest = &here[1..];
        }
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest));
    }
    out
}

fn tag(source: &str) -> Option<(Tag<'_>, &str)> {
    let closing = source.starts_with("</");
    let start = if closing { 2 } else { 1 };
    let body = &source[start..];
    let name_end = body
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(body.len());
    if name_end == 0 || !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    // A `>` within quotes belongs to an attribute.
    let mut quote = None;
    let end = body.char_indices().find(|(_, c)| match quote {
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None => {
            if matches!(c, '"' | '\'') {
                quote = Some(*c);
            }
            *c == '>'
        }
    });
    let end = end?.0;
    let tag = Tag {
        source: &source[..start + end + 1],
        name: body[..name_end].to_ascii_lowercase(),
        closing,
        attributes: attributes(body[name_end..end].trim_end_matches('/')),
    };
    Some((tag, &body[end + 1..]))
}

/// `a="b" c='d' e=f g` as pairs; names in lower case.
pub(crate) fn attributes(source: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = source.trim();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quoted = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (text, tail) = match quoted {
                Some(quote) => match after[1..].split_once(quote) {
                    Some((text, tail)) => (text, tail),
                    None => (&after[1..], ""),
                },
                None => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
            };
            value = String::from(text);
            rest = tail.trim_start();
        }
        if !name.is_empty() {
            out.push((name, value));
        }
    }
    out
}

/// Whether a link may lead there: http(s), mailto, or an address relative to the page.
pub(crate) fn is_safe_link(href: &str) -> bool {
    match scheme(href) {
        None => true,
        Some(scheme) => matches!(scheme.as_str(), "http" | "https" | "mailto"),
    }
}

/// Whether an image may be drawn: the page loads nothing from other hosts, so relative addresses and
/// pictures inside the deck only.
pub(crate) fn is_safe_image(src: &str) -> bool {
    match scheme(src) {
        None => !src.trim_start().starts_with("//") && !src.trim_start().starts_with("\\"),
        Some(scheme) => {
            scheme == "data"
                && src.trim_start()[5..]
                    .to_ascii_lowercase()
                    .starts_with("image/")
        }
    }
}

/// The scheme of an address. Browsers ignore blanks and control characters within, and so do we.
fn scheme(address: &str) -> Option<String> {
    let clean: String = address
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect();
    let (scheme, _) = clean.split_once(':')?;
    let is_scheme = !scheme.is_empty() && !scheme.contains(['/', '?', '#']);
    is_scheme.then(|| scheme.to_ascii_lowercase())
}
