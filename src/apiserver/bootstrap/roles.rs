//! The roles that every cluster begins with, and who has them.
//!
//! `roles.txt` holds them: a line for each role (`=NAME` gathers the roles labelled for NAME, `>NAME` is such a label;
//! `namespace/` before a Role), then a line for each rule: groups, resources and `@names`, verbs (`cdDglpuw` or words).
//! Models `bootstrappolicy` and what kubeadm adds.

use api::{Value, list, map};

use crate::ApiServer;

const ROLES: &str = include_str!("roles.txt");
const GROUP: &str = "rbac.authorization.k8s.io";

/// Kinds and names.
type Subjects = &'static [(&'static str, &'static str)];

/// Who has a role: the binding's name, the role's, and subjects (`group`, `user` or a service account in kube-system).
const BINDINGS: [(&str, &str, Subjects); 12] = [
    (
        "cluster-admin",
        "cluster-admin",
        &[("Group", "system:masters")],
    ),
    (
        "kubeadm:cluster-admins",
        "cluster-admin",
        &[("Group", "kubeadm:cluster-admins")],
    ),
    (
        "system:basic-user",
        "system:basic-user",
        &[("Group", "system:authenticated")],
    ),
    (
        "system:discovery",
        "system:discovery",
        &[("Group", "system:authenticated")],
    ),
    (
        "system:kube-controller-manager",
        "system:kube-controller-manager",
        &[("User", "system:kube-controller-manager")],
    ),
    (
        "system:kube-dns",
        "system:kube-dns",
        &[("ServiceAccount", "kube-dns")],
    ),
    (
        "system:kube-scheduler",
        "system:kube-scheduler",
        &[("User", "system:kube-scheduler")],
    ),
    (
        "system:monitoring",
        "system:monitoring",
        &[("Group", "system:monitoring")],
    ),
    (
        "system:node-proxier",
        "system:node-proxier",
        &[("User", "system:kube-proxy")],
    ),
    (
        "system:public-info-viewer",
        "system:public-info-viewer",
        &[
            ("Group", "system:authenticated"),
            ("Group", "system:unauthenticated"),
        ],
    ),
    (
        "system:service-account-issuer-discovery",
        "system:service-account-issuer-discovery",
        &[("Group", "system:serviceaccounts")],
    ),
    (
        "system:volume-scheduler",
        "system:volume-scheduler",
        &[("User", "system:kube-scheduler")],
    ),
];

/// The same within namespaces.
const LOCAL_BINDINGS: [(&str, &str, &str, Subjects); 6] = [
    (
        "kube-public",
        "system:controller:bootstrap-signer",
        "system:controller:bootstrap-signer",
        &[("ServiceAccount", "bootstrap-signer")],
    ),
    (
        "kube-system",
        "system::extension-apiserver-authentication-reader",
        "extension-apiserver-authentication-reader",
        &[
            ("User", "system:kube-controller-manager"),
            ("User", "system:kube-scheduler"),
        ],
    ),
    (
        "kube-system",
        "system::leader-locking-kube-controller-manager",
        "system::leader-locking-kube-controller-manager",
        &[
            ("User", "system:kube-controller-manager"),
            ("ServiceAccount", "kube-controller-manager"),
        ],
    ),
    (
        "kube-system",
        "system::leader-locking-kube-scheduler",
        "system::leader-locking-kube-scheduler",
        &[
            ("User", "system:kube-scheduler"),
            ("ServiceAccount", "kube-scheduler"),
        ],
    ),
    (
        "kube-system",
        "system:controller:bootstrap-signer",
        "system:controller:bootstrap-signer",
        &[("ServiceAccount", "bootstrap-signer")],
    ),
    (
        "kube-system",
        "system:controller:token-cleaner",
        "system:controller:token-cleaner",
        &[("ServiceAccount", "token-cleaner")],
    ),
];

