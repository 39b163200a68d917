//! `kubectl create role|rolebinding|clusterrole|clusterrolebinding|serviceaccount|token`.
//!
//! Models `create_role.go` and its neighbours.

use std::collections::BTreeMap;

use api::{Request, Resource, Str, Value, list, map};

use super::{generated, name_of, parse};
use crate::flags::{Flag, Given, array, duration, many, text};
use crate::resource::{Scope, mapping};
use crate::{Context, Failure};

const RBAC: &str = "rbac.authorization.k8s.io";
const RULES: &[Flag] = &[
    many("verb"),
    many("resource"),
    array("resource-name"),
    many("non-resource-url"),
    text("aggregation-rule"),
];
const SUBJECTS: &[Flag] = &[
    text("role"),
    text("clusterrole"),
    array("user"),
    array("group"),
    array("serviceaccount"),
];
/// What may be done to resources; anything else is warned about.
const VERBS: &[&str] = &[
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
    "*",
];

pub(super) fn role(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = parse("create role", RULES, args)?;
    let name = name_of(&given, "role")?;
    let verbs = verbs(&given)?;
    if given.all("resource").is_empty() {
        return Err(Failure::error("at least one resource must be specified"));
    }
    warn(ctx, &verbs);
    let rules = rules(ctx, &given, &verbs)?;
    let object = map! {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": map! { "name": name }, "rules": rules,
    };
    generated(ctx, &given, object, "")
}

pub(super) fn cluster_role(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = parse("create clusterrole", RULES, args)?;
    let name = name_of(&given, "clusterrole")?;
    let mut object = map! {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": map! { "name": name },
    };
    if given.has("aggregation-rule") {
        if given.has("verb") || given.has("resource") || given.has("non-resource-url") {
            return Err(Failure::error(
                "aggregation rule must be specified without nonResourceURLs, resources or verbs",
            ));
        }
        let mut labels = map! {};
        for pair in given.text("aggregation-rule").split(',') {
            let Some((key, value)) = pair.split_once('=') else {
                return Err(Failure::error(format!(
                    "invalid argument format {pair}, expected key=value"
                )));
            };
            labels.set(Str::new(key), Str::new(value));
        }
        object.set(
            "aggregationRule",
            map! { "clusterRoleSelectors": list![map! { "matchLabels": labels }] },
        );
        object.set("rules", Value::Null);
        return generated(ctx, &given, object, "");
    }
    let verbs = verbs(&given)?;
    let urls = given.all("non-resource-url");
    if given.all("resource").is_empty() && urls.is_empty() {
        return Err(Failure::error(
            "one of resource or nonResourceURL must be specified",
        ));
    }
    if !given.all("resource").is_empty() {
        warn(ctx, &verbs);
    }
    let mut rules = rules(ctx, &given, &verbs)?;
    if !urls.is_empty() {
        if !given.all("resource-name").is_empty() && given.all("resource").is_empty() {
            return Err(Failure::error(
                "resourceName must be specified with resources",
            ));
        }
        let urls: Vec<Value> = urls.iter().map(Value::from).collect();
        rules.push(map! { "nonResourceURLs": urls, "verbs": verbs });
    }
    object.set("rules", rules);
    generated(ctx, &given, object, "")
}

fn verbs(given: &Given) -> Result<Vec<Value>, Failure> {
    let mut verbs: Vec<&Str> = Vec::new();
    for verb in given.all("verb") {
        if verb == "*" {
            return Ok(vec!["*".into()]);
        }
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    }
    if verbs.is_empty() {
        return Err(Failure::error("at least one verb must be specified"));
    }
    Ok(verbs.into_iter().map(Value::from).collect())
}

fn warn(ctx: &mut Context<'_>, verbs: &[Value]) {
    for verb in verbs.iter().filter_map(Value::as_str) {
        if !VERBS.contains(&verb) {
            ctx.err(format!(
                "Warning: '{verb}' is not a standard resource verb\n"
            ));
        }
    }
}

/// One rule for each API group that the resources are of.
fn rules(ctx: &mut Context<'_>, given: &Given, verbs: &[Value]) -> Result<Vec<Value>, Failure> {
    let mut groups: BTreeMap<Str, Vec<Value>> = BTreeMap::new();
    for text in given.all("resource") {
        let (resource, subresource) = text.split_once('/').unwrap_or((text, ""));
        let (group, mut plural) = if resource == "*" {
            (Str::EMPTY, "*".to_owned())
        } else {
            let known = mapping(ctx, resource).map_err(|failure| match failure {
                Failure::Exit { .. } => Failure::plain(format!(
                    "the server doesn't have a resource type {resource:?}"
                )),
                waiting => waiting,
            })?;
            (
                known.resource.group.clone(),
                known.resource.plural.to_string(),
            )
        };
        if !subresource.is_empty() {
            plural += &format!("/{subresource}");
        }
        let all = groups.entry(group).or_default();
        let plural = Value::from(plural);
        if !all.contains(&plural) {
            all.push(plural);
        }
    }
    let names: Vec<Value> = given.all("resource-name").iter().map(Value::from).collect();
    Ok(groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = map! { "apiGroups": list![group], "resources": resources };
            if !names.is_empty() {
                rule.set("resourceNames", names.clone());
            }
            rule.set("verbs", verbs.to_vec());
            rule
        })
        .collect())
}

