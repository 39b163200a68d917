//! `cargo xtask test`: every check the project has, in stages, with one summary line each.
//!
//! A stage that fails does not stop the others, except those that need what it makes. Ends with the line `N passed, N failed` that sums
//! the tests of all stages; a stage without counted tests of its own counts as one.

use crate::page;
use crate::report::{Failure, seconds};
use crate::run::{command, find, read, shown, teed};
use crate::tools::{self, cargo, root};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

type Check = fn() -> Result<Count, Failure>;

const STAGES: &[(&str, &str, Check)] = &[
    ("fmt", "the code is formatted", fmt),
    ("clippy", "no lint complains", clippy),
    ("native", "tests of every room", native),
    (
        "oracles",
        "the schema against k8s-openapi, `serve` against kube-rs",
        oracles,
    ),
    ("doc", "examples in the documentation", doc),
    ("dist", "release build within its size budget", dist),
    ("seeds", "ten seeds: same trace natively and in wasm", seeds),
    ("browser", "the page in headless Chromium", browser),
    ("hosts", "the page inside other pages", hosts),
    ("present", "decks, presenting, lessons and paper", present),
];

/// Tests that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    passed: u64,
    failed: u64,
}

const ONE: Count = Count {
    passed: 1,
    failed: 0,
};

/// Runs the named stages, or all.
pub(crate) fn command_line(names: &[&str]) -> Result<(), Failure> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !STAGES.iter().any(|(stage, ..)| stage == *name))
    {
        let known: Vec<&str> = STAGES.iter().map(|(stage, ..)| *stage).collect();
        return Err(Failure::new(format!("unknown stage `{unknown}`"))
            .hint(format!("the stages are {}", known.join(", "))));
    }
    let mut lines: Vec<String> = Vec::new();
    let mut total = Count::default();
    let begin = Instant::now();
    for (stage, what, check) in STAGES
        .iter()
        .filter(|(stage, ..)| names.is_empty() || names.contains(stage))
    {
        println!("\n══ {stage}: {what}");
        let start = Instant::now();
        let outcome = check();
        let took = start.elapsed();
        let count = match outcome {
            Ok(count) => count,
            Err(failure) => {
                println!("{failure}");
                Count {
                    passed: 0,
                    failed: 1,
                }
            }
        };
        let line = summary(stage, what, count, took);
        println!("{line}");
        lines.push(line);
        total.passed += count.passed;
        total.failed += count.failed;
    }
    println!("\n══ summary after {}", seconds(begin.elapsed()));
    for line in lines {
        println!("{line}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 {
        Ok(())
    } else {
        Err(Failure::new("cargo xtask test").hint("`cargo xtask test STAGE` runs one stage again"))
    }
}

/// `cargo bless`: runs the native tests and lets the snapshots rewrite themselves.
pub(crate) fn bless() -> Result<(), Failure> {
    shown(
        cargo()
            .args(["test", "--workspace"])
            .env("UPDATE_EXPECT", "1"),
    )
}

fn summary(stage: &str, what: &str, count: Count, took: Duration) -> String {
    let verdict = if count.failed > 0 {
        "FAIL"
    } else if count.passed == 0 {
        "none"
    } else {
        "ok  "
    };
    let counted = format!("{} passed, {} failed", count.passed, count.failed);
    format!(
        "   {verdict} {stage:<8} {:>9}  {counted:<24} {what}",
        seconds(took)
    )
}

fn fmt() -> Result<Count, Failure> {
    shown(cargo().args(["fmt", "--all", "--check"]))
        .map_err(|failure| failure.hint("cargo fmt --all"))?;
    Ok(ONE)
}

