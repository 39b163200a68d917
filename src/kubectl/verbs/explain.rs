//! `kubectl explain`: the fields of a resource, from the API server's OpenAPI document.
//!
//! What fields mean stands there only if the server was given the texts; their names and types always do.
//! Models `kubectl/pkg/explain/v2` (plain text).

use api::{Request, Str, Value};

use crate::flags::{Flag, Given, switch, text};
use crate::resource::mapping;
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("recursive"),
    text("api-version"),
    text("output").short('o'),
];

/// Text is wrapped so that it ends before this column, behind four spaces.
const WIDTH: usize = 76;

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("explain", FLAGS, args)?;
    let [target] = &given.args[..] else {
        return Err(Failure::error(if given.args.is_empty() {
            "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.\n"
        } else {
            "We accept only this format: explain RESOURCE\n"
        }));
    };
    let mut path = target.split('.');
    let name = path.next().unwrap_or_default();
    let path: Vec<&str> = path.collect();
    let known = mapping(ctx, name).map_err(|failure| match failure {
        Failure::Exit { .. } => {
            Failure::plain(format!("the server doesn't have a resource type {name:?}"))
        }
        waiting => waiting,
    })?;
    let (mut group, mut version) = (known.resource.group.clone(), known.resource.version.clone());
    if given.has("api-version") {
        let wanted = given.text("api-version");
        let (g, v) = api::kinds::split_api_version(&wanted);
        (group, version) = (Str::new(g), Str::new(v));
    }
    let url = if group.is_empty() {
        format!("/openapi/v3/api/{version}")
    } else {
        format!("/openapi/v3/apis/{group}/{version}")
    };
    let response = ctx.call(Request::path(url))?;
    let document = Document(response.body);
    let Some((_, root)) = document.of_kind(&group, &version, &known.kind) else {
        return Err(Failure::error(format!(
            "couldn't find resource for \"{group}/{version}, Resource={}\"",
            known.resource.plural
        )));
    };
    if !group.is_empty() {
        ctx.out(format!("GROUP:      {group}\n"));
    }
    ctx.out(format!(
        "KIND:       {}\nVERSION:    {version}\n\n",
        known.kind
    ));
    let mut inner = root.clone();
    let mut field: Option<Value> = None;
    for part in &path {
        let owner = document.struct_of(&inner);
        let properties = owner.get("properties");
        if !properties.has(part) {
            return Err(Failure::error(format!("field {part:?} does not exist")));
        }
        inner = properties.get(part).clone();
        let is_required = is_required(&owner, part);
        ctx.out(
            if std::ptr::eq(part, path.last().expect("it is in the path")) {
                let required = if is_required { " -required-" } else { "" };
                format!(
                    "FIELD: {part} <{}>{required}\n{}\n",
                    document.type_name(&inner),
                    enumeration(&inner)
                )
            } else {
                String::new()
            },
        );
        field = Some(inner.clone());
    }
    ctx.out("DESCRIPTION:\n");
    let mut said = String::new();
    for text in document.texts(field.as_ref().unwrap_or(&root)) {
        said += &wrapped(&text, 4);
    }
    if said.is_empty() {
        said = "    <empty>\n".to_owned();
    }
    ctx.out(format!("{said}    \n"));
    let owner = document.struct_of(&inner);
    if owner.get("properties").is_map() {
        ctx.out("FIELDS:\n");
        let mut out = String::new();
        let is_recursive = given.switch("recursive");
        document.list(&mut out, &owner, 1, is_recursive, &mut Vec::new());
        ctx.out(out);
    }
    ctx.out("\n");
    Ok(())
}

fn is_required(owner: &Value, field: &str) -> bool {
    let required = owner.get("required").items();
    required.iter().any(|name| name.as_str() == Some(field))
}

fn enumeration(schema: &Value) -> String {
    let values = schema.get("enum").items();
    if values.is_empty() {
        return "\n".to_owned();
    }
    let lines: Vec<String> = values
        .iter()
        .map(|value| format!("    {}\n", value.as_str().unwrap_or_default()))
        .collect();
    format!("ENUM:\n{}", lines.concat())
}

/// An OpenAPI v3 document.
struct Document(Value);

impl Document {
    fn of_kind(&self, group: &str, version: &str, kind: &str) -> Option<(Str, Value)> {
        let schemas = self.0.path("components.schemas").entries();
        let is_it = |row: &Value| {
            row.str("group") == group && row.str("version") == version && row.str("kind") == kind
        };
        let mut all = schemas.iter();
        all.find(|(_, schema)| {
            let rows = schema.get("x-kubernetes-group-version-kind").items();
            rows.iter().any(is_it)
        })
        .map(|(name, schema)| (name.clone(), schema.clone()))
    }

