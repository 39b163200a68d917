//! Output formats of `-o`: tables, JSON, YAML, names, JSONPath, custom columns, Go templates.

pub(crate) mod table;
pub(crate) mod tabwriter;

use api::{Str, Value};

use crate::{Failure, flags::Given, resource::Mapping};

/// What `-o` asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Format {
    Table { is_wide: bool },
    Json,
    Yaml,
    Name,
    JsonPath { template: Str, is_json: bool },
    CustomColumns { spec: Str, from_file: bool },
    GoTemplate { template: Str, from_file: bool },
}

impl Format {
    /// Reads `-o`; `allowed` is the list that the error shows.
    pub(crate) fn of(given: &Given) -> Result<Format, Failure> {
        let output = given.text("output");
        let template = given.text("template");
        let (name, argument) = match output.split_once('=') {
            Some((name, argument)) => (name, Str::new(argument)),
            None => (output.as_str(), template.clone()),
        };
        let need = |what: &str| {
            if argument.is_empty() {
                Err(Failure::error(format!(
                    "{what} format specified but no {what} given"
                )))
            } else {
                Ok(argument.clone())
            }
        };
        Ok(match name {
            "" if !template.is_empty() => Format::GoTemplate {
                template,
                from_file: false,
            },
            "" => Format::Table { is_wide: false },
            "wide" => Format::Table { is_wide: true },
            "json" => Format::Json,
            "yaml" => Format::Yaml,
            "name" => Format::Name,
            "jsonpath" | "jsonpath-as-json" => {
                if argument.is_empty() {
                    return Err(Failure::error(
                        "template format specified but no template given",
                    ));
                }
                Format::JsonPath {
                    template: argument,
                    is_json: name == "jsonpath-as-json",
                }
            }
            "jsonpath-file" => {
                return Err(Failure::error(
                    "jsonpath-file is not supported here; pass the template with -o jsonpath=…",
                ));
            }
            "custom-columns" => {
                if argument.is_empty() {
                    return Err(Failure::error(
                        "custom-columns format specified but no custom columns given",
                    ));
                }
                Format::CustomColumns {
                    spec: argument,
                    from_file: false,
                }
            }
            "custom-columns-file" => Format::CustomColumns {
                spec: need("template")?,
                from_file: true,
            },
            "go-template" | "template" => Format::GoTemplate {
                template: need("template")?,
                from_file: false,
            },
            "go-template-file" | "templatefile" => Format::GoTemplate {
                template: need("template")?,
                from_file: true,
            },
            other => {
                return Err(Failure::error(format!(
                    "unable to match a printer suitable for the output format {other:?}, allowed formats are: custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml"
                )));
            }
        })
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(self, Format::Table { .. })
    }

    /// Managed fields are left out of whole objects, unless asked for; templates see them.
    pub(crate) fn hides_managed_fields(&self, given: &Given) -> bool {
        matches!(self, Format::Json | Format::Yaml) && !given.switch("show-managed-fields")
    }
}

/// Indented JSON with sorted keys and a final line end, as `-o json` prints.
pub(crate) fn json(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    serde::Serialize::serialize(value, &mut serializer).expect("a value tree always encodes");
    out.push(b'\n');
    escaped(&String::from_utf8(out).expect("JSON is UTF-8"))
}

/// JSON as Go's encoder writes it: safe within HTML.
pub(crate) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text += &format!("\\u{:04x}", c as u32),
            _ => text.push(c),
        }
    }
    text
}

/// What is printed of one object in a structured format (no tables).
pub(crate) fn object(
    format: &Format,
    mapping: &Mapping,
    object: &Value,
) -> Result<String, Failure> {
    Ok(match format {
        Format::Json => json(object),
        Format::Yaml => api::yaml::emit(object),
        Format::Name => format!(
            "{}\n",
            mapping.qualified(object.path("metadata.name").as_str().unwrap_or_default())
        ),
        Format::JsonPath { template, is_json } => jsonpath::print(template, object, *is_json)?,
        Format::CustomColumns { spec, .. } => {
            columns::print(spec, std::slice::from_ref(object), true)?
        }
        Format::GoTemplate { template, .. } => template::print(template, object)?,
        Format::Table { .. } => String::new(),
    })
}

/// The object without `metadata.managedFields`, which kubectl hides unless asked for them.
pub(crate) fn without_managed_fields(object: &Value) -> Value {
    let mut object = object.clone();
    object.remove_path("metadata.managedFields");
    if !object.get("items").is_null() {
        let items: Vec<Value> = object
            .get("items")
            .items()
            .iter()
            .map(without_managed_fields)
            .collect();
        object.set("items", items);
    }
    object
}

pub(crate) mod columns;
pub(crate) mod jsonpath;
pub(crate) mod template;
