//! What is wrong with a document, in go-yaml's words.

use std::fmt;

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A line that begins with `---` and goes on.
    Separator(String),
    /// A syntax error. `line` counts from 1; `at` is the byte offset. `reported` is the line that go-yaml names, which
    /// is one less where its parser found the problem and not its scanner; 0 if it names none.
    Syntax {
        line: usize,
        reported: usize,
        at: usize,
        problem: String,
    },
    /// More nodes by aliases than the text could hold.
    Aliases,
    /// Nested deeper than anything sensible.
    Depth { line: usize, at: usize },
}

impl Error {
    /// Line (from 1) and byte offset of the problem, where it has a place.
    pub fn place(&self) -> Option<(usize, usize)> {
        match self {
            Error::Syntax { line, at, .. } | Error::Depth { line, at } => Some((*line, *at)),
            _ => None,
        }
    }

    /// The problem without its place.
    pub fn problem(&self) -> String {
        match self {
            Error::Separator(line) => format!(
                "invalid Yaml document separator: {}",
                line.trim_start_matches('-').trim()
            ),
            Error::Syntax { problem, .. } => problem.clone(),
            Error::Aliases => "document contains excessive aliasing".to_owned(),
            Error::Depth { .. } => "exceeded max depth of 10000".to_owned(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Separator(_) => f.write_str(&self.problem()),
            Error::Syntax {
                reported: 0,
                problem,
                ..
            } => write!(f, "error converting YAML to JSON: yaml: {problem}"),
            Error::Syntax {
                reported, problem, ..
            } => write!(
                f,
                "error converting YAML to JSON: yaml: line {reported}: {problem}"
            ),
            Error::Aliases | Error::Depth { .. } => {
                write!(f, "error converting YAML to JSON: yaml: {}", self.problem())
            }
        }
    }
}

impl std::error::Error for Error {}

/// A scanner or parser error in go-yaml's words, with its place.
pub(super) fn translate(error: &granit_parser::ScanError, text: &str) -> Error {
    use granit_parser::ErrorKind as K;
    let marker = error.marker();
    let at = offset(text, marker);
    let line = marker.line().max(1);
    let end = text.matches('\n').count() + 1;
    // What the scanner finds is reported by lines from 1, what the parser finds from 0.
    let (reported, problem) = match error.kind() {
        K::ExpectedFlowSequenceSeparator | K::ExpectedFlowMappingSeparator => {
            (line - 1, separator(text, at))
        }
        K::UnexpectedEofFlowSequence => (end - 1, LIST_END),
        K::UnexpectedEofFlowMapping | K::UnexpectedEofImplicitFlowMapping => (end - 1, MAP_END),
        K::UnclosedFlowCollection { open } => {
            (end - 1, if *open == '{' { MAP_END } else { LIST_END })
        }
        K::ExpectedBlockSequenceEntry => (line - 1, ITEM),
        K::ExpectedBlockMappingKey | K::UnexpectedEofBlockMapping | K::InvalidIndentation => {
            (line - 1, KEY)
        }
        K::ExpectedNodeContent
        | K::UnexpectedEof
        | K::UnexpectedEofBlockSequence
        | K::BlockEntryInFlowCollection
        | K::MismatchedFlowCollectionEnd { .. } => (line - 1, NODE),
        K::MisplacedFlowCollectionEnd => (line - 1, stray_bracket(text, at)),
        K::InvalidTrailingDoubleQuotedScalar | K::InvalidTrailingSingleQuotedScalar => {
            if innermost_open(&text[..at]).is_some() {
                (line - 1, separator(text, at))
            } else if began_on_an_earlier_line(text, at) {
                (line, COLON)
            } else {
                (line - 1, KEY)
            }
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey | K::UnexpectedEndOfPlainScalar => {
            (next_content(text, line), COLON)
        }
        K::ExpectedDocumentStart | K::MissingDocumentEndBeforeDirective => {
            (line - 1, "did not find expected <document start>")
        }
        K::UnknownAnchor => {
            let name = text[at..].trim_start_matches('*');
            let name = name
                .split([' ', '\n', ',', ']', '}'])
                .next()
                .unwrap_or_default();
            return Error::Syntax {
                line,
                reported: 0,
                at,
                problem: format!("unknown anchor '{name}' referenced"),
            };
        }
        K::UnexpectedCharacter { .. }
        | K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart => (line, "found character that cannot start any token"),
        K::TabInPlainScalar => (line + 1, "found a tab character that violates indentation"),
        K::CommentInterceptedScalar
        | K::InvalidBlockScalarHeader
        | K::CommentNotSeparated
        | K::ExpectedWhitespace => (line, "did not find expected comment or line break"),
        K::BlockSequenceEntryNotAllowed | K::InvalidBlockEntryWhitespace => (
            line,
            "block sequence entries are not allowed in this context",
        ),
        K::ZeroBlockScalarIndent => (line, "found an indentation indicator equal to 0"),
        K::DocumentIndicatorInQuotedScalar => (line, "found unexpected document indicator"),
        K::UnclosedQuotedScalar => (end, "found unexpected end of stream"),
        K::UnknownQuotedScalarEscape => (line, "found unknown escape character"),
        K::InvalidQuotedScalarHexEscape => (line, "did not find expected hexdecimal number"),
        K::InvalidUnicodeEscape
        | K::InvalidLowSurrogate
        | K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidLowSurrogateHexEscape => (line, "found invalid Unicode character escape code"),
        K::MappingKeyNotAllowed => (line, "mapping keys are not allowed in this context"),
        K::MappingValueNotAllowed
        | K::InvalidMappingValueWhitespace
        | K::InvalidColonPlacement
        | K::FlowMappingValueAdjacentCollection => {
            (line, "mapping values are not allowed in this context")
        }
        K::RecursionLimitExceeded => return Error::Depth { line, at },
        K::MissingAnchorOrAliasName => (
            line,
            "did not find expected alphabetic or numeric character",
        ),
        K::UndeclaredTagHandle => (line - 1, "found undefined tag handle"),
        _ => (line - 1, NODE),
    };
    Error::Syntax {
        line,
        reported,
        at,
        problem: problem.to_owned(),
    }
}

const LIST_END: &str = "did not find expected ',' or ']'";
const MAP_END: &str = "did not find expected ',' or '}'";
const ITEM: &str = "did not find expected '-' indicator";
const KEY: &str = "did not find expected key";
const NODE: &str = "did not find expected node content";
const COLON: &str = "could not find expected ':'";

/// What the bracket that stands open at `at` waits for.
fn separator(text: &str, at: usize) -> &'static str {
    match innermost_open(&text[..at]) {
        Some('[') => LIST_END,
        _ => MAP_END,
    }
}

/// The bracket that stands open at the end of a text; quotes and comments are skipped.
fn innermost_open(text: &str) -> Option<char> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut previous = ' ';
    let mut is_comment = false;
    for c in text.chars() {
        match (quote, c) {
            _ if is_comment => is_comment = c != '\n',
            (Some(mark), _) if c == mark && previous != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if " [{,:-\n".contains(previous) => quote = Some(c),
            (None, '#') if previous.is_whitespace() => is_comment = true,
            (None, '[' | '{') if !open.is_empty() || " \n-:".contains(previous) => open.push(c),
            (None, ']' | '}') => {
                open.pop();
            }
            _ => {}
        }
        previous = c;
    }
    open.pop()
}

