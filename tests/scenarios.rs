//! Recorded sessions of a real cluster, replayed line by line through the console's session.
//!
//! A line passes if exit code and output agree after masking what differs from run to run. Each scenario prints its
//! score; the floors only rise. Mismatches are written to `target/scenarios/` for reading.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use shell::{Options, Session};

/// Lines of all scenarios whose exit code agrees, and whose output agrees too: never fewer than this.
const FLOOR: (usize, usize) = (853, 830);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shared() -> PathBuf {
    std::env::var_os("KUBENKYO_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from)
}

#[test]
fn recorded_scenarios_come_out_as_on_a_real_cluster() {
    let Ok(entries) = fs::read_dir(shared().join("golden/scenarios")) else {
        eprintln!("skipped: no recordings beside the checkout (set KUBENKYO_SHARED)");
        return;
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let out = root().join("target/scenarios");
    fs::create_dir_all(&out).expect("target can be written");
    let (mut codes, mut outputs, mut lines) = (0, 0, 0);
    for file in files {
        let name = file
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        let recording: Value = serde_json::from_str(&fs::read_to_string(&file).expect("readable"))
            .expect("a recording is JSON");
        let score = replay(&recording);
        println!(
            "{name}: exit codes {} of {}, outputs {} of {}",
            score.codes, score.lines, score.outputs, score.lines
        );
        fs::write(out.join(format!("{name}.diff")), &score.report).expect("target can be written");
        codes += score.codes;
        outputs += score.outputs;
        lines += score.lines;
    }
    println!("scenarios: exit codes {codes} of {lines}, outputs {outputs} of {lines}");
    assert!(
        codes >= FLOOR.0 && outputs >= FLOOR.1,
        "fewer than before: {codes} and {outputs}, the floor is {FLOOR:?}"
    );
}

#[derive(Default)]
struct Score {
    lines: usize,
    codes: usize,
    outputs: usize,
    report: String,
}

/// The recorded cluster had no metrics-server.
fn options() -> Options {
    Options {
        metrics_server: false,
        ..Options::default()
    }
}

fn replay(recording: &Value) -> Score {
    let mut session = Session::new(options(), "/tmp/scenario");
    session.patience = 5 * sim::MINUTE;
    let mut score = Score::default();
    let mut has_restarted = false;
    for step in recording["steps"].as_array().expect("a scenario has steps") {
        if let Some(seconds) = step["wait"].as_f64() {
            session.wait((seconds * 1e6) as u64);
            continue;
        }
        let line = step["cmd"].as_str().expect("a step is a wait or a command");
        let mut outcome = None;
        for part in line.split('\n') {
            outcome = session.line(part, |_| {}).or(outcome);
        }
        let outcome = session.end(|_| {}).or(outcome);
        let (status, stdout, stderr) = outcome.map_or((0, String::new(), String::new()), |o| {
            (o.status, o.text(false), o.text(true))
        });
        session.wait(50_000);
        let expected = (
            step["rc"].as_i64().unwrap_or(0),
            step["stdout"].as_str().unwrap_or_default(),
            step["stderr"].as_str().unwrap_or_default(),
        );
        let same_code = i64::from(status) == expected.0;
        // From then on templates carry the time of day, and so do their hashes.
        has_restarted |= line.contains("rollout restart");
        let mask = |text: &str| mask(text, has_restarted);
        let same_text = mask(&stdout) == mask(expected.1) && mask(&stderr) == mask(expected.2);
        score.lines += 1;
        score.codes += usize::from(same_code);
        score.outputs += usize::from(same_code && same_text);
        if !(same_code && same_text) {
            let _ = writeln!(
                score.report,
                "$ {line}\n--- expected (rc {})\n{}{}--- got (rc {status})\n{stdout}{stderr}\n",
                expected.0, expected.1, expected.2
            );
        }
    }
    score
}

/// Text with everything replaced that differs from run to run; hashes of templates too, if they depend on the time.
fn mask(text: &str, has_timed_hashes: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let words = line.split_whitespace();
        let words: Vec<String> = words
            .map(|word| match has_timed_hashes {
                true => mask_word(&mask_hashes(word)),
                false => mask_word(word),
            })
            .collect();
        let mut words = mask_dates(words);
        mask_numbers(&mut words);
        let line = words.join(" ").replace("CrashLoopBackOff", "Error");
        lines.push(line);
    }
    // A watch may report a step more or less often.
    lines.dedup_by(|line, before| line == before && line.starts_with("Waiting "));
    // What has a random name stands anywhere among its like.
    let is_random = |line: &String| {
        ["SUFFIX", "UID", "HASH"]
            .iter()
            .any(|mark| line.contains(mark))
    };
    for run in lines.chunk_by_mut(|line, next| is_random(line) && is_random(next)) {
        run.sort();
    }
    lines.join("\n")
}

/// `Mon, 23 Nov 2026 01:02:33 +0000`, six words, becomes one.
fn mask_dates(words: Vec<String>) -> Vec<String> {
    let mut masked = words;
    // `2026-11-23 01:20:29.064879206 +0000`, after a file's name.
    while let Some(at) = masked
        .iter()
        .position(|word| word == "+0000")
        .filter(|at| *at >= 2 && masked[*at - 2].len() == 10 && masked[*at - 1].len() == 18)
    {
        masked.splice(at - 2..=at, ["TIME".to_owned()]);
    }
    // `2026-11-23 01:16:00 +0000 UTC`
    while let Some(at) = masked
        .iter()
        .position(|word| word == "UTC")
        .filter(|at| *at >= 3 && masked[*at - 1] == "+0000")
    {
        masked.splice(at - 3..=at, ["TIME".to_owned()]);
    }
    while let Some(at) = masked
        .iter()
        .position(|word| word == "+0000")
        .filter(|at| *at >= 5)
    {
        masked.splice(at - 5..=at, ["TIME".to_owned()]);
    }
    masked
}

/// `30897/TCP`: a node port that the API server has picked.
fn is_node_port(piece: &str) -> bool {
    piece.split_once('/').is_some_and(|(number, protocol)| {
        protocol.starts_with("TCP")
            && number
                .parse()
                .is_ok_and(|n: u32| (30_000..32_768).contains(&n))
    })
}

/// Versions of objects, and sizes of images, which the recording's runtime made up.
fn mask_numbers(words: &mut [String]) {
    for at in 1..words.len() {
        let is_version = match words[at - 1].as_str() {
            "resourceVersion:" => true,
            "Version:" => at >= 2 && words[at - 2] == "Resource",
            _ => false,
        };
        let is_size = words[at - 1] == "size:" && words.get(at + 1).is_some_and(|w| w == "bytes.");
        if is_version || is_size {
            words[at] = "NUMBER".into();
        }
    }
}

fn mask_word(word: &str) -> String {
    // `80:30897/TCP,8080:31622/TCP`
    if let Some((_, rest)) = word.split_once(':')
        && is_node_port(rest)
    {
        let ports: Vec<&str> = word
            .split(',')
            .map(|p| p.split(':').next().unwrap_or_default())
            .collect();
        return format!("PORTS {}", ports.join(" "));
    }
    // `31085/TCP`
    if is_node_port(word) {
        return "PORT".to_owned();
    }
    let bare = word.trim_matches(|c: char| "\"'(),:;[]{}".contains(c));
    let masked = if is_age(bare) {
        "AGE".to_owned()
    } else if is_ip(bare) {
        "IP".to_owned()
    } else if is_uid(bare) {
        "UID".to_owned()
    } else if bare.len() >= 20 && bare.as_bytes().get(4) == Some(&b'-') && bare.ends_with('Z') {
        "TIME".to_owned()
    } else {
        mask_name(bare)
    };
    word.replacen(bare, &masked, 1)
}

/// `5s`, `3m20s`, `2d4h`.
fn is_age(word: &str) -> bool {
    let word = word.strip_prefix('<').unwrap_or(word).trim_end_matches('>');
    // `100m` is a tenth of a CPU: no recording goes on for so long.
    let minutes = word.strip_suffix('m').and_then(|n| n.parse::<u32>().ok());
    if minutes.is_some_and(|minutes| minutes >= 20) {
        return false;
    }
    !word.is_empty()
        && word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h', 'd', 'y'])
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || "smhdy.µ".contains(c))
}

