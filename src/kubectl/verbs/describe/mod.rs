//! `kubectl describe`: everything about an object, for people.
//!
//! Models `kubectl/pkg/describe/describe.go`: one file per kind, a generic description for the rest.

mod access;
mod autoscaler;
mod batch;
mod config;
mod generic;
mod network;
mod node;
pub(crate) mod pod;
mod sets;
mod storage;
mod workload;

use api::{Map, Request, Str, Value, core, meta::Meta};

use super::files;
use crate::flags::{Flag, Given, array, number, switch, text};
use crate::print::tabwriter::{self, DESCRIBE};
use crate::resource::{Mapping, Scope, mapping_of, select};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("all-namespaces").short('A'),
    array("filename").short('f'),
    switch("recursive").short('R'),
    text("kustomize").short('k'),
    text("selector").short('l'),
    switch("show-events"),
    number("chunk-size"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("describe", FLAGS, args)?;
    let scope = Scope::of(ctx, &given)?;
    let mut found: Vec<(Mapping, Value)> = Vec::new();
    let mut errors = Vec::new();
    let selections = if given.names_files() {
        let mut all = Vec::new();
        for document in files::read(ctx, &given)? {
            if let Some(mapping) = mapping_of(
                ctx,
                document.object.str("apiVersion"),
                document.object.str("kind"),
            )? {
                let names = vec![document.object.get("metadata").shared_str("name")];
                all.push(crate::resource::Selection {
                    mapping,
                    names,
                    is_pair: true,
                });
            }
        }
        all
    } else if given.args.is_empty() {
        return Err(Failure::plain(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n\nerror: Required resource not specified.\nSee 'kubectl describe -h' for help and examples",
        ));
    } else {
        select(ctx, &given.args)?
    };
    for selection in selections {
        let namespace = selection.mapping.namespace(&scope);
        if selection.names.is_empty() {
            let list = ctx.object(
                Request::list(&selection.mapping.resource, namespace)
                    .labels(given.text("selector")),
            )?;
            found.extend(
                list.get("items")
                    .items()
                    .iter()
                    .map(|item| (selection.mapping.clone(), item.clone())),
            );
            continue;
        }
        for name in &selection.names {
            let response = ctx.call(Request::get(
                &selection.mapping.resource,
                namespace.clone(),
                name.clone(),
            ))?;
            if response.is_success() {
                found.push((selection.mapping.clone(), response.body));
                continue;
            }
            // A name that does not exist may be the beginning of names that do.
            let mut begin = Vec::new();
            if response.reason() == "NotFound" {
                let list = ctx.object(Request::list(
                    &selection.mapping.resource,
                    namespace.clone(),
                ))?;
                begin = list
                    .get("items")
                    .items()
                    .iter()
                    .filter(|item| Meta::of(item).name().starts_with(name.as_str()))
                    .cloned()
                    .collect();
            }
            if begin.is_empty() {
                errors.push(crate::failure::server_text(&response, ""));
            }
            found.extend(
                begin
                    .into_iter()
                    .map(|item| (selection.mapping.clone(), item)),
            );
        }
    }
    for (at, (mapping, object)) in found.iter().enumerate() {
        if at > 0 {
            ctx.out("\n\n");
        }
        let text = one(ctx, mapping, object, given.switch_or("show-events", true))?;
        ctx.out(tabwriter::align(&text, DESCRIBE));
    }
    if found.is_empty() && errors.is_empty() {
        let place = if scope.is_all {
            String::new()
        } else {
            format!(" in {} namespace.", scope.namespace)
        };
        ctx.err(format!("No resources found{place}\n"));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::plain(errors.join("\n")))
    }
}

