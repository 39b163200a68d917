//! `meta.k8s.io/v1 Table`: rows as kubectl prints them, made by the server.
//!
//! One file per group of kinds; models `pkg/printers/internalversion/printers.go` at v1.36.

use api::kinds::Kind;
use api::meta::Meta;
use api::{Value, list, map};
use sim::Time;

use crate::call::Call;
use crate::read::partial_metadata;

/// The table of `items` for a call.
pub(crate) fn of_call(kind: &Kind, call: &Call, items: &[Value], meta: Value) -> Value {
    table(kind, &call.options.include_object, items, meta, call.now)
}

pub(crate) fn table(
    kind: &Kind,
    include_object: &str,
    items: &[Value],
    meta: Value,
    now: Time,
) -> Value {
    let columns = list![
        map! { "name": "Name", "type": "string", "format": "name", "description": "", "priority": 0 },
        map! { "name": "Created At", "type": "date", "format": "", "description": "", "priority": 0 },
    ];
    let _ = (kind, now);
    let rows: Vec<Value> = items
        .iter()
        .map(|item| {
            let mut row = map! { "cells": list![Meta::of(item).shared_name(), item.path("metadata.creationTimestamp")] };
            if include_object != "None" {
                let object = if include_object == "Object" { item.clone() } else { partial_metadata(item) };
                row.set("object", object);
            }
            row
        })
        .collect();
    map! { "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": columns, "rows": rows }
}
