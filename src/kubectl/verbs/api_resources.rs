//! `kubectl api-resources`.
//!
//! Models `kubectl/pkg/cmd/apiresources/apiresources.go`.

use api::kinds::{self, Kind};
use api::{Request, Resource, Str};

use crate::flags::{Flag, Given, many, switch, text};
use crate::print::tabwriter::{self, TABLE};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    text("api-group"),
    switch("namespaced"),
    switch("no-headers"),
    switch("cached"),
    many("verbs"),
    many("categories"),
    text("sort-by"),
    text("output").short('o'),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("api-resources", FLAGS, args)?;
    if !given.args.is_empty() {
        return Err(Failure::usage(
            "api-resources",
            format!(
                "unexpected arguments: [{}]",
                given
                    .args
                    .iter()
                    .map(Str::as_str)
                    .collect::<Vec<_>>()
                    .join(" ")
            ),
        ));
    }
    let mut rows = served(ctx)?;
    rows.retain(|kind| {
        (!given.has("api-group") || kind.group == given.text("api-group"))
            && (!given.has("namespaced") || kind.namespaced == given.switch("namespaced"))
            && given.all("verbs").iter().all(|verb| kind.verbs.has(verb))
            && given
                .all("categories")
                .iter()
                .all(|category| kind.categories.contains(category))
    });
    match given.text("sort-by").as_str() {
        "kind" => rows.sort_by(|a, b| (&a.kind, &a.group).cmp(&(&b.kind, &b.group))),
        "name" => rows.sort_by(|a, b| (&a.plural, &a.group).cmp(&(&b.plural, &b.group))),
        "" => rows.sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural))),
        _ => return Err(Failure::error("--sort-by accepts only name or kind")),
    }
    let output = given.text("output");
    match output.as_str() {
        "name" => {
            for kind in &rows {
                ctx.out(format!("{}\n", kind.resource().group_resource()));
            }
        }
        "" | "wide" => {
            let is_wide = output == "wide";
            let mut out = String::new();
            if !given.switch("no-headers") {
                out += "NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND";
                out += if is_wide {
                    "\tVERBS\tCATEGORIES\n"
                } else {
                    "\n"
                };
            }
            for kind in &rows {
                let short: Vec<&str> = kind.short_names.iter().map(Str::as_str).collect();
                out += &format!(
                    "{}\t{}\t{}\t{}\t{}",
                    kind.plural,
                    short.join(","),
                    kind.api_version(),
                    kind.namespaced,
                    kind.kind
                );
                if is_wide {
                    let verbs: Vec<&str> = kind.verbs.iter().collect();
                    let categories: Vec<&str> = kind.categories.iter().map(Str::as_str).collect();
                    out += &format!("\t{}\t{}", verbs.join(","), categories.join(","));
                }
                out.push('\n');
            }
            ctx.out(tabwriter::align(&out, TABLE));
        }
        other => return Err(Failure::error(format!("--output {other} is not available"))),
    }
    Ok(())
}

/// What the server serves, each resource in its preferred version; custom ones too.
fn served(ctx: &mut Context<'_>) -> Result<Vec<Kind>, Failure> {
    let mut rows: Vec<Kind> = Vec::new();
    let groups = ctx.object(Request::path("/apis"))?;
    let mut documents = vec!["/api/v1".to_owned()];
    for group in groups.get("groups").items() {
        documents.push(format!(
            "/apis/{}",
            group
                .path("preferredVersion.groupVersion")
                .as_str()
                .unwrap_or_default()
        ));
    }
    for path in documents {
        let list = ctx.object(Request::path(path))?;
        let group_version = list.str("groupVersion").to_owned();
        let (group, version) = kinds::split_api_version(&group_version);
        for resource in list
            .get("resources")
            .items()
            .iter()
            .filter(|r| !r.str("name").contains('/'))
        {
            let strings = |key: &str| -> Vec<Str> {
                resource
                    .get(key)
                    .items()
                    .iter()
                    .filter_map(|s| s.as_shared_str().cloned())
                    .collect()
            };
            let known = kinds::of(&Resource {
                group: Str::new(group),
                version: Str::new(version),
                plural: resource.shared_str("name"),
            });
            rows.push(Kind {
                group: Str::new(group),
                version: Str::new(version),
                kind: resource.shared_str("kind"),
                plural: resource.shared_str("name"),
                singular: resource.shared_str("singularName"),
                namespaced: resource.bool("namespaced"),
                verbs: known.map_or_else(kinds::Verbs::default, |kind| kind.verbs),
                short_names: strings("shortNames"),
                categories: strings("categories"),
                subresources: Vec::new(),
                selectable: Vec::new(),
            });
        }
    }
    Ok(rows)
}