fn is_ip(word: &str) -> bool {
    let host = word.split([':', '/']).next().unwrap_or_default();
    host.split('.').count() == 4
        && host.split('.').all(|part| {
            !part.is_empty() && part.len() <= 3 && part.chars().all(|c| c.is_ascii_digit())
        })
}

fn is_uid(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Names of nodes, of generated objects and of containers' ids, within a word.
fn mask_name(word: &str) -> String {
    // The name of an image stays; its digest is made up on both sides.
    if let Some((name, _)) = word.split_once("sha256:") {
        return format!("{name}sha256:ID");
    }
    if word.contains("containerd://") || is_hash(word) {
        return "ID".to_owned();
    }
    if let Some(rest) = word.strip_prefix("X509SHA256=") {
        return format!("X509SHA256={}", mask_name(rest));
    }
    // `/tmp/LIVE-1510462208/v1.ConfigMap.default.cm`: where kubectl diff keeps its files.
    for prefix in ["/tmp/LIVE-", "/tmp/MERGED-"] {
        if let Some((_, file)) = word
            .strip_prefix(prefix)
            .and_then(|rest| rest.split_once('/'))
        {
            return format!("{prefix}N/{file}");
        }
    }
    let mut masked = String::new();
    for piece in word.split_inclusive(['/', '=', ',', '"', ':']) {
        let (name, end) = match piece.chars().last() {
            Some(last) if "/=,\":".contains(last) => piece.split_at(piece.len() - last.len_utf8()),
            _ => (piece, ""),
        };
        masked += &if is_ip(name) {
            "IP".to_owned()
        } else {
            mask_generated(name)
        };
        masked += end;
    }
    masked
}

/// A SHA-256 in hexadecimal.
fn is_hash(word: &str) -> bool {
    word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit())
}

