//! `kubectl cluster-info dump`: everything that helps to see what is wrong, as JSON and logs.
//!
//! Models `kubectl/pkg/cmd/clusterinfo/clusterinfo_dump.go`.

use api::{Request, Resource, Str, core};

use crate::flags::{Flag, Given, duration, many, switch, text};
use crate::resource::Scope;
use crate::{Arrival, Context, Failure, print};

const FLAGS: &[Flag] = &[
    switch("all-namespaces").short('A'),
    switch("allow-missing-template-keys"),
    many("namespaces"),
    text("output").short('o'),
    text("output-directory"),
    duration("pod-running-timeout"),
    switch("show-managed-fields"),
    text("template"),
];

/// What is dumped of every namespace, with the file's name.
const LISTS: &[(&str, &str, &str, &str)] = &[
    ("", "v1", "events", "events"),
    (
        "",
        "v1",
        "replicationcontrollers",
        "replication-controllers",
    ),
    ("", "v1", "services", "services"),
    ("apps", "v1", "daemonsets", "daemonsets"),
    ("apps", "v1", "deployments", "deployments"),
    ("apps", "v1", "replicasets", "replicasets"),
    ("", "v1", "pods", "pods"),
];

pub(super) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("cluster-info dump", FLAGS, args)?;
    let is_yaml = given.text("output") == "yaml";
    let dir = given.text("output-directory");
    let dir = if dir == "-" { Str::EMPTY } else { dir };
    let scope = Scope::of(ctx, &given)?;
    let ending = if is_yaml { "yaml" } else { "json" };
    let text = |value: &api::Value| {
        if is_yaml {
            api::yaml::emit(value)
        } else {
            print::json(value)
        }
    };
    let nodes = ctx.object(Request::list(&Resource::of("", "v1", "nodes"), ""))?;
    put(ctx, &dir, &format!("nodes.{ending}"), &text(&nodes))?;
    let namespaces: Vec<Str> = if given.switch("all-namespaces") {
        let all = ctx.object(Request::list(&Resource::of("", "v1", "namespaces"), ""))?;
        let names = all.get("items").items().iter();
        names
            .map(|n| n.get("metadata").shared_str("name"))
            .collect()
    } else if !given.all("namespaces").is_empty() {
        given.all("namespaces").to_vec()
    } else if scope.namespace == *"kube-system" {
        vec![scope.namespace.clone()]
    } else {
        vec!["kube-system".into(), scope.namespace.clone()]
    };
    for namespace in namespaces {
        let mut pods = Vec::new();
        for (group, version, plural, file) in LISTS {
            let resource = Resource::of(group, version, plural);
            let list = ctx.object(Request::list(&resource, namespace.clone()))?;
            put(
                ctx,
                &dir,
                &format!("{namespace}/{file}.{ending}"),
                &text(&list),
            )?;
            if *plural == "pods" {
                pods = list.get("items").items().to_vec();
            }
        }
        for pod in &pods {
            let name = pod.get("metadata").shared_str("name");
            let mut said = String::new();
            for container in core::Pod(pod).containers() {
                let title = format!(
                    "logs for container {} of pod {namespace}/{name}",
                    container.name()
                );
                said += &format!("==== START {title} ====\n");
                let container = Str::new(container.name());
                said += &logs(ctx, &namespace, &name, container)?;
                said += &format!("==== END {title} ====\n");
            }
            put(ctx, &dir, &format!("{namespace}/{name}/logs.txt"), &said)?;
        }
    }
    if !dir.is_empty() {
        ctx.out(format!("Cluster info dumped to {dir}\n"));
    }
    Ok(())
}

fn put(ctx: &mut Context<'_>, dir: &str, file: &str, text: &str) -> Result<(), Failure> {
    if dir.is_empty() {
        ctx.out(text);
        return Ok(());
    }
    let path = format!("{}/{file}", dir.trim_end_matches('/'));
    ctx.write_file(&path, text)?
        .map_err(|why| Failure::error(format!("open {path}: {why}")))
}

fn logs(
    ctx: &mut Context<'_>,
    namespace: &Str,
    pod: &Str,
    container: Str,
) -> Result<String, Failure> {
    let mut request = Request::get(&core::PODS, namespace.clone(), pod.clone()).subresource("log");
    request.options.query = vec![("container".into(), container)];
    let stream = ctx.open(request)?;
    let mut said = String::new();
    loop {
        match ctx.next_arrival(stream, None)? {
            Some(Arrival::Frame(api::Frame::Data { text, .. })) => said += &text,
            Some(Arrival::Response(response)) => {
                if response.is_success() {
                    said += response.body.as_str().unwrap_or_default();
                } else {
                    said += &format!("Request log error: {}\n", response.message());
                }
                break;
            }
            Some(Arrival::Watch(_)) => {}
            _ => break,
        }
    }
    ctx.close(stream);
    Ok(said)
}
