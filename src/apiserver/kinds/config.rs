//! Namespaces, config maps, secrets, service accounts and events.

use api::{Value, map};

use super::fill::{edit_made, fill, fill_text};
use super::{Generation, NameRule, Rules};
use crate::validate::config;

pub(crate) static NAMESPACE: Rules = Rules {
    name: NameRule::Label,
    defaults: |object| {
        let name = object.get("metadata").shared_str("name");
        if !name.is_empty()
            && object
                .path("metadata.labels")
                .str("kubernetes.io/metadata.name")
                != name.as_str()
        {
            object
                .entry("metadata")
                .entry("labels")
                .set("kubernetes.io/metadata.name", name);
        }
        fill(object, "spec", map! {});
        edit_made(object, "status", |status| {
            fill_text(status, "phase", "Active")
        });
    },
    prepare_create: |object| {
        object.set("status", map! { "phase": "Active" });
        let finalizers = object.path("spec.finalizers");
        if !finalizers
            .items()
            .iter()
            .any(|f| f.as_str() == Some("kubernetes"))
        {
            let mut all = finalizers.items().to_vec();
            all.push("kubernetes".into());
            object.set_path("spec.finalizers", all);
        }
    },
    prepare_update: |object, old| {
        // Only `/finalize` takes finalizers off a namespace.
        let finalizers = old.path("spec.finalizers").clone();
        object.set_path("spec.finalizers", finalizers);
    },
    ..Rules::PLAIN
};

pub(crate) static CONFIG_MAP: Rules = Rules {
    validate: config::config_map,
    validate_update: config::config_map_update,
    ..Rules::PLAIN
};

pub(crate) static SECRET: Rules = Rules {
    defaults: |object| {
        let texts = object.remove("stringData").unwrap_or_default();
        for (key, text) in texts.entries().iter() {
            let data = api::base64::encode(text.as_str().unwrap_or_default().as_bytes());
            object.entry("data").set(key.clone(), data);
        }
        fill_text(object, "type", "Opaque");
    },
    validate: config::secret,
    validate_update: config::secret_update,
    ..Rules::PLAIN
};

pub(crate) static SERVICE_ACCOUNT: Rules = Rules {
    returns_deleted: true,
    ..Rules::PLAIN
};

pub(crate) static EVENT: Rules = Rules {
    creates_on_update: true,
    generation: Generation::None,
    defaults: event_fields,
    ..Rules::PLAIN
};

/// The fields that the type always shows.
fn event_fields(event: &mut Value) {
    fill(event, "source", map! {});
    for field in ["reportingComponent", "reportingInstance"] {
        fill(event, field, "");
    }
    for field in ["firstTimestamp", "lastTimestamp", "eventTime"] {
        if !event.has(field) {
            event.set(field, Value::Null);
        }
    }
}
