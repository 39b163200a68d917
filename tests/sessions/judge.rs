//! Whether a step did what its page says: accepted, and the state that it shows.
//!
//! The pages were written over ten years with many clusters; compared is what is true of all of them: exit, replies,
//! cells of tables that do not depend on the moment, reasons, phases.

use crate::page::Step;
use crate::run::Printed;

/// Columns whose cells must agree where both tables have them.
const COLUMNS: &[&str] = &[
    "READY",
    "STATUS",
    "DESIRED",
    "CURRENT",
    "UP-TO-DATE",
    "AVAILABLE",
    "COMPLETIONS",
    "TYPE",
    "DATA",
    "SCHEDULE",
    "SUSPEND",
    "ACTIVE",
    "ALLOWED DISRUPTIONS",
    "MIN AVAILABLE",
    "CAPACITY",
    "ACCESS MODES",
    "RECLAIM POLICY",
    "PROVISIONER",
    "CLASS",
    "HOSTS",
    "MINPODS",
    "MAXPODS",
    "REPLICAS",
];

/// Fields of descriptions and YAML whose values must be among ours.
const FIELDS: &[&str] = &[
    "phase",
    "reason",
    "Reason",
    "Status",
    "Exit Code",
    "exitCode",
    "QoS Class",
    "qosClass",
    "StrategyType",
    "Type",
    "restartPolicy",
    "Replicas",
    "Pods Status",
    "Start Ordinal",
];

/// Commands that can be typed again without changing anything.
pub(crate) fn only_reads(command: &str) -> bool {
    let verb = command.trim().strip_prefix("kubectl ").unwrap_or_default();
    let verb = verb.trim_start();
    [
        "get",
        "describe",
        "logs",
        "top",
        "exec",
        "rollout history",
        "auth can-i",
    ]
    .iter()
    .any(|known| verb.starts_with(known))
        || command.starts_with("for i in 0 1; do kubectl exec")
        || command.starts_with("for p in 0 1 2; do kubectl get")
        || command.starts_with("curl ")
}

pub(crate) fn judge(step: &Step, printed: &Printed) -> Result<(), String> {
    accepted(step, printed)?;
    if step.has("long-running") {
        return Ok(());
    }
    let ours = format!("{}{}", printed.out, printed.err);
    let compared = |shown: &String| {
        replies(shown, &ours)?;
        cells(shown, &ours)?;
        fields(shown, &ours)?;
        if is_plain(step, shown) {
            lines(shown, &ours)?;
        }
        Ok(())
    };
    // Several results of one look are moments of a change; where it ends is what stays.
    match &step.shown[..] {
        [.., last] if only_reads(&step.command) => compared(last),
        all => all.iter().try_for_each(compared),
    }
}

/// Exit status: refused only where the page shows a refusal.
fn accepted(step: &Step, printed: &Printed) -> Result<(), String> {
    let refusal = |line: &str| {
        let line = line.trim().to_lowercase();
        line.starts_with("error")
            || line.starts_with("the ") && line.contains(" is invalid")
            || line.contains("exit code")
            || line.contains("timed out")
            || line.ends_with("is forbidden:")
    };
    let is_refused = step
        .shown
        .iter()
        .any(|shown| shown.lines().any(refusal) && !shown.contains("RESTARTS"));
    let is_long = step.has("long-running");
    let first = printed.err.lines().next().unwrap_or_default();
    // What is watched until one has seen enough.
    let is_watched = step.command.starts_with("while true")
        || step.command.starts_with("kubectl rollout status")
            && step
                .shown
                .iter()
                .any(|shown| !shown.contains("successfully"));
    // `diff` ends with 1 where there is a difference.
    let is_difference = step.command.starts_with("kubectl diff");
    match (is_refused || step.extra.is_refused, printed.status) {
        (false, 0) => Ok(()),
        // A client that waits for its user, who has seen it now.
        (false, 130) if is_long || is_watched || step.has("tty") => Ok(()),
        (false, 1) if is_difference => Ok(()),
        (true, status) if status != 0 => Ok(()),
        // What a page shows as an error may be a warning today, or be about a later step.
        (true, 0) if step.shown.len() > 1 => Ok(()),
        (true, _) => Err("is refused there and accepted here".to_owned()),
        (false, status) => Err(format!("exit status {status}: {first}")),
    }
}

