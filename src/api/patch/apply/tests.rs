use super::*;
use crate::decode::decode;
use crate::{golden, kinds, schema, yaml};

/// Replays the recorded writes: each response's `managedFields` must follow from the object before, the object after
/// and who wrote.
#[test]
fn managed_fields_are_those_of_the_real_server() {
    let mut wrong = Vec::new();
    for name in ["2-crud", "4-patch-apply", "5-validation"] {
        let mut objects: Vec<(String, Value)> = Vec::new();
        for exchange in golden::wire(name).unwrap_or_default() {
            let response = exchange.get("response");
            let kind = kinds::by_api_version(response.str("apiVersion"), response.str("kind"));
            let Some(kind) = kind.filter(|_| response.has("metadata")) else {
                continue;
            };
            let (path, query) = split_query(exchange.str("path"));
            let key = format!("{} {}", kind.kind, response.path("metadata").str("name"));
            let before = objects.iter().position(|(other, _)| *other == key);
            let method = exchange.str("method");
            let is_apply = exchange
                .path("headers")
                .str("Content-Type")
                .contains("apply");
            let mut parts = kind.subresources.iter();
            let is_part = parts.any(|sub| path.ends_with(&format!("/{}", sub.name)));
            if matches!(method, "POST" | "PUT" | "PATCH") && !is_apply && !is_part {
                let live = match before {
                    Some(at) if method != "POST" => objects[at].1.clone(),
                    _ => Value::Null,
                };
                let ours = tracked(kind, &live, response, query);
                let real = without_times(response);
                // What admission and a kind's own preparation add comes after the record was written.
                let is_prepared = ["Namespace", "Pod", "StatefulSet", "Job", "Service"]
                    .contains(&kind.kind.as_str());
                let set = |value: &Value| value.items()[0].get("fieldsV1").entries().clone();
                let is_more = || fields::difference(&set(&real), &set(&ours)).is_empty();
                if ours != real && !(method == "POST" && is_prepared && is_more()) {
                    wrong.push(format!("{method} {key}\n  ours {ours:?}\n  real {real:?}"));
                }
            }
            match before {
                _ if query.contains("dryRun") => {}
                Some(at) => objects[at].1 = response.clone(),
                None => objects.push((key, response.clone())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn tracked(kind: &kinds::Kind, live: &Value, response: &Value, query: &str) -> Value {
    let of = schema::of_kind(&kind.group, &kind.version, &kind.kind);
    let mut new = decode(of.expect("a type"), response)
        .expect("a real object")
        .value;
    keep(&mut new, live.path("metadata.managedFields"));
    let manager = Manager {
        name: manager_of(query).unwrap_or("wire"),
        api_version: response.str("apiVersion"),
        time: latest(response),
        ..Manager::default()
    };
    track(of, live, &mut new, &manager);
    without_times(&new)
}

fn split_query(path: &str) -> (&str, &str) {
    path.split_once('?').unwrap_or((path, ""))
}

fn manager_of(query: &str) -> Option<&str> {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("fieldManager="))
}

fn without_times(object: &Value) -> Value {
    let mut managed = object.path("metadata.managedFields").clone();
    for entry in managed.list_mut() {
        entry.remove("time");
    }
    managed
}

/// The time of the last write of an object.
fn latest(object: &Value) -> Option<Time> {
    let entries = object.path("metadata.managedFields").items().iter();
    entries
        .filter_map(|entry| Time::parse_rfc3339(entry.str("time")))
        .max()
}

#[test]
fn applies_end_as_on_the_real_server() {
    let (mut checked, mut live): (usize, Vec<(String, Value)>) = (0, Vec::new());
    for exchange in golden::wire("4-patch-apply").unwrap_or_default() {
        let response = exchange.get("response");
        let (path, query) = exchange
            .str("path")
            .split_once('?')
            .unwrap_or((exchange.str("path"), ""));
        let code = exchange.get("status").as_int().unwrap_or_default();
        let is_apply = exchange
            .path("headers")
            .str("Content-Type")
            .contains("apply");
        let manager = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("fieldManager="));
        let at = live.iter().position(|(other, _)| other == path);
        if let (true, Some(name)) = (is_apply, manager) {
            let config = yaml::load(exchange.str("body")).expect("YAML");
            let kind = kinds::by_api_version(config.str("apiVersion"), config.str("kind"));
            if let Some(kind) = kind.filter(|_| path.ends_with(config.path("metadata").str("name")))
            {
                let of = schema::of_kind(&kind.group, &kind.version, &kind.kind);
                let manager = Manager {
                    name,
                    api_version: config.str("apiVersion"),
                    time: latest(response),
                    ignores: &["status"],
                    ..Manager::default()
                };
                let before = at.map_or(Value::Null, |at| live[at].1.clone());
                let result = apply(of, &before, &config, &manager, query.contains("force=true"));
                checked += 1;
                match result {
                    Err(status) => {
                        let ours = status.to_value();
                        assert_eq!(ours.str("message"), response.str("message"));
                        assert_eq!(ours.path("details.causes"), response.path("details.causes"));
                        assert_eq!(ours.int("code"), Some(code));
                    }
                    Ok(object) => {
                        assert!(code < 300, "{response:?}");
                        let of = of.expect("a type");
                        let object = decode(of, &object).expect("an object").value;
                        let entries = |object: &Value| -> Vec<(String, bool, Value)> {
                            let entries = read(object.path("metadata.managedFields"));
                            let entries = entries.into_iter().filter(|entry| entry.is_apply);
                            entries
                                .map(|e| (e.manager.to_string(), e.is_apply, e.set.into()))
                                .collect()
                        };
                        assert_eq!(entries(&object), entries(response));
                        assert_eq!(object.get("data"), response.get("data"));
                        assert_eq!(
                            object.path("metadata.labels"),
                            response.path("metadata.labels")
                        );
                        let names = |object: &Value| -> Vec<String> {
                            let containers =
                                object.path("spec.template.spec.containers").items().iter();
                            containers
                                .map(|c| {
                                    format!(
                                        "{} {} {:?}",
                                        c.str("name"),
                                        c.str("image"),
                                        c.get("env")
                                    )
                                })
                                .collect()
                        };
                        assert_eq!(names(&object), names(response));
                    }
                }
            }
        }
        if code < 300 && !path.ends_with("/scale") {
            match at {
                Some(at) => live[at].1 = response.clone(),
                None => live.push((path.to_owned(), response.clone())),
            }
        }
    }
    assert!(
        checked >= 9 || golden::wire("4-patch-apply").is_none(),
        "{checked}"
    );
}

#[test]
fn several_conflicts_are_listed_by_manager() {
    let of = schema::of_kind("", "v1", "ConfigMap");
    let by = |name| Manager {
        name,
        api_version: "v1",
        ..Manager::default()
    };
    let mut live = map! { "metadata": map! { "name": "cm" }, "data": map! { "a": "1", "b": "1" } };
    track(
        of,
        &Value::Null,
        &mut live,
        &by("kubectl-client-side-apply"),
    );
    let config = map! { "metadata": map! { "name": "cm" }, "data": map! { "a": "1" } };
    let live = apply(of, &live, &config, &by("kubectl"), false).expect("the same values");
    let config = map! { "metadata": map! { "name": "cm" }, "data": map! { "a": "9" } };
    let refused = apply(of, &live, &config, &by("bob"), false).expect_err("conflicts");
    assert_eq!(
        refused.0.message,
        "Apply failed with 2 conflicts: conflicts with \"kubectl\":\n- .data.a\nconflicts with \"kubectl-client-side-apply\" using v1:\n- .data.a"
    );
}

#[test]
fn an_apply_that_changes_nothing_returns_the_object_itself() {
    let of = schema::of_kind("", "v1", "ConfigMap");
    let at = |secs| Manager {
        name: "me",
        api_version: "v1",
        time: Some(Time::from_secs(secs)),
        ..Manager::default()
    };
    let config = map! { "metadata": map! { "name": "cm" }, "data": map! { "a": "1" } };
    let first = apply(of, &Value::Null, &config, &at(1), false).expect("new");
    let again = apply(of, &first, &config, &at(2), false).expect("the same");
    assert_eq!(first, again);
}

#[test]
fn more_updaters_than_ten_are_joined() {
    let of = schema::of_kind("", "v1", "ConfigMap");
    let mut live = Value::Null;
    for n in 0..15 {
        let mut new = if n == 0 {
            map! { "metadata": map! {} }
        } else {
            live.clone()
        };
        new.entry("data").set(format!("k{n}"), "v");
        let name = format!("manager-{n}");
        let manager = Manager {
            name: &name,
            api_version: "v1",
            time: Some(Time::from_secs(n)),
            ..Manager::default()
        };
        track(of, &live, &mut new, &manager);
        live = new;
    }
    let entries = read(live.path("metadata.managedFields"));
    let names: Vec<&str> = entries.iter().map(|entry| entry.manager.as_str()).collect();
    assert_eq!((names.len(), names[0]), (10, "ancient-changes"));
}
