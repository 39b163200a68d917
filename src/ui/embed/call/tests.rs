use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;

enum Field {
    Text(String),
    Number(f64),
    Texts(Vec<&'static str>),
    Other,
}

type Row = (&'static str, Vec<(&'static str, Field)>, Expect);

struct Message(BTreeMap<&'static str, Field>);

impl Fields for Message {
    fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name) {
            Some(Field::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name) {
            Some(Field::Number(number)) => Some(*number),
            _ => None,
        }
    }

    fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.0.get(name) {
            Some(Field::Texts(texts)) => {
                Some(texts.iter().map(|text| String::from(*text)).collect())
            }
            _ => None,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// What becomes of a message: the call, or the reason and the sentence of its refusal.
fn read_as(kind: &str, fields: impl IntoIterator<Item = (&'static str, Field)>) -> String {
    let mut message = Message(BTreeMap::from_iter(fields));
    message.0.entry("kubenkyo").or_insert(Field::Number(1.0));
    message.0.insert("type", Field::Text(kind.into()));
    match read(&message) {
        Ok(call) => {
            let text = format!("{call:?}");
            if text.len() > 120 {
                format!("{} … {}", &text[..40], text.len())
            } else {
                text
            }
        }
        Err(refusal) => format!("{}: {}", refusal.reason, refusal.message),
    }
}

fn text(text: impl Into<String>) -> Field {
    Field::Text(text.into())
}

#[test]
fn messages_are_done_or_refused_with_a_reason() {
    let rows: Vec<Row> = vec![
        ("hello", vec![], expect!["Hello"]),
        (
            "hello",
            vec![("kubenkyo", Field::Number(2.0))],
            expect![
                "version: this page speaks version 1 of the protocol: { kubenkyo: 1, type: … }"
            ],
        ),
        (
            "hello",
            vec![("kubenkyo", text("1"))],
            expect![
                "version: this page speaks version 1 of the protocol: { kubenkyo: 1, type: … }"
            ],
        ),
        (
            "apply",
            vec![("manifest", text("kind: Pod"))],
            expect![[r#"Work(Apply { file: "host.yaml", text: "kind: Pod" })"#]],
        ),
        (
            "apply",
            vec![("manifest", text("a")), ("file", text("web.yaml"))],
            expect![[r#"Work(Apply { file: "web.yaml", text: "a" })"#]],
        ),
        (
            "apply",
            vec![("manifest", text("a")), ("file", text("../../etc/passwd"))],
            expect!["field: `file` must be a plain name, such as web.yaml"],
        ),
        (
            "apply",
            vec![("manifest", text("a")), ("file", Field::Number(7.0))],
            expect!["field: `file` must be a text"],
        ),
        (
            "apply",
            vec![("manifest", text(" \n"))],
            expect!["field: `manifest` is empty"],
        ),
        ("apply", vec![], expect!["field: `manifest` must be a text"]),
        (
            "apply",
            vec![("manifest", text("a".repeat(TEXT + 1)))],
            expect!["too-large: `manifest` has 262145 bytes; at most 262144 are taken"],
        ),
        (
            "run",
            vec![("line", text("kubectl get pods"))],
            expect![[r#"Work(Run(["kubectl get pods"]))"#]],
        ),
        (
            "run",
            vec![("lines", Field::Texts(vec!["a", "b"]))],
            expect![[r#"Work(Run(["a", "b"]))"#]],
        ),
        (
            "run",
            vec![("lines", Field::Texts(vec![]))],
            expect!["too-large: 1 to 100 lines, together at most 262144 bytes"],
        ),
        (
            "run",
            vec![("line", text("a\nb"))],
            expect!["field: each line must be one command line"],
        ),
        (
            "run",
            vec![("lines", Field::Other)],
            expect!["field: `line` must be a text"],
        ),
        (
            "seek",
            vec![("to", Field::Number(1.5))],
            expect!["Seek(1500000)"],
        ),
        (
            "seek",
            vec![("to", Field::Number(-1.0))],
            expect!["field: `to` must be a time in seconds, from 0 to 86400"],
        ),
        (
            "seek",
            vec![("to", Field::Number(f64::NAN))],
            expect!["field: `to` must be a number"],
        ),
        (
            "seek",
            vec![("to", Field::Number(1e300))],
            expect!["field: `to` must be a time in seconds, from 0 to 86400"],
        ),
        (
            "focus",
            vec![("names", Field::Texts(vec!["scheduler"]))],
            expect![[r#"Focus(["scheduler"])"#]],
        ),
        (
            "focus",
            vec![("names", text("scheduler"))],
            expect!["field: `names` must be a list of texts"],
        ),
        ("play", vec![], expect!["Play"]),
        ("pause", vec![], expect!["Pause"]),
        (
            "speed",
            vec![("speed", Field::Number(0.01))],
            expect!["Speed(10)"],
        ),
        (
            "speed",
            vec![("speed", Field::Number(3.0))],
            expect!["field: `speed` must be 0.01, 1, 10, 100 or 1000"],
        ),
        (
            "slide",
            vec![("slide", text("pods"))],
            expect![[r#"Slide("pods")"#]],
        ),
        (
            "slide",
            vec![("slide", text(""))],
            expect!["field: `slide` must have 1 to 300 bytes"],
        ),
        ("view", vec![("view", text("tree"))], expect!["View(Tree)"]),
        (
            "view",
            vec![("view", text("sky"))],
            expect!["field: `view` must be architecture or tree"],
        ),
        ("lang", vec![("lang", text("ja-JP"))], expect!["Lang(Ja)"]),
        (
            "theme",
            vec![("theme", text("dark"))],
            expect!["Theme(Dark)"],
        ),
        ("restart", vec![], expect!["Restart"]),
        ("get", vec![], expect!["State"]),
        (
            "eval",
            vec![],
            expect!["type: there is no message of type `eval`"],
        ),
        (
            "<img src=x onerror=alert(1)> and much more than forty",
            vec![],
            expect!["type: there is no message of type `<img src=x onerror=alert(1)> and much mo`"],
        ),
    ];
    for (kind, fields, expected) in rows {
        expected.assert_eq(&read_as(kind, fields));
    }
}

#[test]
fn only_messages_that_are_meant_for_us_are_answered() {
    let message = |fields: Vec<(&'static str, Field)>| Message(BTreeMap::from_iter(fields));
    assert!(!is_ours(&message(vec![("method", text("slide:start"))])));
    assert!(!is_ours(&message(vec![
        ("kubenkyo", Field::Number(1.0)),
        ("type", text("reply"))
    ])));
    assert!(is_ours(&message(vec![("kubenkyo", Field::Other)])));
    assert_eq!(
        id(&message(vec![("id", Field::Number(3.0))])),
        Some(Id::Number(3.0))
    );
    assert_eq!(
        id(&message(vec![("id", text("a"))])),
        Some(Id::Text("a".into()))
    );
    assert_eq!(id(&message(vec![("id", text("a".repeat(201)))])), None);
    assert_eq!(id(&message(vec![("id", Field::Other)])), None);
}

#[test]
fn origins_are_heard_if_they_are_named_or_the_pages_own() {
    let rows = [
        ("https://a.example", "https://a.example", "", true),
        ("https://b.example", "https://a.example", "", false),
        (
            "https://b.example",
            "https://a.example",
            "https://b.example",
            true,
        ),
        (
            "https://B.example",
            "https://a.example",
            "https://b.example",
            true,
        ),
        (
            "http://b.example",
            "https://a.example",
            "https://b.example",
            false,
        ),
        (
            "https://b.example.evil.example",
            "https://a.example",
            "https://b.example",
            false,
        ),
        (
            "https://b.example:8443",
            "https://a.example",
            "https://b.example",
            false,
        ),
        ("https://anyone.example", "https://a.example", "*", true),
        // Two pages without an origin are not the same page.
        ("null", "null", "", false),
        ("null", "null", "null", true),
    ];
    for (origin, own, allowed, expected) in rows {
        let allowed: Vec<String> = allowed
            .split(',')
            .filter(|one| !one.is_empty())
            .map(String::from)
            .collect();
        assert_eq!(
            is_heard(origin, own, &allowed),
            expected,
            "{origin} at {own} with {allowed:?}"
        );
    }
}
