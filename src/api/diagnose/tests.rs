use expect_test::{Expect, expect};

use super::*;
use crate::golden;

fn check(text: &str, expected: Expect) {
    let found = diagnose(text);
    let line = |d: &Diagnosis| {
        let instead = d
            .replacement
            .as_ref()
            .map_or(String::new(), |r| format!(" -> {r}"));
        format!(
            "{}:{} {:?} [{}] {}{instead}\n",
            d.line,
            d.column,
            d.kind,
            &text[d.from..d.to],
            d.message
        )
    };
    expected.assert_eq(&found.iter().map(line).collect::<String>());
}

#[test]
fn a_sound_manifest_has_no_problems() {
    check(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: a\n    image: nginx\n",
        expect![""],
    );
}

#[test]
fn all_problems_are_found_at_once() {
    check(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  nmae: web\nspec:\n  replicsa: 3\n  replicas: \"3\"\n  containers: []\n  selector:\n    matchLabels: {app: 5}\n  template:\n    spec:\n      containers:\n      - name: true\n        image: nginx\n        image: httpd\n        resources: {limits: {cpu: 1x}}\n        ports: 80\n---\nkind: Pod\n---\napiVersion: v1\nkind: Deploymnt\n---\napiVersion: v1\nkind: Deployment\n",
        expect![[r#"
            4:3 UnknownField [nmae] unknown field "metadata.nmae": did you mean "name"? -> name
            6:3 UnknownField [replicsa] unknown field "spec.replicsa": did you mean "replicas"? -> replicas
            7:13 WrongType ["3"] spec.replicas: expected a whole number, got text -> 3
            8:3 UnknownField [containers] unknown field "spec.containers": it belongs below "spec.template.spec"
            10:24 WrongType [5] spec.selector.matchLabels.app: expected text, got a whole number -> "5"
            14:15 WrongType [true] spec.template.spec.containers[0].name: expected text, got true or false -> "true"
            16:9 Duplicate [image] key "image" already set in map
            17:35 WrongValue [1x] spec.template.spec.containers[0].resources.limits.cpu: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'
            18:16 WrongType [80] spec.template.spec.containers[0].ports: expected a list, got a whole number
            20:1 NotSet [kind: Pod] apiVersion not set
            23:7 UnknownKind [Deploymnt] no matches for kind "Deploymnt" in version "v1" -> Deployment
            25:13 UnknownKind [v1] no matches for kind "Deployment" in version "v1" -> apps/v1
        "#]],
    );
}

#[test]
fn broken_text_has_its_place() {
    check(
        "a: 1\n---\nkind: Pod\n name: x\n",
        expect![[r#"
        1:1 NotSet [a: 1] apiVersion not set
        1:1 NotSet [a: 1] kind not set
        4:6 Syntax [: x] mapping values are not allowed in this context
    "#]],
    );
    check(
        "a: 1\n--- b\n",
        expect![[r#"
        2:1 Syntax [--- b] invalid Yaml document separator: b
    "#]],
    );
}

#[test]
fn fields_are_offered_where_they_fit() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: a\n    im|\n";
    let offered = |text: &str| {
        let at = text.find('|').expect("a cursor");
        let text = text.replace('|', "");
        let completion = complete(&text, at);
        let labels: Vec<String> = completion
            .candidates
            .iter()
            .map(|c| format!("{} {}", c.label, c.detail))
            .collect();
        format!(
            "{:?} {}",
            &text[completion.from..completion.to],
            labels.join(", ")
        )
    };
    let mut all = String::new();
    for text in [
        pod,
        "apiVersion: v1\nkind: Pod\nspec:\n  re|\n  containers: []\n",
        "apiVersion: v1\nkind: Pod\nspec:\n  restartPolicy: |\n",
        "apiVersion: apps/v1\nkind: Dep|\n",
        "kind: Job\napiVersion: |\n",
        "|",
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  |",
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - na|",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nspec:\n  accessModes:\n  - ReadWrite|\n",
        "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: t|\n",
        "x: y\n---\napiVersion: v1\nkind: Service\nspec:\n  type: |\n",
    ] {
        all += &offered(text);
        all.push('\n');
    }
    expect![[r#"
        "im" image string, imagePullPolicy string
        "re" readinessGates []PodReadinessGate, resourceClaims []PodResourceClaim, resources ResourceRequirements, restartPolicy string
        "" Always , OnFailure , Never 
        "Dep" Deployment 
        "" batch/v1 
        "" apiVersion string, kind string, metadata Object, spec Object
        "" selector LabelSelector, template PodTemplateSpec, minReadySeconds integer, paused boolean, progressDeadlineSeconds integer, replicas integer, revisionHistoryLimit integer, strategy DeploymentStrategy
        "na" name string
        "ReadWrite" ReadWriteOnce , ReadWriteMany , ReadWriteOncePod 
        "t" true 
        "" ClusterIP , NodePort , LoadBalancer , ExternalName 
    "#]].assert_eq(&all);
}

#[test]
fn a_place_knows_its_field() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n      - name: a\n        image: nginx\n";
    let at = |needle: &str| {
        let located = locate(text, text.find(needle).expect("there"));
        located.map_or("nothing".to_owned(), |l| {
            format!(
                "{} {} {}",
                l.dotted(),
                l.owner.name(),
                l.field.shape.explained()
            )
        })
    };
    assert_eq!(
        at("nginx"),
        "spec.template.spec.containers.image v1.Container string"
    );
    assert_eq!(
        at("containers"),
        "spec.template.spec.containers v1.PodSpec []Container"
    );
    assert_eq!(at("- name"), "nothing");
}

#[test]
fn the_documentations_manifests_are_sound() {
    // What the real API server accepted has no problems here, whatever the cursor does to it.
    let Some(index) = golden::file("golden/manifests") else {
        return;
    };
    let mut wrong = Vec::new();
    let mut checked = 0;
    let mut names: Vec<_> = std::fs::read_dir(index)
        .expect("a folder")
        .flatten()
        .map(|e| e.path())
        .collect();
    names.sort();
    for path in names
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
    {
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .replace("__", "/");
        let recording =
            Value::from_json(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
        let apply = recording.get("apply");
        let Some(text) = golden::text(&format!("corpus/{name}.yaml")) else {
            continue;
        };
        if apply.int("rc") != Some(0) || apply.str("stderr").contains("Warning") {
            continue;
        }
        checked += 1;
        let found = diagnose(&text);
        let hard: Vec<String> = found
            .iter()
            .filter(|d| !d.kind.is_warning())
            .map(|d| format!("{name}:{} {}", d.line, d.message))
            .collect();
        wrong.extend(hard);
        for at in (0..text.len()).step_by(131) {
            let _ = (complete(&text, at), locate(&text, at));
            let cut = &text[..boundary_of(&text, at)];
            let _ = diagnose(cut);
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{checked} checked");
    assert!(checked > 50, "{checked}");
}

fn boundary_of(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
