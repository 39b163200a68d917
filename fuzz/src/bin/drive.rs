//! Runs the fuzz targets on stable: mutates a corpus with a seed for some minutes.
//!
//! `drive MINUTES SEED`; what makes a target panic is written to `crash-TARGET` beside where it runs. Interesting
//! inputs are not sought by coverage; the corpus holds manifests, and mutations keep to the words that they are made of.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a tool that runs by the wall clock")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sim::Rng;

const TARGETS: [(&str, fn(&[u8])); 3] = [
    ("decode", kubenkyo_fuzz::decode),
    ("patch", kubenkyo_fuzz::patch),
    ("selectors", kubenkyo_fuzz::selectors),
];

const SEEDS: &[&str] = &[
    r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"k":"v"}},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80}]}]}}"#,
    "app in (a, b),tier notin (c),!x,y=z,w!=1,n>3",
    "metadata.name=a,spec.nodeName!=b",
    "1.5Gi 200m 1e3 -0.1k 12Ei 1h2m3.5s",
    "self.a.all(x, x == 1 || has(self.b.c)) && '%s'.format([self.a]) != 'q' ? 1 : -2",
    "apis/apps/v1/namespaces/default/deployments/x/scale?limit=3&labelSelector=a%3Db&continue=eyJ2IjoibWV0YSJ9",
    "{\"a\":[{\"name\":\"x\",\"v\":1}],\"spec\":{\"containers\":[{\"name\":\"c\"}]}}\0{\"$patch\":\"merge\",\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"c\"}],\"containers\":[{\"name\":\"c\",\"$patch\":\"delete\"}]}}",
    "{\"a\":[1,2]}\0[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":3},{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/b\"},{\"op\":\"test\",\"path\":\"/a~1b\",\"value\":null}]",
    "a: &x {b: [1, 2]}\nc: *x\n<<: *x\nd: |\n  text\n---\n- \"q\": 'r'\n",
];

const WORDS: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "null", "true", "-1", "0", "9223372036854775807", "1e400", "\\u0000", "\\ud800",
    "$patch", "delete", "replace", "name", "metadata", "spec", "containers", "$retainKeys", "$setElementOrder/", "&a",
    "*a", "<<", "- ", "\n", "  ", "%", "(", ")", " in ", "!", "=", "~1", "/", "-", "..", "\u{feff}", "é", "\u{10ffff}",
    "k:{\"name\":\"c\"}", "f:spec", "managedFields", "fieldsV1", "Ki", "m", "h", "self", ".all(x,",
];

fn main() {
    let mut args = std::env::args().skip(1);
    let minutes: u64 = args.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let seed: u64 = args.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut corpus: Vec<Vec<u8>> = SEEDS.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    read_corpus(Path::new(&corpus_folder()), &mut corpus);
    println!("{} inputs to begin with, seed {seed}, {minutes} minutes", corpus.len());
    let mut rng = Rng::stream(seed, "fuzz");
    let ends = Instant::now() + Duration::from_secs(60 * minutes);
    let (mut runs, mut slowest) = (0_u64, Duration::ZERO);
    while Instant::now() < ends {
        for (name, target) in TARGETS {
            let input = mutated(&corpus, &mut rng);
            let started = Instant::now();
            let result = std::panic::catch_unwind(|| target(&input));
            slowest = slowest.max(started.elapsed());
            if result.is_err() || started.elapsed() > Duration::from_secs(10) {
                std::fs::write(format!("crash-{name}"), &input).expect("the folder can be written");
                eprintln!("{name} failed after {runs} runs; the input is in crash-{name}");
                std::process::exit(1);
            }
            runs += 1;
        }
    }
    println!("{runs} runs, none failed; the slowest took {slowest:?}");
}

fn corpus_folder() -> PathBuf {
    std::env::var_os("KUBENKYO_SHARED")
        .map_or_else(|| PathBuf::from("../../shared"), PathBuf::from)
        .join("corpus/manifests")
}

fn read_corpus(folder: &Path, corpus: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read_corpus(&path, corpus);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            if let Ok(value) = api::yaml::load(&text) {
                corpus.push(value.to_json().into_bytes());
            }
            corpus.push(text.into_bytes());
        }
    }
}

/// An input made of one or two of the corpus.
fn mutated(corpus: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let pick = |rng: &mut Rng| &corpus[rng.below(corpus.len() as u64) as usize];
    let mut bytes = vec![rng.below(256) as u8];
    bytes.extend(pick(rng));
    if rng.below(3) == 0 {
        bytes.push(0);
        bytes.extend(pick(rng));
    }
    for _ in 0..rng.below(8) {
        let at = rng.below(bytes.len() as u64 + 1) as usize;
        match rng.below(7) {
            0 => {
                let word = WORDS[rng.below(WORDS.len() as u64) as usize];
                bytes.splice(at..at, word.bytes());
            }
            1 => bytes.truncate(at),
            2 if at < bytes.len() => bytes[at] = rng.below(256) as u8,
            3 => {
                let end = (at + rng.below(20) as usize).min(bytes.len());
                bytes.drain(at..end);
            }
            4 => {
                let end = (at + rng.below(40) as usize).min(bytes.len());
                let part = bytes[at..end].repeat(1 + rng.below(4) as usize);
                bytes.splice(at..at, part);
            }
            5 => {
                let other = pick(rng);
                let start = rng.below(other.len() as u64 + 1) as usize;
                let end = (start + rng.below(60) as usize).min(other.len());
                bytes.splice(at..at, other[start..end].iter().copied());
            }
            _ => {
                let word = WORDS[rng.below(WORDS.len() as u64) as usize];
                let many = word.repeat(1 + rng.below(200) as usize);
                bytes.splice(at..at, many.bytes());
            }
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
        bytes.truncate(20_000);
    }
    bytes
}
