//! `kubectl auth can-i|whoami|reconcile`.
//!
//! Models `kubectl/pkg/cmd/auth`.

mod reconcile;

use api::{Request, Resource, Str, Value, map};

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
        Some("reconcile") => reconcile::run(ctx, &args[1..]),
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
    let answer = review(ctx, spec)?;
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

fn review(ctx: &mut Context<'_>, spec: Value) -> Result<Value, Failure> {
    const GROUP: &str = "authorization.k8s.io";
    let (plural, kind) = ("selfsubjectaccessreviews", "SelfSubjectAccessReview");
    let body = map! { "apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec };
    ctx.object(Request::create(&reviews(GROUP, plural), "", body))
}

/// The table of `--list`.
fn list_rules(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<(), Failure> {
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
    for rule in compact(answer.get("status")) {
        let (name, subresource) = rule
            .resource
            .split_once('/')
            .unwrap_or((&rule.resource, ""));
        let mut shown = name.to_owned();
        for (mark, part) in [('.', rule.group.as_str()), ('/', subresource)] {
            if !part.is_empty() {
                shown.push(mark);
                shown += part;
            }
        }
        let names = rule.name.as_ref().map_or("", Str::as_str);
        out += &format!(
            "{shown}\t[{}]\t[{names}]\t[{}]\n",
            rule.url,
            rule.verbs.join(" ")
        );
    }
    ctx.out(print::tabwriter::align(&out, print::tabwriter::TABLE));
    Ok(())
}

/// What may be done with one resource, one named object or one path.
#[derive(PartialEq)]
struct Rule {
    verbs: Vec<Str>,
    group: Str,
    resource: Str,
    name: Option<Str>,
    url: Str,
}

/// The rules taken apart, those of one resource joined again, in the order of their text (`CompactRules`).
fn compact(status: &Value) -> Vec<Rule> {
    let texts = |value: &Value| -> Vec<Str> {
        value
            .items()
            .iter()
            .filter_map(Value::as_shared_str)
            .cloned()
            .collect()
    };
    let mut rules: Vec<Rule> = Vec::new();
    for rule in status.get("resourceRules").items() {
        let names = texts(rule.get("resourceNames"));
        let names: Vec<Option<Str>> = if names.is_empty() {
            vec![None]
        } else {
            names.into_iter().map(Some).collect()
        };
        for group in texts(rule.get("apiGroups")) {
            for resource in texts(rule.get("resources")) {
                for (verb, name) in texts(rule.get("verbs"))
                    .into_iter()
                    .flat_map(|verb| names.iter().map(move |name| (verb.clone(), name)))
                {
                    let same = rules.iter_mut().find(|known| {
                        known.group == group && known.resource == resource && known.name == *name
                    });
                    match same {
                        Some(known) if known.verbs.contains(&verb) => {}
                        Some(known) => known.verbs.push(verb),
                        None => rules.push(Rule {
                            verbs: vec![verb],
                            group: group.clone(),
                            resource: resource.clone(),
                            name: name.clone(),
                            url: Str::EMPTY,
                        }),
                    }
                }
            }
        }
    }
    for rule in status.get("nonResourceRules").items() {
        for url in texts(rule.get("nonResourceURLs")) {
            rules.extend(texts(rule.get("verbs")).into_iter().map(|verb| Rule {
                verbs: vec![verb],
                group: Str::EMPTY,
                resource: Str::EMPTY,
                name: None,
                url: url.clone(),
            }));
        }
    }
    rules.sort_by_cached_key(|rule| {
        format!(
            "{}],[{}],[{}],[{}],[{}]",
            rule.verbs.join(" "),
            rule.group,
            rule.resource,
            rule.name.as_ref().map_or("", Str::as_str),
            rule.url
        )
    });
    rules
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
