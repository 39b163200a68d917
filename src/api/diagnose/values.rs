//! The words that a field takes, for fields that take few; the schema itself does not list them.

/// `Type.field` or `field`, and its words.
const WORDS: &[(&str, &[&str])] = &[
    ("restartPolicy", &["Always", "OnFailure", "Never"]),
    ("imagePullPolicy", &["IfNotPresent", "Always", "Never"]),
    ("protocol", &["TCP", "UDP", "SCTP"]),
    (
        "dnsPolicy",
        &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    ),
    (
        "terminationMessagePolicy",
        &["File", "FallbackToLogsOnError"],
    ),
    (
        "v1.ServiceSpec.type",
        &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
    ),
    ("sessionAffinity", &["None", "ClientIP"]),
    ("externalTrafficPolicy", &["Cluster", "Local"]),
    ("internalTrafficPolicy", &["Cluster", "Local"]),
    (
        "ipFamilyPolicy",
        &["SingleStack", "PreferDualStack", "RequireDualStack"],
    ),
    (
        "apps.v1.DeploymentStrategy.type",
        &["RollingUpdate", "Recreate"],
    ),
    (
        "apps.v1.DaemonSetUpdateStrategy.type",
        &["RollingUpdate", "OnDelete"],
    ),
    (
        "apps.v1.StatefulSetUpdateStrategy.type",
        &["RollingUpdate", "OnDelete"],
    ),
    ("podManagementPolicy", &["OrderedReady", "Parallel"]),
    ("completionMode", &["NonIndexed", "Indexed"]),
    ("concurrencyPolicy", &["Allow", "Forbid", "Replace"]),
    (
        "accessModes",
        &[
            "ReadWriteOnce",
            "ReadOnlyMany",
            "ReadWriteMany",
            "ReadWriteOncePod",
        ],
    ),
    (
        "persistentVolumeReclaimPolicy",
        &["Retain", "Delete", "Recycle"],
    ),
    ("reclaimPolicy", &["Delete", "Retain"]),
    ("volumeBindingMode", &["Immediate", "WaitForFirstConsumer"]),
    ("volumeMode", &["Filesystem", "Block"]),
    ("pathType", &["Prefix", "Exact", "ImplementationSpecific"]),
    ("policyTypes", &["Ingress", "Egress"]),
    (
        "LabelSelectorRequirement.operator",
        &["In", "NotIn", "Exists", "DoesNotExist"],
    ),
    (
        "v1.NodeSelectorRequirement.operator",
        &["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"],
    ),
    ("v1.Toleration.operator", &["Equal", "Exists", "Lt", "Gt"]),
    ("effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    ("whenUnsatisfiable", &["DoNotSchedule", "ScheduleAnyway"]),
    (
        "topologyKey",
        &[
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
            "topology.kubernetes.io/region",
        ],
    ),
    ("scheme", &["HTTP", "HTTPS"]),
    ("preemptionPolicy", &["PreemptLowerPriority", "Never"]),
    ("v1.EmptyDirVolumeSource.medium", &["Memory"]),
    (
        "v1.SeccompProfile.type",
        &["RuntimeDefault", "Localhost", "Unconfined"],
    ),
    (
        "v1.HostPathVolumeSource.type",
        &[
            "DirectoryOrCreate",
            "Directory",
            "FileOrCreate",
            "File",
            "Socket",
            "CharDevice",
            "BlockDevice",
        ],
    ),
    (
        "v1.Secret.type",
        &[
            "Opaque",
            "kubernetes.io/tls",
            "kubernetes.io/basic-auth",
            "kubernetes.io/ssh-auth",
            "kubernetes.io/dockerconfigjson",
            "kubernetes.io/service-account-token",
        ],
    ),
    (
        "autoscaling.v2.MetricSpec.type",
        &[
            "Resource",
            "ContainerResource",
            "Pods",
            "Object",
            "External",
        ],
    ),
    (
        "autoscaling.v2.MetricTarget.type",
        &["Utilization", "AverageValue", "Value"],
    ),
    (
        "verbs",
        &[
            "get",
            "list",
            "watch",
            "create",
            "update",
            "patch",
            "delete",
            "deletecollection",
            "*",
        ],
    ),
    ("rbac.v1.Subject.kind", &["ServiceAccount", "User", "Group"]),
    ("rbac.v1.RoleRef.kind", &["Role", "ClusterRole"]),
    (
        "unhealthyPodEvictionPolicy",
        &["IfHealthyBudget", "AlwaysAllow"],
    ),
    (
        "v1.LimitRangeItem.type",
        &["Container", "Pod", "PersistentVolumeClaim"],
    ),
];

/// The words for a field of a type; none if anything goes.
pub(super) fn words(owner: &str, field: &str) -> &'static [&'static str] {
    let is_it = |name: &str| {
        name == field
            || name
                .strip_suffix(field)
                .is_some_and(|rest| rest.strip_suffix('.') == Some(owner))
    };
    let row = WORDS.iter().find(|(name, _)| is_it(name));
    row.map_or(&[], |(_, words)| words)
}
