//! Images that the user defines, by what their containers do instead of by code.
//!
//! ```yaml
//! kind: Image
//! name: registry.example.com/shop     # without a tag
//! tags: ["1.0", "1.1"]                # every tag exists if none is given
//! size: 25Mi
//! ports: [8080]
//! log: ["shop 1.0 listens on 8080"]
//! http:                               # the first rule that fits; without rules every path answers 200
//! - path: /healthz                    # and everything below
//!   status: 503
//!   after: 30s                        # from this age on; before, the next rule that fits
//! - body: "hello from $HOSTNAME, $GREETING\n"
//! files: {/etc/motd: "welcome\n"}
//! exitAfter: 90s                      # ends by itself
//! exitCode: 1
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Value;
use network::Answer;
use sim::{Micros, SECOND};

use crate::catalogue::{Behaviour, Image};
use crate::reference::Reference;

/// An image as its user describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custom {
    /// `docker.io/library/shop`.
    pub name: String,
    tags: Vec<String>,
    bytes: u64,
    pub(crate) ports: Vec<u16>,
    pub(crate) log: Vec<String>,
    rules: Vec<Rule>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) exit: Option<(Micros, i32)>,
    exit_on_term: i32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule {
    path: String,
    status: u16,
    body: String,
    kind: String,
    after: Micros,
}

const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "name",
    "tags",
    "size",
    "ports",
    "log",
    "http",
    "files",
    "exitAfter",
    "exitCode",
    "exitOnTerm",
];
const RULE_FIELDS: &[&str] = &["path", "status", "body", "contentType", "after"];

