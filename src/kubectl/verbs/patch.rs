//! `kubectl patch`.
//!
//! Models `kubectl/pkg/cmd/patch`.

use api::{PatchKind, Request, Str, Value};

use super::apply::DryRun;
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::resource::Scope;
use crate::targets::{self, Target};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    text("patch").short('p'),
    text("patch-file"),
    text("type"),
    text("subresource"),
    switch("local"),
    array("filename").short('f'),
    text("kustomize").short('k'),
    switch("recursive").short('R'),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    text("field-manager"),
    switch("show-managed-fields"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("patch", FLAGS, args)?;
    if given.has("patch") == given.has("patch-file") {
        return Err(Failure::error(if given.has("patch") {
            "cannot specify --patch and --patch-file together"
        } else {
            "must specify --patch or --patch-file containing the contents of the patch"
        }));
    }
    let kind = match given.text("type").to_lowercase().as_str() {
        "" | "strategic" => PatchKind::Strategic,
        "merge" => PatchKind::Merge,
        "json" => PatchKind::Json,
        other => {
            return Err(Failure::error(format!(
                "--type must be one of [json merge strategic], not {other:?}"
            )));
        }
    };
    let dry_run = DryRun::of(&given)?;
    let text = if given.has("patch") {
        given.text("patch")
    } else {
        let path = given.text("patch-file");
        ctx.read_file(&path)?.map_err(|why| {
            Failure::error(format!("unable to read patch file: open {path}: {why}"))
        })?
    };
    let patch = parse(&text);
    let scope = Scope::of(ctx, &given)?;
    let mut targets = targets::find(ctx, &given, &scope, &given.args)?;
    if targets.found.is_empty() && targets.errors.is_empty() {
        return Err(Failure::error("no objects passed to patch"));
    }
    for target in std::mem::take(&mut targets.found) {
        let result = one(ctx, &given, &target, kind, &patch, dry_run);
        targets.keep(result)?;
    }
    targets.finish()
}

fn one(
    ctx: &mut Context<'_>,
    given: &Given,
    target: &Target,
    kind: PatchKind,
    patch: &Result<Value, String>,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let bad = |why: &str| Failure::plain(format!("Error from server (BadRequest): {why}"));
    let patch = patch.as_ref().map_err(|why| bad(why))?;
    let is_list = kind == PatchKind::Json;
    if is_list != patch.as_list().is_some() || (!is_list && !patch.is_map()) {
        let into = if is_list {
            "[]handlers.jsonPatchOp"
        } else {
            "map[string]interface {}"
        };
        let word = match patch {
            Value::Null => "null",
            _ if patch.as_str().is_some() => "string",
            _ if patch.as_bool().is_some() => "bool",
            _ if patch.as_list().is_some() => "array",
            _ if patch.is_map() => "object",
            _ => "number",
        };
        return Err(bad(&format!(
            "json: cannot unmarshal {word} into Go value of type {into}"
        )));
    }
    let resource = &target.mapping.resource;
    if dry_run == DryRun::Client || given.switch("local") {
        let patched = locally(target, kind, patch)?;
        let word = if patched == target.object {
            "patched (no change)"
        } else {
            "patched"
        };
        return targets::report(ctx, given, &target.mapping, &patched, word, dry_run);
    }
    let subresource = given.text("subresource");
    let mut before = target.object.clone();
    if !subresource.is_empty() {
        let current = Request::get(resource, target.namespace.clone(), target.name());
        before = ctx.object(current.subresource(subresource.clone()))?;
    }
    let mut request = Request::patch(
        resource,
        target.namespace.clone(),
        target.name(),
        kind,
        patch.clone(),
    )
    .subresource(subresource);
    request.options.dry_run = dry_run == DryRun::Server;
    request.options.field_manager = if given.has("field-manager") {
        given.text("field-manager")
    } else {
        "kubectl-patch".into()
    };
    let patched = ctx.object(request)?;
    let is_same = before == patched;
    let word = if is_same && dry_run == DryRun::None {
        "patched (no change)"
    } else {
        "patched"
    };
    // A subresource may answer with an object of another kind (`scale`).
    let mut mapping = target.mapping.clone();
    if patched.str("kind") != mapping.kind.as_str() && !patched.str("kind").is_empty() {
        let (group, _) = api::kinds::split_api_version(patched.str("apiVersion"));
        mapping.resource.group = Str::new(group);
        mapping.kind = patched.shared_str("kind");
    }
    targets::report(ctx, given, &mapping, &patched, word, dry_run)
}

