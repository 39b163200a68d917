//! `kubectl run`: a pod by flags; with `--expose` a service too, with `--attach` or `-i` its output until it ends.
//!
//! Models `kubectl/pkg/cmd/run`. There is no terminal to type into: `-it` shows what the container prints.

use api::{Frame, Request, Str, Value, core, list, map, meta::Meta};

use super::apply::DryRun;
use crate::flags::{Flag, Given, array, duration, number, optional, switch, text};
use crate::print::Format;
use crate::resource::{Mapping, Scope, mapping_of};
use crate::{Arrival, Context, Failure, targets};

const FLAGS: &[Flag] = &[
    text("image"),
    text("image-pull-policy"),
    text("restart"),
    switch("rm"),
    switch("stdin").short('i'),
    switch("tty").short('t'),
    switch("attach"),
    switch("leave-stdin-open"),
    switch("command"),
    switch("quiet").short('q'),
    switch("privileged"),
    switch("expose"),
    number("port"),
    text("labels").short('l'),
    array("annotations"),
    array("env"),
    text("overrides"),
    text("override-type"),
    text("output").short('o'),
    text("template"),
    optional("dry-run", "unchanged"),
    text("field-manager"),
    switch("save-config"),
    switch("show-managed-fields"),
    duration("pod-running-timeout"),
    number("grace-period"),
    switch("force"),
    switch("wait"),
    duration("timeout"),
    optional("cascade", "background"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("run", FLAGS, args)?;
    let Some((name, words)) = given.args.split_first() else {
        return Err(Failure::usage("run", "NAME is required for run"));
    };
    let mut words = words.to_vec();
    words.extend(given.after_dashes.clone().unwrap_or_default());
    if given.text("image").is_empty() {
        return Err(Failure::error("--image is required"));
    }
    let image = given.text("image");
    if image.contains(char::is_whitespace) || image.chars().any(|c| "?*!\\".contains(c)) {
        return Err(Failure::error(format!(
            "Invalid image name {:?}: invalid reference format",
            image.as_str()
        )));
    }
    let is_attached = given.switch_or("attach", given.switch("stdin"));
    if given.switch("tty") && !given.switch("stdin") {
        return Err(Failure::error(
            "-i/--stdin is required for containers with -t/--tty=true",
        ));
    }
    let dry_run = DryRun::of(&given)?;
    if given.switch("rm") {
        if !is_attached {
            return Err(Failure::error(
                "--rm should only be used for attached containers",
            ));
        }
        if dry_run != DryRun::None {
            return Err(Failure::error(
                "--rm should only be used for attached containers",
            ));
        }
    }
    if given.switch("expose") && !given.has("port") {
        return Err(Failure::error("--port must be set when exposing a service"));
    }
    let restart = match given.text("restart").as_str() {
        "" => "Always",
        known @ ("Always" | "OnFailure" | "Never") => known,
        other => return Err(Failure::error(format!("invalid restart policy: {other}"))),
    }
    .to_owned();
    let scope = Scope::of(ctx, &given)?;
    let labels = labels(&given, name)?;
    let mut pod = pod(&given, name, &restart, &labels, &words)?;
    if given.has("overrides") {
        pod = overridden(&given, pod)?;
    }
    pod.set_path("metadata.namespace", scope.namespace.clone());
    let format = Format::of(&given)?;
    if given.switch("expose") {
        let port = given.number("port").unwrap_or_default();
        let service = map! {
            "apiVersion": "v1", "kind": "Service",
            "metadata": map! { "name": name.clone(), "labels": labels.clone(), "namespace": scope.namespace.clone() },
            "spec": map! {
                "ports": list![map! { "port": port, "protocol": "TCP", "targetPort": port }],
                "selector": labels,
            },
            "status": map! { "loadBalancer": map! {} },
        };
        create(ctx, &given, &scope, service, dry_run)?;
        if format == Format::Yaml {
            ctx.out("---\n---\n");
        }
    }
    if is_attached && dry_run == DryRun::None {
        return attached(ctx, &given, &scope, pod, &restart);
    }
    create(ctx, &given, &scope, pod, dry_run)
}

/// Creates it and says so, or prints it.
fn create(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    object: Value,
    dry_run: DryRun,
) -> Result<(), Failure> {
    let (mapping, made) = send(ctx, given, scope, object, dry_run)?;
    if given.switch("quiet") && Format::of(given)?.is_table() {
        return Ok(());
    }
    targets::report(ctx, given, &mapping, &made, "created", dry_run)
}

fn send(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    mut object: Value,
    dry_run: DryRun,
) -> Result<(Mapping, Value), Failure> {
    let mapping =
        mapping_of(ctx, "v1", &object.shared_str("kind"))?.expect("pods and services are built in");
    if dry_run == DryRun::Client {
        if !scope.is_explicit {
            object.remove_path("metadata.namespace");
        }
        return Ok((mapping, object));
    }
    if given.switch("save-config") {
        object = super::apply::with_last_applied(&object);
    }
    let mut request = Request::create(&mapping.resource, scope.namespace.clone(), object);
    request.options.dry_run = dry_run == DryRun::Server;
    request.options.field_manager = if given.has("field-manager") {
        given.text("field-manager")
    } else {
        "kubectl-run".into()
    };
    let made = ctx.object(request)?;
    Ok((mapping, made))
}

fn labels(given: &Given, name: &Str) -> Result<Value, Failure> {
    let mut labels = map! {};
    let text = given.text("labels");
    if text.is_empty() {
        labels.set("run", name.clone());
        return Ok(labels);
    }
    for pair in text.split(',') {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::error(format!("unexpected label spec: {pair}")));
        };
        labels.set(Str::new(key), Str::new(value));
    }
    Ok(labels)
}

