//! `kubectl top`: what pods and nodes use, as the metrics API has it.
//!
//! Models `kubectl/pkg/cmd/top` and `metricsutil` at v1.36.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use api::quantity::Quantity;
use api::{Request, Resource, Str, Value, meta::Meta};

use crate::flags::{Flag, Given, switch, text};
use crate::print::tabwriter::{self, TABLE};
use crate::resource::Scope;
use crate::{Context, Failure};

const POD_FLAGS: &[Flag] = &[
    text("selector").short('l'),
    text("field-selector"),
    text("sort-by"),
    switch("containers"),
    switch("all-namespaces").short('A'),
    switch("no-headers"),
    switch("use-protocol-buffers"),
    switch("sum"),
    switch("show-swap"),
];

const NODE_FLAGS: &[Flag] = &[
    text("selector").short('l'),
    text("sort-by"),
    switch("no-headers"),
    switch("use-protocol-buffers"),
    switch("show-capacity"),
    switch("show-swap"),
];

const PODS: Resource = Resource::of("metrics.k8s.io", "v1beta1", "pods");
const NODES: Resource = Resource::of("metrics.k8s.io", "v1beta1", "nodes");

/// A pod without metrics that is older than this has none because something is wrong.
const CREATION_DELAY: u64 = 2 * sim::MINUTE;

const UNKNOWN: &str = "<unknown>";

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let Some(word) = args.first() else {
        ctx.out("Display resource (CPU/memory) usage.\n\n This command provides a view of recent resource consumption for nodes and pods.\n\n The metrics shown come from the Metrics API, which needs a metrics server in the cluster.\n\nAvailable Commands:\n  node          Display resource (CPU/memory) usage of nodes\n  pod           Display resource (CPU/memory) usage of pods\n\nUsage:\n  kubectl top [flags] [options]\n\nUse \"kubectl top <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
        return Ok(());
    };
    let rest = &args[1..];
    match word.as_str() {
        "pod" | "pods" | "po" => pods(ctx, &Given::parse("top pod", POD_FLAGS, rest)?),
        "node" | "nodes" | "no" => nodes(ctx, &Given::parse("top node", NODE_FLAGS, rest)?),
        other => Err(Failure::usage("top", format!("unknown command {other:?}"))),
    }
}

fn pods(ctx: &mut Context<'_>, given: &Given) -> Result<(), Failure> {
    let name = one_name(given, "pod [NAME | -l label]", "top pod")?;
    check(given)?;
    if !name.is_empty() && (given.has("selector") || given.has("field-selector")) {
        return Err(Failure::error(
            "only one of NAME or selector can be provided",
        ));
    }
    let scope = Scope::of(ctx, given)?;
    demand_metrics(ctx)?;
    let namespace = if scope.is_all {
        Str::EMPTY
    } else {
        scope.namespace.clone()
    };
    let mut items = fetch(ctx, &PODS, namespace, &name, given)?;
    if items.is_empty() {
        explain_nothing(ctx, given, &scope.namespace)?;
        ctx.err(if scope.is_all {
            "No resources found\n".to_owned()
        } else {
            format!("No resources found in {} namespace.\n", scope.namespace)
        });
        return Ok(());
    }
    let resources = measured(given);
    let usage = |pod: &Value| total(pod.get("containers").items(), &resources);
    sort(&mut items, given, usage, |pod| {
        let meta = Meta::of(pod);
        let namespace = if scope.is_all { meta.namespace() } else { "" };
        (namespace.to_owned(), meta.name().to_owned())
    });
    let is_by_container = given.switch("containers");
    let mut rows = Rows::default();
    let mut columns = resources.len() + 1;
    if !given.switch("no-headers") {
        if scope.is_all {
            rows.cell("NAMESPACE");
        }
        if is_by_container {
            rows.cell("POD");
        }
        columns += usize::from(scope.is_all) + usize::from(is_by_container);
        rows.cell("NAME");
        resources.iter().for_each(|of| rows.cell(header(of)));
        rows.end();
    }
    for pod in &items {
        let meta = Meta::of(pod);
        let mut containers = pod.get("containers").items().to_vec();
        let usage_of = |container: &Value| total(std::slice::from_ref(container), &resources);
        sort(&mut containers, given, usage_of, |container| {
            (String::new(), container.str("name").to_owned())
        });
        let lines: Vec<(&str, Vec<Quantity>)> = if is_by_container {
            let line = |c| (Value::str(c, "name"), usage_of(c));
            containers.iter().map(line).collect()
        } else {
            vec![(meta.name(), usage(pod))]
        };
        for (name, used) in lines {
            if scope.is_all {
                rows.cell(meta.namespace());
            }
            if is_by_container {
                rows.cell(meta.name());
            }
            rows.cell(name);
            for (of, used) in resources.iter().zip(used) {
                rows.cell(&amount(of, used));
            }
            rows.end();
        }
    }
    if given.switch("sum") {
        for _ in 0..columns - 2 {
            rows.cell("");
        }
        rows.cell("________");
        rows.cell("________");
        rows.end();
        for _ in 0..columns - 2 {
            rows.cell("");
        }
        let all: Vec<Value> = items
            .iter()
            .flat_map(|pod| pod.get("containers").items().to_vec())
            .collect();
        for (of, used) in resources.iter().zip(total(&all, &resources)) {
            rows.cell(&amount(of, used));
        }
        rows.end();
    }
    ctx.out(tabwriter::align(&rows.0, TABLE));
    Ok(())
}