/// The object with the patch, as the server would make it but without its defaults.
fn locally(target: &Target, kind: PatchKind, patch: &Value) -> Result<Value, Failure> {
    let resource = &target.mapping.resource;
    let of =
        api::patch::strategic::type_of(&resource.group, &resource.version, &target.mapping.kind);
    let patched = match (kind, of) {
        (PatchKind::Json, _) => api::patch::json::apply(&target.object, patch),
        (PatchKind::Strategic, Some(of)) => api::patch::strategic::apply(of, &target.object, patch),
        (PatchKind::Strategic, None) => Err(format!(
            "strategic merge patch is not supported for {} {}",
            resource.api_version(),
            target.mapping.kind
        )),
        _ => Ok(api::patch::merge::apply(&target.object, patch)),
    };
    patched.map_err(Failure::error)
}

/// The patch is JSON if it begins like an object, else YAML.
fn parse(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        return Value::from_json(text).map_err(|_| go_json_error(text));
    }
    api::yaml::load(text).map_err(|why| format!("unable to parse {text:?}: {why}"))
}

/// What Go's decoder says about JSON that is none, for the mistakes that people make in a shell.
fn go_json_error(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    // States of Go's scanner: what may come next.
    let mut stack: Vec<char> = Vec::new();
    let mut expect = "value";
    while at < chars.len() {
        let c = chars[at];
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        match expect {
            "key" | "first key" => match c {
                '"' => {
                    at = end_of_string(&chars, at);
                    expect = "colon";
                }
                '}' if expect == "first key" => {
                    stack.pop();
                    at += 1;
                    expect = "after";
                }
                _ => return invalid(c, "looking for beginning of object key string"),
            },
            "colon" if c == ':' => {
                at += 1;
                expect = "value";
            }
            "colon" => return invalid(c, "after object key"),
            "value" | "first value" => match c {
                '{' | '[' => {
                    stack.push(c);
                    at += 1;
                    expect = if c == '{' { "first key" } else { "first value" };
                }
                ']' if expect == "first value" => {
                    stack.pop();
                    at += 1;
                    expect = "after";
                }
                '"' => {
                    at = end_of_string(&chars, at);
                    expect = "after";
                }
                _ => {
                    let mut end = at;
                    while end < chars.len()
                        && (chars[end].is_ascii_alphanumeric() || "+-.".contains(chars[end]))
                    {
                        end += 1;
                    }
                    let word: String = chars[at..end].iter().collect();
                    if Value::from_json(&word).is_err() {
                        return literal_error(&word, c);
                    }
                    at = end;
                    expect = "after";
                }
            },
            _ => match (c, stack.last()) {
                (',', Some('{')) => {
                    at += 1;
                    expect = "key";
                }
                (',', Some('[')) => {
                    at += 1;
                    expect = "value";
                }
                ('}', Some('{')) | (']', Some('[')) => {
                    stack.pop();
                    at += 1;
                }
                (_, Some('{')) => return invalid(c, "after object key:value pair"),
                (_, Some(_)) => return invalid(c, "after array element"),
                (_, None) => return invalid(c, "after top-level value"),
            },
        }
    }
    "unexpected end of JSON input".to_owned()
}

fn literal_error(word: &str, first: char) -> String {
    for known in ["true", "false", "null"] {
        if !known.starts_with(first) {
            continue;
        }
        let differs = word
            .chars()
            .zip(known.chars())
            .find(|(have, want)| have != want);
        return match differs {
            Some((have, want)) => {
                invalid(have, &format!("in literal {known} (expecting '{want}')"))
            }
            None => "unexpected end of JSON input".to_owned(),
        };
    }
    invalid(first, "looking for beginning of value")
}

fn invalid(c: char, place: &str) -> String {
    let shown = if c == '\'' {
        "'\\''".to_owned()
    } else {
        format!("'{c}'")
    };
    format!("invalid character {shown} {place}")
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 1,
            '"' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    chars.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_json_is_described_as_go_does() {
        for (text, message) in [
            (
                "{bad",
                "invalid character 'b' looking for beginning of object key string",
            ),
            ("{\"a\":1", "unexpected end of JSON input"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            (
                "{\"a\":x}",
                "invalid character 'x' looking for beginning of value",
            ),
            (
                "{\"a\":1 \"b\":2}",
                "invalid character '\"' after object key:value pair",
            ),
            (
                "{'a':1}",
                "invalid character '\\'' looking for beginning of object key string",
            ),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()));
        }
    }
}
