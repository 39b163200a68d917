//! `kubectl create ingress`: rules as `HOST/PATH=SERVICE:PORT[,tls[=SECRET]]`.
//!
//! Models `create_ingress.go`.

use api::{Str, Value, map};

use super::{generated, name_of, parse};
use crate::flags::{Flag, array, text};
use crate::{Context, Failure};

/// A rule as it was written.
struct Rule {
    host: String,
    path: Value,
    /// The secret, if TLS is asked for (empty: without one).
    tls: Option<String>,
}

pub(super) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[
        array("rule"),
        text("class"),
        array("annotation"),
        text("default-backend"),
    ];
    let given = parse("create ingress", OWN, args)?;
    let name = name_of(&given, "ingress")?;
    if given.all("rule").is_empty() && !given.has("default-backend") {
        return Err(Failure::error(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        ));
    }
    let mut metadata = map! { "name": name };
    for pair in given.all("annotation") {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::error(format!(
                "annotation {pair} is invalid and should be in format key=[value]"
            )));
        };
        metadata
            .entry("annotations")
            .set(Str::new(key), Str::new(value));
    }
    let mut spec = map! {};
    if given.has("class") {
        spec.set("ingressClassName", given.text("class"));
    }
    if given.has("default-backend") {
        let text = given.text("default-backend");
        let Some(backend) = backend(&text) else {
            return Err(Failure::error(
                "default-backend should be in format servicename:serviceport",
            ));
        };
        spec.set("defaultBackend", backend);
    }
    let mut rules: Vec<Rule> = Vec::new();
    for text in given.all("rule") {
        let Some(parsed) = rule(text) else {
            return Err(Failure::error(format!(
                "rule {text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            )));
        };
        rules.push(parsed);
    }
    let tls = tls(&rules);
    if !tls.is_empty() {
        spec.set("tls", tls);
    }
    let rules = by_host(rules);
    if !rules.is_empty() {
        spec.set("rules", rules);
    }
    let object = map! {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec,
        "status": map! { "loadBalancer": map! {} },
    };
    generated(ctx, &given, object, "ingress:")
}

/// `SERVICE:PORT`, the port by number or name.
fn backend(text: &str) -> Option<Value> {
    let (service, port) = text.split_once(':')?;
    if service.is_empty() || port.is_empty() {
        return None;
    }
    let port = match port.parse::<i64>() {
        Ok(number) => map! { "number": number },
        Err(_) => map! { "name": Str::new(port) },
    };
    Some(map! { "service": map! { "name": Str::new(service), "port": port } })
}

fn rule(text: &str) -> Option<Rule> {
    let (route, tls) = match text.split_once(',') {
        None => (text, None),
        Some((route, "tls")) => (route, Some(String::new())),
        Some((route, tls)) => (route, Some(tls.strip_prefix("tls=")?.to_owned())),
    };
    let (place, target) = route.split_once('=')?;
    let at = place.find('/')?;
    let (host, path) = place.split_at(at);
    let (path, kind) = match path.strip_suffix('*') {
        Some(path) => (path, "Prefix"),
        None => (path, "Exact"),
    };
    Some(Rule {
        host: host.to_owned(),
        path: map! { "backend": backend(target)?, "path": Str::new(path), "pathType": kind },
        tls,
    })
}

fn by_host(rules: Vec<Rule>) -> Vec<Value> {
    let mut hosts: Vec<(String, Vec<Value>)> = Vec::new();
    for rule in rules {
        match hosts.iter_mut().find(|(host, _)| *host == rule.host) {
            Some((_, paths)) => paths.push(rule.path),
            None => hosts.push((rule.host, vec![rule.path])),
        }
    }
    hosts
        .into_iter()
        .map(|(host, paths)| {
            let mut rule = map! {};
            if !host.is_empty() {
                rule.set("host", host);
            }
            rule.set("http", map! { "paths": paths });
            rule
        })
        .collect()
}

/// One entry for each secret with the hosts that use it.
fn tls(rules: &[Rule]) -> Vec<Value> {
    let mut entries: Vec<(&str, Vec<&str>)> = Vec::new();
    for rule in rules {
        let Some(secret) = &rule.tls else { continue };
        let entry = match entries.iter_mut().find(|(known, _)| known == secret) {
            Some(entry) => entry,
            None => {
                entries.push((secret, Vec::new()));
                entries.last_mut().expect("just pushed")
            }
        };
        if !rule.host.is_empty() && !entry.1.contains(&rule.host.as_str()) {
            entry.1.push(&rule.host);
        }
    }
    entries
        .into_iter()
        .map(|(secret, hosts)| {
            let mut entry = map! {};
            if !hosts.is_empty() {
                entry.set(
                    "hosts",
                    hosts
                        .iter()
                        .map(|host| Value::from(Str::new(host)))
                        .collect::<Vec<_>>(),
                );
            }
            if !secret.is_empty() {
                entry.set("secretName", Str::new(secret));
            }
            entry
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_with_path_type_and_tls() {
        let parsed = rule("shop.example.com/cart*=cart:80,tls=shop-tls").expect("a rule");
        assert_eq!(parsed.host, "shop.example.com");
        assert_eq!(parsed.path.str("path"), "/cart");
        assert_eq!(parsed.path.str("pathType"), "Prefix");
        assert_eq!(parsed.tls.as_deref(), Some("shop-tls"));
        assert!(rule("nonsense").is_none());
    }
}
