//! `kubectl auth can-i|whoami`.
//!
//! Models `kubectl/pkg/cmd/auth`. `--as` is asked with a SubjectAccessReview about that user.

use api::{Request, Resource, Str, Value, list, map};

use crate::flags::{Flag, Given, optional, switch, text};
use crate::print::{self, Format};
use crate::resource::{Scope, mapping};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("list"),
    switch("quiet").short('q'),
    switch("all-namespaces").short('A'),
    switch("no-headers"),
    text("subresource"),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    match args.first().map(Str::as_str) {
        Some("can-i") => can_i(ctx, &args[1..]),
        Some("whoami") => who_am_i(ctx, &args[1..]),
        Some("reconcile") => Err(Failure::error(
            "auth reconcile is not available here; use kubectl apply -f for roles and bindings",
        )),
        Some(other) => Err(Failure::error(format!(
            "unknown command {other:?} for \"kubectl auth\""
        ))),
        None => {
            ctx.out("Inspect authorization.\n\nAvailable Commands:\n  can-i         Check whether an action is allowed\n  reconcile     Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects\n  whoami        Experimental: Check self subject attributes\n\nUsage:\n  kubectl auth [flags] [options]\n\nUse \"kubectl auth <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
            Ok(())
        }
    }
}

fn reviews(group: &'static str, plural: &'static str) -> Resource {
    Resource::of(group, "v1", plural)
}

fn can_i(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("auth can-i", FLAGS, args)?;
    let scope = Scope::of(ctx, &given)?;
    if given.switch("list") {
        return list_rules(ctx, &given, &scope);
    }
    let (verb, target) = match &given.args[..] {
        [verb, target] => (verb.clone(), target.clone()),
        [verb, target, name] => (verb.clone(), format!("{target}/{name}").into()),
        _ => {
            return Err(Failure::error(
                "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
            ));
        }
    };
    let mut spec = map! {};
    if target.starts_with('/') {
        spec.set(
            "nonResourceAttributes",
            map! { "path": target, "verb": verb },
        );
    } else {
        let (kind, name) = target.split_once('/').unwrap_or((&target, ""));
        let (mut group, mut plural) = (Str::EMPTY, Str::new(kind));
        let mut namespace = if scope.is_all {
            Str::EMPTY
        } else {
            scope.namespace.clone()
        };
        if kind == "*" {
            group = "*".into();
        } else {
            match mapping(ctx, kind) {
                Ok(known) => {
                    if !known.is_namespaced {
                        if scope.is_explicit || !scope.is_all {
                            ctx.err(format!(
                                "Warning: resource '{}' is not namespace scoped{}\n\n",
                                known.resource.plural,
                                if known.resource.group.is_empty() {
                                    String::new()
                                } else {
                                    format!(" in group '{}'", known.resource.group)
                                }
                            ));
                        }
                        namespace = Str::EMPTY;
                    }
                    group = known.resource.group.clone();
                    plural = known.resource.plural;
                }
                Err(Failure::Waiting) => return Err(Failure::Waiting),
                Err(_) => ctx.err(format!(
                    "Warning: the server doesn't have a resource type '{kind}'\n\n"
                )),
            }
        }
        let mut attributes = map! { "verb": verb, "group": group, "resource": plural };
        if !namespace.is_empty() {
            attributes.set("namespace", namespace);
        }
        if !name.is_empty() {
            attributes.set("name", Str::new(name));
        }
        if given.has("subresource") {
            attributes.set("subresource", given.text("subresource"));
        }
        spec.set("resourceAttributes", attributes);
    }
    let answer = review(ctx, &given, spec)?;
    let status = answer.get("status");
    let is_allowed = status.bool("allowed");
    if !given.switch("quiet") {
        let mut line = if is_allowed { "yes" } else { "no" }.to_owned();
        if !is_allowed {
            for field in ["reason", "evaluationError"] {
                if !status.str(field).is_empty() {
                    line += &format!(" - {}", status.str(field));
                }
            }
        }
        ctx.out(format!("{line}\n"));
    }
    if is_allowed {
        Ok(())
    } else {
        Err(Failure::exit(1))
    }
}

