//! `kubectl events`: what happened, oldest first; of one object with `--for`, followed with `--watch`.
//!
//! Models `kubectl/pkg/cmd/events`.

use api::{Request, Str, Value, WatchKind, core, meta::Meta};

use crate::flags::{Flag, Given, many, number, switch, text};
use crate::print::{self, Format};
use crate::resource::{Scope, mapping_of, select};
use crate::{Arrival, Context, Failure};

const FLAGS: &[Flag] = &[
    text("for"),
    many("types"),
    switch("watch").short('w'),
    switch("all-namespaces").short('A'),
    switch("no-headers"),
    number("chunk-size"),
    text("output").short('o'),
    text("template"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("events", FLAGS, args)?;
    let scope = Scope::of(ctx, &given)?;
    for kind in given.all("types") {
        if !["normal", "warning"].contains(&kind.to_lowercase().as_str()) {
            return Err(Failure::error("valid --types are Normal or Warning"));
        }
    }
    let mut fields = String::new();
    if given.has("for") {
        let selections = select(ctx, &[given.text("for")])?;
        let Some(selection) = selections.first().filter(|s| !s.names.is_empty()) else {
            return Err(Failure::error("--for must be in resource/name form"));
        };
        fields = format!(
            "involvedObject.kind={},involvedObject.name={}",
            selection.mapping.kind, selection.names[0]
        );
    }
    let namespace = if scope.is_all {
        Str::EMPTY
    } else {
        scope.namespace.clone()
    };
    let listing = Request::list(&core::EVENTS, namespace.clone()).fields(fields.clone());
    let found = ctx.object(listing)?;
    let mut events: Vec<Value> = found
        .get("items")
        .items()
        .iter()
        .filter(|event| is_wanted(&given, event))
        .cloned()
        .collect();
    events.sort_by_key(last_seen);
    let format = Format::of(&given)?;
    if events.is_empty() && !given.switch("watch") {
        let place = if scope.is_all {
            "No events found.".to_owned()
        } else {
            format!("No events found in {} namespace.", scope.namespace)
        };
        ctx.err(format!("{place}\n"));
        return Ok(());
    }
    if !format.is_table() {
        let mapping = mapping_of(ctx, "v1", "Event")?.expect("events are built in");
        let mut list = found.clone();
        list.set("items", events);
        let text = print::object(&format, &mapping, &print::without_managed_fields(&list))?;
        ctx.out(text);
        return Ok(());
    }
    let mut out = String::new();
    if !given.switch("no-headers") {
        if scope.is_all {
            out += "NAMESPACE\t";
        }
        out += "LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n";
    }
    let now = ctx.now();
    for event in &events {
        out += &row(&scope, now, event);
    }
    ctx.out(print::tabwriter::align(&out, print::tabwriter::TABLE));
    if !given.switch("watch") {
        return Ok(());
    }
    let version = found.get("metadata").shared_str("resourceVersion");
    let watch = Request::watch(&core::EVENTS, namespace, version).fields(fields);
    let stream = ctx.open(watch)?;
    ctx.resume(Value::Null);
    loop {
        if let Some(Arrival::Watch(event)) = ctx.next_arrival(stream, None)?
            && matches!(event.kind, WatchKind::Added | WatchKind::Modified)
            && is_wanted(&given, &event.object)
        {
            let line = row(&scope, ctx.now(), &event.object);
            ctx.out(print::tabwriter::align(&line, print::tabwriter::TABLE));
        }
        ctx.checkpoint(Value::Null);
    }
}

fn is_wanted(given: &Given, event: &Value) -> bool {
    let types = given.all("types");
    types.is_empty()
        || types
            .iter()
            .any(|kind| kind.to_lowercase() == event.str("type").to_lowercase())
}

fn time(event: &Value, path: &str) -> Option<sim::Time> {
    event.path(path).as_str().and_then(sim::Time::parse_rfc3339)
}

fn last_seen(event: &Value) -> Option<sim::Time> {
    time(event, "series.lastObservedTime")
        .or(time(event, "lastTimestamp"))
        .or(time(event, "eventTime"))
}

fn row(scope: &Scope, now: sim::Time, event: &Value) -> String {
    let first = time(event, "firstTimestamp").or(time(event, "eventTime"));
    let since = |time: Option<sim::Time>| {
        time.map_or("<unknown>".to_owned(), |time| {
            super::describe::age(now, time)
        })
    };
    let count = event
        .path("series.count")
        .as_int()
        .or(event.int("count"))
        .unwrap_or(1);
    let seen = if count > 1 {
        format!(
            "{} (x{count} over {})",
            since(last_seen(event)),
            since(first)
        )
    } else {
        since(first.or(last_seen(event)))
    };
    let object = event.get("involvedObject");
    let place = if scope.is_all {
        format!("{}\t", Meta::of(event).namespace())
    } else {
        String::new()
    };
    format!(
        "{place}{seen}\t{}\t{}\t{}/{}\t{}\n",
        event.str("type"),
        event.str("reason"),
        object.str("kind"),
        object.str("name"),
        event.str("message").trim()
    )
}