/// Whether the quoted text that ends at `at` began on an earlier line, where another key of its mapping was due.
fn began_on_an_earlier_line(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let quotes = text[start..at].matches(['"', '\'']).count();
    if quotes.is_multiple_of(2) {
        return false;
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut above = text[..start].lines().rev();
    let is_opening = |line: &&str| line.trim_start().starts_with(['"', '\'']);
    let Some(opening) = above.find(is_opening) else {
        return false;
    };
    let is_outside = |line: &&str| !line.trim().is_empty() && indent(line) <= indent(opening);
    let sibling = above.find(is_outside);
    sibling
        .is_some_and(|line| indent(line) == indent(opening) && !line.trim_start().starts_with("- "))
}

/// What a closing bracket without an opening one stands in the place of.
fn stray_bracket(text: &str, at: usize) -> &'static str {
    let above = text[..at].trim_end();
    let line = above.rsplit('\n').next().unwrap_or_default();
    let column = text[..at].rsplit('\n').next().map_or(0, str::len);
    let indent = line.len() - line.trim_start().len();
    if above.ends_with(':') {
        NODE
    } else if line.trim_start().starts_with("- ") && column <= indent && !line.contains(':') {
        ITEM
    } else {
        KEY
    }
}

/// The line after `line` that has something on it, or the end.
fn next_content(text: &str, line: usize) -> usize {
    let is_content = |row: &str| !row.trim().is_empty() && !row.trim_start().starts_with('#');
    let found = text
        .lines()
        .enumerate()
        .skip(line)
        .find(|(_, row)| is_content(row));
    found.map_or_else(|| text.matches('\n').count() + 1, |(at, _)| at + 1)
}

/// The byte offset of a marker, on a character boundary inside the text.
pub(super) fn offset(text: &str, marker: &granit_parser::Marker) -> usize {
    let mut at = marker.byte_offset().unwrap_or(0).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