/// `deployment.apps/nginx created`: all of the page's must be among ours.
fn replies(shown: &str, ours: &str) -> Result<(), String> {
    let all: Vec<String> = ours.lines().filter_map(reply).collect();
    for wanted in shown.lines().filter_map(reply) {
        if !all.contains(&wanted) {
            return Err(format!("no reply \"{wanted}\""));
        }
    }
    Ok(())
}

/// A reply without its API group and without what newer releases add.
fn reply(line: &str) -> Option<String> {
    const VERBS: &[&str] = &[
        "created",
        "configured",
        "unchanged",
        "deleted",
        "scaled",
        "patched",
        "exposed",
        "labeled",
        "annotated",
        "replaced",
        "autoscaled",
        "image updated",
        "paused",
        "resumed",
        "tainted",
        "cordoned",
        "drained",
        "restarted",
        "evicted",
    ];
    let line = line
        .trim()
        .trim_end_matches('.')
        .trim_end_matches(" (no change)");
    let line = line.split(" from ").next().unwrap_or(line).replace('"', "");
    let (first, rest) = line.split_once(' ')?;
    let (kind, name, verb) = match first.split_once('/') {
        Some((kind, name)) => (kind, name, rest),
        None => {
            let (name, verb) = rest.split_once(' ')?;
            (first, name, verb)
        }
    };
    if !VERBS.contains(&verb)
        || name.is_empty()
        || !kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    {
        return None;
    }
    let kind = kind.split('.').next().unwrap_or(kind).to_lowercase();
    let kind = kind
        .strip_suffix('s')
        .filter(|k| !k.ends_with('s'))
        .unwrap_or(&kind);
    Some(format!("{kind} {} {verb}", masked(name)))
}

/// A table: its columns and rows.
fn table(text: &str) -> Option<(Vec<String>, Vec<Vec<String>>)> {
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty());
    let head = lines.find(|line| {
        line.starts_with("NAME ")
            && line
                .chars()
                .all(|c| c.is_ascii_uppercase() || " ()-_".contains(c))
    })?;
    let places = places(head);
    let head = split(head);
    let rows = lines
        .take_while(|line| !line.starts_with("NAME ") && !line.starts_with('$'))
        .map(|line| {
            let cells = split(line);
            if cells.len() == head.len() {
                cells
            } else {
                by_place(line, &places)
            }
        });
    let rows: Vec<Vec<String>> = rows.collect();
    Some((head, rows))
}

/// Where the columns of a head begin.
fn places(head: &str) -> Vec<usize> {
    let mut places = vec![0];
    let bytes = head.as_bytes();
    for at in 2..bytes.len() {
        if bytes[at] != b' ' && bytes[at - 1] == b' ' && bytes[at - 2] == b' ' {
            places.push(at);
        }
    }
    places
}

/// The cells of a line that has empty ones, by the places of its head.
fn by_place(line: &str, places: &[usize]) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    let cell = |at: usize| {
        let from = places[at].min(letters.len());
        let to = places
            .get(at + 1)
            .copied()
            .unwrap_or(letters.len())
            .min(letters.len());
        letters[from..to.max(from)]
            .iter()
            .collect::<String>()
            .trim()
            .to_owned()
    };
    (0..places.len()).map(cell).collect()
}

fn split(line: &str) -> Vec<String> {
    let mut cells: Vec<String> = Vec::new();
    for cell in line
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
    {
        cells.push(cell.to_owned());
    }
    cells
}