/// `web-7d876db474` becomes `web-HASH`.
fn mask_hashes(word: &str) -> String {
    let is_hash = |part: &str| {
        (8..=10).contains(&part.len())
            && part
                .chars()
                .all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c))
    };
    let is_end = |c: char| !c.is_ascii_alphanumeric();
    let parts = word.split_inclusive(is_end).map(|part| {
        let name = part.trim_end_matches(is_end);
        match is_hash(name) {
            true => format!("HASH{}", &part[name.len()..]),
            false => part.to_owned(),
        }
    });
    parts.collect()
}

fn mask_generated(name: &str) -> String {
    if is_uid(name.strip_prefix("pvc-").unwrap_or(name)) {
        return "UID".to_owned();
    }
    if matches!(name, "node-1" | "node-2" | "node-3") {
        return "node-N".to_owned();
    }
    if matches!(name, "zone-a" | "zone-b" | "zone-c") {
        return "zone-N".to_owned();
    }
    let parts: Vec<&str> = name.split('-').collect();
    let is_suffix = |part: &str| {
        part.len() == 5
            && part
                .chars()
                .all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c))
    };
    // A CronJob's jobs are named by the minute.
    let is_minute = |part: &str| part.len() == 8 && part.chars().all(|c| c.is_ascii_digit());
    let shown: Vec<&str> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| {
            if at > 0 && is_suffix(part) {
                "SUFFIX"
            } else if at > 0 && is_minute(part) {
                "MINUTE"
            } else {
                part
            }
        })
        .collect();
    shown.join("-")
}
