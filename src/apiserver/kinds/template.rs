//! Pod templates inside workloads.

use api::{Value, map};

use super::fill::{edit_made, fill};
use super::pod::defaults;

/// The defaults of the template in the field `template` of a workload's spec.
pub(crate) fn defaults(spec: &mut Value) {
    edit_made(spec, "template", |template| {
        fill(template, "metadata", map! {});
        edit_made(template, "spec", defaults::pod_spec);
    });
}