/// The description before its columns are aligned.
fn one(
    ctx: &mut Context<'_>,
    mapping: &Mapping,
    object: &Value,
    with_events: bool,
) -> Result<String, Failure> {
    let mut text = Text::default();
    match (mapping.resource.group.as_str(), mapping.kind.as_str()) {
        ("", "Pod") => pod::describe(&mut text, object),
        ("", "Node") => node::describe(ctx, &mut text, object)?,
        ("apps", "Deployment") => workload::deployment(ctx, &mut text, object)?,
        ("apps", "ReplicaSet") => workload::replica_set(ctx, &mut text, object)?,
        ("apps", "DaemonSet") => sets::daemon_set(ctx, &mut text, object)?,
        ("apps", "StatefulSet") => sets::stateful_set(ctx, &mut text, object)?,
        ("", "ReplicationController") => sets::replication_controller(ctx, &mut text, object)?,
        ("batch", "Job") => batch::job(&mut text, object),
        ("batch", "CronJob") => batch::cron_job(&mut text, object),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler::describe(&mut text, object),
        ("", "Service") => network::service(ctx, &mut text, object)?,
        ("networking.k8s.io", "Ingress") => network::ingress(ctx, &mut text, object)?,
        ("networking.k8s.io", "IngressClass") => network::ingress_class(&mut text, object),
        ("networking.k8s.io", "NetworkPolicy") => network::policy(&mut text, object),
        ("", "Endpoints") => network::endpoints_object(&mut text, object),
        ("discovery.k8s.io", "EndpointSlice") => network::slice(&mut text, object),
        ("", "ConfigMap") => config::config_map(&mut text, object),
        ("", "Secret") => config::secret(&mut text, object),
        ("", "ServiceAccount") => config::service_account(&mut text, object),
        ("", "ResourceQuota") => config::quota(&mut text, object),
        ("", "LimitRange") => config::limit_range(&mut text, object),
        ("", "Namespace") => config::namespace(ctx, &mut text, object)?,
        ("scheduling.k8s.io", "PriorityClass") => config::priority_class(&mut text, object),
        ("policy", "PodDisruptionBudget") => config::disruption_budget(&mut text, object),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => access::role(&mut text, object),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            access::binding(&mut text, object);
        }
        ("", "PersistentVolumeClaim") => storage::claim(ctx, &mut text, object)?,
        ("", "PersistentVolume") => storage::volume(&mut text, object),
        ("storage.k8s.io", "StorageClass") => storage::class(&mut text, object),
        _ => generic::describe(&mut text, object),
    }
    const QUIET: &[&str] = &[
        "Secret",
        "ResourceQuota",
        "LimitRange",
        "Namespace",
        "NetworkPolicy",
        "Role",
        "ClusterRole",
        "RoleBinding",
        "ClusterRoleBinding",
    ];
    if with_events && !QUIET.contains(&mapping.kind.as_str()) {
        events(ctx, &mut text, mapping, object)?;
    }
    Ok(text.out)
}

/// Lines with indentation by level, cells separated by tabs.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) out: String,
}

impl Text {
    /// A line at `level` (two blanks each); `line` has no line end.
    pub(crate) fn line(&mut self, level: usize, line: impl AsRef<str>) {
        for _ in 0..level {
            self.out.push_str("  ");
        }
        self.out.push_str(line.as_ref());
        self.out.push('\n');
    }

    /// `Title:\tkey=value`, further pairs below each other; `<none>` if there are none.
    pub(crate) fn labels(&mut self, level: usize, title: &str, labels: &Map) {
        let pairs: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        self.column(level, title, &pairs);
    }

    /// Like labels, `key: value`; what kubectl itself keeps there is not shown.
    pub(crate) fn annotations(&mut self, level: usize, title: &str, annotations: &Map) {
        let mut pairs = Vec::new();
        for (key, value) in annotations
            .iter()
            .filter(|(key, _)| *key != super::apply::LAST_APPLIED)
        {
            let value = value.as_str().unwrap_or_default().trim_end_matches('\n');
            if (value.chars().count() + key.chars().count() + 2) < 140 && !value.contains('\n') {
                pairs.push(format!("{key}: {value}"));
            } else {
                pairs.push(format!("{key}:"));
                for line in value.lines() {
                    pairs.push(format!("  {}", shorten(line, 140 - 2)));
                }
            }
        }
        self.column(level, title, &pairs);
    }

    /// A title and values below each other.
    pub(crate) fn column(&mut self, level: usize, title: &str, values: &[String]) {
        match values.split_first() {
            None => self.line(level, format!("{title}:\t<none>")),
            Some((first, rest)) => {
                self.line(level, format!("{title}:\t{first}"));
                for value in rest {
                    self.line(level, format!("\t{value}"));
                }
            }
        }
    }
}

fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let cut: String = text.chars().take(max - 3).collect();
    format!("{cut}...")
}

/// `Mon, 23 Nov 2026 01:03:19 +0000`.
pub(crate) fn long_time(value: &Value) -> String {
    let Some(time) = value.as_str().and_then(sim::Time::parse_rfc3339) else {
        return "<unset>".to_owned();
    };
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let c = time.civil();
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000",
        DAYS[time.weekday() as usize],
        c.day,
        MONTHS[c.month as usize - 1],
        c.year,
        c.hour,
        c.minute,
        c.second
    )
}

/// How long ago `time` was: `5m3s`.
pub(crate) fn age(now: sim::Time, time: sim::Time) -> String {
    api::duration::human((now.since(time) / sim::SECOND) as i64)
}

/// `Deployment/web`, if the object has a controller.
pub(crate) fn controlled_by(text: &mut Text, object: &Value) {
    if let Some(owner) = Meta::of(object).controller() {
        text.line(
            0,
            format!("Controlled By:\t{}/{}", owner.kind(), owner.name()),
        );
    }
}

/// The table of events of an object, as the real one sorts and counts them.
fn events(
    ctx: &mut Context<'_>,
    text: &mut Text,
    mapping: &Mapping,
    object: &Value,
) -> Result<(), Failure> {
    let meta = Meta::of(object);
    let mut fields = format!("involvedObject.name={}", meta.name());
    if !meta.namespace().is_empty() {
        fields += &format!(",involvedObject.namespace={}", meta.namespace());
    }
    fields += &format!(",involvedObject.kind={}", mapping.kind);
    // Events about a static pod speak of the pod, not of its mirror.
    let mirrored = meta.annotation("kubernetes.io/config.mirror");
    let uid = match (mapping.kind.as_str(), mirrored) {
        ("Node", _) => meta.name(),
        ("Pod", Some(hash)) => hash,
        _ => meta.uid(),
    };
    if !uid.is_empty() {
        fields += &format!(",involvedObject.uid={uid}");
    }
    // Events about cluster-scoped objects live in `default`, and are found across all namespaces.
    let list = ctx.object(Request::list(&core::EVENTS, meta.shared_namespace()).fields(fields))?;
    let mut events: Vec<&Value> = list.get("items").items().iter().collect();
    if events.is_empty() {
        text.line(0, "Events:\t<none>");
        return Ok(());
    }
    // Those of the newer API have no such time, and come first.
    let time = |event: &Value, path: &str| {
        let text = event.path(path).as_str();
        text.and_then(sim::Time::parse_rfc3339)
    };
    events.sort_by_key(|event| time(event, "lastTimestamp"));
    let seen = |event: &Value| {
        let paths = ["series.lastObservedTime", "lastTimestamp", "eventTime"];
        paths.iter().find_map(|path| time(event, path))
    };
    text.line(
        0,
        "Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------",
    );
    let now = ctx.now();
    for event in events {
        let first = event
            .get("firstTimestamp")
            .as_str()
            .or(event.get("eventTime").as_str())
            .and_then(sim::Time::parse_rfc3339);
        let since =
            |time: Option<sim::Time>| time.map_or("<unknown>".to_owned(), |time| age(now, time));
        let count = event
            .path("series.count")
            .as_int()
            .or(event.int("count"))
            .unwrap_or(1);
        let when = if count > 1 {
            format!("{} (x{count} over {})", since(seen(event)), since(first))
        } else {
            since(first)
        };
        let source = match event.path("source.component").as_str() {
            Some(component) if !component.is_empty() => component,
            _ => event.str("reportingComponent"),
        };
        let field = event
            .path("involvedObject.fieldPath")
            .as_str()
            .unwrap_or_default();
        let message = event.str("message").trim();
        let message = if field.is_empty() {
            message.to_owned()
        } else {
            format!("{field}: {message}")
        };
        text.line(
            1,
            format!(
                "{}\t{}\t{when}\t{source}\t{message}",
                event.str("type"),
                event.str("reason")
            ),
        );
    }
    Ok(())
}