impl Custom {
    /// Reads a description; the error says what is wrong with it.
    pub fn read(value: &Value) -> Result<Custom, String> {
        if value.str("kind") != "Image" {
            return Err(format!(
                "kind is {:?}; hint: an image's is \"Image\"",
                value.str("kind")
            ));
        }
        only(value, FIELDS, "an image")?;
        let name = value.str("name");
        let reference = Reference::parse(name).map_err(|why| format!("name {name:?}: {why}"))?;
        if name.is_empty() || reference.tag != "latest" || name.ends_with(":latest") {
            return Err(format!("name {name:?}: give the tags in their own field"));
        }
        let texts = |field: &str| -> Vec<String> {
            let items = value.get(field).items().iter();
            items
                .map(|item| item.as_str().map_or_else(|| item.to_json(), str::to_owned))
                .collect()
        };
        let mut ports = Vec::new();
        for port in value.get("ports").items() {
            let number = port
                .as_int()
                .and_then(|n| u16::try_from(n).ok())
                .filter(|n| *n > 0);
            ports.push(number.ok_or_else(|| format!("ports: {} is no port", port.to_json()))?);
        }
        let bytes = match value.get("size") {
            Value::Null => 20 << 20,
            size => api::quantity::Quantity::of(size).value().max(1) as u64,
        };
        let mut rules = Vec::new();
        for rule in value.get("http").items() {
            rules.push(read_rule(rule)?);
        }
        let entries = value.get("files").entries().iter();
        let files = entries
            .map(|(path, text)| {
                (
                    path.to_string(),
                    text.as_str().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        let code = |field: &str, default: i32| value.int(field).map_or(default, |code| code as i32);
        let exit = match value.get("exitAfter") {
            Value::Null => None,
            after => Some((span(after)?, code("exitCode", 0))),
        };
        Ok(Custom {
            name: reference.name(),
            tags: texts("tags"),
            bytes,
            ports,
            log: texts("log"),
            rules,
            files,
            exit,
            exit_on_term: code("exitOnTerm", 0),
        })
    }

    pub(crate) fn has_tag(&self, tag: &str) -> bool {
        self.tags.is_empty() || self.tags.iter().any(|own| own == tag)
    }

    /// The image in the catalogue's form.
    pub(crate) fn image(self: &Arc<Custom>) -> Image {
        Image {
            bytes: self.bytes,
            behaviour: Behaviour::Server {
                exit_on_term: self.exit_on_term,
            },
            groups: &[0],
            ports: &[],
            start_log: &[],
            entrypoint: &["/entrypoint"],
            cmd: &[],
            programs: &["curl", "wget"],
            has_tools: true,
            files: &[],
            document_root: None,
            is_generic: true,
            custom: Some(self.clone()),
        }
    }

    /// The answer to a request, for a container of this age.
    pub(crate) fn answer(&self, path: &str, age: Micros, env: &BTreeMap<String, String>) -> Answer {
        let fits = |rule: &&Rule| path.starts_with(&rule.path) && age >= rule.after;
        match self.rules.iter().find(fits) {
            Some(rule) => {
                let mut body = rule.body.clone();
                // Longer names first, so that `$NAME_LONG` is not taken for `$NAME`.
                let mut names: Vec<&String> = env.keys().collect();
                names.sort_by_key(|name| std::cmp::Reverse(name.len()));
                for name in names {
                    body = body.replace(&format!("${name}"), &env[name]);
                }
                Answer::page(rule.status, &rule.kind, body)
            }
            None if self.rules.is_empty() => Answer::text(200, "ok\n"),
            None => Answer::text(404, "404 page not found\n"),
        }
    }
}

fn read_rule(rule: &Value) -> Result<Rule, String> {
    only(rule, RULE_FIELDS, "an http rule")?;
    let status = rule.int("status").unwrap_or(200);
    let status = u16::try_from(status)
        .ok()
        .filter(|s| (100..600).contains(s))
        .ok_or_else(|| format!("http: {status} is no status"))?;
    let or = |text: &str, default: &str| {
        if text.is_empty() {
            default.to_owned()
        } else {
            text.to_owned()
        }
    };
    let body = match rule.get("body").as_str() {
        Some(body) => body.to_owned(),
        None => format!("{}\n", network::reason(status)),
    };
    let after = match rule.get("after") {
        Value::Null => 0,
        after => span(after)?,
    };
    Ok(Rule {
        path: or(rule.str("path"), "/"),
        status,
        body,
        kind: or(rule.str("contentType"), "text/plain; charset=utf-8"),
        after,
    })
}

/// `90s`, `5m`, or seconds.
fn span(value: &Value) -> Result<Micros, String> {
    if let Some(secs) = value.as_int() {
        return Ok(secs.max(0) as u64 * SECOND);
    }
    let text = value.as_str().unwrap_or_default();
    let nanos =
        api::duration::parse(text).map_err(|_| format!("{text:?} is no span; hint: 90s, 5m"))?;
    Ok(u64::try_from(nanos).unwrap_or(0) / 1_000)
}

fn only(value: &Value, known: &[&str], what: &str) -> Result<(), String> {
    match value
        .entries()
        .iter()
        .find(|(field, _)| !known.contains(&field.as_str()))
    {
        Some((field, _)) => Err(format!(
            "{what} has no field {:?}; hint: {}",
            field.as_str(),
            known.join(", ")
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Custom, String> {
        Custom::read(&Value::from_json(json).expect("valid JSON"))
    }

    #[test]
    fn an_image_does_what_its_rules_say() {
        let shop = read(
            r#"{"kind":"Image","name":"example.com/shop","tags":["1.0"],"ports":[8080],
                "http":[{"path":"/healthz","status":503,"after":"30s"},{"body":"hello from $HOSTNAME\n"}]}"#,
        )
        .expect("a good description");
        assert!(shop.has_tag("1.0") && !shop.has_tag("1.1"));
        let env = BTreeMap::from([("HOSTNAME".to_owned(), "shop-1".to_owned())]);
        let word = |path: &str, age: Micros| match shop.answer(path, age, &env) {
            Answer::Http { status, body, .. } => {
                format!("{status} {}", String::from_utf8_lossy(&body).trim())
            }
            other => format!("{other:?}"),
        };
        assert_eq!(word("/", 0), "200 hello from shop-1");
        assert_eq!(
            word("/healthz", 10 * SECOND),
            "200 hello from shop-1",
            "still young"
        );
        assert_eq!(word("/healthz", 31 * SECOND), "503 Service Unavailable");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (json, why) in [
            (
                r#"{"kind":"Pod"}"#,
                "kind is \"Pod\"; hint: an image's is \"Image\"",
            ),
            (
                r#"{"kind":"Image","name":"shop:1"}"#,
                "name \"shop:1\": give the tags in their own field",
            ),
            (
                r#"{"kind":"Image","name":"shop","ports":[0]}"#,
                "ports: 0 is no port",
            ),
            (
                r#"{"kind":"Image","name":"shop","http":[{"status":9}]}"#,
                "http: 9 is no status",
            ),
            (
                r#"{"kind":"Image","name":"shop","exitAfter":"soon"}"#,
                "\"soon\" is no span; hint: 90s, 5m",
            ),
        ] {
            assert_eq!(read(json), Err(why.to_owned()));
        }
        assert!(
            read(r#"{"kind":"Image","name":"shop","port":1}"#)
                .is_err_and(|why| why.contains("no field \"port\""))
        );
    }
}
