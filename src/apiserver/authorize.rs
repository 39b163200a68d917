//! Who may do what: RBAC over the roles and bindings that are stored.
//!
//! Models `plugin/pkg/auth/authorizer/rbac` and `endpoints/filters/authorization.go`. The cluster's own parts are
//! known by their link and not asked; members of `system:masters` may do everything.

use api::{Request, Status, Str, Value, Verb};

use crate::{ApiServer, Caller, User};

/// The bindings by which everyone who is known may discover the API and ask about themselves.
const EVERYONES: [&str; 3] = [
    "system:basic-user",
    "system:public-info-viewer",
    "system:discovery",
];

/// What somebody wants to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) verb: Str,
    pub(crate) group: Str,
    /// `pods` or `pods/log`.
    pub(crate) resource: String,
    pub(crate) namespace: Str,
    pub(crate) name: Str,
    /// For what is no resource.
    pub(crate) path: Str,
}

impl ApiServer {
    pub(crate) fn authorize(&self, caller: &Caller, request: &Request) -> Result<(), Status> {
        if !matches!(caller.part, api::Part::Client(_)) {
            return Ok(());
        }
        self.permit(&caller.user, &Attributes::of(request))
    }

    /// 403 unless something allows it.
    pub(crate) fn permit(&self, user: &User, wanted: &Attributes) -> Result<(), Status> {
        if self.allows(user, wanted).is_some() {
            return Ok(());
        }
        let user = &user.name;
        if !wanted.path.is_empty() {
            let why = format!(
                "User \"{user}\" cannot {} path \"{}\"",
                wanted.verb, wanted.path
            );
            return Err(Status::forbidden("", "", "", &why));
        }
        let scope = if wanted.namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{}\"", wanted.namespace)
        };
        let why = format!(
            "User \"{user}\" cannot {} resource \"{}\" in API group \"{}\" {scope}",
            wanted.verb, wanted.resource, wanted.group
        );
        let plural = wanted.resource.split('/').next().unwrap_or_default();
        Err(Status::forbidden(&wanted.group, plural, &wanted.name, &why))
    }

    /// Why a user may do something; `None` if nothing allows it.
    pub(crate) fn allows(&self, user: &User, wanted: &Attributes) -> Option<String> {
        if user.groups.iter().any(|group| *group == *"system:masters") {
            return Some(String::new());
        }
        for binding in self.objects("clusterrolebindings.rbac.authorization.k8s.io", "") {
            if let Some(subject) = subject_of(binding, user)
                && self.role_allows(binding, wanted)
            {
                return Some(reason("ClusterRoleBinding", binding, &subject));
            }
        }
        if wanted.namespace.is_empty() {
            return None;
        }
        for binding in self.objects("rolebindings.rbac.authorization.k8s.io", &wanted.namespace) {
            if let Some(subject) = subject_of(binding, user)
                && self.role_allows(binding, wanted)
            {
                return Some(reason("RoleBinding", binding, &subject));
            }
        }
        None
    }

    fn role_allows(&self, binding: &Value, wanted: &Attributes) -> bool {
        self.rules_of(binding)
            .iter()
            .any(|rule| rule_allows(rule, wanted))
    }

    /// The rules that a binding gives.
    pub(crate) fn rules_of(&self, binding: &Value) -> Vec<Value> {
        let role = binding.get("roleRef");
        let name = role.shared_str("name");
        let found = if role.str("kind") == "ClusterRole" {
            self.object("clusterroles.rbac.authorization.k8s.io", &Str::EMPTY, &name)
        } else {
            let namespace = binding.get("metadata").shared_str("namespace");
            self.object("roles.rbac.authorization.k8s.io", &namespace, &name)
        };
        found
            .map(|role| role.get("rules").items().to_vec())
            .unwrap_or_default()
    }

    /// Every rule that holds for a user in a namespace.
    pub(crate) fn rules_for(&self, user: &User, namespace: &str) -> Vec<Value> {
        let cluster = self.objects("clusterrolebindings.rbac.authorization.k8s.io", "");
        let local = self.objects("rolebindings.rbac.authorization.k8s.io", namespace);
        let mut bindings: Vec<&Value> = cluster
            .chain(local)
            .filter(|binding| subject_of(binding, user).is_some())
            .collect();
        // What everyone has comes first.
        bindings.sort_by_key(|binding| {
            let name = binding.get("metadata").str("name");
            let place = EVERYONES.iter().position(|everyones| *everyones == name);
            place.unwrap_or(EVERYONES.len())
        });
        bindings
            .into_iter()
            .flat_map(|binding| self.rules_of(binding))
            .collect()
    }
}

