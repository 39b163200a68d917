//! Names of renamed objects in the objects that refer to them.
//!
//! Models kustomize's name-reference transformer and its default table (`namereference.go`).

use api::Str;

use super::{Item, fields};

/// Fields of pods that name objects of a kind.
const IN_PODS: &[(&str, &[&str])] = &[
    (
        "ConfigMap",
        &[
            "volumes/configMap/name",
            "volumes/projected/sources/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/envFrom/configMapRef/name",
        ],
    ),
    (
        "Secret",
        &[
            "volumes/secret/secretName",
            "volumes/projected/sources/secret/name",
            "containers/env/valueFrom/secretKeyRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
        ],
    ),
    ("ServiceAccount", &["serviceAccountName"]),
    (
        "PersistentVolumeClaim",
        &["volumes/persistentVolumeClaim/claimName"],
    ),
    ("PriorityClass", &["priorityClassName"]),
    ("RuntimeClass", &["runtimeClassName"]),
];

/// Fields of other objects: whose, which kind they name, where.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("APIService", "Service", "spec/service/name"),
    ("ClusterRoleBinding", "ClusterRole", "roleRef/name"),
    ("ClusterRoleBinding", "ServiceAccount", "subjects/name"),
    (
        "HorizontalPodAutoscaler",
        "Deployment",
        "spec/scaleTargetRef/name",
    ),
    (
        "HorizontalPodAutoscaler",
        "ReplicaSet",
        "spec/scaleTargetRef/name",
    ),
    (
        "HorizontalPodAutoscaler",
        "ReplicationController",
        "spec/scaleTargetRef/name",
    ),
    (
        "HorizontalPodAutoscaler",
        "StatefulSet",
        "spec/scaleTargetRef/name",
    ),
    ("Ingress", "IngressClass", "spec/ingressClassName"),
    ("Ingress", "Secret", "spec/tls/secretName"),
    ("Ingress", "Service", "spec/backend/serviceName"),
    ("Ingress", "Service", "spec/defaultBackend/service/name"),
    (
        "Ingress",
        "Service",
        "spec/rules/http/paths/backend/service/name",
    ),
    (
        "Ingress",
        "Service",
        "spec/rules/http/paths/backend/serviceName",
    ),
    (
        "MutatingWebhookConfiguration",
        "Service",
        "webhooks/clientConfig/service/name",
    ),
    (
        "PersistentVolume",
        "PersistentVolumeClaim",
        "spec/claimRef/name",
    ),
    ("PersistentVolume", "StorageClass", "spec/storageClassName"),
    (
        "PersistentVolumeClaim",
        "PersistentVolume",
        "spec/volumeName",
    ),
    (
        "PersistentVolumeClaim",
        "StorageClass",
        "spec/storageClassName",
    ),
    ("RoleBinding", "ClusterRole", "roleRef/name"),
    ("RoleBinding", "Role", "roleRef/name"),
    ("RoleBinding", "ServiceAccount", "subjects/name"),
    ("ServiceAccount", "Secret", "imagePullSecrets/name"),
    ("ServiceAccount", "Secret", "secrets/name"),
    ("StatefulSet", "Service", "spec/serviceName"),
    (
        "StatefulSet",
        "StorageClass",
        "spec/volumeClaimTemplates/spec/storageClassName",
    ),
    (
        "ValidatingWebhookConfiguration",
        "Service",
        "webhooks/clientConfig/service/name",
    ),
];

/// Puts the new names wherever an old one stands.
pub(super) fn update(items: &mut [Item]) {
    let known: Vec<(Str, Str, Vec<Str>, Str)> = items
        .iter()
        .filter(|item| !item.names.is_empty())
        .map(|item| {
            (
                item.object.shared_str("kind"),
                item.name(),
                item.names.clone(),
                item.namespace(),
            )
        })
        .collect();
    // A name that something still has, or had last, is meant before one that was given up earlier.
    let current = |kind: &str, value: &str, namespace: &Str| -> Option<Str> {
        let of_kind = || {
            known.iter().filter(|(known, _, _, place)| {
                known == kind && (namespace.is_empty() || place.is_empty() || place == namespace)
            })
        };
        if of_kind().any(|(_, name, ..)| name == value) {
            return None;
        }
        let mut found = of_kind().filter(|(_, _, names, _)| names.iter().any(|old| old == value));
        let first = found.next()?;
        // Between several that once had the name nobody can choose.
        found.next().is_none().then(|| first.1.clone())
    };
    for item in items {
        let (kind, namespace) = (item.kind().to_owned(), item.namespace());
        let change = |target: &str, path: &str, object: &mut api::Value| {
            fields::at(object, path, false, &mut |value| {
                if let Some(name) = value
                    .as_str()
                    .and_then(|text| current(target, text, &namespace))
                {
                    *value = api::Value::from(name);
                }
            });
        };
        if let Some(place) = fields::pod_spec(&kind) {
            for (target, paths) in IN_PODS {
                for path in *paths {
                    change(target, &format!("{place}/{path}"), &mut item.object);
                }
            }
        }
        for (_, target, path) in ELSEWHERE.iter().filter(|(own, ..)| *own == kind) {
            if *path == "subjects/name" {
                // Users and groups may have the same names.
                fields::at(&mut item.object, "subjects", false, &mut |subjects| {
                    for subject in subjects.list_mut() {
                        if subject.str("kind") == *target
                            && let Some(name) = current(target, subject.str("name"), &Str::EMPTY)
                        {
                            subject.set("name", name);
                        }
                    }
                });
            } else {
                change(target, path, &mut item.object);
            }
        }
    }
}
