//! `dist/kubenkyo-classroom.zip`: everything a class without a network needs, made from the finished release.
//!
//! The page in one file for a USB stick, the static release for a school server, a handout to print in each language, and how to use them.
//! The archive is written here, a few records around compressed bytes, and has no times in it: the same release gives the same archive.

use crate::report::Failure;
use crate::single;
use crate::size::files;
use crate::tools::root;
use std::io::Write as _;
use std::path::Path;

pub(crate) const NAME: &str = "kubenkyo-classroom.zip";

/// Files of the release that a web server does not need.
const APART: &[&str] = &[NAME, single::NAME];

/// What lies beside the release: name in the archive, file of the repository.
const PAPERS: &[(&str, &str)] = &[
    ("README.txt", "static/classroom/README.md"),
    ("README.ja.txt", "static/classroom/README.ja.md"),
    ("handout.en.html", "static/classroom/handout.en.html"),
    ("handout.ja.html", "static/classroom/handout.ja.html"),
    ("LICENSE.txt", "LICENSE"),
    ("NOTICE.txt", "NOTICE"),
];

/// Writes the archive into the release `folder`, and says what is in it.
pub(crate) fn make(folder: &Path) -> Result<(), Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(format!("{NAME}: {}", path.display())).why(error.to_string())
    };
    let read = |path: &Path| std::fs::read(path).map_err(|error| failed(path, error));
    let mut archive = Archive::default();
    archive.add(single::NAME, &read(&folder.join(single::NAME))?);
    for (name, file) in PAPERS {
        archive.add(name, &read(&root().join(file))?);
    }
    let site = files(folder).map_err(|error| failed(folder, error))?;
    for name in site.iter().filter(|name| !APART.contains(&name.as_str())) {
        archive.add(&format!("site/{name}"), &read(&folder.join(name))?);
    }
    let (count, bytes) = (archive.count, archive.end());
    let path = folder.join(NAME);
    std::fs::write(&path, &bytes).map_err(|error| failed(&path, error))?;
    println!(
        "\nfor the classroom: {} ({count} files, {}.{} MB)\n  {}: copy to a USB stick, open by double click, no network\n  site/: the same for any web server, under any path\n  handout.*.html: one page to print; README*.txt: how",
        path.display(),
        bytes.len() / 1_000_000,
        bytes.len() / 100_000 % 10,
        single::NAME,
    );
    Ok(())
}

/// A ZIP file being written: each file with its header, then the list of them all.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    list: Vec<u8>,
    count: u16,
}

/// ZIP 2.0: compressed files.
const NEEDED: u16 = 20;
const DEFLATED: u16 = 8;
/// 1 January 1980, the first day that the format knows.
const DAY: u16 = (1 << 5) | 1;

impl Archive {
    fn add(&mut self, name: &str, content: &[u8]) {
        let packed = deflate(content);
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let start = len(self.bytes.len());
        // What both records have in common, from the version needed on.
        let mut common = Vec::new();
        for word in [NEEDED, 0, DEFLATED, 0, DAY] {
            common.extend(word.to_le_bytes());
        }
        for word in [
            crc.sum(),
            len(packed.len()),
            len(content.len()),
            len(name.len()),
        ] {
            common.extend(word.to_le_bytes());
        }
        // The last word is two of 16 bits: the name's length and that of no further fields.
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(&packed);

        self.list.extend(b"PK\x01\x02");
        self.list.extend(NEEDED.to_le_bytes());
        self.list.extend(&common);
        // No comment, first disk, no attributes.
        self.list.extend([0; 10]);
        self.list.extend(start.to_le_bytes());
        self.list.extend(name.as_bytes());
        self.count += 1;
    }

    fn end(mut self) -> Vec<u8> {
        let (start, size) = (len(self.bytes.len()), len(self.list.len()));
        self.bytes.append(&mut self.list);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        for _ in 0..2 {
            self.bytes.extend(self.count.to_le_bytes());
        }
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(start.to_le_bytes());
        self.bytes.extend([0; 2]);
        self.bytes
    }
}

/// Sizes of 32 bits are all that this format has, and a thousand times what a release needs.
fn len(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a release is smaller than 4 GB")
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder
        .write_all(content)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn word(bytes: &[u8], at: usize, length: usize) -> usize {
        bytes[at..at + length]
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    /// Reads an archive from its end, as programs do.
    fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let end = bytes.len() - 22;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
        let (count, mut at) = (word(bytes, end + 10, 2), word(bytes, end + 16, 4));
        let mut out = Vec::new();
        for _ in 0..count {
            assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
            let (packed, length) = (word(bytes, at + 20, 4), word(bytes, at + 28, 2));
            let name = String::from_utf8(bytes[at + 46..at + 46 + length].to_vec()).expect("ASCII");
            let local = word(bytes, at + 42, 4);
            assert_eq!(&bytes[local..local + 4], b"PK\x03\x04");
            assert_eq!(&bytes[local + 30..local + 30 + length], name.as_bytes());
            let from = local + 30 + length;
            let mut content = Vec::new();
            flate2::read::DeflateDecoder::new(&bytes[from..from + packed])
                .read_to_end(&mut content)
                .expect("deflate data");
            let mut crc = flate2::Crc::new();
            crc.update(&content);
            assert_eq!(crc.sum() as usize, word(bytes, at + 16, 4));
            assert_eq!(content.len(), word(bytes, at + 24, 4));
            out.push((name, content));
            at += 46 + length;
        }
        assert_eq!(at, end);
        out
    }

    #[test]
    fn files_come_out_of_the_archive_as_they_went_in() {
        let files = [
            ("a.txt", b"one".to_vec()),
            ("site/b.bin", vec![7; 100_000]),
            ("empty", Vec::new()),
        ];
        let mut archive = Archive::default();
        for (name, content) in &files {
            archive.add(name, content);
        }
        let found = unpacked(&archive.end());
        let files: Vec<(String, Vec<u8>)> = files
            .into_iter()
            .map(|(name, content)| (name.to_owned(), content))
            .collect();
        assert_eq!(found, files);
    }

    #[test]
    fn the_papers_exist_and_handouts_fetch_nothing_and_run_nothing() {
        for (name, file) in PAPERS {
            let text = std::fs::read_to_string(root().join(file)).expect(file);
            assert!(!text.is_empty(), "{name}");
            if name.ends_with(".html") {
                for bad in ["<script", "http://", "https://", "src=", "@import", "url("] {
                    assert!(!text.contains(bad), "{file} holds {bad}");
                }
            }
        }
    }

    #[test]
    fn each_handout_lists_the_lessons_by_their_titles() {
        for lang in ["ja", "en"] {
            let handout = root().join(format!("static/classroom/handout.{lang}.html"));
            let handout = std::fs::read_to_string(handout).expect("a handout");
            let folder = root().join(format!("slides/{lang}/lessons"));
            let mut count = 0;
            for lesson in std::fs::read_dir(folder).expect("the lessons").flatten() {
                let text = std::fs::read_to_string(lesson.path()).expect("a lesson");
                let title = text.lines().find_map(|line| line.strip_prefix("title: "));
                let title = title.expect("a lesson has a title");
                assert!(handout.contains(title), "{lang}: {title} is missing");
                count += 1;
            }
            assert!(
                handout.contains(&format!("{count}. ")),
                "{lang}: {count} lessons"
            );
        }
    }
}