fn pod(
    given: &Given,
    name: &Str,
    restart: &str,
    labels: &Value,
    words: &[Str],
) -> Result<Value, Failure> {
    let mut container =
        map! { "name": name.clone(), "image": given.text("image"), "resources": map! {} };
    if !words.is_empty() {
        let words: Vec<Value> = words.iter().map(Value::from).collect();
        container.set(
            if given.switch("command") {
                "command"
            } else {
                "args"
            },
            words,
        );
    }
    if given.switch("command") && words.is_empty() {
        return Err(Failure::error(
            "the --command flag requires at least one argument",
        ));
    }
    let mut env: Vec<Value> = Vec::new();
    for pair in given.all("env") {
        match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                env.push(map! { "name": Str::new(key), "value": Str::new(value) });
            }
            _ => return Err(Failure::error(format!("invalid env: {pair}"))),
        }
    }
    if !env.is_empty() {
        container.set("env", env);
    }
    if let Some(port) = given.number("port") {
        container.set("ports", list![map! { "containerPort": port }]);
    }
    if given.has("image-pull-policy") {
        container.set("imagePullPolicy", given.text("image-pull-policy"));
    }
    if given.switch("privileged") {
        container.set("securityContext", map! { "privileged": true });
    }
    if given.switch("stdin") {
        container.set("stdin", true);
        container.set("stdinOnce", !given.switch("leave-stdin-open"));
    }
    if given.switch("tty") {
        container.set("tty", true);
    }
    let mut metadata = map! { "name": name.clone(), "labels": labels.clone() };
    for pair in given.all("annotations") {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::error(format!(
                "unexpected annotation spec: {pair}"
            )));
        };
        metadata
            .entry("annotations")
            .set(Str::new(key), Str::new(value));
    }
    Ok(map! {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": metadata,
        "spec": map! {
            "containers": list![container],
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": Str::new(restart),
        },
        "status": map! {},
    })
}

fn overridden(given: &Given, pod: Value) -> Result<Value, Failure> {
    let text = given.text("overrides");
    let patch = Value::from_json(&text)
        .or_else(|_| api::yaml::load(&text).map_err(|why| why.to_string()))
        .map_err(|why| Failure::error(format!("Invalid JSON Patch: {why}")))?;
    let of = api::schema::of_kind("", "v1", "Pod").expect("pods have a schema");
    match given.text("override-type").as_str() {
        "" | "merge" => Ok(api::patch::merge::apply(&pod, &patch)),
        "strategic" => api::patch::strategic::apply(of, &pod, &patch).map_err(Failure::error),
        "json" => api::patch::json::apply(&pod, &patch).map_err(Failure::error),
        other => Err(Failure::error(format!("invalid override type: {other}"))),
    }
}

/// Waits for the container, shows what it prints until it ends, and ends as it did.
fn attached(
    ctx: &mut Context<'_>,
    given: &Given,
    scope: &Scope,
    pod: Value,
    restart: &str,
) -> Result<(), Failure> {
    let (mapping, made) = send(ctx, given, scope, pod, DryRun::None)?;
    let name = made.get("metadata").shared_str("name");
    let namespace = scope.namespace.clone();
    let limit = given
        .span("pod-running-timeout")?
        .unwrap_or(60 * sim::SECOND);
    let until = ctx.now() + limit;
    let started = |phase: &str| matches!(phase, "Running" | "Succeeded" | "Failed");
    let shown = follow(ctx, &made, &namespace, &name, Some(until), |pod| {
        let phase = pod.path("status.phase").as_str().unwrap_or_default();
        started(phase)
    })?;
    let result = match shown {
        None => Err(Failure::error("timed out waiting for the condition")),
        Some(_) => output(ctx, given, &made, &Str::EMPTY).and_then(|()| {
            if restart == "Always" {
                return Ok(());
            }
            let ended = follow(ctx, &made, &namespace, &name, None, |pod| {
                matches!(
                    pod.path("status.phase").as_str().unwrap_or_default(),
                    "Succeeded" | "Failed"
                )
            })?;
            outcome(ended.as_ref(), &namespace, &name)
        }),
    };
    if matches!(result, Err(Failure::Waiting)) {
        return result;
    }
    if given.switch("rm") {
        let response = ctx.call(Request::delete(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
        ))?;
        if response.is_success() {
            ctx.out(format!(
                "pod {:?} deleted from {namespace} namespace\n",
                name.as_str()
            ));
        }
    }
    result
}

