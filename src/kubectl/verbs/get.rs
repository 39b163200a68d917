//! `kubectl get`: lists and single objects, in every output format, once or watched.
//!
//! Models `kubectl/pkg/cmd/get/get.go`.

use api::{Request, Response, Str, Value, Verb, WatchKind, map};

use super::files;
use crate::flags::{Flag, Given, array, many, number, optional, switch, text};
use crate::print::{self, Format, table::Look, tabwriter};
use crate::resource::{Mapping, Scope, Selection, mapping_of, select};
use crate::{Context, Failure};
use api::Arrival;

pub(crate) const FLAGS: &[Flag] = &[
    switch("all-namespaces").short('A'),
    text("output").short('o'),
    text("selector").short('l'),
    text("field-selector"),
    switch("watch").short('w'),
    switch("watch-only"),
    switch("output-watch-events"),
    switch("show-labels"),
    many("label-columns").short('L'),
    switch("no-headers"),
    switch("show-kind"),
    switch("show-managed-fields"),
    switch("ignore-not-found"),
    text("sort-by"),
    number("chunk-size"),
    text("raw"),
    text("subresource"),
    text("template"),
    switch("allow-missing-template-keys"),
    switch("server-print"),
    array("filename").short('f'),
    switch("recursive").short('R'),
    text("kustomize").short('k'),
    optional("cascade", "background"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("get", FLAGS, args)?;
    if given.has("raw") {
        return raw(ctx, &given);
    }
    let scope = Scope::of(ctx, &given)?;
    let selections = if given.names_files() {
        from_files(ctx, &given)?
    } else {
        if given.args.is_empty() {
            return Err(Failure::plain(
                "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n\nerror: Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples",
            ));
        }
        select(ctx, &given.args)?
    };
    if selections.iter().any(|s| !s.names.is_empty()) {
        for flag in ["selector", "field-selector"] {
            if given.has(flag) && !given.names_files() {
                return Err(Failure::error(if flag == "selector" {
                    "name cannot be provided when a selector is specified"
                } else {
                    "field selectors cannot be provided when a name is specified"
                }));
            }
        }
        if scope.is_all && selections.iter().any(|s| s.mapping.is_namespaced) {
            return Err(Failure::error(
                "a resource cannot be retrieved by name across all namespaces",
            ));
        }
    }
    let format = match Format::of(&given) {
        Ok(format) => files::read_template(ctx, format)?,
        Err(unknown) => {
            // A single object is looked up before the format is.
            if let [Selection { mapping, names, .. }] = &selections[..]
                && let [name] = &names[..]
            {
                ctx.object(request(&given, &scope, mapping, Some(name)))?;
            }
            return Err(unknown);
        }
    };
    if given.switch("watch") || given.switch("watch-only") {
        return watch(ctx, &given, &format, &scope, &selections);
    }
    match format {
        Format::Table { is_wide } => tables(ctx, &given, &scope, &selections, is_wide),
        format => structured(ctx, &given, &scope, &selections, &format),
    }
}

fn look(given: &Given, scope: &Scope, mapping: &Mapping, is_wide: bool, with_kind: bool) -> Look {
    Look {
        is_wide,
        with_namespace: scope.is_all && mapping.is_namespaced,
        with_labels: given.switch("show-labels"),
        label_columns: given.all("label-columns").to_vec(),
        no_headers: given.switch("no-headers"),
        kind_prefix: if with_kind || given.switch("show-kind") {
            mapping.singular_group()
        } else {
            String::new()
        },
    }
}

fn request(given: &Given, scope: &Scope, mapping: &Mapping, name: Option<&Str>) -> Request {
    let namespace = mapping.namespace(scope);
    let mut request = match name {
        Some(name) => Request::get(&mapping.resource, namespace, name.clone()),
        None => Request::list(&mapping.resource, namespace),
    };
    request.subresource = given.text("subresource");
    if name.is_none() {
        request.options.label_selector = given.text("selector");
        request.options.field_selector = given.text("field-selector");
        request.options.limit = Some(given.number("chunk-size").unwrap_or(500)).filter(|n| *n > 0);
    }
    request
}

/// Every page of a list, or the one object; failures are collected by the caller.
fn fetch(ctx: &mut Context<'_>, request: Request) -> Result<Result<Vec<Value>, Response>, Failure> {
    let mut pages = Vec::new();
    let mut request = request;
    loop {
        let response = ctx.call(request.clone())?;
        if !response.is_success() {
            return Ok(Err(response));
        }
        let token = response
            .body
            .path("metadata.continue")
            .as_shared_str()
            .cloned()
            .unwrap_or_default();
        pages.push(response.body);
        if token.is_empty() || request.verb != Verb::List {
            return Ok(Ok(pages));
        }
        request.options.continue_token = token;
    }
}

fn tables(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    selections: &[Selection],
    is_wide: bool,
) -> Result<(), Failure> {
    let mut groups: Vec<(&Mapping, Vec<Value>)> = Vec::new();
    let mut errors = Errors::new(given);
    for selection in selections {
        let wanted: Vec<Option<&Str>> = if selection.names.is_empty() {
            vec![None]
        } else {
            selection.names.iter().map(Some).collect()
        };
        for name in wanted {
            let mut request = request(given, scope, &selection.mapping, name);
            request.options.table = true;
            if given.has("sort-by") {
                request.options.include_object = "Object".into();
            }
            match fetch(ctx, request)? {
                Ok(pages) => match groups.last_mut() {
                    Some((last, tables)) if *last == &selection.mapping => tables.extend(pages),
                    _ => groups.push((&selection.mapping, pages)),
                },
                Err(response) => errors.add(&explained(given, selection, response)),
            }
        }
    }
    let with_kind = selections
        .iter()
        .map(|s| &s.mapping.kind)
        .collect::<std::collections::BTreeSet<_>>()
        .len()
        > 1;
    if let Some(path) = Some(given.text("sort-by")).filter(|p| !p.is_empty()) {
        for (_, tables) in &mut groups {
            sort_rows(tables, &path)?;
        }
    }
    groups.retain(|(_, tables)| tables.iter().any(|t| !t.get("rows").items().is_empty()));
    for (at, (mapping, tables)) in groups.iter().enumerate() {
        if at > 0 {
            ctx.out("\n");
        }
        ctx.out(print::table::print(
            tables,
            &look(given, scope, mapping, is_wide, with_kind),
        ));
    }
    if groups.is_empty() && errors.is_empty() && !given.switch("ignore-not-found") {
        let is_namespaced = selections.iter().all(|s| s.mapping.is_namespaced);
        if is_namespaced && !scope.is_all {
            ctx.err(format!(
                "No resources found in {} namespace.\n",
                scope.namespace
            ));
        } else {
            ctx.err("No resources found\n");
        }
    }
    errors.finish()
}

fn sort_rows(tables: &mut Vec<Value>, path: &str) -> Result<(), Failure> {
    let mut rows: Vec<(Vec<Value>, Value)> = Vec::new();
    for row in tables.iter().flat_map(|t| t.get("rows").items()) {
        rows.push((print::jsonpath::find(path, row.get("object"))?, row.clone()));
    }
    if !rows.is_empty() && rows.iter().all(|(key, _)| key.is_empty()) {
        return Err(Failure::error(format!(
            "couldn't find any field with path \"{}\" in the list of objects",
            braced(path)
        )));
    }
    rows.sort_by(|(a, _), (b, _)| order(a.first(), b.first()));
    let rows: Vec<Value> = rows.into_iter().map(|(_, row)| row).collect();
    if let Some(first) = tables.first_mut() {
        first.set("rows", rows);
        tables.truncate(1);
    }
    Ok(())
}

fn braced(path: &str) -> String {
    if path.starts_with('{') {
        path.to_owned()
    } else {
        format!("{{{}{path}}}", if path.starts_with('.') { "" } else { "." })
    }
}

/// Missing first, then numbers and quantities by size, text by natural order.
pub(crate) fn order(a: Option<&Value>, b: Option<&Value>) -> std::cmp::Ordering {
    match (a, b) {
        (None, None) => std::cmp::Ordering::Equal,
        (None, Some(_)) => std::cmp::Ordering::Less,
        (Some(_), None) => std::cmp::Ordering::Greater,
        (Some(Value::Int(a)), Some(Value::Int(b))) => a.cmp(b),
        (Some(a), Some(b)) => {
            let (a, b) = (print::jsonpath::shown(a), print::jsonpath::shown(b));
            match (
                api::quantity::Quantity::parse(&a),
                api::quantity::Quantity::parse(&b),
            ) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => a.cmp(&b),
            }
        }
    }
}

