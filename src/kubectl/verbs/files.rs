//! Manifests from `-f`: files, directories and standard input, split into documents.
//!
//! Models the file visitors of `cli-runtime/pkg/resource/visitor.go`.

use api::{Str, Value};

use crate::flags::Given;
use crate::print::Format;
use crate::{Context, Failure};

/// Where pages of the web that this machine has kept stand, by host and path: it opens no connection.
pub(crate) const WEB: &str = "/var/cache/web";

/// One object of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    /// As messages name it: `web.yaml`, `STDIN`.
    pub source: Str,
    pub object: Value,
}

/// Reads all objects that `--filename` names; lists are taken apart.
pub(crate) fn read(ctx: &mut Context<'_>, given: &Given) -> Result<Vec<Document>, Failure> {
    let mut documents = Vec::new();
    let kustomization = given.text("kustomize");
    if !kustomization.is_empty() {
        if given.has("filename") {
            return Err(Failure::error("only one of -f or -k can be specified"));
        }
        for object in crate::kustomize::build(ctx, &kustomization)? {
            documents.push(Document {
                source: kustomization.clone(),
                object,
            });
        }
        return Ok(documents);
    }
    for name in given.all("filename") {
        for path in name.split(',') {
            read_path(ctx, path, given.switch("recursive"), true, &mut documents)?;
        }
    }
    Ok(documents)
}

fn read_path(
    ctx: &mut Context<'_>,
    path: &str,
    recursive: bool,
    is_named: bool,
    documents: &mut Vec<Document>,
) -> Result<(), Failure> {
    if path == "-" {
        let text = ctx.stdin().unwrap_or_default();
        return parse("STDIN", &text, documents);
    }
    if path.starts_with("http://") || path.starts_with("https://") {
        let rest = path.split_once("://").map_or("", |(_, rest)| rest);
        if let Ok(text) = ctx.read_file(&format!("{WEB}/{rest}"))? {
            return parse(path, &text, documents);
        }
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        return Err(Failure::plain(format!(
            "Unable to connect to the server: dial tcp: lookup {host}: no such host; hint: this cluster has no network; put the manifest into a file (or at {WEB}/{rest}) and apply that"
        )));
    }
    if let Ok(names) = ctx.list_dir(path)? {
        for name in names {
            let child = format!("{}/{name}", path.trim_end_matches('/'));
            if let Some(dir) = child.strip_suffix('/') {
                if recursive {
                    read_path(ctx, dir, recursive, false, documents)?;
                }
            } else {
                read_path(ctx, &child, recursive, false, documents)?;
            }
        }
        return Ok(());
    }
    if !is_named
        && ![".json", ".yaml", ".yml"]
            .iter()
            .any(|end| path.ends_with(end))
    {
        return Ok(());
    }
    match ctx.read_file(path)? {
        Ok(text) => parse(path, &text, documents),
        Err(why) if why.contains("no such file") => {
            Err(Failure::error(format!("the path {path:?} does not exist")))
        }
        Err(why) => Err(Failure::error(format!(
            "the path {path:?} cannot be accessed: {why}"
        ))),
    }
}

/// Splits `text` into its objects; errors name `source` as kubectl does.
pub(crate) fn parse(
    source: &str,
    text: &str,
    documents: &mut Vec<Document>,
) -> Result<(), Failure> {
    let objects = api::yaml::load_documents(text).map_err(|why| {
        if source == "STDIN" {
            Failure::error(format!("error parsing STDIN: {why}"))
        } else {
            Failure::error(format!("error parsing {source}: {why}"))
        }
    })?;
    for object in objects {
        if object.is_null() {
            continue;
        }
        let missing: Vec<String> = ["apiVersion", "kind"]
            .iter()
            .filter(|field| object.is_map() && object.str(field).is_empty())
            .map(|field| format!("{field} not set"))
            .collect();
        if !missing.is_empty() {
            let missing = if missing.len() == 1 {
                missing[0].clone()
            } else {
                format!("[{}]", missing.join(", "))
            };
            return Err(Failure::error(format!(
                "error validating {source:?}: error validating data: {missing}; if you choose to ignore these errors, turn validation off with --validate=false"
            )));
        }
        if object.str("kind").ends_with("List") && object.has("items") {
            for item in object.get("items").items() {
                documents.push(Document {
                    source: Str::new(source),
                    object: item.clone(),
                });
            }
        } else {
            documents.push(Document {
                source: Str::new(source),
                object,
            });
        }
    }
    Ok(())
}

/// Replaces a format's file by the file's text.
pub(crate) fn read_template(ctx: &mut Context<'_>, format: Format) -> Result<Format, Failure> {
    let mut text = |path: &Str| -> Result<Str, Failure> {
        ctx.read_file(path)?.map_err(|why| {
            Failure::error(format!("error reading template {path}, open {path}: {why}"))
        })
    };
    Ok(match format {
        Format::GoTemplate {
            template,
            from_file: true,
        } => Format::GoTemplate {
            template: text(&template)?,
            from_file: false,
        },
        Format::CustomColumns {
            spec,
            from_file: true,
        } => {
            let content = text(&spec)?;
            let mut lines = content
                .lines()
                .map(|line| line.split_whitespace().collect::<Vec<_>>());
            let (names, paths) = (
                lines.next().unwrap_or_default(),
                lines.next().unwrap_or_default(),
            );
            if names.is_empty() {
                return Err(Failure::error(
                    "invalid template, missing header line. Expected format is one line of space separated headers, one line of space separated column specs.",
                ));
            }
            if paths.is_empty() {
                return Err(Failure::error(
                    "invalid template, missing spec line. Expected format is one line of space separated headers, one line of space separated column specs.",
                ));
            }
            if names.len() != paths.len() {
                return Err(Failure::error(format!(
                    "number of headers ({}) and field specifications ({}) don't match",
                    names.len(),
                    paths.len()
                )));
            }
            let pairs: Vec<String> = names
                .iter()
                .zip(&paths)
                .map(|(name, path)| format!("{name}:{path}"))
                .collect();
            Format::CustomColumns {
                spec: pairs.join(",").into(),
                from_file: false,
            }
        }
        other => other,
    })
}
