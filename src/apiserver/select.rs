//! The label and field selectors of a list, watch or deletecollection, ready to match objects.

use api::kinds::Kind;
use api::selector::{FieldSelector, LabelSelector};
use api::{Options, Status, Str, Value};

use crate::fields;

/// What a request selects. Empty selects everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    pub(crate) fn of(kind: &Kind, options: &Options) -> Result<Selection, Status> {
        let bad = |error: api::selector::SelectorError| Status::bad_request(error.0);
        let fields = FieldSelector::parse(&options.field_selector).map_err(bad)?;
        for term in &fields.terms {
            fields::check(kind, &term.field)?;
        }
        let labels = LabelSelector::parse(&options.label_selector).map_err(bad)?;
        Ok(Selection { labels, fields })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    pub(crate) fn matches(&self, kind: &Kind, object: &Value) -> bool {
        self.labels.matches_object(object)
            && self.fields.terms.iter().all(|term| {
                (fields::text_of(kind, object, &term.field) == *term.value) == term.equals
            })
    }

    /// The value that `field` must have, if the selector demands one.
    pub(crate) fn demanded(&self, field: &str) -> Option<&Str> {
        self.fields.required(field)
    }
}
