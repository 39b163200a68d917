//! `batch/v1`: the resources.

use crate::Resource;

pub const JOBS: Resource = Resource::of("batch", "v1", "jobs");
pub const CRON_JOBS: Resource = Resource::of("batch", "v1", "cronjobs");
