//! `kubectl debug`: a container more in a running pod, a changed copy of a pod, or a pod on a node that sees its files.
//!
//! Models `kubectl/pkg/cmd/debug`; what a profile allows stands in [`profile`].

mod profile;

use api::{Arrival, PatchKind, Request, Str, Value, core, list, map, meta::Meta};

use self::profile::{Keeps, Profile, Style};
use super::create::suffix;
use super::{exec, run};
use crate::flags::{Flag, Given, array, switch, text};
use crate::resource::Scope;
use crate::targets::{self, Target};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    switch("arguments-only"),
    switch("attach"),
    text("container").short('c'),
    text("copy-to"),
    text("custom"),
    array("env"),
    array("filename").short('f'),
    text("image"),
    text("image-pull-policy"),
    switch("keep-annotations"),
    switch("keep-init-containers"),
    switch("keep-labels"),
    switch("keep-liveness"),
    switch("keep-readiness"),
    switch("keep-startup"),
    text("profile"),
    switch("quiet").short('q'),
    switch("replace"),
    switch("same-node"),
    array("set-image"),
    switch("share-processes"),
    switch("stdin").short('i'),
    text("target"),
    switch("tty").short('t'),
];

/// What is asked for, once it has been found to make sense.
struct Wish {
    given: Given,
    /// What the new container runs.
    words: Vec<Str>,
    profile: Profile,
    /// A partial container that has the last word.
    custom: Option<Value>,
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("debug", FLAGS, args)?;
    let wish = Wish {
        words: given.after_dashes.clone().unwrap_or_default(),
        profile: Profile::of(&given.text("profile"))?,
        custom: custom(ctx, &given)?,
        given,
    };
    check(ctx, &wish)?;
    let given = &wish.given;
    let scope = Scope::of(ctx, given)?;
    let named: Vec<Str> = given
        .args
        .iter()
        .map(|name| match name.contains('/') {
            true => name.clone(),
            false => format!("pods/{name}").into(),
        })
        .collect();
    let found = targets::find(ctx, given, &scope, &named)?;
    for target in &found.found {
        let (pod, container) = match target.mapping.kind.as_str() {
            "Node" => on_node(ctx, &wish, &scope, &target.name())?,
            "Pod" if given.has("copy-to") => by_copy(ctx, &wish, target)?,
            "Pod" => beside(ctx, &wish, target)?,
            kind => {
                let resource = &target.mapping.resource;
                return Err(Failure::error(format!(
                    "\"{}, Kind={kind}\" not supported by debug",
                    resource.api_version()
                )));
            }
        };
        if given.switch_or("attach", given.switch("stdin")) && !container.is_empty() {
            attach(ctx, given, &pod, &container)?;
        }
    }
    found.finish()
}

/// Refuses what does not go together, and says what will be different.
fn check(ctx: &mut Context<'_>, wish: &Wish) -> Result<(), Failure> {
    let given = &wish.given;
    let refuse = |why: &str| Err(Failure::error(why));
    let has_image = given.has("image");
    if given.switch("attach") && !has_image && !given.has("container") {
        return refuse(
            "you must specify --container or create a new container using --image in order to attach.",
        );
    }
    if given.has("copy-to") {
        if !has_image && !given.has("set-image") && wish.words.is_empty() {
            return refuse("you must specify --image, --set-image or command arguments.");
        }
        if !wish.words.is_empty() && !given.has("container") && !has_image {
            return refuse(
                "you must specify an existing container or a new image when specifying args.",
            );
        }
    } else {
        for flag in ["replace", "same-node"] {
            if given.switch(flag) {
                return refuse(&format!("--{flag} may only be used with --copy-to."));
            }
        }
        if given.has("set-image") {
            return refuse("--set-image may only be used with --copy-to.");
        }
        if !has_image {
            return refuse("you must specify --image when not using --copy-to.");
        }
    }
    let image = given.text("image");
    if has_image && (image.is_empty() || image.contains(char::is_whitespace)) {
        return refuse(&format!(
            "invalid image name {:?}: invalid reference format",
            image.as_str()
        ));
    }
    if given.args.is_empty() && !given.names_files() {
        return refuse("NAME or filename is required for debug");
    }
    let policy = given.text("image-pull-policy");
    if !["", "Always", "IfNotPresent", "Never"].contains(&policy.as_str()) {
        return refuse(&format!("invalid image pull policy: {policy}"));
    }
    if given.has("target") {
        if given.has("copy-to") {
            return refuse(
                "--target is incompatible with --copy-to. Use --share-processes instead.",
            );
        }
        if !given.switch("quiet") {
            ctx.out(format!(
                "Targeting container {:?}. If you don't see processes from this container it may be because the container runtime doesn't support this feature.\n",
                given.text("target").as_str()
            ));
        }
    }
    if given.switch("tty") && !given.switch("stdin") {
        return refuse("-i/--stdin is required for containers with -t/--tty=true");
    }
    if wish.profile == Profile::Legacy {
        ctx.err("--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a profile, for example \"--profile=general\".\n");
    }
    Ok(())
}

