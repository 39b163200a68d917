//! Strategic merge patch: merging that knows each field's list key and strategy.
//!
//! [`apply()`] is what the API server does with such a patch; [`two_way`] and [`three_way`] compute the patches that
//! kubectl sends (`kubectl apply` sends the three-way one). Directives: `$patch`, `$retainKeys`,
//! `$setElementOrder/…`, `$deleteFromPrimitiveList/…`. Models `apimachinery/pkg/util/strategicpatch` at v1.36.

mod diff;
mod merge;
mod order;

pub use diff::{three_way, two_way};
pub use merge::apply;

use crate::Value;
use crate::schema::{self, PatchStrategy, Shape, Type};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ORDER: &str = "$setElementOrder/";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";

/// The type of a built-in kind that patches go by; `None` for custom resources.
pub fn type_of(group: &str, version: &str, kind: &str) -> Option<Type> {
    schema::of_kind(group, version, kind)
}

/// What the schema says of a field of `shape`; nothing special where it knows none.
fn field(shape: Shape, name: &str) -> (Shape, PatchStrategy) {
    match shape {
        Shape::Object(of) => of
            .field(name)
            .map_or((Shape::Any, PatchStrategy::default()), |f| {
                (f.shape, f.patch)
            }),
        Shape::Map(_) => (shape.inner(), PatchStrategy::default()),
        _ => (Shape::Any, PatchStrategy::default()),
    }
}

fn no_merge_key(item: &Value, key: &str) -> String {
    format!(
        "map: {} does not contain declared merge key: {key}",
        go_print(item)
    )
}

/// A value as Go's `%v` prints it.
fn go_print(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Str(text) => text.to_string(),
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(go_print).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{k}:{}", go_print(v)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_json(),
    }
}

#[cfg(test)]
mod tests;
