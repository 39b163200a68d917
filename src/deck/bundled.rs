//! The study group's own deck and its pictures, compiled into the page.
//!
//! One file a horizontal section, in the order of the deck. A test holds these lists to the folders.

use crate::Lang;

/// A bundled file: name and text.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../slides/", $folder, "/", $name)))),*]
    };
}

/// The deck of the study group in one language.
pub fn bundled(lang: Lang) -> &'static [File] {
    match lang {
        Lang::Ja => {
            files!("ja": "01-kubernetes.md" "02-container.md" "03-docker.md" "04-capabilities.md" "05-architecture.md" "06-resources.md" "07-workloads.md" "08-overview.md" "09-discovery.md" "10-config-storage.md" "11-cluster.md" "12-metadata.md" "13-tips.md")
        }
        Lang::En => {
            files!("en": "01-kubernetes.md" "02-container.md" "03-docker.md" "04-capabilities.md" "05-architecture.md" "06-resources.md" "07-workloads.md" "08-overview.md" "09-discovery.md" "10-config-storage.md" "11-cluster.md" "12-metadata.md" "13-tips.md")
        }
    }
}

/// The first part of the deck: what a page shows while the rest of it is on its way.
pub fn beginning(lang: Lang) -> &'static [File] {
    &bundled(lang)[..1]
}

/// The lessons in one language, each a deck of its own.
pub fn lessons(lang: Lang) -> &'static [File] {
    match lang {
        Lang::Ja => {
            files!("ja/lessons": "01-first-pod.md" "02-labels.md" "03-bad-image.md" "04-scale.md" "05-rollout.md" "06-self-healing.md" "07-lost-node.md" "08-read-an-event.md")
        }
        Lang::En => {
            files!("en/lessons": "01-first-pod.md" "02-labels.md" "03-bad-image.md" "04-scale.md" "05-rollout.md" "06-self-healing.md" "07-lost-node.md" "08-read-an-event.md")
        }
    }
}

macro_rules! figures {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../slides/figures/", $name, ".svg")))),*]
    };
}

/// In alphabetical order.
const FIGURES: &[File] = figures!("categories" "cluster" "clusterrole" "clusterrolebinding" "completion" "config-storage" "configmap" "container-vm" "container" "crd" "cronjob" "daemonset" "data" "deployment" "discovery" "ecosystem" "emptydir" "extension" "gateway" "hierarchy" "hostpath" "hpa" "iac" "image" "ingress" "job" "l4-l7" "limitrange" "load-balancing" "logs" "loop" "many-nodes" "metadata" "namespace" "networkpolicy" "nfs" "node-overview" "node" "pdb" "pod-security" "pod-server" "pod" "pods-overview" "probes" "pv" "pvc" "quota" "rc-to-rs" "replicaset" "role" "rolebinding" "rollout" "scaling" "scheduling" "secret" "self-healing" "serviceaccount" "statefulset" "svc-clusterip" "svc-externalip" "svc-externalname" "svc-headless" "svc-loadbalancer" "svc-nodeport" "svc-noselector" "workload-kinds");

/// The SVG of one of our pictures. Drawn by us: safe to put into the page as it is, and coloured by it
/// through `currentColor` and the page's tokens.
pub fn figure(name: &str) -> Option<&'static str> {
    FIGURES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, svg)| *svg)
}

/// The names of all pictures.
pub fn figure_names() -> Vec<&'static str> {
    FIGURES.iter().map(|(name, _)| *name).collect()
}
