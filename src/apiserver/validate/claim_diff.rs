//! What differs between two specs of a claim, as the API server shows it: a unified diff of its own form of them.
//!
//! That form has Go's names and order of fields, and nothing left out.

use std::fmt::Write as _;

use api::Value;

/// Fields of a claim's spec in the order of the type.
const FIELDS: [(&str, &str); 9] = [
    ("AccessModes", "accessModes"),
    ("Selector", "selector"),
    ("Resources", "resources"),
    ("VolumeName", "volumeName"),
    ("StorageClassName", "storageClassName"),
    ("VolumeMode", "volumeMode"),
    ("DataSource", "dataSource"),
    ("DataSourceRef", "dataSourceRef"),
    ("VolumeAttributesClassName", "volumeAttributesClassName"),
];

/// Lines of context around what differs.
const CONTEXT: usize = 3;

/// The lines from the first difference to the last, as one hunk.
pub(super) fn diff(before: &Value, after: &Value) -> String {
    let (before, after) = (lines(before), lines(after));
    let start = before
        .iter()
        .zip(&after)
        .take_while(|(a, b)| a == b)
        .count();
    let rest = before.len().min(after.len()) - start;
    let ends = before.iter().rev().zip(after.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count().min(rest);
    let from = start.saturating_sub(CONTEXT);
    let (old_end, new_end) = (before.len() - end, after.len() - end);
    let trailing = end.min(CONTEXT);
    let mut text = format!(
        "@@ -{},{} +{},{} @@\n",
        from + 1,
        old_end + trailing - from,
        from + 1,
        new_end + trailing - from
    );
    let mut show = |mark: char, lines: &[String]| {
        for line in lines {
            let _ = writeln!(text, "{mark}{line}");
        }
    };
    show(' ', &before[from..start]);
    show('-', &before[start..old_end]);
    show('+', &after[start..new_end]);
    show(' ', &before[old_end..old_end + trailing]);
    text
}

fn lines(spec: &Value) -> Vec<String> {
    let mut out = vec!["{".to_owned()];
    for (at, (name, field)) in FIELDS.iter().enumerate() {
        let value = spec.get(field);
        let head = format!(" \"{name}\": ");
        if *field == "resources" {
            out.push(format!("{head}{{"));
            emit(&mut out, "  \"Limits\": ", value.get("limits"), 2, true);
            emit(
                &mut out,
                "  \"Requests\": ",
                value.get("requests"),
                2,
                false,
            );
            out.push(" }".to_owned());
        } else if *field == "volumeName" {
            out.push(format!("{head}{:?}", spec.str("volumeName")));
        } else {
            emit(&mut out, &head, value, 1, false);
        }
        if at + 1 < FIELDS.len()
            && let Some(last) = out.last_mut()
        {
            last.push(',');
        }
    }
    out.push("}".to_owned());
    out
}

/// A value as indented JSON, a blank for each level.
fn emit(out: &mut Vec<String>, head: &str, value: &Value, depth: usize, has_comma: bool) {
    let comma = if has_comma { "," } else { "" };
    let indent = " ".repeat(depth);
    let inner = " ".repeat(depth + 1);
    match value {
        Value::Map(map) if map.iter().next().is_some() => {
            out.push(format!("{head}{{"));
            let count = map.iter().count();
            for (at, (key, value)) in map.iter().enumerate() {
                let head = format!("{inner}{:?}: ", key.as_str());
                emit(out, &head, value, depth + 1, at + 1 < count);
            }
            out.push(format!("{indent}}}{comma}"));
        }
        Value::List(items) if !items.is_empty() => {
            out.push(format!("{head}["));
            for (at, item) in items.iter().enumerate() {
                emit(out, &inner, item, depth + 1, at + 1 < items.len());
            }
            out.push(format!("{indent}]{comma}"));
        }
        other => out.push(format!("{head}{}{comma}", other.to_json())),
    }
}
