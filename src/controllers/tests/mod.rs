//! Controllers against the real API server: what they write, in which order, and what comes of it.

mod certificates;
mod deployments;
mod golden;
mod jobs;
mod nodes;
mod services;
mod sets;
mod world;
