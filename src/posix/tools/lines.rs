//! Tools that need all lines: `tac`, `wc`, `nl`, `paste`, `fold`, `shuf`, `comm`, `column`; and `seq`, which makes them.

use super::{Context, Options};
use std::cmp::Ordering;

pub(super) fn tac(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "r", "", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut status = 0;
    for source in o.sources() {
        match c.text_of(&source) {
            Some(text) => {
                for line in text.split_inclusive('\n').rev() {
                    c.say(line);
                }
            }
            None => status = 1,
        }
    }
    status
}

pub(super) fn wc(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("lines", 'l'),
        ("words", 'w'),
        ("bytes", 'c'),
        ("chars", 'm'),
        ("max-line-length", 'L'),
    ];
    let o = match Options::parse(c, "lwcmL", "", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut rows: Vec<(Vec<usize>, String)> = Vec::new();
    let mut status = 0;
    let some = o.letters().next().is_some();
    for source in o.sources() {
        let bytes = match c.input(&source) {
            Ok(bytes) => bytes,
            Err(errno) => {
                c.cannot_open(&source, errno);
                status = 1;
                continue;
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut counts = Vec::new();
        if !some || o.has('l') {
            counts.push(bytes.iter().filter(|b| **b == b'\n').count());
        }
        if !some || o.has('w') {
            counts.push(text.split_whitespace().count());
        }
        if o.has('m') {
            counts.push(text.chars().count());
        }
        if !some || o.has('c') {
            counts.push(bytes.len());
        }
        if o.has('L') {
            counts.push(text.lines().map(|l| l.chars().count()).max().unwrap_or(0));
        }
        let name = if o.operands.is_empty() {
            String::new()
        } else {
            source.to_string()
        };
        rows.push((counts, name));
    }
    if c.wants_input {
        return 0;
    }
    if rows.len() > 1 {
        let width = rows[0].0.len();
        let totals = (0..width)
            .map(|i| rows.iter().map(|r| r.0[i]).sum())
            .collect();
        rows.push((totals, "total".into()));
    }
    // GNU aligns to the widest number, to seven for standard input; busybox to nine but for a single number.
    let single = rows.first().is_some_and(|r| r.0.len() == 1) && rows.len() == 1;
    let widest = rows
        .iter()
        .flat_map(|r| r.0.iter())
        .map(|n| n.to_string().len())
        .max()
        .unwrap_or(1);
    let width = match (c.busybox(), single) {
        (_, true) => 1,
        (true, false) => 9,
        (false, false) if o.operands.is_empty() => 7,
        (false, false) => widest,
    };
    for (counts, name) in rows {
        let cells: Vec<String> = counts.iter().map(|n| format!("{n:>width$}")).collect();
        let name = if name.is_empty() {
            String::new()
        } else {
            format!(" {name}")
        };
        c.line(&format!("{}{name}", cells.join(" ")));
    }
    status
}

pub(super) fn nl(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "p", "bwsnvi", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let every = o.value('b') == Some("a");
    let width = o
        .value('w')
        .and_then(|w| w.parse().ok())
        .unwrap_or(6)
        .min(100);
    let separator = o.value('s').unwrap_or("\t").to_string();
    let mut n = 0;
    for source in o.sources() {
        let Some(text) = c.text_of(&source) else {
            return 1;
        };
        for line in text.lines() {
            if line.is_empty() && !every {
                c.line(&" ".repeat(width + separator.len()));
                continue;
            }
            n += 1;
            c.line(&format!("{n:>width$}{separator}{line}"));
        }
    }
    0
}

pub(super) fn paste(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "s", "d", &[("serial", 's'), ("delimiters=", 'd')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let delimiters: Vec<char> = o
        .value('d')
        .unwrap_or("\t")
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .chars()
        .collect();
    let glue = |i: usize| -> String {
        if delimiters.is_empty() {
            String::new()
        } else {
            delimiters[i % delimiters.len()].to_string()
        }
    };
    let sources = o.sources();
    let mut columns: Vec<Vec<String>> = Vec::new();
    let mut from_stdin: Option<usize> = None;
    for source in &sources {
        if &**source == "-" && from_stdin.is_some() {
            columns.push(Vec::new());
            continue;
        }
        let Some(text) = c.text_of(source) else {
            return 1;
        };
        if &**source == "-" {
            from_stdin = Some(columns.len());
        }
        columns.push(text.lines().map(String::from).collect());
    }
    // `paste - -` deals standard input out in turn.
    if let Some(first) = from_stdin {
        let places: Vec<usize> = (0..sources.len())
            .filter(|i| &*sources[*i] == "-")
            .collect();
        if places.len() > 1 {
            let all = std::mem::take(&mut columns[first]);
            let total = all.len();
            for (i, line) in all.into_iter().enumerate() {
                columns[places[i % places.len()]].push(line);
            }
            let rows = total.div_ceil(places.len());
            for place in places {
                columns[place].resize(rows, String::new());
            }
        }
    }
    if o.has('s') {
        for column in columns {
            let mut line = String::new();
            for (i, text) in column.iter().enumerate() {
                if i > 0 {
                    line.push_str(&glue(i - 1));
                }
                line.push_str(text);
            }
            c.line(&line);
        }
        return 0;
    }
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    for row in 0..rows {
        let mut line = String::new();
        for (i, column) in columns.iter().enumerate() {
            if i > 0 {
                line.push_str(&glue(i - 1));
            }
            line.push_str(column.get(row).map_or("", |t| t));
        }
        c.line(&line);
    }
    0
}

pub(super) fn fold(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "sb", "w", &[("width=", 'w')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let width: usize = o
        .value('w')
        .and_then(|w| w.parse().ok())
        .unwrap_or(80)
        .max(1);
    for source in o.sources() {
        let Some(text) = c.text_of(&source) else {
            return 1;
        };
        for line in text.lines() {
            let chars: Vec<char> = line.chars().collect();
            let mut rest = &chars[..];
            while rest.len() > width {
                let mut cut = width;
                if o.has('s')
                    && let Some(blank) = rest[..width].iter().rposition(|c| *c == ' ')
                {
                    cut = blank + 1;
                }
                c.line(&rest[..cut].iter().collect::<String>());
                rest = &rest[cut..];
            }
            c.line(&rest.iter().collect::<String>());
        }
    }
    0
}

pub(super) fn shuf(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "er", "nio", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut lines: Vec<String> = if o.has('e') {
        o.operands.iter().map(|t| t.to_string()).collect()
    } else if let Some(range) = o.value('i') {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let (low, high): (i64, i64) = (low.parse().unwrap_or(0), high.parse().unwrap_or(0));
        (low..=high)
            .take(SEQ_LIMIT)
            .map(|n| n.to_string())
            .collect()
    } else {
        let source = o.sources()[0].clone();
        match c.text_of(&source) {
            Some(text) => text.lines().map(String::from).collect(),
            None => return 1,
        }
    };
    for i in (1..lines.len()).rev() {
        let j = (c.k.host.random() % (i as u64 + 1)) as usize;
        lines.swap(i, j);
    }
    let count = o
        .value('n')
        .and_then(|n| n.parse().ok())
        .unwrap_or(usize::MAX);
    for line in lines.iter().take(count) {
        c.line(line);
    }
    0
}

pub(super) fn comm(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "123", "", &[]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let [first, second] = &o.operands[..] else {
        return c.misuse(1, "missing operand");
    };
    let (Some(a), Some(b)) = (c.text_of(first), c.text_of(second)) else {
        return 1;
    };
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    let (mut i, mut j) = (0, 0);
    let tab = |n: char| if o.has(n) { "" } else { "\t" };
    while i < a.len() || j < b.len() {
        let order = match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) => x.cmp(y),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        match order {
            Ordering::Less => {
                if !o.has('1') {
                    c.line(a[i]);
                }
                i += 1;
            }
            Ordering::Greater => {
                if !o.has('2') {
                    c.line(&format!("{}{}", tab('1'), b[j]));
                }
                j += 1;
            }
            Ordering::Equal => {
                if !o.has('3') {
                    c.line(&format!("{}{}{}", tab('1'), tab('2'), a[i]));
                }
                i += 1;
                j += 1;
            }
        }
    }
    0
}

pub(super) fn column(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "te", "sNo", &[("table", 't'), ("separator=", 's')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for source in o.sources() {
        let Some(text) = c.text_of(&source) else {
            return 1;
        };
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            rows.push(match o.value('s') {
                Some(s) => line.split(|ch| s.contains(ch)).map(String::from).collect(),
                None if o.has('t') => line.split_whitespace().map(String::from).collect(),
                None => vec![line.to_string()],
            });
        }
    }
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|i| {
            rows.iter()
                .filter_map(|r| r.get(i))
                .map(|t| t.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    for row in rows {
        let mut line = String::new();
        for (i, cell) in row.iter().enumerate() {
            if i + 1 < row.len() {
                line.push_str(&format!("{cell:<w$}  ", w = widths[i]));
            } else {
                line.push_str(cell);
            }
        }
        c.line(&line);
    }
    0
}

/// Lines `seq` may make.
const SEQ_LIMIT: usize = 1_000_000;

pub(super) fn seq(c: &mut Context<'_, '_>) -> i32 {
    let args = c.args();
    let (mut separator, mut format, mut equal) = ("\n".to_string(), None, false);
    let mut numbers: Vec<String> = Vec::new();
    let mut i = 0;
    while i < args.len() {
        match &*args[i] {
            "-s" => {
                i += 1;
                separator = args.get(i).map(|t| t.to_string()).unwrap_or_default();
            }
            "-f" => {
                i += 1;
                format = args.get(i).map(|t| t.to_string());
            }
            "-w" => equal = true,
            other => match other.strip_prefix("-s") {
                Some(s) if !s.is_empty() => separator = s.to_string(),
                _ => numbers.push(other.to_string()),
            },
        }
        i += 1;
    }
    let texts: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let (first, step, last) = match texts[..] {
        [last] => ("1", "1", last),
        [first, last] => (first, "1", last),
        [first, step, last] => (first, step, last),
        [] => return c.misuse(1, "missing operand"),
        _ => return c.fail(1, &format!("extra operand '{}'", texts[3])),
    };
    for text in [first, step, last] {
        if text.parse::<f64>().is_err() {
            let message = if c.busybox() {
                format!("invalid number '{text}'")
            } else {
                format!("invalid floating point argument: '{text}'")
            };
            return c.misuse(1, &message);
        }
    }
    // Scaled integers, so that 0.1 + 0.2 is 0.3.
    let decimals = [first, step]
        .iter()
        .map(|t| t.split_once('.').map_or(0, |(_, d)| d.len()))
        .max()
        .unwrap_or(0)
        .min(9);
    let scale = 10i64.pow(decimals as u32);
    let scaled =
        |t: &str| -> i64 { (t.parse::<f64>().unwrap_or(0.0) * scale as f64).round() as i64 };
    let (from, by, to) = (scaled(first), scaled(step), scaled(last));
    if by == 0 {
        return c.fail(1, &format!("invalid Zero increment value: '{step}'"));
    }
    let mut texts = Vec::new();
    let mut n = from;
    while (by > 0 && n <= to || by < 0 && n >= to) && texts.len() < SEQ_LIMIT {
        let sign = if n < 0 { "-" } else { "" };
        let text = if decimals > 0 {
            format!("{sign}{}.{:0decimals$}", n.abs() / scale, n.abs() % scale)
        } else {
            n.to_string()
        };
        texts.push(text);
        n = n.saturating_add(by);
    }
    if equal {
        let width = texts.iter().map(String::len).max().unwrap_or(0);
        texts = texts.iter().map(|t| format!("{t:0>width$}")).collect();
    }
    if let Some(format) = format {
        texts = texts
            .iter()
            .map(|t| {
                let made = super::format_text(&format, &[t.as_str().into()]);
                String::from_utf8_lossy(&made.bytes).into_owned()
            })
            .collect();
    }
    if !texts.is_empty() {
        c.line(&texts.join(&separator));
    }
    0
}
