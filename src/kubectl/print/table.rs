//! Prints the tables that the API server makes (`meta.k8s.io/v1 Table`).
//!
//! Models `cli-runtime/pkg/printers/tableprinter.go`.

use api::{Str, Value};

use super::tabwriter::{self, TABLE};

/// How a table is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    pub is_wide: bool,
    pub with_namespace: bool,
    pub with_labels: bool,
    /// `-L`: label keys that get a column each.
    pub label_columns: Vec<Str>,
    pub no_headers: bool,
    /// Put in front of names: `pod`, `deployment.apps`; empty for none.
    pub kind_prefix: String,
}

/// One or more tables of the same resource as aligned text.
pub(crate) fn print(tables: &[Value], look: &Look) -> String {
    let text = lines(tables, look, !look.no_headers);
    tabwriter::align(&text, TABLE)
}

/// Tab-separated lines, so that a watch can align later rows like earlier ones.
pub(crate) fn lines(tables: &[Value], look: &Look, with_header: bool) -> String {
    let Some(first) = tables.first() else {
        return String::new();
    };
    let shown: Vec<(usize, &Value)> = first
        .get("columnDefinitions")
        .items()
        .iter()
        .enumerate()
        .filter(|(_, column)| look.is_wide || column.int("priority").unwrap_or(0) == 0)
        .collect();
    let mut out = String::new();
    if with_header {
        let mut cells: Vec<String> = Vec::new();
        if look.with_namespace {
            cells.push("NAMESPACE".into());
        }
        cells.extend(
            shown
                .iter()
                .map(|(_, column)| column.str("name").to_uppercase()),
        );
        cells.extend(
            look.label_columns
                .iter()
                .map(|key| key.rsplit('/').next().unwrap_or_default().to_uppercase()),
        );
        if look.with_labels {
            cells.push("LABELS".into());
        }
        push_line(&mut out, &cells);
    }
    for row in tables.iter().flat_map(|table| table.get("rows").items()) {
        let meta = api::meta::Meta::of(row.get("object"));
        let mut cells: Vec<String> = Vec::new();
        if look.with_namespace {
            cells.push(meta.namespace().to_owned());
        }
        for (at, column) in &shown {
            let cell = cell_text(
                &row.get("cells")
                    .items()
                    .get(*at)
                    .cloned()
                    .unwrap_or_default(),
            );
            let is_name = *at == 0 && column.str("name").eq_ignore_ascii_case("name");
            if is_name && !look.kind_prefix.is_empty() {
                cells.push(format!("{}/{cell}", look.kind_prefix));
            } else {
                cells.push(cell);
            }
        }
        for key in &look.label_columns {
            cells.push(meta.label(key).unwrap_or_default().to_owned());
        }
        if look.with_labels {
            let labels = api::meta::labels_text(meta.labels());
            cells.push(if labels.is_empty() {
                "<none>".into()
            } else {
                labels
            });
        }
        push_line(&mut out, &cells);
    }
    out
}

fn push_line(out: &mut String, cells: &[String]) {
    out.push_str(&cells.join("\t"));
    out.push('\n');
}

fn cell_text(cell: &Value) -> String {
    match cell {
        Value::Null => "<none>".to_owned(),
        // A line end would break the table (`TableWriter` escapes them).
        Value::Str(text) => text.lines().next().map_or(String::new(), |line| {
            if text.contains('\n') {
                format!("{line}...")
            } else {
                line.to_owned()
            }
        }),
        other => other.to_json(),
    }
}
