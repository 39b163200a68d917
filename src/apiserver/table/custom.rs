//! Custom resources: the columns that their definition names.

use api::{Value, map};
use sim::Time;

use super::cells::{name, since, text};
use crate::structural::follow;

pub(super) fn columns(custom: &Value) -> Value {
    let mut columns = vec![
        map! { "name": "Name", "type": "string", "format": "name", "description": "", "priority": 0 },
    ];
    for column in custom.items() {
        let described = match column.str("description") {
            "" => format!(
                "Custom resource definition column (in JSONPath format): {}",
                column.str("jsonPath")
            ),
            given => given.to_owned(),
        };
        columns.push(map! {
            "name": column.get("name"), "type": column.get("type"), "format": column.str("format").to_owned(),
            "description": described, "priority": column.int("priority").unwrap_or(0),
        });
    }
    Value::from(columns)
}

pub(super) fn cells(custom: &Value, object: &Value, now: Time) -> Vec<Value> {
    let mut cells = vec![name(object)];
    for column in custom.items() {
        let found = follow(object, column.str("jsonPath"));
        cells.push(match (column.str("type"), found) {
            (_, Value::Null) => Value::Null,
            ("date", time) => Value::from(since(time, now)),
            ("integer" | "number" | "boolean", value) => value.clone(),
            (_, Value::Str(text)) => Value::from(text),
            (_, other) => Value::from(text(other)),
        });
    }
    cells
}