fn nodes(ctx: &mut Context<'_>, given: &Given) -> Result<(), Failure> {
    let name = one_name(given, "node [NAME | -l label]", "top node")?;
    check(given)?;
    if !name.is_empty() && given.has("selector") {
        return Err(Failure::error(
            "only one of NAME or --selector can be provided",
        ));
    }
    demand_metrics(ctx)?;
    let mut items = fetch(ctx, &NODES, Str::EMPTY, &name, given)?;
    if items.is_empty() {
        return Err(Failure::error("metrics not available yet"));
    }
    let of_nodes = Resource::of("", "v1", "nodes");
    let objects = fetch(ctx, &of_nodes, Str::EMPTY, &name, given)?;
    let resources = measured(given);
    let whole = if given.switch("show-capacity") {
        "capacity"
    } else {
        "allocatable"
    };
    let mut available: BTreeMap<String, Value> = objects
        .iter()
        .map(|node| {
            let name = Meta::of(node).name().to_owned();
            (name, node.get("status").get(whole).clone())
        })
        .collect();
    let usage = |node: &Value| total(std::slice::from_ref(node), &resources);
    sort(&mut items, given, usage, |node| {
        (String::new(), Meta::of(node).name().to_owned())
    });
    let mut rows = Rows::default();
    if !given.switch("no-headers") {
        rows.cell("NAME");
        for of in &resources {
            rows.cell(header(of));
            rows.cell(match *of {
                "cpu" => "CPU(%)",
                "memory" => "MEMORY(%)",
                _ => "SWAP(%)",
            });
        }
        rows.end();
    }
    for node in &items {
        let name = Meta::of(node).name();
        rows.cell(name);
        let available = available.remove(name).unwrap_or_default();
        for (of, used) in resources.iter().zip(usage(node)) {
            if *of == "swap" {
                // Machines without swap tell nothing about it.
                rows.cell(UNKNOWN);
                rows.cell(UNKNOWN);
                continue;
            }
            rows.cell(&amount(of, used));
            let whole = available.get(of);
            if !whole.is_null() {
                let whole = i128::from(Quantity::of(whole).millis());
                let share = (i128::from(used.millis()) * 100).checked_div(whole);
                rows.cell(&format!("{}%", share.unwrap_or(0)));
            }
        }
        rows.end();
    }
    // Nodes that told nothing.
    for name in available.keys() {
        rows.cell(name);
        for _ in 0..2 * resources.len() {
            rows.cell(UNKNOWN);
        }
        rows.end();
    }
    ctx.out(tabwriter::align(&rows.0, TABLE));
    Ok(())
}

