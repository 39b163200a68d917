//! The paths of a kind with their operations: what may be asked, of which kind it speaks, with which parameters.

use api::kinds::{Kind, Verbs};
use api::{Value, list, map};

use super::schema_name;
use super::schemas::{Schemas, full_name, group_version_kind};

const LIST_PARAMETERS: &[&str] = &[
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
const WRITE_PARAMETERS: &[&str] = &["dryRun", "fieldManager", "fieldValidation"];
const DELETE_PARAMETERS: &[&str] = &[
    "dryRun",
    "gracePeriodSeconds",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
    "orphanDependents",
    "propagationPolicy",
];
const PATCH_TYPES: &[&str] = &[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

/// One operation: the method, the verb that allows it, the action that it is, the word its id begins with.
const OPERATIONS: &[(&str, &str, &str, &str)] = &[
    ("get", "get", "get", "read"),
    ("put", "update", "put", "replace"),
    ("post", "create", "post", "create"),
    ("patch", "patch", "patch", "patch"),
    ("delete", "delete", "delete", "delete"),
];

/// Subresources whose operations connect to something.
const CONNECTS: &[&str] = &["attach", "exec", "portforward", "proxy"];

/// Adds the paths of a kind to `all`.
pub(super) fn of_kind(kind: &Kind, schemas: &mut Schemas, all: &mut Value, is_v3: bool) {
    let base = if kind.group.is_empty() {
        format!("/api/{}", kind.version)
    } else {
        format!("/apis/{}/{}", kind.group, kind.version)
    };
    let scope = if kind.namespaced { "Namespaced" } else { "" };
    let writer = Writer {
        is_v3,
        tag: tag(kind),
    };
    let plural = &kind.plural;
    let collection = if kind.namespaced {
        format!("{base}/namespaces/{{namespace}}/{plural}")
    } else {
        format!("{base}/{plural}")
    };
    let has = |verb: &str| kind.verbs.has(verb);
    let name = schema_name(kind);
    let own = (
        kind.group.as_str(),
        kind.version.as_str(),
        kind.kind.as_str(),
    );

    let mut methods = map! {};
    if has("list") {
        let id = format!("list{}{scope}{}", writer.prefix(), kind.kind);
        methods.set(
            "get",
            writer.operation(
                schemas,
                "get",
                "list",
                &id,
                own,
                &format!("{name}List"),
                LIST_PARAMETERS,
            ),
        );
    }
    if has("create") {
        let id = format!("create{}{scope}{}", writer.prefix(), kind.kind);
        methods.set(
            "post",
            writer.operation(schemas, "post", "post", &id, own, &name, WRITE_PARAMETERS),
        );
    }
    if has("deletecollection") {
        let id = format!("delete{}Collection{scope}{}", writer.prefix(), kind.kind);
        let parameters: Vec<&str> = DELETE_PARAMETERS
            .iter()
            .chain(LIST_PARAMETERS)
            .copied()
            .collect();
        methods.set(
            "delete",
            writer.operation(
                schemas,
                "delete",
                "deletecollection",
                &id,
                own,
                &status(),
                &parameters,
            ),
        );
    }
    add(all, &collection, methods, kind.namespaced, false);

    let mut methods = map! {};
    for (method, verb, action, word) in OPERATIONS {
        if *verb == "create" || !has(verb) {
            continue;
        }
        let id = format!("{word}{}{scope}{}", writer.prefix(), kind.kind);
        let parameters = parameters_of(action);
        let answer = if *action == "delete" {
            status()
        } else {
            name.to_string()
        };
        methods.set(
            *method,
            writer.operation(schemas, method, action, &id, own, &answer, &parameters),
        );
    }
    add(
        all,
        &format!("{collection}/{{name}}"),
        methods,
        kind.namespaced,
        true,
    );

    if kind.namespaced && has("list") {
        let id = format!("list{}{}ForAllNamespaces", writer.prefix(), kind.kind);
        let get = writer.operation(
            schemas,
            "get",
            "list",
            &id,
            own,
            &format!("{name}List"),
            LIST_PARAMETERS,
        );
        add(
            all,
            &format!("{base}/{plural}"),
            map! { "get": get },
            false,
            false,
        );
    }
    for sub in &kind.subresources {
        let of = if sub.version.is_empty() {
            (own.0, own.1, sub.kind.as_str())
        } else {
            (sub.group.as_str(), sub.version.as_str(), sub.kind.as_str())
        };
        let answer = match api::schema::of_kind(of.0, of.1, of.2) {
            Some(found) => {
                schemas.refer(found);
                full_name(found.name())
            }
            None => name.to_string(),
        };
        let mut methods = map! {};
        let title = titled(&sub.name);
        for (method, verb, action, word) in OPERATIONS {
            if !sub_allows(sub.verbs, verb) {
                continue;
            }
            let (action, id) = if CONNECTS.contains(&sub.name.as_str()) {
                let id = format!(
                    "connect{}{}{scope}{}{title}",
                    writer.prefix(),
                    titled(method),
                    kind.kind
                );
                ("connect", id)
            } else {
                (
                    *action,
                    format!("{word}{}{scope}{}{title}", writer.prefix(), kind.kind),
                )
            };
            let parameters = parameters_of(action);
            methods.set(
                *method,
                writer.operation(schemas, method, action, &id, of, &answer, &parameters),
            );
        }
        add(
            all,
            &format!("{collection}/{{name}}/{}", sub.name),
            methods,
            kind.namespaced,
            true,
        );
    }
}

fn sub_allows(verbs: Verbs, verb: &str) -> bool {
    verbs.has(verb)
}

fn parameters_of(action: &str) -> Vec<&'static str> {
    match action {
        "put" | "post" => WRITE_PARAMETERS.to_vec(),
        "patch" => [WRITE_PARAMETERS, &["force"]].concat(),
        "delete" => DELETE_PARAMETERS.to_vec(),
        _ => Vec::new(),
    }
}

fn status() -> String {
    full_name("Status")
}

struct Writer {
    is_v3: bool,
    /// `apps_v1`
    tag: String,
}

impl Writer {
    /// `AppsV1` in ids.
    fn prefix(&self) -> String {
        self.tag.split('_').map(titled).collect()
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an operation has this many parts"
    )]
    fn operation(
        &self,
        schemas: &mut Schemas,
        method: &str,
        action: &str,
        id: &str,
        of: (&str, &str, &str),
        answer: &str,
        parameters: &[&str],
    ) -> Value {
        // What is answered is defined, if the table knows it.
        if let Some(found) = api::schema::named("Status").filter(|_| answer.ends_with(".Status")) {
            schemas.refer(found);
        }
        if answer.ends_with("List")
            && let Some(found) = api::schema::of_kind(of.0, of.1, &format!("{}List", of.2))
        {
            schemas.refer(found);
        }
        let schema = map! { "$ref": format!("{}{answer}", schemas.prefix) };
        let code = if action == "post" { "201" } else { "200" };
        let mut operation = map! {
            "operationId": id.to_owned(), "tags": list![self.tag.clone()], "x-kubernetes-action": action.to_owned(),
            "x-kubernetes-group-version-kind": group_version_kind(of.0, of.1, of.2),
        };
        let mut listed: Vec<Value> = parameters.iter().map(|name| self.parameter(name)).collect();
        let body = match (method, action) {
            ("put" | "post", "put" | "post") => Some(schema.clone()),
            ("patch", _) => Some(map! { "type": "object" }),
            _ => None,
        };
        let content =
            |schema: &Value| map! { "application/json": map! { "schema": schema.clone() } };
        let mut answered = map! { "description": "OK" };
        if self.is_v3 {
            answered.set("content", content(&schema));
            if let Some(body) = &body {
                let mut accepted = map! {};
                let types: &[&str] = if method == "patch" {
                    PATCH_TYPES
                } else {
                    &["*/*"]
                };
                for media in types {
                    accepted.set((*media).to_owned(), map! { "schema": body.clone() });
                }
                operation.set(
                    "requestBody",
                    map! { "content": accepted, "required": true },
                );
            }
        } else {
            answered.set("schema", schema);
            operation.set("produces", list!["application/json", "application/yaml"]);
            let types: &[&str] = if method == "patch" {
                PATCH_TYPES
            } else {
                &["*/*"]
            };
            let types: Vec<Value> = types.iter().map(|media| (*media).into()).collect();
            operation.set("consumes", types);
            if let Some(body) = body {
                listed
                    .push(map! { "in": "body", "name": "body", "required": true, "schema": body });
            }
        }
        let mut responses = map! { "401": map! { "description": "Unauthorized" } };
        responses.set(code, answered);
        operation.set("responses", responses);
        if !listed.is_empty() {
            operation.set("parameters", listed);
        }
        operation
    }

    fn parameter(&self, name: &str) -> Value {
        let kind = match name {
            "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
            "allowWatchBookmarks"
            | "watch"
            | "sendInitialEvents"
            | "force"
            | "orphanDependents"
            | "ignoreStoreReadErrorWithClusterBreakingPotential" => "boolean",
            _ => "string",
        };
        let mut parameter = map! { "in": "query", "name": name.to_owned() };
        if self.is_v3 {
            parameter.set("schema", map! { "type": kind, "uniqueItems": true });
        } else {
            parameter.set("type", kind);
            parameter.set("uniqueItems", true);
        }
        parameter
    }
}

/// Adds a path, with the parameters that stand in it.
fn add(all: &mut Value, path: &str, mut methods: Value, is_namespaced: bool, is_named: bool) {
    if methods.is_empty() {
        return;
    }
    let mut parameters: Vec<Value> = Vec::new();
    for (is_there, name) in [(is_named, "name"), (is_namespaced, "namespace")] {
        if is_there {
            parameters.push(map! {
                "in": "path", "name": name, "required": true, "schema": map! { "type": "string", "uniqueItems": true },
            });
        }
    }
    if !parameters.is_empty() {
        methods.set("parameters", parameters);
    }
    all.set(path.to_owned(), methods);
}

/// `apps_v1`, `core_v1`, `rbacAuthorization_v1`.
fn tag(kind: &Kind) -> String {
    let group = kind.group.trim_end_matches(".k8s.io");
    let mut parts = group.split('.');
    let first = parts
        .next()
        .filter(|first| !first.is_empty())
        .unwrap_or("core");
    let rest: String = parts.map(titled).collect();
    format!("{first}{rest}_{}", kind.version)
}

fn titled(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
