//! The command lines of the documentation's tutorials and tasks, run step by step as a learner would.
//!
//! A step passes if it is accepted as the page says, and if what it shows of the cluster's state agrees: replies, cells of
//! tables, reasons and phases. A step that only reads is repeated until it shows what the page promises, or three minutes
//! are over. What does not pass stands in `tests/known_failures.txt` with its reason; differences are written to
//! `target/sessions/` for reading.

mod judge;
mod page;
mod prepared;
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use page::Page;
use run::Report;

/// Steps of first and second rank that pass: never fewer than this.
const FLOOR: usize = 915;

/// Pages that go on in the cluster that the page before them has left.
const SEQUELS: &[&[&str]] = &[&[
    "tutorials/kubernetes-basics/deploy-app/deploy-intro.md",
    "tutorials/kubernetes-basics/explore/explore-intro.md",
    "tutorials/kubernetes-basics/expose/expose-intro.md",
    "tutorials/kubernetes-basics/scale/scale-intro.md",
    "tutorials/kubernetes-basics/update/update-intro.md",
]];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shared() -> PathBuf {
    std::env::var_os("KUBENKYO_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from)
}

#[test]
fn sessions_of_the_documentation_come_out_as_written() {
    let corpus = shared().join("corpus");
    let Ok(judgments) = fs::read_to_string(corpus.join("judgments.json")) else {
        eprintln!("skipped: no corpus beside the checkout (set KUBENKYO_SHARED)");
        return;
    };
    let only = std::env::var("SESSION").unwrap_or_default();
    let mut pages = page::load(&corpus, &judgments);
    pages.retain(|page| page.name.contains(&only));
    let groups = group(pages);
    let reports = run_all(&groups);
    let out = root().join("target/sessions");
    fs::create_dir_all(&out).expect("target can be written");
    let (mut passed, mut counted) = (0, 0);
    let mut failed = BTreeMap::new();
    for report in &reports {
        fs::write(
            out.join(format!("{}.diff", report.page.replace('/', "__"))),
            &report.text,
        )
        .expect("target can be written");
        passed += report.passed;
        counted += report.counted;
        failed.extend(report.failed.clone());
    }
    println!("sessions: {passed} of {counted} steps");
    if only.is_empty() {
        compare(&failed);
        assert!(
            passed >= FLOOR,
            "fewer than before: {passed}, the floor is {FLOOR}"
        );
    }
}

/// Pages that share a cluster, in order; all others by themselves, the longest first.
fn group(pages: Vec<Page>) -> Vec<Vec<Page>> {
    let mut groups: Vec<Vec<Page>> = Vec::new();
    let chain = |page: &Page| {
        SEQUELS
            .iter()
            .position(|chain| chain.contains(&page.name.as_str()))
    };
    let (mut linked, single): (Vec<Page>, Vec<Page>) =
        pages.into_iter().partition(|page| chain(page).is_some());
    for (number, names) in SEQUELS.iter().enumerate() {
        let (mut these, rest): (Vec<Page>, Vec<Page>) = linked
            .into_iter()
            .partition(|page| chain(page) == Some(number));
        linked = rest;
        these.sort_by_key(|page| names.iter().position(|name| *name == page.name));
        groups.push(these);
    }
    groups.extend(single.into_iter().map(|page| vec![page]));
    groups.retain(|group| !group.is_empty());
    groups
        .sort_by_key(|group| std::cmp::Reverse(group.iter().map(|p| p.steps.len()).sum::<usize>()));
    groups
}

fn run_all(groups: &[Vec<Page>]) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let reports = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = run::run(group);
                    for report in &done {
                        println!("{}", report.summary());
                    }
                    reports
                        .lock()
                        .expect("no run panics with the lock")
                        .extend(done);
                }
            });
        }
    });
    let mut reports = reports.into_inner().expect("no run panics with the lock");
    reports.sort_by(|a, b| a.page.cmp(&b.page));
    reports
}

/// Failures that are not listed are wrong, and so are listed ones that pass.
fn compare(failed: &BTreeMap<String, String>) {
    let path = root().join("tests/known_failures.txt");
    let text = fs::read_to_string(&path).expect("the list of known failures is there");
    let known: BTreeMap<&str, &str> = text
        .lines()
        .filter(|line| line.starts_with("session "))
        .filter_map(|line| line.split_once(": "))
        .collect();
    let wrong: Vec<String> = failed
        .iter()
        .filter(|(name, _)| !known.contains_key(name.as_str()))
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let kept = text.lines().filter(|line| {
            let name = line.split_once(": ").map_or(*line, |(name, _)| name);
            !line.starts_with("session ") || failed.contains_key(name)
        });
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        fs::write(&path, kept).expect("the list of known failures can be written");
    }
    let stale: Vec<&str> = known
        .keys()
        .filter(|name| !failed.contains_key(**name))
        .copied()
        .collect();
    let is_blessing = std::env::var_os("UPDATE_EXPECT").is_some();
    assert!(
        stale.is_empty() || is_blessing,
        "these work now; `cargo bless` takes them out of the list:\n{}",
        stale.join("\n")
    );
    fs::write(
        root().join("target/sessions/unlisted.txt"),
        wrong.join("\n"),
    )
    .expect("target can be written");
    assert!(
        wrong.is_empty(),
        "{} not as listed:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
