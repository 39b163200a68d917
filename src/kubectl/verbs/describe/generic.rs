//! Kinds without a description of their own: metadata, then every field under a title made of its name.
//!
//! Models `GenericDescriberFor` of `kubectl/pkg/describe`.

use api::{Value, meta::Meta};

use super::{Text, pod::plain};

pub(crate) fn describe(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    fields(
        text,
        0,
        object,
        &[
            "metadata.name",
            "metadata.namespace",
            "metadata.labels",
            "metadata.annotations",
            "metadata.managedFields",
        ],
        "",
    );
}

fn fields(text: &mut Text, level: usize, value: &Value, skipped: &[&str], path: &str) {
    let mut entries: Vec<(&str, &Value)> = value
        .entries()
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    entries.sort_by_key(|(key, _)| *key);
    for (key, value) in entries {
        let path = if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        };
        if skipped.contains(&path.as_str()) {
            continue;
        }
        let title = title(key);
        match value {
            Value::Map(_) => {
                text.line(level, format!("{title}:"));
                fields(text, level + 1, value, skipped, &path);
            }
            Value::List(list) => {
                text.line(level, format!("{title}:"));
                for item in list.iter() {
                    if item.is_map() {
                        fields(text, level + 1, item, skipped, &path);
                    } else {
                        text.line(level + 1, plain(item));
                    }
                }
            }
            other => text.line(level, format!("{title}:\t{}", plain(other))),
        }
    }
}

/// `apiVersion` → `API Version` (`smartLabelFor`).
fn title(key: &str) -> String {
    const UPPER: [&str; 10] = [
        "API", "URL", "UID", "OSB", "GUID", "ID", "IP", "TLS", "CPU", "URI",
    ];
    let mut words: Vec<String> = Vec::new();
    let chars: Vec<char> = key.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let starts = at == 0
            || (c.is_uppercase()
                && (chars[at - 1].is_lowercase()
                    || chars.get(at + 1).is_some_and(|next| next.is_lowercase())));
        if starts {
            words.push(String::new());
        }
        words.last_mut().expect("a word was begun").push(*c);
    }
    let shown: Vec<String> = words
        .iter()
        .map(|word| {
            let upper = word.to_uppercase();
            if UPPER.contains(&upper.as_str()) {
                return upper;
            }
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
                .unwrap_or_default()
        })
        .collect();
    shown.join(" ")
}
