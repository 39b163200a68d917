use super::*;
use crate::decode::decode;
use crate::schema;
use crate::{golden, kinds};

fn deployment() -> Type {
    schema::of_kind("apps", "v1", "Deployment").expect("a type")
}

fn json(text: &str) -> Value {
    Value::from_json(text).expect("JSON")
}

#[test]
fn the_real_servers_patches_have_the_real_servers_results() {
    let mut checked = 0;
    let mut last = Value::Null;
    for exchange in golden::wire("4-patch-apply").unwrap_or_default() {
        let path = exchange.str("path");
        let response = exchange.get("response");
        let is_deployment = path.starts_with("/apis/apps/v1/namespaces/default/deployments/d");
        let is_strategic = exchange
            .path("headers")
            .str("Content-Type")
            .contains("strategic");
        if is_deployment && is_strategic {
            let patch = json(exchange.str("body"));
            let result = apply(deployment(), &last, &patch);
            if response.str("kind") == "Status" {
                assert_eq!(result, Err(response.str("message").to_owned()));
            } else {
                let decoded = decode(deployment(), &result.expect("a patch")).expect("an object");
                let containers = |object: &Value| {
                    // Defaults are added later; they do not change what was merged.
                    let mut text = Vec::new();
                    for container in object.path("spec.template.spec.containers").items() {
                        let names = |list: &str, key: &str| -> Vec<String> {
                            container
                                .get(list)
                                .items()
                                .iter()
                                .map(|item| item.get(key).to_json())
                                .collect()
                        };
                        text.push((
                            container.str("name").to_owned(),
                            container.str("image").to_owned(),
                            names("ports", "containerPort"),
                            names("env", "name"),
                        ));
                    }
                    text
                };
                assert_eq!(containers(&decoded.value), containers(response));
                assert_eq!(
                    decoded.value.path("spec.strategy"),
                    response.path("spec.strategy")
                );
            }
            checked += 1;
        }
        if response.str("kind") == "Deployment" {
            last = response.clone();
        }
    }
    assert!(
        checked >= 5 || golden::wire("4-patch-apply").is_none(),
        "{checked}"
    );
}

#[test]
fn directives_do_what_they_say() {
    let before = r#"{"metadata":{"finalizers":["a","b","c"],"labels":{"x":"1","y":"2"}},"spec":{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}},"template":{"spec":{
        "containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}],"tolerations":[{"key":"k"}]}}}}"#;
    for (patch, path, after) in [
        (
            r#"{"metadata":{"labels":{"$patch":"replace","z":"3"}}}"#,
            "metadata.labels",
            r#"{"z":"3"}"#,
        ),
        (
            r#"{"metadata":{"labels":{"$patch":"delete"}}}"#,
            "metadata.labels",
            "{}",
        ),
        (
            r#"{"metadata":{"labels":{"x":null,"gone":null}}}"#,
            "metadata.labels",
            r#"{"y":"2"}"#,
        ),
        (
            r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["b","z"]}}"#,
            "metadata.finalizers",
            r#"["a","c"]"#,
        ),
        (
            r#"{"metadata":{"finalizers":["d"]}}"#,
            "metadata.finalizers",
            r#"["d","a","b","c"]"#,
        ),
        (
            r#"{"metadata":{"$setElementOrder/finalizers":["c","d","a"],"finalizers":["d"]}}"#,
            "metadata.finalizers",
            r#"["b","c","d","a"]"#,
        ),
        (
            r#"{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}"#,
            "spec.strategy",
            r#"{"type":"Recreate"}"#,
        ),
        (
            r#"{"spec":{"template":{"spec":{"containers":[{"$patch":"replace"},{"name":"z","image":"9","command":null}]}}}}"#,
            "spec.template.spec.containers",
            r#"[{"image":"9","name":"z"}]"#,
        ),
        (
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"a","$patch":"delete"}]}}}}"#,
            "spec.template.spec.containers",
            r#"[{"image":"2","name":"b"}]"#,
        ),
        (
            r#"{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}}}}"#,
            "spec.template.spec.containers",
            r#"[{"image":"2","name":"b"},{"image":"1","name":"a"}]"#,
        ),
        (
            r#"{"spec":{"template":{"spec":{"tolerations":[{"key":"new"}]}}}}"#,
            "spec.template.spec.tolerations",
            r#"[{"key":"new"}]"#,
        ),
        (
            r#"{"spec":{"template":{"spec":{"volumes":[{"name":"v","$patch":"delete"}]}}}}"#,
            "spec.template.spec.volumes",
            "[]",
        ),
    ] {
        let result = apply(deployment(), &json(before), &json(patch)).expect("a patch");
        assert_eq!(result.path(path).to_json(), after, "{patch}");
    }
    let wrong = json(r#"{"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}"#);
    assert_eq!(
        apply(deployment(), &json(before), &wrong),
        Err("map: map[image:x] does not contain declared merge key: name".to_owned())
    );
}