fn cells(shown: &str, ours: &str) -> Result<(), String> {
    let Some((head, rows)) = table(shown) else {
        return Ok(());
    };
    if rows.is_empty() {
        return Ok(());
    }
    let Some((our_head, our_rows)) = table(ours) else {
        return Err(format!("no table {}", head.join(" ")));
    };
    let mut left: Vec<Vec<(String, String)>> =
        our_rows.iter().map(|row| stable(&our_head, row)).collect();
    // `...` stands for rows that the page leaves out.
    let is_row = |row: &Vec<String>| row.first().is_none_or(|cell| cell != "...");
    for row in rows.into_iter().filter(is_row) {
        let wanted = stable(&head, &row);
        let has = |ours: &Vec<(String, String)>| {
            wanted.iter().all(|(column, cell)| {
                ours.iter()
                    .find(|(own, _)| own == column)
                    .is_none_or(|(_, own)| own == cell)
            })
        };
        let Some(at) = left.iter().position(has) else {
            let wanted: Vec<&str> = wanted.iter().map(|(_, cell)| cell.as_str()).collect();
            return Err(format!("no row {}", wanted.join(" ")));
        };
        left.remove(at);
    }
    Ok(())
}

fn stable(head: &[String], row: &[String]) -> Vec<(String, String)> {
    let pairs = head.iter().zip(row);
    pairs
        .filter(|(column, _)| *column == "NAME" || COLUMNS.contains(&column.as_str()))
        .map(|(column, cell)| {
            // A container that fails shows one or the other, by the moment.
            let cell = match cell.as_str() {
                "OOMKilled" | "CrashLoopBackOff" => "Error",
                "ErrImagePull" => "ImagePullBackOff",
                other => other,
            };
            // Every one of a unit's values is any of them.
            let cell = cell.replace("*/1 ", "* ");
            let cell = cell.as_str();
            (column.clone(), masked(cell))
        })
        .collect()
}

/// Reasons, phases and the like of descriptions and objects, and reasons of events.
fn fields(shown: &str, ours: &str) -> Result<(), String> {
    let field = |line: &str| {
        let (name, value) = line.trim().trim_start_matches("- ").split_once(':')?;
        let value = value
            .split(" (")
            .next()
            .unwrap_or(value)
            .trim()
            .trim_matches('"');
        let is_judged = FIELDS.contains(&name) && !value.is_empty() && !value.contains("...");
        is_judged.then(|| {
            format!(
                "{name}: {}",
                value.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        })
    };
    let all: Vec<String> = ours.lines().filter_map(field).collect();
    let is_object = shown.contains(':') && !all.is_empty();
    if is_object && let Some(missing) = shown.lines().filter_map(field).find(|f| !all.contains(f)) {
        return Err(format!("no field \"{missing}\""));
    }
    let our_reasons = reasons(ours);
    match reasons(shown)
        .into_iter()
        .find(|reason| !our_reasons.contains(reason))
    {
        Some(reason) if !our_reasons.is_empty() => Err(format!("no event {reason}")),
        _ => Ok(()),
    }
}

/// The second column of lines that begin with an event's type.
fn reasons(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(at) = words
            .iter()
            .position(|word| matches!(*word, "Normal" | "Warning"))
            && let Some(reason) = words.get(at + 1)
            && reason.chars().all(char::is_alphanumeric)
        {
            found.push((*reason).to_owned());
        }
    }
    found
}

/// Whether what is shown is the text itself: of a program in a container, of a web server, of `echo`.
fn is_plain(step: &Step, shown: &str) -> bool {
    let runs = step.inside.is_some()
        || step.command.contains("kubectl exec")
        || step.command.contains("curl ");
    runs && table(shown).is_none() && shown.lines().count() < 12 && !shown.contains("...")
}

fn lines(shown: &str, ours: &str) -> Result<(), String> {
    let ours: Vec<String> = ours.lines().map(masked_line).collect();
    for line in shown
        .lines()
        .map(masked_line)
        .filter(|line| !line.is_empty())
    {
        // A terminal shows a list in columns.
        let is_columns = line
            .split(' ')
            .all(|word| ours.iter().any(|own| own == word));
        if !is_columns && !ours.iter().any(|own| own.contains(&line)) {
            return Err(format!("no line \"{line}\""));
        }
    }
    Ok(())
}

