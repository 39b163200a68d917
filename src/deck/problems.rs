//! What is wrong with a deck, in the author's words: slide, line, message and a hint.
//!
//! A problem never stops the deck from being shown.

use crate::Words;

/// One thing to correct.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Index into the files that were parsed.
    pub file: usize,
    /// Name of that file.
    pub file_name: String,
    /// Place of the slide, column and row counted from 1; `None` for the front matter.
    pub slide: Option<(usize, usize)>,
    /// Line in the file, from 1.
    pub line: u32,
    pub message: Words,
    pub hint: Words,
}

/// Where the parser is, and what it found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    pub(crate) found: Vec<Problem>,
    pub(crate) file: usize,
    pub(crate) file_name: String,
    pub(crate) slide: Option<(usize, usize)>,
}

/// More than this many problems help nobody, and a hostile deck must not fill the memory with them.
const MOST: usize = 100;

impl Problems {
    pub(crate) fn add(&mut self, line: u32, message: Words, hint: Words) {
        if self.found.len() < MOST {
            self.found.push(Problem {
                file: self.file,
                file_name: self.file_name.clone(),
                slide: self.slide,
                line,
                message,
                hint,
            });
        }
    }
}

/// `did you mean "x"?` when one of `known` is near to `word`, otherwise the list of what is known.
pub(crate) fn suggest(word: &str, known: &[&str]) -> Words {
    let near = known
        .iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min();
    match near {
        Some((_, candidate)) => Words::new(
            format!("もしかして「{candidate}」?"),
            format!("did you mean \"{candidate}\"?"),
        ),
        None => {
            let list = known.join(", ");
            Words::new(
                format!("使えるのは {list} です"),
                format!("known here: {list}"),
            )
        }
    }
}

/// Edit distance, over the first 40 characters: longer words are no typing mistakes.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(40).collect();
    let b: Vec<char> = b.chars().take(40).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