/// Watches the pod until `is_done`; gives it as it is then, or `None` if time runs out.
fn follow(
    ctx: &mut Context<'_>,
    made: &Value,
    namespace: &Str,
    name: &Str,
    until: Option<sim::Time>,
    is_done: impl Fn(&Value) -> bool,
) -> Result<Option<Value>, Failure> {
    let version = made.get("metadata").shared_str("resourceVersion");
    let watch = Request::watch(&core::PODS, namespace.clone(), version)
        .fields(format!("metadata.name={name}"));
    let stream = ctx.open(watch)?;
    loop {
        match ctx.next_arrival(stream, until)? {
            None => {
                ctx.close(stream);
                return Ok(None);
            }
            Some(Arrival::Watch(event)) if event.kind == api::WatchKind::Error => {
                ctx.close(stream);
                return Ok(None);
            }
            Some(Arrival::Watch(event))
                if event.kind == api::WatchKind::Deleted || is_done(&event.object) =>
            {
                ctx.close(stream);
                return Ok(Some(event.object));
            }
            Some(_) => {}
        }
    }
}

/// What a container (the first, if unnamed) prints, to its end; what is typed or piped goes to it.
pub(crate) fn output(
    ctx: &mut Context<'_>,
    given: &Given,
    pod: &Value,
    container: &Str,
) -> Result<(), Failure> {
    if !given.switch("quiet") && given.switch("stdin") {
        ctx.err(super::exec::PROMPT_HINT);
    }
    let input = super::exec::input(ctx, given);
    if input.is_typed {
        return super::exec::follow(ctx, pod, container, &input);
    }
    // What is piped in goes another way than what is printed comes, so that nothing printed is missed.
    let meta = Meta::of(pod);
    let (namespace, name) = (meta.shared_namespace(), meta.shared_name());
    let sent = super::exec::send_input(ctx, &namespace, &name, container, &input)?;
    let mut request = Request::get(&core::PODS, namespace, name).subresource("log");
    request.options.query = vec![("follow".into(), "true".into())];
    if !container.is_empty() {
        let named = ("container".into(), container.clone());
        request.options.query.push(named);
    }
    let stream = ctx.open(request)?;
    loop {
        match ctx.next_arrival(stream, None)? {
            Some(Arrival::Frame(Frame::Data { text, channel: 2 })) => ctx.err(&*text),
            Some(Arrival::Frame(Frame::Data { text, .. })) => ctx.out(&*text),
            Some(Arrival::Frame(Frame::End { .. })) | None => break,
            Some(Arrival::Frame(Frame::Response(response)) | Arrival::Response(response)) => {
                if !response.is_success() {
                    ctx.close(stream);
                    return Err(Failure::server(&response));
                }
                ctx.out(response.body.as_str().unwrap_or_default());
                break;
            }
            Some(Arrival::Frame(Frame::Opened | Frame::Bytes { .. }) | Arrival::Watch(_)) => {}
        }
    }
    ctx.close(stream);
    if let Some(sent) = sent {
        ctx.close(sent);
    }
    Ok(())
}

/// The command ends with the container's exit code.
fn outcome(pod: Option<&Value>, namespace: &str, name: &str) -> Result<(), Failure> {
    let Some(pod) = pod.filter(|pod| pod.path("status.phase").as_str() == Some("Failed")) else {
        return Ok(());
    };
    let status = pod.path("status.containerStatuses").items().first();
    let ended = status.map(|s| s.path("state.terminated").clone());
    let ended = ended.unwrap_or_default();
    let Some(code) = ended.int("exitCode").filter(|code| *code != 0) else {
        return Err(Failure::error(format!(
            "pod {namespace}/{name} failed with unknown exit code"
        )));
    };
    Err(Failure::Exit {
        code: code as i32,
        message: format!(
            "pod {namespace}/{name} terminated ({})\n{}",
            ended.str("reason"),
            ended.str("message")
        ),
    })
}
