//! `diff` (normal and unified) and `cmp`.

use super::{Context, Options};
use crate::files::Kind;
use std::sync::Arc;

/// Lines compared exactly; longer files are compared as wholes in the middle.
const LINE_LIMIT: usize = 2_000;

/// A stretch of two texts: equal lines, or lines of the first replaced by lines of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    from: (usize, usize),
    to: (usize, usize),
}

fn changes(a: &[&str], b: &[&str]) -> Vec<Change> {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a[start..]
        .iter()
        .rev()
        .zip(b[start..].iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (x, y) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    if x.len() > LINE_LIMIT || y.len() > LINE_LIMIT {
        return vec![Change {
            from: (start, start + x.len()),
            to: (start, start + y.len()),
        }];
    }
    // Longest common subsequence by the classic table.
    let width = y.len() + 1;
    let mut table = vec![0u16; (x.len() + 1) * width];
    for i in (0..x.len()).rev() {
        for j in (0..y.len()).rev() {
            table[i * width + j] = if x[i] == y[j] {
                table[(i + 1) * width + j + 1] + 1
            } else {
                table[(i + 1) * width + j].max(table[i * width + j + 1])
            };
        }
    }
    let mut out: Vec<Change> = Vec::new();
    let (mut i, mut j) = (0, 0);
    let mut open: Option<(usize, usize)> = None;
    loop {
        let same = i < x.len() && j < y.len() && x[i] == y[j];
        let finished = i == x.len() && j == y.len();
        if (same || finished)
            && let Some((oi, oj)) = open.take()
        {
            out.push(Change {
                from: (start + oi, start + i),
                to: (start + oj, start + j),
            });
        }
        if finished {
            return out;
        }
        if same {
            i += 1;
            j += 1;
            continue;
        }
        open.get_or_insert((i, j));
        if j == y.len() || i < x.len() && table[(i + 1) * width + j] >= table[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
}

pub(super) fn diff(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("unified", 'u'),
        ("recursive", 'r'),
        ("new-file", 'N'),
        ("brief", 'q'),
        ("ignore-all-space", 'w'),
        ("ignore-case", 'i'),
        ("color", 'Z'),
    ];
    let o = match Options::parse(c, "urNqwibBas", "UL", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let [first, second] = &o.operands[..] else {
        return c.fail(2, "missing operand");
    };
    let dirs = (c.files().is_dir(first), c.files().is_dir(second));
    match dirs {
        (true, true) => directories(c, first, second, &o),
        (true, false) => files(c, &format!("{first}/{}", last(second)), second, &o),
        (false, true) => files(c, first, &format!("{second}/{}", last(first)), &o),
        (false, false) => files(c, first, second, &o),
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn directories(c: &mut Context<'_, '_>, a: &str, b: &str, o: &Options) -> i32 {
    let mut names: Vec<Arc<str>> = c.files().list(a).unwrap_or_default();
    names.extend(c.files().list(b).unwrap_or_default());
    names.sort();
    names.dedup();
    let mut status = 0;
    for name in names {
        let (x, y) = (format!("{a}/{name}"), format!("{b}/{name}"));
        let (sx, sy) = (c.files().stat(&x, true).ok(), c.files().stat(&y, true).ok());
        match (sx, sy) {
            (Some(sx), Some(sy)) => {
                let is_dir = sx.kind == Kind::Directory && sy.kind == Kind::Directory;
                if is_dir && o.has('r') {
                    status = status.max(directories(c, &x, &y, o));
                } else if is_dir {
                    c.line(&format!("Common subdirectories: {x} and {y}"));
                } else {
                    let before = c.out.len();
                    let found = files(c, &x, &y, o);
                    if found == 1 && !o.has('q') {
                        let flags = if o.has('u') { " -u" } else { "" };
                        let head = format!("diff -r{} {x} {y}\n", flags.trim_start_matches(" -"));
                        c.out.splice(before..before, head.into_bytes());
                    }
                    status = status.max(found);
                }
            }
            (Some(_), None) if !o.has('N') => {
                c.line(&format!("Only in {a}: {name}"));
                status = status.max(1);
            }
            (None, Some(_)) if !o.has('N') => {
                c.line(&format!("Only in {b}: {name}"));
                status = status.max(1);
            }
            _ => status = status.max(files(c, &x, &y, o)),
        }
    }
    status
}

fn files(c: &mut Context<'_, '_>, a: &str, b: &str, o: &Options) -> i32 {
    let mut read = |path: &str| -> Option<String> {
        if o.has('N') && path != "-" && !c.files().exists(path) {
            return Some(String::new());
        }
        c.text_of(path)
    };
    let (Some(x), Some(y)) = (read(a), read(b)) else {
        return 2;
    };
    if c.wants_input {
        return 0;
    }
    let normal = |line: &str| {
        let mut line = line.to_string();
        if o.has('w') {
            line.retain(|ch| !ch.is_whitespace());
        } else if o.has('b') {
            line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if o.has('i') {
            line.to_lowercase()
        } else {
            line
        }
    };
    let (lines_x, lines_y): (Vec<&str>, Vec<&str>) = (
        x.split_inclusive('\n').collect(),
        y.split_inclusive('\n').collect(),
    );
    let (norm_x, norm_y): (Vec<String>, Vec<String>) = (
        lines_x.iter().map(|l| normal(l)).collect(),
        lines_y.iter().map(|l| normal(l)).collect(),
    );
    let (nx, ny): (Vec<&str>, Vec<&str>) = (
        norm_x.iter().map(String::as_str).collect(),
        norm_y.iter().map(String::as_str).collect(),
    );
    let list = changes(&nx, &ny);
    if list.is_empty() {
        if o.has('s') {
            c.line(&format!("Files {a} and {b} are identical"));
        }
        return 0;
    }
    if o.has('q') {
        c.line(&format!("Files {a} and {b} differ"));
        return 1;
    }
    // busybox knows only the unified form.
    let context = match o.value('U').and_then(|n| n.parse().ok()) {
        Some(n) => Some(n),
        None => (o.has('u') || c.busybox()).then_some(3),
    };
    match context {
        Some(context) => unified(c, (a, &lines_x), (b, &lines_y), &list, context, o),
        None => plain(c, &lines_x, &lines_y, &list),
    }
    1
}

fn show(c: &mut Context<'_, '_>, mark: &str, line: &str) {
    c.say(mark);
    c.say(line);
    if !line.ends_with('\n') {
        c.say("\n\\ No newline at end of file\n");
    }
}

fn plain(c: &mut Context<'_, '_>, x: &[&str], y: &[&str], list: &[Change]) {
    let range = |(from, to): (usize, usize)| {
        if to - from > 1 {
            format!("{},{to}", from + 1)
        } else {
            to.max(from).to_string()
        }
    };
    for change in list {
        let letter = match (change.from.1 > change.from.0, change.to.1 > change.to.0) {
            (true, true) => 'c',
            (true, false) => 'd',
            _ => 'a',
        };
        c.line(&format!(
            "{}{letter}{}",
            range(change.from),
            range(change.to)
        ));
        for line in &x[change.from.0..change.from.1] {
            show(c, "< ", line);
        }
        if letter == 'c' {
            c.line("---");
        }
        for line in &y[change.to.0..change.to.1] {
            show(c, "> ", line);
        }
    }
}

fn unified(
    c: &mut Context<'_, '_>,
    (a, x): (&str, &[&str]),
    (b, y): (&str, &[&str]),
    list: &[Change],
    context: usize,
    o: &Options,
) {
    let stamp = |c: &mut Context<'_, '_>, path: &str| {
        let time = c
            .files()
            .stat(path, true)
            .map_or(c.now(), |s| s.meta.modified);
        super::date::format("%F %T.%N +0000", time)
    };
    let labels = o.values('L');
    for (i, (mark, path)) in [("---", a), ("+++", b)].into_iter().enumerate() {
        let line = match labels.get(i) {
            Some(label) => format!("{mark} {label}"),
            None if c.busybox() => format!("{mark} {path}"),
            None => format!("{mark} {path}\t{}", stamp(c, path)),
        };
        c.line(&line);
    }
    let mut i = 0;
    while i < list.len() {
        let mut j = i;
        while j + 1 < list.len() && list[j + 1].from.0 - list[j].from.1 <= 2 * context {
            j += 1;
        }
        let group = &list[i..=j];
        let before = group[0].from.0.min(context);
        let after = (x.len() - group[group.len() - 1].from.1).min(context);
        let from = (
            group[0].from.0 - before,
            group[group.len() - 1].from.1 + after,
        );
        let to = (group[0].to.0 - before, group[group.len() - 1].to.1 + after);
        let range = |(start, end): (usize, usize)| match end - start {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            n => format!("{},{n}", start + 1),
        };
        c.line(&format!("@@ -{} +{} @@", range(from), range(to)));
        let mut at = from.0;
        for change in group {
            for line in &x[at..change.from.0] {
                show(c, " ", line);
            }
            for line in &x[change.from.0..change.from.1] {
                show(c, "-", line);
            }
            for line in &y[change.to.0..change.to.1] {
                show(c, "+", line);
            }
            at = change.from.1;
        }
        for line in &x[at..from.1] {
            show(c, " ", line);
        }
        i = j + 1;
    }
}

pub(super) fn cmp(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "sl", "n", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let (Some(a), b) = (
        o.operands.first().cloned(),
        o.operands.get(1).cloned().unwrap_or("-".into()),
    ) else {
        return c.fail(2, "missing operand");
    };
    let mut read = |path: &str| match c.input(path) {
        Ok(bytes) => Some(bytes),
        Err(errno) => {
            c.warn(&format!("{path}: {errno}"));
            None
        }
    };
    let (Some(x), Some(y)) = (read(&a), read(&b)) else {
        return 2;
    };
    if c.wants_input || x == y {
        return 0;
    }
    if !o.has('s') {
        let at = x.iter().zip(&y).take_while(|(p, q)| p == q).count();
        if at == x.len().min(y.len()) {
            let short = if x.len() < y.len() { &a } else { &b };
            c.warn(&format!("EOF on {short} after byte {at}"));
        } else {
            let line = x[..at].iter().filter(|b| **b == b'\n').count() + 1;
            c.line(&format!("{a} {b} differ: byte {}, line {line}", at + 1));
        }
    }
    1
}