fn review(ctx: &mut Context<'_>, given: &Given, mut spec: Value) -> Result<Value, Failure> {
    const GROUP: &str = "authorization.k8s.io";
    let (plural, kind) = if given.has("as") {
        spec.set("user", given.text("as"));
        spec.set("groups", groups(given));
        ("subjectaccessreviews", "SubjectAccessReview")
    } else {
        ("selfsubjectaccessreviews", "SelfSubjectAccessReview")
    };
    let body = map! { "apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec };
    ctx.object(Request::create(&reviews(GROUP, plural), "", body))
}

/// The groups that an impersonated user is in.
fn groups(given: &Given) -> Vec<Value> {
    let user = given.text("as");
    let mut groups: Vec<Value> = given.all("as-group").iter().map(Value::from).collect();
    if let Some(account) = user.strip_prefix("system:serviceaccount:") {
        let namespace = account.split(':').next().unwrap_or_default();
        groups.push("system:serviceaccounts".into());
        groups.push(format!("system:serviceaccounts:{namespace}").into());
    }
    groups.push("system:authenticated".into());
    groups
}

/// The table of `--list`.
fn list_rules(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
    if given.has("as") {
        return Err(Failure::error(
            "auth can-i --list --as is not available here; ask about single actions with --as",
        ));
    }
    let body = map! {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
        "spec": map! { "namespace": scope.namespace.clone() },
    };
    let answer = ctx.object(Request::create(
        &reviews("authorization.k8s.io", "selfsubjectrulesreviews"),
        "",
        body,
    ))?;
    let mut out = String::new();
    if !given.switch("no-headers") {
        out += "Resources\tNon-Resource URLs\tResource Names\tVerbs\n";
    }
    let words = |value: &Value| -> String {
        let all: Vec<&str> = value.items().iter().filter_map(Value::as_str).collect();
        format!("[{}]", all.join(" "))
    };
    for rule in answer.path("status.resourceRules").items() {
        let empty = list![""];
        let groups = if rule.get("apiGroups").is_empty() {
            &empty
        } else {
            rule.get("apiGroups")
        };
        for group in groups.items() {
            for resource in rule.get("resources").items() {
                let (group, resource) = (
                    group.as_str().unwrap_or_default(),
                    resource.as_str().unwrap_or_default(),
                );
                let shown = if group.is_empty() {
                    resource.to_owned()
                } else {
                    format!("{resource}.{group}")
                };
                out += &format!(
                    "{shown}\t[]\t{}\t{}\n",
                    words(rule.get("resourceNames")),
                    words(rule.get("verbs"))
                );
            }
        }
    }
    for rule in answer.path("status.nonResourceRules").items() {
        for url in rule.get("nonResourceURLs").items() {
            out += &format!(
                "\t[{}]\t[]\t{}\n",
                url.as_str().unwrap_or_default(),
                words(rule.get("verbs"))
            );
        }
    }
    ctx.out(print::tabwriter::align(&out, print::tabwriter::TABLE));
    Ok(())
}

fn who_am_i(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("auth whoami", FLAGS, args)?;
    let format = Format::of(&given)?;
    let body = map! { "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" };
    let answer = ctx.object(Request::create(
        &reviews("authentication.k8s.io", "selfsubjectreviews"),
        "",
        body,
    ))?;
    if !format.is_table() {
        let mapping =
            crate::resource::mapping_of(ctx, "authentication.k8s.io/v1", "SelfSubjectReview")?
                .expect("reviews are built in");
        let text = print::object(&format, &mapping, &answer)?;
        ctx.out(text);
        return Ok(());
    }
    let user = answer.path("status.userInfo");
    let words = |value: &Value| {
        let all: Vec<&str> = value.items().iter().filter_map(Value::as_str).collect();
        format!("[{}]", all.join(" "))
    };
    let mut out = "ATTRIBUTE\tVALUE\n".to_owned();
    if !user.str("username").is_empty() {
        out += &format!("Username\t{}\n", user.str("username"));
    }
    if !user.str("uid").is_empty() {
        out += &format!("UID\t{}\n", user.str("uid"));
    }
    if !user.get("groups").is_empty() {
        out += &format!("Groups\t{}\n", words(user.get("groups")));
    }
    for (key, value) in user.get("extra").entries().iter() {
        out += &format!("Extra: {key}\t{}\n", words(value));
    }
    ctx.out(print::tabwriter::align(&out, print::tabwriter::TABLE));
    Ok(())
}