    /// The name behind a reference, plain or as the only part of `allOf`.
    fn reference<'a>(&self, schema: &'a Value) -> Option<&'a str> {
        let plain = schema.get("$ref").as_str();
        let in_all = schema.get("allOf").items().first();
        plain.or_else(|| in_all.and_then(|part| part.get("$ref").as_str()))
    }

    fn resolved(&self, schema: &Value) -> Value {
        match self.reference(schema) {
            Some(reference) => {
                let name = reference.rsplit('/').next().unwrap_or_default();
                self.0.path("components.schemas").get(name).clone()
            }
            None => schema.clone(),
        }
    }

    /// The struct behind references, lists and maps.
    fn struct_of(&self, schema: &Value) -> Value {
        let mut schema = self.resolved(schema);
        for _ in 0..8 {
            let inner = if schema.get("items").is_map() {
                schema.get("items")
            } else if schema.get("additionalProperties").is_map() && !schema.has("properties") {
                schema.get("additionalProperties")
            } else {
                break;
            };
            schema = self.resolved(inner);
        }
        schema
    }

    fn type_name(&self, schema: &Value) -> String {
        if let Some(reference) = self.reference(schema) {
            let target = self.resolved(schema);
            let kind = target.str("type");
            if !kind.is_empty() && kind != "object" {
                return kind.to_owned();
            }
            if kind == "object" && !target.get("properties").is_map() {
                return "Object".to_owned();
            }
            let name = reference.rsplit(['/', '.']).next().unwrap_or_default();
            return name.to_owned();
        }
        match schema.str("type") {
            "array" => format!("[]{}", self.type_name(schema.get("items"))),
            "object" if schema.get("additionalProperties").is_map() => {
                format!(
                    "map[string]{}",
                    self.type_name(schema.get("additionalProperties"))
                )
            }
            "object" | "" => "Object".to_owned(),
            other => other.to_owned(),
        }
    }

    /// What a field means, and what its type does.
    fn texts(&self, schema: &Value) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        let mut add = |schema: &Value| {
            let text = schema.str("description");
            if !text.is_empty() {
                texts.push(text.to_owned());
            }
        };
        add(schema);
        if self.reference(schema).is_some() {
            add(&self.resolved(schema));
        }
        for inner in ["items", "additionalProperties"] {
            if schema.get(inner).is_map() {
                add(&self.resolved(schema.get(inner)));
            }
        }
        texts
    }

    /// Each field by name with its text, or, recursively, all fields below without.
    fn list(
        &self,
        out: &mut String,
        owner: &Value,
        level: usize,
        is_recursive: bool,
        above: &mut Vec<Value>,
    ) {
        for (name, schema) in owner.get("properties").entries().iter() {
            let required = if is_required(owner, name) {
                " -required-"
            } else {
                ""
            };
            let indent = "  ".repeat(level);
            *out += &format!("{indent}{name}\t<{}>{required}\n", self.type_name(schema));
            let values: Vec<&str> = schema
                .get("enum")
                .items()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            if !values.is_empty() {
                *out += &format!("{indent}enum: {}\n", values.join(", "));
            }
            if !is_recursive {
                match self.texts(schema).first() {
                    Some(text) => *out += &format!("{}\n", wrapped(text, 4)),
                    None => *out += "    <no description>\n\n",
                }
                continue;
            }
            let inner = self.struct_of(schema);
            if inner.get("properties").is_map() && !above.iter().any(|other| other.is_same(&inner))
            {
                above.push(inner.clone());
                self.list(out, &inner, level + 1, is_recursive, above);
                above.pop();
            }
        }
    }
}

/// A text in lines of a width; indented lines and paragraphs stay apart.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.split('\n') {
        let stands_alone = line.trim().is_empty() || line.starts_with([' ', '\t']);
        if stands_alone || !is_open {
            lines.push(line.to_owned());
        } else {
            let last = lines.last_mut().expect("a line is open");
            last.push(' ');
            *last += line;
        }
        is_open = !stands_alone;
    }
    let margin = " ".repeat(indent);
    let mut out = String::new();
    for line in lines {
        let mut row = String::new();
        for word in line.split(' ') {
            let is_full = row.chars().count() + 1 + word.chars().count() > WIDTH;
            if is_full && !row.trim().is_empty() {
                out += &format!("{margin}{row}\n");
                row = word.to_owned();
            } else if row.is_empty() && out.is_empty() && word.is_empty() {
                row.push(' ');
            } else {
                if !row.is_empty() {
                    row.push(' ');
                }
                row += word;
            }
        }
        out += &format!("{margin}{row}\n");
    }
    out
}