fn structured(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    selections: &[Selection],
    format: &Format,
) -> Result<(), Failure> {
    let mut objects: Vec<(Mapping, Value)> = Vec::new();
    let mut errors = Errors::new(given);
    let mut is_list = selections.len() > 1;
    let mut whole_list = None;
    for selection in selections {
        if selection.names.is_empty() {
            is_list = true;
            match fetch(ctx, request(given, scope, &selection.mapping, None))? {
                Ok(pages) => {
                    whole_list = pages.first().cloned();
                    for item in pages.iter().flat_map(|page| page.get("items").items()) {
                        let mut item = item.clone();
                        // Items of typed lists leave out what the list says for all of them.
                        if item.str("kind").is_empty() {
                            item.set("kind", &selection.mapping.kind);
                            item.set("apiVersion", selection.mapping.resource.api_version());
                        }
                        objects.push((selection.mapping.clone(), item));
                    }
                }
                Err(response) => errors.add(&explained(given, selection, response)),
            }
            continue;
        }
        is_list |= selection.names.len() > 1;
        for name in &selection.names {
            match fetch(ctx, request(given, scope, &selection.mapping, Some(name)))? {
                Ok(pages) => objects.extend(
                    pages
                        .into_iter()
                        .map(|object| (selection.mapping.clone(), object)),
                ),
                Err(response) => errors.add(&explained(given, selection, response)),
            }
        }
    }
    if let Some(path) = Some(given.text("sort-by")).filter(|p| !p.is_empty()) {
        let mut keyed = Vec::new();
        for (mapping, object) in objects {
            keyed.push((print::jsonpath::find(&path, &object)?, mapping, object));
        }
        keyed.sort_by(|(a, ..), (b, ..)| order(a.first(), b.first()));
        objects = keyed
            .into_iter()
            .map(|(_, mapping, object)| (mapping, object))
            .collect();
    }
    if format.hides_managed_fields(given) {
        for (_, object) in &mut objects {
            *object = print::without_managed_fields(object);
        }
    }
    match format {
        Format::Name => {
            for (mapping, object) in &objects {
                ctx.out(print::object(format, mapping, object)?);
            }
        }
        Format::CustomColumns { spec, .. } => {
            let values: Vec<Value> = objects.iter().map(|(_, object)| object.clone()).collect();
            if !values.is_empty() || is_list {
                ctx.out(print::columns::print(
                    spec,
                    &values,
                    !given.switch("no-headers"),
                )?);
            }
        }
        _ if !is_list => {
            if let Some((mapping, object)) = objects.first() {
                ctx.out(print::object(format, mapping, object)?);
            }
        }
        _ if objects.is_empty() && whole_list.is_none() => {}
        _ => {
            // kubectl joins everything into a v1 List; the API server's own list kind is not shown.
            let items: Vec<Value> = objects.iter().map(|(_, object)| object.clone()).collect();
            let all = map! { "apiVersion": "v1", "kind": "List", "metadata": map! { "resourceVersion": "" }, "items": items };
            let mapping = selections.first().map(|s| s.mapping.clone());
            if let Some(mapping) = mapping {
                ctx.out(print::object(format, &mapping, &all)?);
            }
        }
    }
    errors.finish()
}