fn one_name(given: &Given, usage: &str, command: &str) -> Result<Str, Failure> {
    match &given.args[..] {
        [] => Ok(Str::EMPTY),
        [name] => Ok(name.clone()),
        _ => Err(Failure::usage(command, usage)),
    }
}

fn check(given: &Given) -> Result<(), Failure> {
    match given.text("sort-by").as_str() {
        "" | "cpu" | "memory" => Ok(()),
        "swap" if given.switch("show-swap") => Ok(()),
        _ => Err(Failure::error("--sort-by accepts only cpu or memory")),
    }
}

/// Which of the groups that the server has say what is used.
fn demand_metrics(ctx: &mut Context<'_>) -> Result<(), Failure> {
    let groups = ctx.object(Request::path("/apis"))?;
    let is_it = |group: &Value| {
        let versions = group.get("versions").items();
        group.str("name") == "metrics.k8s.io"
            && versions.iter().any(|of| of.str("version") == "v1beta1")
    };
    if groups.get("groups").items().iter().any(is_it) {
        return Ok(());
    }
    Err(Failure::error("Metrics API not available"))
}

fn fetch(
    ctx: &mut Context<'_>,
    resource: &Resource,
    namespace: Str,
    name: &Str,
    given: &Given,
) -> Result<Vec<Value>, Failure> {
    if !name.is_empty() {
        return Ok(vec![ctx.object(Request::get(
            resource,
            namespace,
            name.clone(),
        ))?]);
    }
    let list = Request::list(resource, namespace)
        .labels(given.text("selector"))
        .fields(given.text("field-selector"));
    Ok(ctx.object(list)?.get("items").items().to_vec())
}

/// No pod has metrics: there is none, they are too young, or something is wrong.
fn explain_nothing(ctx: &mut Context<'_>, given: &Given, namespace: &Str) -> Result<(), Failure> {
    let pods = Resource::of("", "v1", "pods");
    let name = Str::EMPTY;
    let pods = fetch(ctx, &pods, namespace.clone(), &name, given)?;
    if pods.is_empty() {
        return Ok(());
    }
    for pod in &pods {
        let meta = Meta::of(pod);
        let born = meta.creation_time().unwrap_or(ctx.now());
        let age = ctx.now().since(born);
        if age > CREATION_DELAY {
            return Err(Failure::error(format!(
                "Metrics not available for pod {}/{}, age: {}",
                meta.namespace(),
                meta.name(),
                api::duration::format(age as i64 * 1_000)
            )));
        }
    }
    Err(Failure::error("metrics not available yet"))
}

/// The resources that stand in columns.
fn measured(given: &Given) -> Vec<&'static str> {
    let mut resources = vec!["cpu", "memory"];
    if given.switch("show-swap") {
        resources.push("swap");
    }
    resources
}

fn header(resource: &str) -> &'static str {
    match resource {
        "cpu" => "CPU(cores)",
        "memory" => "MEMORY(bytes)",
        _ => "SWAP(bytes)",
    }
}

/// What all of `parts` use together.
fn total(parts: &[Value], resources: &[&str]) -> Vec<Quantity> {
    let of = |resource: &&str| {
        let amounts = parts.iter().map(|part| part.get("usage").get(resource));
        amounts.filter(|a| !a.is_null()).map(Quantity::of).sum()
    };
    resources.iter().map(of).collect()
}

/// By what `--sort-by` names, the most first; else by name.
fn sort(
    items: &mut [Value],
    given: &Given,
    usage: impl Fn(&Value) -> Vec<Quantity>,
    name: impl Fn(&Value) -> (String, String),
) {
    let by = given.text("sort-by");
    let at = measured(given).iter().position(|of| by == **of);
    items.sort_by_cached_key(|item| {
        let first = at.map(|at| Reverse(usage(item)[at]));
        (first, name(item))
    });
}

fn amount(resource: &str, used: Quantity) -> String {
    match resource {
        "cpu" => format!("{}m", used.millis()),
        _ => format!("{}Mi", used.value() >> 20),
    }
}

/// Lines of cells that end in tabs.
#[derive(Default)]
struct Rows(String);

impl Rows {
    fn cell(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\t');
    }

    fn end(&mut self) {
        self.0.push('\n');
    }
}