#[test]
fn kubectl_apply_sends_what_changed_and_what_went() {
    let original = json(
        r#"{"spec":{"replicas":1,"template":{"spec":{"containers":[{"name":"a","image":"1","env":[{"name":"X","value":"1"}]},{"name":"b","image":"2"}]}}}}"#,
    );
    let modified = json(
        r#"{"spec":{"strategy":{"type":"Recreate"},"template":{"spec":{"containers":[{"name":"a","image":"9"}]}}}}"#,
    );
    let current = json(
        r#"{"spec":{"replicas":1,"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}},"template":{"spec":{"dnsPolicy":"ClusterFirst",
        "containers":[{"name":"a","image":"1","env":[{"name":"X","value":"1"}],"imagePullPolicy":"Always"},{"name":"b","image":"2"},{"name":"injected","image":"3"}]}}}}"#,
    );
    let patch = three_way(deployment(), &original, &modified, &current).expect("a patch");
    assert_eq!(
        patch.to_json(),
        r#"{"spec":{"replicas":null,"strategy":{"$retainKeys":["type"],"type":"Recreate"},"template":{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"env":null,"image":"9","name":"a"},{"$patch":"delete","name":"b"}]}}}}"#
    );
    let result = apply(deployment(), &current, &patch).expect("it fits");
    assert_eq!(
        result.to_json(),
        r#"{"spec":{"strategy":{"type":"Recreate"},"template":{"spec":{"containers":[{"image":"9","imagePullPolicy":"Always","name":"a"},{"image":"3","name":"injected"}],"dnsPolicy":"ClusterFirst"}}}}"#
    );
    assert_eq!(
        three_way(deployment(), &modified, &modified, &result),
        Ok(Value::empty_map())
    );
}

#[test]
fn a_two_way_patch_leads_from_one_object_to_the_other() {
    // Pairs of real objects of one kind: the patch applied to the one must give the other.
    let mut by_kind: Vec<(String, Value)> = Vec::new();
    for exchange in golden::wire("4-patch-apply")
        .into_iter()
        .chain(golden::wire("2-crud"))
        .flatten()
    {
        let object = exchange.get("response");
        if let Some(kind) = kinds::by_api_version(object.str("apiVersion"), object.str("kind")) {
            let mut object = object.clone();
            object.remove_path("metadata.managedFields");
            by_kind.push((kind.kind.to_string(), object));
        }
    }
    for (kind, from) in &by_kind {
        for (_, to) in by_kind.iter().filter(|(other, _)| other == kind) {
            let found = kinds::by_name(kind).expect("a kind");
            let of = schema::of_kind(&found.group, &found.version, &found.kind).expect("a type");
            let patch = two_way(of, from, to).expect("a patch");
            assert_eq!(&apply(of, from, &patch).expect("it fits"), to, "{patch:?}");
        }
    }
}
