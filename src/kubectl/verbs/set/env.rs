//! `kubectl set env`: variables of containers, set, removed, taken from config maps and secrets, or listed.
//!
//! Models `kubectl/pkg/cmd/set/set_env.go`.

use api::{Request, Resource, Str, Value, map};

use super::{begin, each_container, finish_each};
use crate::flags::{Flag, Given, array, many, optional, switch, text};
use crate::resource::Scope;
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    text("containers").short('c'),
    text("from"),
    text("prefix"),
    array("env").short('e'),
    many("keys"),
    switch("list"),
    switch("resolve"),
    switch("overwrite"),
    switch("all"),
    switch("local"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    switch("recursive").short('R'),
    text("selector").short('l'),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    text("field-manager"),
    switch("show-managed-fields"),
];

pub(super) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("set env", FLAGS, args)?;
    let (resources, pairs) = crate::targets::split_pairs(&given.args, "environment")?;
    if resources.is_empty() && !given.names_files() {
        return Err(Failure::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    let mut set: Vec<Value> = Vec::new();
    let mut remove: Vec<Str> = Vec::new();
    for pair in pairs.iter().chain(given.all("env")) {
        match pair.split_once('=') {
            Some((name, value)) => {
                set.push(map! { "name": Str::new(name), "value": Str::new(value) });
            }
            None => remove.push(Str::new(pair.trim_end_matches('-'))),
        }
    }
    let scope = Scope::of(ctx, &given)?;
    if given.has("from") {
        let mut found = from(ctx, &given, &scope)?;
        found.append(&mut set);
        set = found;
    }
    let is_list = given.switch("list");
    if set.is_empty() && remove.is_empty() && !is_list {
        return Err(Failure::error(
            "at least one environment variable must be provided",
        ));
    }
    let mut targets = begin(ctx, &given, &scope, &resources)?;
    if is_list {
        for target in &targets.found {
            show(ctx, &given, target, &scope)?;
        }
        return targets.finish();
    }
    let keeps = !given.switch_or("overwrite", true);
    let pattern = given.text("containers");
    finish_each(
        ctx,
        &given,
        &mut targets,
        "env updated",
        |target, changed| {
            let mut taken = Vec::new();
            let mut found = false;
            each_container(&target.mapping.kind, changed, |container| {
                if !matches(&pattern, container.str("name")) {
                    return;
                }
                found = true;
                let mut env = container.get("env").items().to_vec();
                for variable in &set {
                    let name = variable.str("name");
                    match env.iter_mut().find(|known| known.str("name") == name) {
                        Some(known) if keeps => {
                            taken.push(format!(
                                "'{name}' already has a value ({})",
                                known.str("value")
                            ));
                        }
                        Some(known) => *known = variable.clone(),
                        None => env.push(variable.clone()),
                    }
                }
                env.retain(|known| !remove.iter().any(|name| known.str("name") == name.as_str()));
                if env.is_empty() {
                    container.remove("env");
                } else {
                    container.set("env", env);
                }
            })?;
            if !found {
                return Err(format!(
                    "{}/{} does not have any containers matching {:?}",
                    target.mapping.kind,
                    target.name(),
                    pattern.as_str()
                ));
            }
            if taken.is_empty() {
                Ok(())
            } else {
                Err(format!("{}, and --overwrite is false", taken.join("; ")))
            }
        },
    )?;
    targets.finish()
}

/// Shell-like: `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.is_empty() || pattern == "*" {
        return true;
    }
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// References to every key of a config map or secret.
fn from(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<Vec<Value>, Failure> {
    let selection = crate::resource::select(ctx, &[given.text("from")])?.remove(0);
    let name = selection.names.first().cloned().unwrap_or_default();
    let source = ctx.object(Request::get(
        &selection.mapping.resource,
        scope.namespace.clone(),
        name.clone(),
    ))?;
    let field = match selection.mapping.kind.as_str() {
        "ConfigMap" => "configMapKeyRef",
        "Secret" => "secretKeyRef",
        other => {
            return Err(Failure::error(format!(
                "unsupported resource specified in --from: {other}"
            )));
        }
    };
    let wanted = given.all("keys");
    let prefix = given.text("prefix");
    Ok(source
        .get("data")
        .entries()
        .keys()
        .filter(|key| wanted.is_empty() || wanted.contains(key))
        .map(|key| {
            let upper: String = key
                .chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() || c == '_' {
                        c.to_ascii_uppercase()
                    } else {
                        '_'
                    }
                })
                .collect();
            let mut from = map! {};
            from.set(field, map! { "name": name.clone(), "key": key.clone() });
            map! { "name": format!("{prefix}{upper}"), "valueFrom": from }
        })
        .collect())
}

fn show(
    ctx: &mut Context<'_>,
    given: &Given,
    target: &crate::targets::Target,
    scope: &Scope,
) -> Result<(), Failure> {
    let mut object = target.object.clone();
    let pattern = given.text("containers");
    let mut lines: Vec<(String, Value)> = Vec::new();
    let name = target.name();
    each_container(&target.mapping.kind, &mut object, |container| {
        if !matches(&pattern, container.str("name")) {
            return;
        }
        lines.push((
            format!(
                "# {} {name}, container {}",
                target.mapping.kind,
                container.str("name")
            ),
            container.get("env").clone(),
        ));
    })
    .map_err(Failure::error)?;
    for (head, env) in lines {
        ctx.out(format!("{head}\n"));
        for variable in env.items() {
            let text = line(ctx, given, variable, scope)?;
            ctx.out(format!("{text}\n"));
        }
    }
    Ok(())
}

fn line(
    ctx: &mut Context<'_>,
    given: &Given,
    variable: &Value,
    scope: &Scope,
) -> Result<String, Failure> {
    let name = variable.str("name");
    let from = variable.get("valueFrom");
    if from.is_null() {
        return Ok(format!("{name}={}", variable.str("value")));
    }
    let (config, secret) = (from.get("configMapKeyRef"), from.get("secretKeyRef"));
    for (reference, kind, plural) in [
        (config, "configmap", "configmaps"),
        (secret, "secret", "secrets"),
    ] {
        if reference.is_null() {
            continue;
        }
        if given.switch("resolve") && plural == "configmaps" {
            let source = ctx.object(Request::get(
                &Resource::of("", "v1", plural),
                scope.namespace.clone(),
                reference.shared_str("name"),
            ))?;
            let value = source.get("data").str(reference.str("key")).to_owned();
            return Ok(format!("{name}={value}"));
        }
        return Ok(format!(
            "# {name} from {kind} {}, key {}",
            reference.str("name"),
            reference.str("key")
        ));
    }
    if let Some(path) = from.path("fieldRef.fieldPath").as_str() {
        return Ok(format!("# {name} from field path {path}"));
    }
    let resource = from.path("resourceFieldRef.resource");
    Ok(format!(
        "# {name} from resource field {}",
        resource.as_str().unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn container_patterns_match_like_the_shell() {
        for (pattern, name, expected) in [
            ("", "a", true),
            ("*", "a", true),
            ("ng*", "nginx", true),
            ("x*", "nginx", false),
            ("nginx", "nginx", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