fn masked_line(line: &str) -> String {
    line.split_whitespace()
        .map(without_time)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A word of a program's output: like a cell, and without the parts of a date.
fn without_time(word: &str) -> String {
    const DAYS: &[&str] = &[
        "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun",
        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let is_clock = word.split(':').count() == 3 && word.split(':').all(|n| n.parse::<u8>().is_ok());
    let is_year = word.len() == 4 && word.starts_with("20") && word.parse::<u16>().is_ok();
    let is_day = word.len() <= 2 && word.parse::<u8>().is_ok_and(|n| (1..=31).contains(&n));
    if DAYS.contains(&word) || is_clock || is_year || is_day {
        return "N".to_owned();
    }
    masked(word)
}

/// A cell or word without what differs from run to run.
fn masked(word: &str) -> String {
    let is_address = |word: &str| {
        word.split('.').count() == 4 && word.split('.').all(|n| n.parse::<u8>().is_ok())
    };
    let bare = word.trim_matches(['(', ')']);
    if let Some((name, value)) = bare.split_once('=')
        && is_address(value)
    {
        return format!("{name}=IP");
    }
    if is_address(bare.split([':', '/']).next().unwrap_or(bare)) {
        return "IP".to_owned();
    }
    if let Some(uid) = word.strip_prefix("pvc-")
        && uid.split('-').count() == 5
    {
        return "pvc-UID".to_owned();
    }
    let parts: Vec<&str> = word.split('-').collect();
    let shown: Vec<&str> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| {
            let follows = at > 1 && is_generated(parts[at - 1]);
            if at > 0 && (is_generated(part) || follows && is_old_suffix(part)) {
                "*"
            } else {
                part
            }
        })
        .collect();
    shown.join("-")
}

/// `75f59d57f4`, `4nd6q`, `3800858182`.
fn is_generated(part: &str) -> bool {
    let has_digit = part.chars().any(|c| c.is_ascii_digit());
    // `xxxxx`, where the page leaves it out.
    if part.len() == 5 && part.chars().all(|c| part.starts_with(c)) {
        return true;
    }
    let is_plain = part
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let consonants = part
        .chars()
        .all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c));
    is_plain && (part.len() == 5 && (has_digit || consonants) || part.len() >= 7 && has_digit)
}

/// A pod's suffix of releases before 1.9, which could have vowels: `nacti`.
fn is_old_suffix(part: &str) -> bool {
    part.len() == 5
        && part
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// Whether a command names something with a random part.
pub(crate) fn has_generated_name(command: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    command
        .split(|c: char| !is_word(c))
        .any(|word| word.contains('-') && !word.starts_with('-') && masked(word) != word)
}

/// Names of the page's author's cluster become those of this one: the same owner, other random parts.
pub(crate) fn with_real_names(command: &str, names: &str) -> String {
    let real: Vec<&str> = names
        .lines()
        .filter_map(|line| line.split('/').nth(1))
        .collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut changed = command.to_owned();
    for word in command
        .split(|c: char| !is_word(c))
        .filter(|word| word.contains('-'))
    {
        let wanted = masked(word);
        if wanted == word || real.contains(&word) {
            continue;
        }
        // The newest is what the page has just shown; a name of an older form begins alike.
        let stem = wanted.trim_end_matches(['*', '-']);
        let alike = |name: &&&str| name.strip_prefix(stem).is_some_and(|n| n.starts_with('-'));
        let found = real.iter().rfind(|name| masked(name) == wanted);
        if let Some(name) = found.or_else(|| real.iter().rfind(alike)) {
            changed = changed.replace(word, name);
        }
    }
    changed
}

/// `kubectl exec -it POD -- sh` (or `kubectl run -it …`) and a line for its shell, as one command.
pub(crate) fn into_container(outer: &str, line: &str) -> Option<String> {
    let quoted = line.replace('\'', "'\\''");
    if outer.contains("kubectl run") {
        let before = outer.split(" -- ").next().unwrap_or(outer);
        let restart = if before.contains("--restart") {
            ""
        } else {
            " --restart=Never"
        };
        return Some(format!(
            "{}{restart} -- sh -c '{quoted}'",
            before
                .replace(" --tty", "")
                .replace(" -ti", " -i")
                .replace(" -it", " -i")
        ));
    }
    let (before, _) = outer.split_once(" -- ")?;
    let mut before = before.to_owned();
    for option in [" --stdin --tty", " -i --tty", " -i -t", " -it", " -ti"] {
        before = before.replace(option, "");
    }
    before
        .contains("kubectl exec")
        .then(|| format!("{before} -- sh -c '{quoted}'"))
}
