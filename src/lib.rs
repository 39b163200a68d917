//! Kubenkyo: a Kubernetes cluster that lives in a web page.

pub mod same_run;
