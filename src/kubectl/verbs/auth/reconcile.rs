//! `kubectl auth reconcile`: roles and bindings get the rules and subjects that a file asks for, and keep what they have.
//!
//! Models `kubectl/pkg/cmd/auth/reconcile.go` and `component-helpers/auth/rbac/reconciliation`.

use api::{Request, Str, Value, meta::Meta};

use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::resource::{Scope, mapping_of};
use crate::verbs::apply::{self, DryRun};
use crate::verbs::files;
use crate::{Context, Failure, targets};

const FLAGS: &[Flag] = &[
    switch("allow-missing-template-keys"),
    optional("dry-run", "unchanged"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    text("output").short('o'),
    switch("recursive").short('R'),
    switch("remove-extra-permissions"),
    switch("remove-extra-subjects"),
    switch("show-managed-fields"),
    text("template"),
];

pub(super) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("auth reconcile", FLAGS, args)?;
    if !given.names_files() {
        return Err(Failure::error("must specify one of -f or -k"));
    }
    let dry_run = DryRun::of(&given)?;
    let scope = Scope::of(ctx, &given)?;
    for document in files::read(ctx, &given)? {
        let mut object = document.object;
        let kind = object.shared_str("kind");
        let is_known = object.str("apiVersion") == "rbac.authorization.k8s.io/v1"
            && matches!(
                kind.as_str(),
                "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding"
            );
        let mapping = mapping_of(ctx, object.str("apiVersion"), &kind)?.filter(|_| is_known);
        let Some(mapping) = mapping else {
            ctx.err(format!(
                "only rbac.authorization.k8s.io/v1 is supported: not {}, Kind={kind}\n",
                object.str("apiVersion")
            ));
            continue;
        };
        let namespace = apply::place(&mut object, &mapping, &scope)?;
        let (list, what, removes) = if kind.ends_with("Binding") {
            (
                "subjects",
                "subjects",
                given.switch("remove-extra-subjects"),
            )
        } else {
            ("rules", "rules", given.switch("remove-extra-permissions"))
        };
        let name = Meta::of(&object).shared_name();
        let live = ctx.call(Request::get(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
        ))?;
        let parts = |value: &Value| parts_of(value.get(list), list);
        let (made, operation, missing, extra) = if live.code == 404 {
            let missing = object.get(list).items().to_vec();
            let made = send(
                ctx,
                Request::create(&mapping.resource, namespace, object.clone()),
                dry_run,
                &object,
            )?;
            (made, "create", missing, Vec::new())
        } else if !live.is_success() {
            return Err(Failure::server(&live));
        } else if list == "subjects" && live.body.get("roleRef") != object.get("roleRef") {
            // A binding's role cannot change: it is made anew.
            if dry_run == DryRun::None {
                ctx.object(Request::delete(&mapping.resource, namespace.clone(), name))?;
            }
            let made = send(
                ctx,
                Request::create(&mapping.resource, namespace, object.clone()),
                dry_run,
                &object,
            )?;
            (made, "recreate", Vec::new(), Vec::new())
        } else {
            let (wanted, has) = (parts(&object), parts(&live.body));
            let lacks = |these: &[Value], those: &[Value]| -> Vec<Value> {
                these
                    .iter()
                    .filter(|part| !those.contains(part))
                    .cloned()
                    .collect()
            };
            let (missing, extra) = (lacks(&wanted, &has), lacks(&has, &wanted));
            let mut changed = live.body.clone();
            let mut all = if removes && !extra.is_empty() {
                object.get(list).items().to_vec()
            } else {
                let mut all = live.body.get(list).items().to_vec();
                all.extend(missing.iter().cloned());
                all
            };
            all.dedup();
            changed.set(list, all);
            if missing.is_empty() && (extra.is_empty() || !removes) {
                (live.body, "", missing, extra)
            } else {
                let made = send(
                    ctx,
                    Request::update(&mapping.resource, changed.clone()),
                    dry_run,
                    &changed,
                )?;
                (made, "update", missing, extra)
            }
        };
        targets::report(ctx, &given, &mapping, &made, "reconciled", dry_run)?;
        if !given.text("output").is_empty() {
            continue;
        }
        let mut said = String::new();
        if !operation.is_empty() {
            said += &format!("\treconciliation required {operation}\n");
        }
        for (title, these) in [
            (format!("missing {what} added"), &missing),
            (
                format!(
                    "extra {what} {}",
                    if removes { "removed" } else { "unmatched" }
                ),
                &extra,
            ),
        ] {
            if !these.is_empty() {
                said += &format!("\t{title}:\n");
                for part in these {
                    said += &format!("\t\t{}\n", shown(part, list));
                }
            }
        }
        ctx.out(said);
    }
    Ok(())
}

fn send(
    ctx: &mut Context<'_>,
    mut request: Request,
    dry_run: DryRun,
    object: &Value,
) -> Result<Value, Failure> {
    if dry_run == DryRun::Client {
        return Ok(object.clone());
    }
    request.options.dry_run = dry_run == DryRun::Server;
    ctx.object(request)
}

/// Rules taken apart into single permissions, so that they can be compared; subjects as they are.
fn parts_of(list: &Value, what: &str) -> Vec<Value> {
    if what == "subjects" {
        return list.items().to_vec();
    }
    let mut parts = Vec::new();
    let or_none = |value: &Value| {
        if value.items().is_empty() {
            vec![Value::Null]
        } else {
            value.items().to_vec()
        }
    };
    for rule in list.items() {
        for verb in rule.get("verbs").items() {
            for group in or_none(rule.get("apiGroups")) {
                for resource in or_none(rule.get("resources")) {
                    for name in or_none(rule.get("resourceNames")) {
                        for url in or_none(rule.get("nonResourceURLs")) {
                            let mut part = api::map! {};
                            for (field, value) in [
                                ("apiGroups", &group),
                                ("nonResourceURLs", &url),
                                ("resourceNames", &name),
                                ("resources", &resource),
                                ("verbs", verb),
                            ] {
                                if !value.is_null() {
                                    part.set(field, vec![value.clone()]);
                                }
                            }
                            parts.push(part);
                        }
                    }
                }
            }
        }
    }
    parts
}

/// As Go prints the struct with `%+v`.
fn shown(part: &Value, list: &str) -> String {
    if list == "subjects" {
        return format!(
            "{{Kind:{} APIGroup:{} Name:{} Namespace:{}}}",
            part.str("kind"),
            part.str("apiGroup"),
            part.str("name"),
            part.str("namespace")
        );
    }
    let words = |field: &str| {
        let all: Vec<&str> = part
            .get(field)
            .items()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        all.join(" ")
    };
    format!(
        "{{Verbs:[{}] APIGroups:[{}] Resources:[{}] ResourceNames:[{}] NonResourceURLs:[{}]}}",
        words("verbs"),
        words("apiGroups"),
        words("resources"),
        words("resourceNames"),
        words("nonResourceURLs")
    )
}
