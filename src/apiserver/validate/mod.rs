//! Validation: everything that is wrong with an object, all at once, in Kubernetes' words.
//!
//! One file per area. Models `pkg/apis/*/validation` and `apimachinery/pkg/{util,api}/validation` at v1.36.

pub(crate) mod access;
pub(crate) mod batch;
mod claim_diff;
pub(crate) mod config;
mod cron;
pub(crate) mod definition;
pub(crate) mod labels;
pub(crate) mod metadata;
pub(crate) mod names;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod numbers;
pub(crate) mod pod;
pub(crate) mod policy;
pub(crate) mod service;
pub(crate) mod storage;
pub(crate) mod workloads;

use api::Value;
use api::status::Problem;

use crate::path::Path;

/// Where problems are collected.
pub(crate) type Problems = Vec<Problem>;

pub(crate) const IMMUTABLE: &str = "field is immutable";

/// Refuses a change of a field that cannot change.
pub(crate) fn immutable(new: &Value, old: &Value, path: &Path, out: &mut Problems) {
    if new != old {
        out.push(path.invalid(new, IMMUTABLE));
    }
}
