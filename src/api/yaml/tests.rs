use std::path::PathBuf;

use super::*;
use crate::{golden, list, map};

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
fn mappings_of_many_keys_are_read_in_linear_time() {
    let mut text = String::from("base: &base {k0: base, own: base}\n");
    for key in 0..60_000 {
        text += &format!("k{key}: {key}\n");
    }
    text += "k7: again\n<<: *base\n";
    let tree = parse(&text).expect("valid");
    assert_eq!(tree.duplicates.len(), 1);
    let root = tree.root.expect("not empty");
    let Content::Map(pairs) = &root.content else {
        panic!("it is a mapping");
    };
    assert_eq!(pairs.len(), 1 + 60_000 + 1);
    for (key, value) in [("k0", "0"), ("k7", "\"again\""), ("own", "\"base\"")] {
        let pair = root.pair(key).expect("there");
        assert_eq!(pair.value.to_value(true).to_json(), value, "{key}");
    }
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

/// A stream of JSON objects.
fn stream(text: &str) -> Vec<Value> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values
        .collect::<Result<_, _>>()
        .expect("a recording is JSON")
}

#[test]
fn the_documentations_manifests_read_as_the_real_kubectl_reads_them() {
    let Some(root) = golden::file("corpus/golden-parse") else {
        return;
    };
    let (mut dirs, mut checked, mut wrong) = (vec![root.clone()], 0, Vec::new());
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let name = path
                .strip_prefix(&root)
                .expect("below")
                .display()
                .to_string();
            let name = name.trim_end_matches(".json");
            let Some(text) = golden::text(&format!("corpus/manifests/{name}")) else {
                continue;
            };
            let real = stream(&std::fs::read_to_string(&path).expect("readable"));
            // The recording added empty labels; a list shows as its items.
            let tidy = |mut object: Value| {
                if object.path("metadata.labels").is_empty() {
                    object.remove_path("metadata.labels");
                }
                if object.get("metadata").is_empty() {
                    object.remove("metadata");
                }
                object
            };
            let flat = |objects: Vec<Value>| -> Vec<Value> {
                let flat = objects.into_iter().flat_map(|object| {
                    if object.str("kind") == "List" {
                        object.get("items").items().to_vec()
                    } else {
                        vec![object]
                    }
                });
                flat.map(tidy).collect()
            };
            let real = flat(real);
            checked += 1;
            match load_documents(&text).map(flat) {
                Ok(ours) if ours == real => {}
                ours => wrong.push(format!("{name}\n  ours {ours:?}\n  real {real:?}")),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {checked} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_no_yaml_is_refused_in_kubectls_words() {
    let Some(root) = golden::file("golden/manifests") else {
        return;
    };
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(root).expect("a folder").flatten() {
        let name = entry.file_name().into_string().expect("a plain name");
        let Some(stem) = name.strip_suffix(".json") else {
            continue;
        };
        let Some(recording) = golden::json(&format!("golden/manifests/{name}")) else {
            continue;
        };
        let stderr = recording.path("apply").str("stderr");
        let Some((_, real)) = stderr
            .split_once(".yaml: ")
            .filter(|_| stderr.contains("error parsing"))
        else {
            continue;
        };
        let manifest = format!("corpus/{}.yaml", stem.replace("__", "/"));
        let text = golden::text(&manifest).expect("the manifest is there");
        let ours =
            load_documents(&text).map_or_else(|error| error.to_string(), |_| "no error".to_owned());
        if ours != real.trim() {
            wrong.push(format!("{stem}\n  ours {ours}\n  real {}", real.trim()));
        }
    }
    for (text, real) in [
        (
            "apiVersion: v1\nkind: Pod\n  metadata:\n name: a\n",
            "error converting YAML to JSON: yaml: line 3: mapping values are not allowed in this context",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t\n",
            "error converting YAML to JSON: yaml: line 3: did not find expected ',' or '}'",
        ),
    ] {
        let ours =
            load_documents(text).map_or_else(|error| error.to_string(), |_| "no error".to_owned());
        if ours != real {
            wrong.push(format!("{text}\n  ours {ours}\n  real {real}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What go-yaml would say where libyaml says this: its line is that of the problem, from 0 where the parser found it
/// and from 1 where the scanner did.
fn as_go_says(error: &serde_yaml::Error) -> Option<String> {
    let text = error.to_string();
    let (problem, rest) = text.split_once(" at line ")?;
    if problem == "unknown anchor" {
        return None;
    }
    let line: usize = rest.split(' ').next()?.trim_end_matches(',').parse().ok()?;
    let is_parser = text.contains("while parsing a ") && !text.contains("while scanning");
    let line = if is_parser { line - 1 } else { line };
    let at = if line == 0 {
        String::new()
    } else {
        format!("line {line}: ")
    };
    Some(format!(
        "error converting YAML to JSON: yaml: {at}{problem}"
    ))
}

#[test]
fn slips_of_the_hand_are_refused_in_libyamls_words() {
    let (mut same, mut total) = (0, 0);
    let mut examples: std::collections::BTreeMap<String, (usize, String)> = Default::default();
    for (path, text) in corpus().into_iter().step_by(3) {
        let lines: Vec<&str> = text.lines().collect();
        for at in (0..lines.len()).step_by(5) {
            let line = lines[at];
            let content = line.trim_start();
            let indent = &line[..line.len() - content.len()];
            for slip in [
                line.replacen(':', "", 1),
                format!(" {line}"),
                format!("\t{line}"),
                line.strip_prefix(' ').unwrap_or(line).to_owned(),
                format!("{indent}- {content}"),
                format!("{line} : x"),
                format!("{indent}\"{content}"),
                format!("{line} ["),
                format!("{line} {{a: 1"),
                format!("{line} 'x"),
                format!("{indent}@{content}"),
                format!("{indent}{content} *nowhere"),
                format!("{line}\n{indent}]"),
            ] {
                let mut changed = lines.clone();
                changed[at] = &slip;
                let text = changed.join("\n") + "\n";
                let documents = split(&text).unwrap_or_default();
                let Some(first) = documents.first() else {
                    continue;
                };
                let real: Result<serde_yaml::Value, _> = serde_yaml::from_str(first.text);
                let Some(real) = real.err().as_ref().and_then(as_go_says) else {
                    continue;
                };
                let ours = parse(first.text)
                    .err()
                    .map_or("no error".to_owned(), |error| error.to_string());
                total += 1;
                if ours == real {
                    same += 1;
                } else {
                    let tail = |text: &str| text.rsplit(": ").next().unwrap_or_default().to_owned();
                    let number = |text: &str| {
                        text.split("line ")
                            .nth(1)
                            .and_then(|t| t.split(':').next())
                            .and_then(|n| n.parse::<i64>().ok())
                            .unwrap_or(0)
                    };
                    let key = format!(
                        "ours {} / real {} / {}",
                        tail(&ours),
                        tail(&real),
                        number(&ours) - number(&real)
                    );
                    let entry = examples
                        .entry(key)
                        .or_insert((0, format!("{} line {}: {slip:?}", path.display(), at + 1)));
                    entry.0 += 1;
                }
            }
        }
    }
    let mut rows: Vec<_> = examples.into_iter().collect();
    rows.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let report: Vec<String> = rows
        .iter()
        .take(40)
        .map(|(key, (count, example))| format!("{count} {key}\n      {example}"))
        .collect();
    assert!(
        same * 100 >= total * 95,
        "{same} of {total}\n{}",
        report.join("\n")
    );
}
