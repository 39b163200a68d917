//! `kubectl explain`: the fields of a resource, from the schema table. Descriptions are not part of it.
//!
//! Models `kubectl/pkg/cmd/explain` (plain text).

use api::Str;
use api::schema::{self, Shape, Type};

use crate::flags::{Flag, Given, switch, text};
use crate::resource::mapping;
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("recursive"),
    text("api-version"),
    text("output").short('o'),
];

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
    let Some(of) = schema::of_kind(&group, &version, &known.kind) else {
        return Err(Failure::error(format!(
            "fields of {} in {group}/{version} are not described; see the custom resource definition: kubectl get crd {}.{group} -o yaml",
            known.kind, known.resource.plural
        )));
    };
    if !group.is_empty() {
        ctx.out(format!("GROUP:      {group}\n"));
    }
    ctx.out(format!(
        "KIND:       {}\nVERSION:    {version}\n\n",
        known.kind
    ));
    let mut inner = Some(of);
    let mut field = None;
    for part in &path {
        let Some(found) = inner.and_then(|of| of.field(part)) else {
            return Err(Failure::error(format!("field {part:?} does not exist")));
        };
        inner = found.shape.innermost_object();
        field = Some(found);
    }
    if let Some(field) = field {
        let required = if field.is_required { " -required-" } else { "" };
        ctx.out(format!(
            "FIELD: {} <{}>{required}\n\n\n",
            field.name,
            field.shape.explained()
        ));
    }
    ctx.out("DESCRIPTION:\n    Descriptions are not kept here; see\n    https://kubernetes.io/docs/reference/kubernetes-api/\n    \n");
    if let Some(of) = inner {
        ctx.out("FIELDS:\n");
        let mut out = String::new();
        list(&mut out, of, 1, given.switch("recursive"), &mut Vec::new());
        ctx.out(out);
    }
    ctx.out("\n");
    Ok(())
}

/// A line for each field, by name; those of structs below, unless a struct contains itself.
fn list(out: &mut String, of: Type, level: usize, is_recursive: bool, above: &mut Vec<Type>) {
    let mut fields: Vec<&schema::Field> = of.fields().iter().collect();
    fields.sort_by_key(|field| field.name);
    for field in fields {
        let required = if field.is_required { " -required-" } else { "" };
        let shape: Shape = field.shape;
        *out += &format!(
            "{}{}\t<{}>{required}\n",
            "  ".repeat(level),
            field.name,
            shape.explained()
        );
        if let Some(inner) = shape.innermost_object().filter(|_| is_recursive)
            && !above.contains(&inner)
        {
            above.push(inner);
            list(out, inner, level + 1, is_recursive, above);
            above.pop();
        }
    }
}