/// The partial container of `--custom`.
fn custom(ctx: &mut Context<'_>, given: &Given) -> Result<Option<Value>, Failure> {
    if !given.has("custom") {
        return Ok(None);
    }
    let path = given.text("custom");
    let text = ctx.read_file(&path)?.map_err(|why| {
        Failure::error(format!(
            "must pass a container spec json file for custom profile: open {path}: {why}"
        ))
    })?;
    let custom = api::yaml::load(&text).map_err(|why| {
        Failure::error(format!(
            "{path} does not contain a valid container spec: {why}"
        ))
    })?;
    let fixed = ["name", "command", "image", "lifecycle", "volumeDevices"];
    if fixed.iter().any(|field| custom.has(field)) {
        return Err(Failure::error(
            "name, command, image, lifecycle and volume devices are not modifiable via custom profile",
        ));
    }
    Ok(Some(custom))
}

/// Adds an ephemeral container to the pod.
fn beside(ctx: &mut Context<'_>, wish: &Wish, target: &Target) -> Result<(Value, Str), Failure> {
    let name = container_name(ctx, wish, &target.object);
    let mut container = new_container(wish, &name)?;
    if wish.given.has("target") {
        container.set("targetContainerName", wish.given.text("target"));
    }
    wish.profile.secure(&mut container, Style::Beside);
    let container = customized(wish, container)?;
    let mut changed = target.object.clone();
    let spec = changed.entry("spec");
    let mut all = spec.get("ephemeralContainers").items().to_vec();
    all.push(container);
    spec.set("ephemeralContainers", all);
    let patch = api::patch::strategic::two_way(pod_type(), &target.object, &changed)
        .map_err(|why| Failure::error(format!("error creating patch: {why}")))?;
    let request = Request::patch(
        &core::PODS,
        target.namespace.clone(),
        target.name(),
        PatchKind::Strategic,
        patch,
    )
    .subresource("ephemeralcontainers");
    let pod = ctx.object(request)?;
    Ok((pod, name))
}