/// A list that was refused says what was looked for.
fn explained(given: &Given, selection: &Selection, mut response: Response) -> Response {
    if !selection.names.is_empty() || !matches!(response.reason(), "BadRequest" | "NotFound") {
        return response;
    }
    let resource = &selection.mapping.resource;
    let resource = format!(
        "{}/{}, Resource={}",
        resource.group, resource.version, resource.plural
    );
    let (labels, fields) = (given.text("selector"), given.text("field-selector"));
    let message = if labels.is_empty() && fields.is_empty() {
        format!("Unable to list {resource:?}: {}", response.message())
    } else {
        format!(
            "Unable to find {resource:?} that match label selector {:?}, field selector {:?}: {}",
            labels.as_str(),
            fields.as_str(),
            response.message()
        )
    };
    response.body.set("message", message);
    response
}

/// Failures of single objects: printed after what was found; the command then exits with 1.
struct Errors {
    lines: Vec<String>,
    ignore_not_found: bool,
}

impl Errors {
    fn new(given: &Given) -> Errors {
        Errors {
            lines: Vec::new(),
            ignore_not_found: given.switch("ignore-not-found"),
        }
    }

    fn add(&mut self, response: &Response) {
        if !(self.ignore_not_found && response.reason() == "NotFound") {
            let line = crate::failure::server_text(response, "");
            if !self.lines.contains(&line) {
                self.lines.push(line);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn finish(self) -> Result<(), Failure> {
        if self.lines.is_empty() {
            Ok(())
        } else {
            Err(Failure::plain(self.lines.join("\n")))
        }
    }
}

fn watch(
    ctx: &mut Context<'_>,
    given: &Given,
    format: &Format,
    scope: &Scope,
    selections: &[Selection],
) -> Result<(), Failure> {
    let [Selection { mapping, names, .. }] = selections else {
        return Err(Failure::error(
            "you may only specify a single resource type",
        ));
    };
    if names.len() > 1 {
        return Err(Failure::error(
            "watch is only supported on individual resources and resource collections - more than 1 resource was found",
        ));
    }
    let is_wide = matches!(format, Format::Table { is_wide: true });
    let look = look(given, scope, mapping, is_wide, false);
    let name = names.first();
    let mut first = request(given, scope, mapping, name);
    first.options.table = format.is_table();
    first.options.limit = None;
    let pages = match fetch(ctx, first)? {
        Ok(pages) => pages,
        Err(response) => return Err(Failure::server(&response)),
    };
    let page = &pages[0];
    let version = page.path("metadata.resourceVersion");
    let mut watch = Request::watch(
        &mapping.resource,
        mapping.namespace(scope),
        version.as_shared_str().cloned().unwrap_or_default(),
    );
    watch.options.allow_watch_bookmarks = false;
    watch.options.label_selector = given.text("selector");
    watch.options.field_selector = match name {
        Some(name) => format!("metadata.name={name}").into(),
        None => given.text("field-selector"),
    };
    watch.options.table = format.is_table();
    // The columns of later rows stand where the first ones stood, unless they grow.
    let mut printed = String::new();
    if !given.switch("watch-only") {
        if format.is_table() {
            let has_rows = !page.get("rows").items().is_empty();
            if has_rows {
                printed = print::table::lines(&pages, &look, !look.no_headers);
                ctx.out(tabwriter::align(&printed, tabwriter::TABLE));
            }
        } else {
            let objects = if name.is_some() {
                std::slice::from_ref(page)
            } else {
                page.get("items").items()
            };
            for object in objects {
                ctx.out(print::object(
                    format,
                    mapping,
                    &shown_object(given, format, mapping, object),
                )?);
            }
        }
    }
    let until = request_timeout(given)?.map(|span| ctx.now() + span);
    let stream = ctx.open(watch)?;
    let mut widths = ctx.resume(Value::from(printed));
    let columns = page.get("columnDefinitions").clone();
    loop {
        let Some(arrival) = ctx.next_arrival(stream, until)? else {
            ctx.close(stream);
            return Ok(());
        };
        let event = match arrival {
            Arrival::Watch(event) => event,
            Arrival::Response(response) if response.is_success() => continue,
            Arrival::Response(response) => return Err(Failure::server(&response)),
            Arrival::Frame(_) => continue,
        };
        match event.kind {
            WatchKind::Bookmark => {}
            WatchKind::Error => {
                return Err(Failure::error(format!(
                    "watch ended: {}",
                    event.object.str("message")
                )));
            }
            kind if format.is_table() => {
                let mut table = event.object.clone();
                if table.get("columnDefinitions").items().is_empty() {
                    table.set("columnDefinitions", &columns);
                }
                let known = widths.as_str().unwrap_or_default().to_owned();
                let header = known.is_empty() && !look.no_headers;
                let mut rows = print::table::lines(&[table], &look, header);
                if given.switch("output-watch-events") {
                    rows = format!("{}\t{rows}", kind.as_str());
                }
                let aligned = tabwriter::align(&format!("{known}{rows}"), tabwriter::TABLE);
                let fresh: Vec<&str> = aligned.lines().skip(known.lines().count()).collect();
                ctx.out(fresh.join("\n") + "\n");
                // Only the widest cells matter for what follows: keep one line of them.
                widths = Value::from(widest(&format!("{known}{rows}")));
                ctx.checkpoint(widths.clone());
            }
            _ => {
                ctx.out(print::object(
                    format,
                    mapping,
                    &shown_object(given, format, mapping, &event.object),
                )?);
                ctx.checkpoint(Value::Null);
            }
        }
    }
}

/// `--request-timeout`: seconds, or a duration; none by default.
fn request_timeout(given: &Given) -> Result<Option<sim::Micros>, Failure> {
    let text = given.text("request-timeout");
    if text.is_empty() {
        return Ok(None);
    }
    let span = match text.parse::<u64>() {
        Ok(seconds) => Some(seconds.saturating_mul(sim::SECOND)),
        Err(_) => api::duration::parse(&text)
            .ok()
            .and_then(|nanos| u64::try_from(nanos).ok())
            .map(|nanos| nanos / 1_000),
    };
    match span {
        Some(span) => Ok(Some(span).filter(|span| *span > 0)),
        None => Err(Failure::error(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
        )),
    }
}

/// One line of blanks as wide as the widest cell of each column (`tabwriter.RememberWidths`).
fn widest(text: &str) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in text.lines() {
        for (at, cell) in line.split('\t').enumerate() {
            if widths.len() <= at {
                widths.push(0);
            }
            widths[at] = widths[at].max(cell.chars().count());
        }
    }
    let cells: Vec<String> = widths.iter().map(|width| " ".repeat(*width)).collect();
    cells.join("\t") + "\n"
}

fn shown_object(given: &Given, format: &Format, mapping: &Mapping, object: &Value) -> Value {
    let mut object = if format.hides_managed_fields(given) {
        print::without_managed_fields(object)
    } else {
        object.clone()
    };
    if object.str("kind").is_empty() {
        object.set("kind", &mapping.kind);
        object.set("apiVersion", mapping.resource.api_version());
    }
    object
}

fn from_files(ctx: &mut Context<'_>, given: &Given) -> Result<Vec<Selection>, Failure> {
    let mut selections = Vec::new();
    for document in files::read(ctx, given)? {
        let object = document.object;
        if let Some(mapping) = mapping_of(ctx, object.str("apiVersion"), object.str("kind"))? {
            let name = object.get("metadata").shared_str("name");
            selections.push(Selection {
                mapping,
                names: vec![name],
                is_pair: true,
            });
        }
    }
    Ok(selections)
}

fn raw(ctx: &mut Context<'_>, given: &Given) -> Result<(), Failure> {
    if let Some(request) = log_of(&given.text("raw")) {
        return super::logs::read(ctx, request, "");
    }
    let response = ctx.call(Request::path(given.text("raw")))?;
    if !response.is_success() {
        return Err(Failure::server(&response));
    }
    match &response.body {
        Value::Str(text) => ctx.out(text),
        // The one answer that the server indents for everybody.
        body if given.text("raw") == *"/version" => {
            ctx.out(version(body));
        }
        body => ctx.out(body.to_json() + "\n"),
    }
    Ok(())
}

/// The server's version with its fields in the order of the type.
fn version(body: &Value) -> String {
    const FIELDS: [&str; 13] = [
        "major",
        "minor",
        "emulationMajor",
        "emulationMinor",
        "minCompatibilityMajor",
        "minCompatibilityMinor",
        "gitVersion",
        "gitCommit",
        "gitTreeState",
        "buildDate",
        "goVersion",
        "compiler",
        "platform",
    ];
    let known = FIELDS.iter().filter(|field| body.has(field));
    let lines: Vec<String> = known
        .map(|field| format!("  {field:?}: {}", body.get(field).to_json()))
        .collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// The request for a pod's log that a path names: it comes as a stream, all else as one answer.
fn log_of(path: &str) -> Option<Request> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let rest = path.strip_prefix("/api/v1/namespaces/")?;
    let ["pods", name, "log"] = rest.split('/').skip(1).collect::<Vec<_>>()[..] else {
        return None;
    };
    let namespace = rest.split('/').next()?;
    let mut request = Request::get(
        &api::core::PODS,
        api::Str::new(namespace),
        api::Str::new(name),
    )
    .subresource("log");
    request.options.query = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (api::Str::new(key), api::Str::new(value)))
        .collect();
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_cells_are_remembered() {
        assert_eq!(widest("NAME\tAGE\nweb-1\t3s\n"), "     \t   \n");
    }
}
