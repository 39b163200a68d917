//! The order of the output: what others need comes first (kustomize's "legacy" order, which kubectl uses).

use super::Item;

/// `gvk.go`: these come first, in this order.
const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
/// These come last.
const LAST: &[&str] = &[
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

pub(super) fn sort(items: &mut [Item]) {
    items.sort_by_cached_key(|item| {
        let kind = item.kind();
        let rank = match (
            FIRST.iter().position(|first| *first == kind),
            LAST.iter().position(|last| *last == kind),
        ) {
            (Some(at), _) => at,
            (_, Some(at)) => FIRST.len() + 1 + at,
            _ => FIRST.len(),
        };
        let (group, version) = item.group_version();
        (
            rank,
            (kind.to_owned(), group.to_owned(), version.to_owned()),
            (item.namespace(), item.name()),
        )
    });
}