/// Creates a copy of the pod with a container more, or with one changed.
fn by_copy(ctx: &mut Context<'_>, wish: &Wish, target: &Target) -> Result<(Value, Str), Failure> {
    let given = &wish.given;
    let old = Meta::of(&target.object);
    let mut metadata =
        map! { "name": given.text("copy-to"), "namespace": target.namespace.clone() };
    for field in ["annotations", "labels"] {
        let value = target.object.get("metadata").get(field);
        if !value.is_null() {
            metadata.set(field, value);
        }
    }
    let mut spec = target.object.get("spec").clone();
    spec.remove("ephemeralContainers");
    if given.has("share-processes") {
        spec.set("shareProcessNamespace", given.switch("share-processes"));
    }
    if !given.switch("same-node") {
        spec.remove("nodeName");
    }
    let images = pairs(given, "set-image")?;
    for container in spec.entry("containers").list_mut() {
        let of = |name: &str| images.iter().find(|(of, _)| of == name);
        let own = of(container.str("name")).or(of("*"));
        if let Some((_, image)) = own {
            container.set("image", image.clone());
        }
    }
    let mut pod = map! { "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec };
    let name = match given.text("container") {
        known if is_container(&pod, &known) => known,
        _ if !given.has("image") && given.has("set-image") => Str::EMPTY,
        _ if !given.has("image") => {
            return Err(Failure::error(
                "you must specify image when creating new container",
            ));
        }
        _ => container_name(ctx, wish, &target.object),
    };
    if !name.is_empty() {
        let is_known = is_container(&pod, &name);
        let spec = pod.entry("spec");
        if !is_known {
            let added = map! { "name": name.clone(), "terminationMessagePolicy": "File" };
            let mut all = spec.get("containers").items().to_vec();
            all.push(added);
            spec.set("containers", all);
        }
        for container in spec.entry("containers").list_mut() {
            if *container.str("name") == *name {
                changed(wish, container)?;
                wish.profile.secure(container, Style::Copy);
                *container = customized(wish, container.clone())?;
            }
        }
        wish.profile.shape(&mut pod, Style::Copy, &keeps(given));
    }
    let created = ctx.object(Request::create(&core::PODS, target.namespace.clone(), pod))?;
    if given.switch("replace") {
        let mut request = Request::delete(&core::PODS, target.namespace.clone(), old.shared_name());
        request.options.grace_period_secs = Some(0);
        ctx.object(request)?;
    }
    Ok((created, name))
}

/// Creates a pod on the node that has the node's namespaces and files.
fn on_node(
    ctx: &mut Context<'_>,
    wish: &Wish,
    scope: &Scope,
    node: &Str,
) -> Result<(Value, Str), Failure> {
    let given = &wish.given;
    let container = match given.text("container") {
        none if none.is_empty() => Str::from("debugger"),
        named => named,
    };
    let name = format!("node-debugger-{node}-{}", suffix(ctx, node));
    if !given.switch("quiet") {
        ctx.out(format!(
            "Creating debugging pod {name} with container {container} on node {node}.\n"
        ));
    }
    let mut spec = new_container(wish, &container)?;
    wish.profile.secure(&mut spec, Style::Node);
    let spec = customized(wish, spec)?;
    let mut pod = map! {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": map! {
            "name": name,
            "namespace": scope.namespace.clone(),
            "labels": map! { "app.kubernetes.io/managed-by": "kubectl-debug" },
        },
        "spec": map! {
            "containers": list![spec],
            "nodeName": node.clone(),
            "restartPolicy": "Never",
            "tolerations": list![map! { "operator": "Exists" }],
        },
    };
    wish.profile.shape(&mut pod, Style::Node, &keeps(given));
    let created = ctx.object(Request::create(&core::PODS, scope.namespace.clone(), pod))?;
    Ok((created, container))
}

fn keeps(given: &Given) -> Keeps {
    Keeps {
        labels: given.switch("keep-labels"),
        annotations: given.switch("keep-annotations"),
        liveness: given.switch("keep-liveness"),
        readiness: given.switch("keep-readiness"),
        startup: given.switch("keep-startup"),
        init_containers: given.switch_or("keep-init-containers", true),
    }
}

fn new_container(wish: &Wish, name: &Str) -> Result<Value, Failure> {
    let mut container = map! { "name": name.clone(), "terminationMessagePolicy": "File" };
    changed(wish, &mut container)?;
    Ok(container)
}

/// Gives a container what the flags say.
fn changed(wish: &Wish, container: &mut Value) -> Result<(), Failure> {
    let given = &wish.given;
    if !wish.words.is_empty() {
        let words: Vec<Value> = wish.words.iter().map(Value::from).collect();
        if given.switch("arguments-only") {
            container.set("args", words);
        } else {
            container.set("command", words);
            container.remove("args");
        }
    }
    let env: Vec<Value> = pairs(given, "env")?
        .into_iter()
        .map(|(name, value)| map! { "name": name, "value": value })
        .collect();
    if !env.is_empty() {
        container.set("env", env);
    }
    for (flag, field) in [("image", "image"), ("image-pull-policy", "imagePullPolicy")] {
        if given.has(flag) {
            container.set(field, given.text(flag));
        }
    }
    for (flag, field) in [("stdin", "stdin"), ("tty", "tty")] {
        container.set(field, given.switch(flag));
    }
    Ok(())
}