pub(super) fn role_binding(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = parse("create rolebinding", SUBJECTS, args)?;
    let name = name_of(&given, "rolebinding")?;
    if given.has("role") == given.has("clusterrole") {
        return Err(Failure::error(
            "exactly one of clusterrole or role must be specified",
        ));
    }
    let (kind, role) = if given.has("role") {
        ("Role", given.text("role"))
    } else {
        ("ClusterRole", given.text("clusterrole"))
    };
    let object = binding(&given, "RoleBinding", name, kind, role)?;
    generated(ctx, &given, object, "rolebinding:")
}

pub(super) fn cluster_role_binding(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = parse("create clusterrolebinding", SUBJECTS, args)?;
    let name = name_of(&given, "clusterrolebinding")?;
    if !given.has("clusterrole") {
        return Err(super::missing("clusterrole"));
    }
    let role = given.text("clusterrole");
    let object = binding(&given, "ClusterRoleBinding", name, "ClusterRole", role)?;
    generated(ctx, &given, object, "clusterrolebinding:")
}

fn binding(
    given: &Given,
    kind: &'static str,
    name: Str,
    role_kind: &'static str,
    role: Str,
) -> Result<Value, Failure> {
    let mut object = map! {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": map! { "name": name },
        "roleRef": map! { "apiGroup": RBAC, "kind": role_kind, "name": role },
    };
    let subjects = subjects(given)?;
    if !subjects.is_empty() {
        object.set("subjects", subjects);
    }
    Ok(object)
}

/// The subjects that `--user`, `--group` and `--serviceaccount` name.
pub(crate) fn subjects(given: &Given) -> Result<Vec<Value>, Failure> {
    let mut subjects = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        for name in given.all(flag) {
            subjects.push(map! { "apiGroup": RBAC, "kind": kind, "name": name.clone() });
        }
    }
    for account in given.all("serviceaccount") {
        let parts: Vec<&str> = account.split(':').collect();
        let [namespace, name] = parts[..] else {
            return Err(Failure::error("serviceaccount must be <namespace>:<name>"));
        };
        if namespace.is_empty() || name.is_empty() {
            return Err(Failure::error("serviceaccount must be <namespace>:<name>"));
        }
        subjects.push(map! {
            "kind": "ServiceAccount", "name": Str::new(name), "namespace": Str::new(namespace),
        });
    }
    Ok(subjects)
}

pub(super) fn service_account(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = parse("create serviceaccount", &[], args)?;
    let name = name_of(&given, "serviceaccount")?;
    let object =
        map! { "apiVersion": "v1", "kind": "ServiceAccount", "metadata": map! { "name": name } };
    generated(ctx, &given, object, "serviceaccount:")
}

pub(super) fn token(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[
        duration("duration"),
        array("audience"),
        text("bound-object-kind"),
        text("bound-object-name"),
        text("bound-object-uid"),
    ];
    let given = parse("create token", OWN, args)?;
    let name = name_of(&given, "token")?;
    let scope = Scope::of(ctx, &given)?;
    let mut spec =
        map! { "audiences": given.all("audience").iter().map(Value::from).collect::<Vec<_>>() };
    if let Some(span) = given.span("duration")? {
        spec.set("expirationSeconds", (span / sim::SECOND) as i64);
    }
    let body = map! {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": map! {}, "spec": spec,
    };
    let mut request = Request::create(
        &Resource::of("", "v1", "serviceaccounts"),
        scope.namespace.clone(),
        body,
    )
    .subresource("token");
    request.name = name;
    let response = ctx.call(request)?;
    if !response.is_success() {
        return Err(Failure::error(format!(
            "failed to create token: {}",
            response.message()
        )));
    }
    let token = response
        .body
        .path("status.token")
        .as_str()
        .map(str::to_owned);
    match token.filter(|token| !token.is_empty()) {
        Some(token) => {
            ctx.out(format!("{token}\n"));
            Ok(())
        }
        None => Err(Failure::error(
            "failed to create token: no token in server response",
        )),
    }
}