impl ApiServer {
    pub(super) fn plant_roles(&mut self) {
        let mut lines = ROLES.lines().peekable();
        while let Some(head) = lines.next() {
            let mut rules = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
                rules.push(rule(line.trim_start()));
            }
            self.plant_role(head, rules);
        }
        for (name, role, subjects) in BINDINGS {
            self.plant_binding("", name, role, subjects);
        }
        for (namespace, name, role, subjects) in LOCAL_BINDINGS {
            self.plant_binding(namespace, name, role, subjects);
        }
    }

    /// A role, and for that of a controller the binding to its account.
    fn plant_role(&mut self, head: &'static str, rules: Vec<Value>) {
        let mut words = head.split(' ');
        let name = words.next().unwrap_or_default();
        let mut role = map! { "metadata": meta(name) };
        for word in words {
            let labelled = |name: &str| format!("rbac.authorization.k8s.io/aggregate-to-{name}");
            if let Some(own) = word.strip_prefix('=') {
                let selector = map! { "matchLabels": one(&labelled(own), "true") };
                role.set(
                    "aggregationRule",
                    map! { "clusterRoleSelectors": list![selector] },
                );
            } else if let Some(other) = word.strip_prefix('>') {
                let labels = role.entry("metadata").entry("labels");
                labels.set(labelled(other), "true");
            }
        }
        role.set("rules", rules);
        match name.split_once('/') {
            Some((namespace, name)) => {
                let meta = role.entry("metadata");
                meta.set("name", name);
                meta.set("namespace", namespace);
                self.plant(GROUP, "v1", "roles", "Role", role, Value::empty_map());
            }
            None => self.plant(
                GROUP,
                "v1",
                "clusterroles",
                "ClusterRole",
                role,
                Value::empty_map(),
            ),
        }
        if let Some(account) = name.strip_prefix("system:controller:") {
            self.plant_binding("", name, name, &[("ServiceAccount", account)]);
        }
    }

    fn plant_binding(
        &mut self,
        namespace: &str,
        name: &str,
        role: &str,
        subjects: &[(&'static str, &str)],
    ) {
        let subjects: Vec<Value> = subjects
            .iter()
            .map(|(kind, name)| match *kind {
                "ServiceAccount" => {
                    let home = if namespace.is_empty() { "kube-system" } else { namespace };
                    map! { "kind": "ServiceAccount", "name": (*name).to_owned(), "namespace": home.to_owned() }
                }
                kind => map! { "apiGroup": GROUP, "kind": kind, "name": (*name).to_owned() },
            })
            .collect();
        let role_kind = if namespace.is_empty() {
            "ClusterRole"
        } else {
            "Role"
        };
        let mut binding = map! {
            "metadata": meta(name),
            "roleRef": map! { "apiGroup": GROUP, "kind": role_kind, "name": role.to_owned() },
            "subjects": subjects,
        };
        if namespace.is_empty() {
            self.plant(
                GROUP,
                "v1",
                "clusterrolebindings",
                "ClusterRoleBinding",
                binding,
                Value::empty_map(),
            );
        } else {
            binding
                .entry("metadata")
                .set("namespace", namespace.to_owned());
            self.plant(
                GROUP,
                "v1",
                "rolebindings",
                "RoleBinding",
                binding,
                Value::empty_map(),
            );
        }
    }
}

fn meta(name: &str) -> Value {
    map! {
        "name": name.to_owned(),
        "annotations": map! { "rbac.authorization.kubernetes.io/autoupdate": "true" },
        "labels": map! { "kubernetes.io/bootstrapping": "rbac-defaults" },
    }
}

fn one(key: &str, value: &'static str) -> Value {
    let mut map = map! {};
    map.set(key.to_owned(), value);
    map
}

/// A rule's line: `apps extensions: replicasets @name = glw`.
fn rule(line: &'static str) -> Value {
    let line = match line {
        "+events" => "core events.k8s.io: events = cpu",
        line => line,
    };
    let (groups, rest) = line.split_once(": ").expect("a rule names its groups");
    let (what, verbs) = rest.split_once(" = ").expect("a rule names its verbs");
    let mut rule = map! {};
    let texts = |words: &[&'static str]| -> Vec<Value> {
        words.iter().map(|word| Value::from(*word)).collect()
    };
    let (names, resources): (Vec<&str>, Vec<&str>) =
        what.split(' ').partition(|word| word.starts_with('@'));
    if groups == "url" {
        rule.set("nonResourceURLs", texts(&resources));
    } else {
        let groups = groups.split(' ').map(|group| match group {
            "core" => "",
            group => group,
        });
        rule.set("apiGroups", texts(&groups.collect::<Vec<_>>()));
        rule.set("resources", texts(&resources));
    }
    if !names.is_empty() {
        let names: Vec<&str> = names.iter().map(|name| &name[1..]).collect();
        rule.set("resourceNames", texts(&names));
    }
    let is_short = verbs.bytes().all(|letter| b"cdDglpuw".contains(&letter));
    let verbs: Vec<&'static str> = if is_short {
        verbs.chars().map(verb).collect()
    } else {
        verbs.split(' ').collect()
    };
    rule.set("verbs", texts(&verbs));
    rule
}

fn verb(letter: char) -> &'static str {
    match letter {
        'c' => "create",
        'd' => "delete",
        'D' => "deletecollection",
        'g' => "get",
        'l' => "list",
        'p' => "patch",
        'u' => "update",
        _ => "watch",
    }
}