fn clippy() -> Result<Count, Failure> {
    shown(cargo().args([
        "clippy",
        "--quiet",
        "--keep-going",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(ONE)
}

fn native() -> Result<Count, Failure> {
    let mut tests = cargo();
    let is_named = std::env::var_os("KUBENKYO_KUBECTL").is_some();
    if !is_named
        && find("kubectl").is_none()
        && let Err(failure) = tools::apt(&["kubernetes-client"])
    {
        println!("`kubenkyo serve` is NOT tested with stock kubectl: {failure}");
        tests.env("KUBENKYO_KUBECTL", "none");
    }
    if find("cargo-nextest").is_some() {
        tests.args([
            "nextest",
            "run",
            "--workspace",
            "--no-fail-fast",
            "--status-level",
            "fail",
            "--final-status-level",
            "fail",
            "--show-progress",
            "none",
        ]);
    } else {
        tests.args([
            "test",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--no-fail-fast",
        ]);
    }
    counted(teed(&mut tests)?)
}

/// Packages apart from the workspace, because their dependencies would switch on features of ours.
fn oracles() -> Result<Count, Failure> {
    shown(cargo().args(["build", "--quiet", "--bin", "kubenkyo"]))?;
    let target = root().join("target");
    let mut total = Count::default();
    for package in ["explain", "kube-rs"] {
        let count = counted(teed(
            cargo()
                .args(["test", "--quiet", "--manifest-path"])
                .arg(root().join("xtask").join(package).join("Cargo.toml"))
                .arg("--target-dir")
                .arg(&target)
                .env("KUBENKYO", target.join("debug/kubenkyo")),
        )?)?;
        total.passed += count.passed;
        total.failed += count.failed;
    }
    Ok(total)
}

fn doc() -> Result<Count, Failure> {
    if !has_examples(&root().join("src")) {
        println!("no documentation comment holds an example");
        return Ok(Count::default());
    }
    counted(teed(cargo().args([
        "test",
        "--quiet",
        "--workspace",
        "--doc",
    ]))?)
}

/// Whether a documentation comment opens a code block that rustdoc would run.
fn has_examples(folder: &Path) -> bool {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .any(|path| {
            if path.is_dir() {
                return has_examples(&path);
            }
            let text = if path.extension().is_some_and(|extension| extension == "rs") {
                std::fs::read_to_string(&path).unwrap_or_default()
            } else {
                String::new()
            };
            opens_example(&text)
        })
}

fn opens_example(text: &str) -> bool {
    let comments = text.lines().filter_map(|line| {
        line.trim_start()
            .strip_prefix("///")
            .or_else(|| line.trim_start().strip_prefix("//!"))
    });
    let fences = comments.filter_map(|comment| comment.trim_start().strip_prefix("```"));
    // Every second fence closes a block.
    fences
        .step_by(2)
        .any(|language| matches!(language.trim(), "" | "rust" | "no_run" | "should_panic"))
}

fn dist() -> Result<Count, Failure> {
    page::dist()?;
    Ok(ONE)
}

fn seeds() -> Result<Count, Failure> {
    let native = read(cargo().args([
        "run",
        "--quiet",
        "--package",
        "kubenkyo",
        "--",
        "trace-hash",
        "1..10",
    ]))?;
    let expected = root().join("target/trace-hashes.txt");
    std::fs::write(&expected, &native)
        .map_err(|error| Failure::new("write the native hashes").why(error.to_string()))?;
    counted(teed(&mut in_browser(&[
        "seeds.mjs",
        &expected.display().to_string(),
    ])?)?)
}

fn browser() -> Result<Count, Failure> {
    counted(teed(&mut in_browser(&["run.mjs"])?)?)
}

fn present() -> Result<Count, Failure> {
    counted(teed(&mut in_browser(&["present.mjs"])?)?)
}

fn hosts() -> Result<Count, Failure> {
    counted(teed(&mut in_browser(&["hosts.mjs"])?)?)
}

/// `cargo xtask bench-page` and `shots`: a script that measures or draws the release in `dist/`, made if it is not there.
pub(crate) fn script(name: &str, args: &[&str]) -> Result<(), Failure> {
    if !has_release() {
        page::dist()?;
    }
    let mut words = vec![name];
    words.extend(args);
    shown(&mut in_browser(&words)?)
}

fn has_release() -> bool {
    page::dist_folder().join("index.html").is_file()
}

/// A script of `tests/browser` against `dist/`, with what it needs installed.
fn in_browser(script: &[&str]) -> Result<Command, Failure> {
    if !has_release() {
        return Err(Failure::new("browser tests")
            .why("there is no dist/index.html")
            .hint("cargo xtask dist"));
    }
    browser_script(&page::dist_folder(), script)
}

/// The same against a page in `dist`.
pub(crate) fn browser_script(dist: &Path, script: &[&str]) -> Result<Command, Failure> {
    let chromium = tools::browser()?;
    let node = tools::node()?;
    let folder = root().join("tests/browser");
    if !is_installed(&folder) {
        tools::npm(&folder, &["ci"]).map_err(|failure| {
            failure.hint("the npm registry must answer once; the versions are pinned in tests/browser/package-lock.json")
        })?;
        let _ = std::fs::copy(
            folder.join("package-lock.json"),
            folder.join("node_modules/.installed-lock.json"),
        );
    }
    let mut run = command(node);
    run.current_dir(&folder).args(script);
    run.env("KUBENKYO_CHROMIUM", chromium)
        .env("KUBENKYO_DIST", dist);
    Ok(run)
}

/// Whether node_modules holds just what the lock file asks for.
fn is_installed(folder: &Path) -> bool {
    let wanted = std::fs::read(folder.join("package-lock.json")).ok();
    wanted.is_some()
        && wanted == std::fs::read(folder.join("node_modules/.installed-lock.json")).ok()
}

/// What a test runner's own closing lines say.
fn counted((said, is_success): (String, bool)) -> Result<Count, Failure> {
    let mut count = count(&said);
    if !is_success && count.failed == 0 {
        count.failed = 1;
    }
    if is_success && count == Count::default() {
        return Err(
            Failure::new("count the tests").why("the runner ended well but told of no test")
        );
    }
    Ok(count)
}

/// Sums `N passed` and `N failed` of the lines that close a run of nextest, cargo test or our browser scripts.
fn count(said: &str) -> Count {
    let closes = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("Summary [")
            || line.starts_with("test result:")
            || line
                .chars()
                .next()
                .is_some_and(|first| first.is_ascii_digit())
    };
    let mut total = Count::default();
    for line in said
        .lines()
        .filter(closes)
        .filter(|line| line.contains(" passed"))
    {
        let words: Vec<&str> = line
            .split([' ', ',', ';', '.'])
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let number = pair[0].parse::<u64>();
            match (number, pair[1]) {
                (Ok(number), "passed") => total.passed += number,
                (Ok(number), "failed" | "timed") => total.failed += number,
                _ => {}
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runner_closes_in_its_own_words() {
        let is = |said, passed, failed| assert_eq!(count(said), Count { passed, failed }, "{said}");
        is(
            "     Summary [   0.012s] 7 tests run: 5 passed (1 slow), 2 failed, 3 skipped",
            5,
            2,
        );
        is(
            "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            4,
            0,
        );
        is(
            "test result: ok. 4 passed; 0 failed; 0 ignored\ntest result: FAILED. 1 passed; 2 failed; 0 ignored",
            5,
            2,
        );
        is("12 passed, 1 failed", 12, 1);
        is("the test of the words `3 passed, 3 failed` in prose", 0, 0);
    }

    #[test]
    fn a_runner_that_fails_without_a_count_is_a_failure() {
        assert_eq!(
            counted(("error: could not compile".into(), false)).ok(),
            Some(Count {
                passed: 0,
                failed: 1
            })
        );
        assert!(counted(("".into(), true)).is_err());
    }

    #[test]
    fn only_blocks_that_rustdoc_would_run_are_examples() {
        assert!(opens_example("/// ```\n/// let a = 1;\n/// ```"));
        assert!(!opens_example("/// ```text\n/// a\n/// ```"));
        assert!(!opens_example("let fence = \"```\";"));
    }
}