fn customized(wish: &Wish, container: Value) -> Result<Value, Failure> {
    let Some(custom) = &wish.custom else {
        return Ok(container);
    };
    let wrap = |container: &Value| map! { "spec": map! { "containers": list![container.clone()] } };
    let mut custom = custom.clone();
    custom.set("name", container.shared_str("name"));
    let merged = api::patch::strategic::apply(pod_type(), &wrap(&container), &wrap(&custom))
        .map_err(|why| Failure::error(format!("error applying the custom profile: {why}")))?;
    Ok(merged.path("spec.containers").items()[0].clone())
}

fn pod_type() -> api::schema::Type {
    api::patch::strategic::type_of("", "v1", "Pod").expect("pods are built in")
}

/// `KEY=value` pairs, of which one flag may hold several.
fn pairs(given: &Given, flag: &str) -> Result<Vec<(Str, Str)>, Failure> {
    let all = given.all(flag).iter().flat_map(|text| text.split(','));
    all.map(|pair| match pair.split_once('=') {
        Some((key, value)) => Ok((Str::new(key), Str::new(value))),
        None => Err(Failure::error(format!(
            "invalid argument {pair:?} for \"--{flag}\" flag: {pair} must be formatted as key=value"
        ))),
    })
    .collect()
}

fn is_container(pod: &Value, name: &str) -> bool {
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let mut all = lists
        .iter()
        .flat_map(|list| pod.get("spec").get(list).items());
    all.any(|container| container.str("name") == name)
}

/// The name of the new container.
fn container_name(ctx: &mut Context<'_>, wish: &Wish, pod: &Value) -> Str {
    let wanted = wish.given.text("container");
    if !wanted.is_empty() {
        return wanted;
    }
    let name = format!("debugger-{}", suffix(ctx, Meta::of(pod).name()));
    if !wish.given.switch("quiet") {
        ctx.out(format!("Defaulting debug container name to {name}.\n"));
    }
    name.into()
}

/// Waits until the container runs or has ended, and shows what it prints.
fn attach(
    ctx: &mut Context<'_>,
    given: &Given,
    pod: &Value,
    container: &Str,
) -> Result<(), Failure> {
    let meta = Meta::of(pod);
    let (namespace, name) = (meta.shared_namespace(), meta.shared_name());
    let version = pod.get("metadata").shared_str("resourceVersion");
    let watch = Request::watch(&core::PODS, namespace.clone(), version)
        .fields(format!("metadata.name={name}"));
    let stream = ctx.open(watch)?;
    let mut warned = Str::EMPTY;
    let is_there = loop {
        let Some(Arrival::Watch(event)) = ctx.next_arrival(stream, None)? else {
            continue;
        };
        if event.kind == api::WatchKind::Deleted || event.kind == api::WatchKind::Error {
            return Err(Failure::plain(
                "Error from server (NotFound): pods \"\" not found",
            ));
        }
        let state = state_of(&event.object, container);
        if state.has("running") || state.has("terminated") {
            break state.has("running");
        }
        let why = state.get("waiting").shared_str("message");
        if !why.is_empty() && why != warned && !given.switch("quiet") {
            ctx.err(format!("Warning: container {container}: {why}\n"));
            warned = why;
        }
    };
    ctx.close(stream);
    if !is_there {
        let mut request =
            Request::get(&core::PODS, namespace.clone(), name.clone()).subresource("log");
        request.options.query = vec![("container".into(), container.clone())];
        return super::logs::read(ctx, request, "");
    }
    let is_terminal = exec::input(ctx, given).is_terminal();
    run::output(ctx, given, pod, container)?;
    let is_ephemeral = pod.get("spec").has("ephemeralContainers");
    if is_terminal && is_ephemeral && !given.switch("quiet") {
        ctx.out(format!(
            "Session ended, the ephemeral container will not be restarted but may be reattached using 'kubectl attach {name} -c {container} -n {namespace} -i -t' if it is still running\n"
        ));
    }
    Ok(())
}

fn state_of(pod: &Value, container: &str) -> Value {
    let lists = [
        "containerStatuses",
        "initContainerStatuses",
        "ephemeralContainerStatuses",
    ];
    let mut all = lists
        .iter()
        .flat_map(|list| pod.get("status").get(list).items());
    all.find(|status| status.str("name") == container)
        .map(|status| status.get("state").clone())
        .unwrap_or_default()
}
