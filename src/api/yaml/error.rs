//! What is wrong with a document, in go-yaml's words.

use std::fmt;

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A line that begins with `---` and goes on.
    Separator(String),
    /// A syntax error. `line` counts from 1; `at` is the byte offset.
    Syntax {
        line: usize,
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
            Error::Syntax { line, problem, .. } => write!(
                f,
                "error converting YAML to JSON: yaml: line {line}: {problem}"
            ),
            Error::Aliases | Error::Depth { .. } => {
                write!(f, "error converting YAML to JSON: yaml: {}", self.problem())
            }
        }
    }
}

impl std::error::Error for Error {}

/// A scanner or parser error in libyaml's words, with its place.
pub(super) fn translate(error: &granit_parser::ScanError, text: &str) -> Error {
    use granit_parser::ErrorKind as K;
    let marker = error.marker();
    let problem = match error.kind() {
        K::UnexpectedEofFlowSequence | K::ExpectedFlowSequenceSeparator => {
            "did not find expected ',' or ']'"
        }
        K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping
        | K::ExpectedFlowMappingSeparator => "did not find expected ',' or '}'",
        K::UnexpectedEofBlockSequence | K::ExpectedBlockSequenceEntry => {
            "did not find expected '-' indicator"
        }
        K::UnexpectedEofBlockMapping | K::ExpectedBlockMappingKey | K::InvalidIndentation => {
            "did not find expected key"
        }
        K::UnexpectedEof | K::ExpectedNodeContent => "did not find expected node content",
        K::ExpectedDocumentStart | K::MissingDocumentEndBeforeDirective => {
            "did not find expected <document start>"
        }
        K::UnknownAnchor => "unknown anchor referenced",
        K::SimpleKeyExpected | K::InvalidSimpleKey | K::UnexpectedEndOfPlainScalar => {
            "could not find expected ':'"
        }
        K::UnexpectedCharacter { .. } => "found character that cannot start any token",
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabInPlainScalar
        | K::TabAtBlockScalarStart => "found character that cannot start any token",
        K::CommentInterceptedScalar
        | K::InvalidBlockScalarHeader
        | K::CommentNotSeparated
        | K::ExpectedWhitespace => "did not find expected comment or line break",
        K::MismatchedFlowCollectionEnd { .. } | K::MisplacedFlowCollectionEnd => {
            "did not find expected node content"
        }
        K::UnclosedFlowCollection { .. } => "did not find expected ',' or ']'",
        K::BlockSequenceEntryNotAllowed
        | K::BlockEntryInFlowCollection
        | K::InvalidBlockEntryWhitespace => {
            "block sequence entries are not allowed in this context"
        }
        K::ZeroBlockScalarIndent => "found an indentation indicator equal to 0",
        K::DocumentIndicatorInQuotedScalar => "found unexpected document indicator",
        K::UnclosedQuotedScalar => "found unexpected end of stream",
        K::UnknownQuotedScalarEscape => "found unknown escape character",
        K::InvalidQuotedScalarHexEscape => "did not find expected hexdecimal number",
        K::InvalidUnicodeEscape
        | K::InvalidLowSurrogate
        | K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidLowSurrogateHexEscape => "found invalid Unicode character escape code",
        K::MappingKeyNotAllowed => "mapping keys are not allowed in this context",
        K::MappingValueNotAllowed
        | K::InvalidMappingValueWhitespace
        | K::InvalidColonPlacement
        | K::FlowMappingValueAdjacentCollection => "mapping values are not allowed in this context",
        K::RecursionLimitExceeded => {
            return Error::Depth {
                line: marker.line(),
                at: offset(text, marker),
            };
        }
        K::MissingAnchorOrAliasName => "did not find expected alphabetic or numeric character",
        K::UndeclaredTagHandle => "found undefined tag handle",
        _ => "did not find expected node content",
    };
    Error::Syntax {
        line: marker.line().max(1),
        at: offset(text, marker),
        problem: problem.to_owned(),
    }
}

/// The byte offset of a marker, on a character boundary inside the text.
pub(super) fn offset(text: &str, marker: &granit_parser::Marker) -> usize {
    let mut at = marker.byte_offset().unwrap_or(0).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