impl Attributes {
    pub(crate) fn of(request: &Request) -> Attributes {
        if request.verb == Verb::GetPath {
            return Attributes {
                verb: "get".into(),
                path: request.name.clone(),
                ..Attributes::default()
            };
        }
        let verb = match request.verb {
            Verb::Get | Verb::GetPath => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create | Verb::Connect => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
        };
        let plural = &request.resource.plural;
        let resource = if request.subresource.is_empty() {
            plural.to_string()
        } else {
            format!("{plural}/{}", request.subresource)
        };
        Attributes {
            verb: verb.into(),
            group: request.resource.group.clone(),
            resource,
            namespace: request.namespace.clone(),
            name: request.name.clone(),
            path: Str::EMPTY,
        }
    }
}

fn rule_allows(rule: &Value, wanted: &Attributes) -> bool {
    let has = |field: &str, text: &str| {
        rule.get(field)
            .items()
            .iter()
            .any(|v| matches!(v.as_str(), Some(v) if v == "*" || v == text))
    };
    if !has("verbs", &wanted.verb) {
        return false;
    }
    if !wanted.path.is_empty() {
        return rule.get("nonResourceURLs").items().iter().any(|url| {
            let url = url.as_str().unwrap_or_default();
            url == wanted.path.as_str()
                || url
                    .strip_suffix('*')
                    .is_some_and(|prefix| wanted.path.starts_with(prefix))
        });
    }
    let by_part = wanted
        .resource
        .split_once('/')
        .is_some_and(|(_, part)| has("resources", &format!("*/{part}")));
    let names = rule.get("resourceNames").items();
    has("apiGroups", &wanted.group)
        && (has("resources", &wanted.resource) || by_part)
        && (names.is_empty()
            || names
                .iter()
                .any(|name| name.as_shared_str() == Some(&wanted.name)))
}

/// The subject of a binding that is this user: `User "jane"`.
fn subject_of(binding: &Value, user: &User) -> Option<String> {
    let home = binding.get("metadata").str("namespace");
    binding.get("subjects").items().iter().find_map(|subject| {
        let name = subject.str("name");
        let namespace = match subject.str("namespace") {
            "" => home,
            namespace => namespace,
        };
        let is_them = match subject.str("kind") {
            "User" => name == user.name.as_str(),
            "Group" => user.groups.iter().any(|group| group == name),
            "ServiceAccount" => {
                user.name.as_str() == format!("system:serviceaccount:{namespace}:{name}")
            }
            _ => false,
        };
        is_them.then(|| match subject.str("kind") {
            "ServiceAccount" => format!("ServiceAccount \"{name}/{namespace}\""),
            kind => format!("{kind} \"{name}\""),
        })
    })
}

fn reason(kind: &str, binding: &Value, subject: &str) -> String {
    let (meta, role) = (binding.get("metadata"), binding.get("roleRef"));
    let name = match meta.str("namespace") {
        "" => meta.str("name").to_owned(),
        namespace => format!("{}/{namespace}", meta.str("name")),
    };
    format!(
        "RBAC: allowed by {kind} \"{name}\" of {} \"{}\" to {subject}",
        role.str("kind"),
        role.str("name")
    )
}
