//! Kubenkyo: a Kubernetes cluster that lives in a web page.
