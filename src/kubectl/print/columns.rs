//! `-o custom-columns=NAME:.metadata.name,…`.
//!
//! Models `kubectl/pkg/cmd/get/customcolumn.go`.

use api::Value;

use super::{jsonpath, tabwriter};
use crate::Failure;

/// The header (if asked for) and one line per object.
pub(crate) fn print(spec: &str, objects: &[Value], with_header: bool) -> Result<String, Failure> {
    let mut columns = Vec::new();
    for column in spec.split(',') {
        let Some((name, path)) = column
            .split_once(':')
            .filter(|(name, path)| !name.is_empty() && !path.is_empty())
        else {
            return Err(Failure::error(format!(
                "unexpected custom-columns spec: {column}, expected <header>:<json-path-expr>"
            )));
        };
        columns.push((name, path));
    }
    let mut text = String::new();
    if with_header {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        text += &names.join("\t");
        text.push('\n');
    }
    for object in objects {
        let mut cells = Vec::new();
        for (_, path) in &columns {
            let found: Vec<String> = jsonpath::find(path, object)?.iter().map(shown).collect();
            cells.push(if found.is_empty() {
                "<none>".to_owned()
            } else {
                found.join(",")
            });
        }
        text += &cells.join("\t");
        text.push('\n');
    }
    Ok(tabwriter::align(&text, tabwriter::TABLE))
}

/// Maps and lists appear in Go's notation: `map[app:web]`, `[a b]`.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Map(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{key}:{}", shown(value)))
                .collect();
            format!("map[{}]", pairs.join(" "))
        }
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(shown).collect();
            format!("[{}]", items.join(" "))
        }
        other => jsonpath::shown(other),
    }
}
