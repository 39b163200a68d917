use std::path::PathBuf;

use super::*;
use crate::{list, map};

#[test]
fn scalars_mean_what_go_yaml_says() {
    for (text, json) in [
        ("a: yes", r#"{"a":true}"#),
        ("a: Off", r#"{"a":false}"#),
        ("a: y", r#"{"a":true}"#),
        ("a: ~", r#"{"a":null}"#),
        ("a: 0777", r#"{"a":511}"#),
        ("a: 0o17", r#"{"a":15}"#),
        ("a: 0x1F", r#"{"a":31}"#),
        ("a: 1_000", r#"{"a":1000}"#),
        ("a: 08", r#"{"a":8}"#),
        ("a: 1e3", r#"{"a":1000}"#),
        ("a: 1.5", r#"{"a":1.5}"#),
        ("a: 100m", r#"{"a":"100m"}"#),
        ("a: '1'", r#"{"a":"1"}"#),
        ("a: !!str 1", r#"{"a":"1"}"#),
        ("true: 1", r#"{"true":1}"#),
        ("a: 2024-01-01", r#"{"a":"2024-01-01"}"#),
        ("a: &x {b: 1}\nc: *x", r#"{"a":{"b":1},"c":{"b":1}}"#),
        (
            "p: &d {a: 1, b: 2}\nq:\n  <<: *d\n  b: 3",
            r#"{"p":{"a":1,"b":2},"q":{"a":1,"b":3}}"#,
        ),
        ("command: [ \"a\",\n  \"b\"\n]", r#"{"command":["a","b"]}"#),
        ("a: |\n  x\n  y", r#"{"a":"x\ny"}"#),
        ("{\"a\": 1}", r#"{"a":1}"#),
    ] {
        assert_eq!(
            load(text).map(|v| v.to_json()),
            Ok(json.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn documents_are_split_as_kubectl_splits_them() {
    let all = |text: &str| {
        load_documents(text).map(|values| values.iter().map(Value::to_json).collect::<Vec<_>>())
    };
    assert_eq!(
        all("a: 1\n---\n# nothing\n---  # comment\nb: 2\n"),
        Ok(vec![r#"{"a":1}"#.into(), r#"{"b":2}"#.into()])
    );
    assert_eq!(
        all("{\"a\":1}\n{\"b\":2}"),
        Ok(vec![r#"{"a":1}"#.into(), r#"{"b":2}"#.into()])
    );
    assert_eq!(
        all("a: 1\n--- x\n").unwrap_err().to_string(),
        "invalid Yaml document separator: x"
    );
    assert_eq!(
        all("kind: Pod\nmetadata:\n  name: a: b\n")
            .unwrap_err()
            .to_string(),
        "error converting YAML to JSON: yaml: line 3: mapping values are not allowed in this context"
    );
}

#[test]
fn places_point_at_keys_and_values() {
    let tree = parse("spec:\n  repl: 3\n").expect("valid");
    let root = tree.root.expect("not empty");
    let repl = root
        .pair("spec")
        .and_then(|spec| spec.value.pair("repl"))
        .expect("there");
    assert_eq!(
        (
            repl.key_place.line,
            repl.key_place.column,
            repl.key_place.from,
            repl.key_place.to
        ),
        (2, 3, 8, 12)
    );
    assert_eq!((repl.value.place.from, repl.value.place.to), (14, 15));
    let twice = parse("a: 1\na: 2\n").expect("valid");
    assert_eq!(twice.duplicates.len(), 1);
    assert_eq!(
        twice.root.expect("there").to_value(true).to_json(),
        r#"{"a":2}"#
    );
}

#[test]
fn what_would_cost_too_much_is_refused() {
    let deep = "[".repeat(10_000);
    assert!(load(&deep).is_err());
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..9 {
        let inner = vec![format!("*a{}", n - 1); 10].join(",");
        bomb += &format!("a{n}: &a{n} [{inner}]\n");
    }
    assert_eq!(load(&bomb), Err(Error::Aliases));
}

#[test]
fn text_is_printed_as_kubectl_prints_it() {
    let value = map! {
        "b": list![1, "x", map! { "k": "v", "a": list!["deep"] }], "a10": "yes", "a2": "1e3", "empty": map! {}, "none": list![],
        "text": "line one\nline two\n", "chomped": "x\ny", "quoted": "a: b", "star": "*", "date": "2024-01-01", "time": "1:30",
        "blank": "", "lead": " x", "null": Value::Null, "tab": "a\tb",
        "long": "word ".repeat(30).trim_end().to_owned(),
    };
    expect_test::expect![[r#"
        a2: "1e3"
        a10: "yes"
        b:
        - 1
        - x
        - a:
          - deep
          k: v
        blank: ""
        chomped: |-
          x
          y
        date: "2024-01-01"
        empty: {}
        lead: ' x'
        long: word word word word word word word word word word word word word word word word
          word word word word word word word word word word word word word word
        none: []
        "null": null
        quoted: 'a: b'
        star: '*'
        tab: "a\tb"
        text: |
          line one
          line two
        time: "1:30"
    "#]]
    .assert_eq(&emit(&value));
}

/// The documentation's manifests, if the recordings are beside the checkout.
fn corpus() -> Vec<(PathBuf, String)> {
    let shared = std::env::var_os("KUBENKYO_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let mut files = Vec::new();
    let mut dirs = vec![
        shared.join("corpus/manifests"),
        shared.join("corpus/inline"),
    ];
    while let Some(dir) = dirs.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn what_is_printed_reads_back_the_same() {
    for (path, text) in corpus() {
        for value in load_documents(&text).unwrap_or_default() {
            assert_eq!(
                load(&emit(&value)),
                Ok(value.clone()),
                "{}\n{}",
                path.display(),
                emit(&value)
            );
        }
    }
}

#[test]
fn no_beginning_of_a_manifest_panics() {
    for (_, text) in corpus().into_iter().step_by(7) {
        for at in (0..text.len())
            .step_by(3)
            .filter(|at| text.is_char_boundary(*at))
        {
            let _ = load_documents(&text[..at]);
        }
    }
}
