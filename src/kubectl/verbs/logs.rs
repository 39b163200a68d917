//! `kubectl logs`: of a pod's container, once or followed.
//!
//! Models `kubectl/pkg/cmd/logs`.

use api::{Frame, Request, Response, Str, Value, core};

use crate::flags::{Flag, Given, duration, number, switch, text};
use crate::resource::{Scope, select};
use crate::{Arrival, Context, Failure};

const FLAGS: &[Flag] = &[
    switch("follow").short('f'),
    switch("previous").short('p'),
    text("container").short('c'),
    switch("all-containers"),
    switch("all-pods"),
    switch("timestamps"),
    number("tail"),
    duration("since"),
    text("since-time"),
    number("limit-bytes"),
    switch("prefix"),
    text("selector").short('l'),
    number("max-log-requests"),
    switch("ignore-errors"),
    switch("insecure-skip-tls-verify-backend"),
    duration("pod-running-timeout"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("logs", FLAGS, args)?;
    if given.args.len() == 2 && given.has("container") {
        return Err(Failure::error(
            "only one of -c or an inline [CONTAINER] arg is allowed",
        ));
    }
    let scope = Scope::of(ctx, &given)?;
    let pods = pods(ctx, &given, &scope)?;
    let mut sources = Vec::new();
    for pod in &pods {
        for container in containers(ctx, &given, pod)? {
            sources.push((pod.clone(), container));
        }
    }
    let mut streams = Vec::new();
    for (pod, container) in &sources {
        let meta = core::Pod(pod).meta();
        let mut request = Request::get(&core::PODS, meta.shared_namespace(), meta.shared_name())
            .subresource("log");
        let mut query = vec![(Str::from("container"), container.clone())];
        if given.switch("follow") {
            query.push(("follow".into(), "true".into()));
        }
        for (flag, parameter) in [("previous", "previous"), ("timestamps", "timestamps")] {
            if given.switch(flag) {
                query.push((parameter.into(), "true".into()));
            }
        }
        let tail = given
            .number("tail")
            .filter(|n| *n >= 0)
            .or(given.has("selector").then_some(10));
        if let Some(tail) = tail {
            query.push(("tailLines".into(), tail.to_string().into()));
        }
        if let Some(span) = given.span("since")? {
            query.push((
                "sinceSeconds".into(),
                span.div_ceil(sim::SECOND).to_string().into(),
            ));
        }
        if given.has("since-time") {
            query.push(("sinceTime".into(), given.text("since-time")));
        }
        if let Some(limit) = given.number("limit-bytes").filter(|n| *n > 0) {
            query.push(("limitBytes".into(), limit.to_string().into()));
        }
        request.options.query = query;
        let prefix = if given.switch("prefix") {
            format!("[pod/{}/{container}] ", meta.name())
        } else {
            String::new()
        };
        if given.switch("follow") {
            streams.push((ctx.open(request)?, prefix));
        } else {
            read(ctx, request, &prefix)?;
        }
    }
    // Followed streams are read in turn; the record stays short because nothing depends on what was printed.
    if let [(stream, prefix)] = &streams[..] {
        ctx.resume(Value::Null);
        loop {
            match ctx.next_arrival(*stream, None)? {
                Some(Arrival::Frame(Frame::End { .. })) => return Ok(()),
                Some(arrival) => print_arrival(ctx, arrival, prefix)?,
                None => {}
            }
            ctx.checkpoint(Value::Null);
        }
    }
    let mut open: Vec<bool> = streams.iter().map(|_| true).collect();
    while open.iter().any(|is_open| *is_open) {
        for (at, (stream, prefix)) in streams.iter().enumerate() {
            if !open[at] {
                continue;
            }
            let until = ctx.now() + 100 * sim::MILLI;
            match ctx.next_arrival(*stream, Some(until))? {
                Some(Arrival::Frame(Frame::End { .. })) => open[at] = false,
                Some(arrival) => print_arrival(ctx, arrival, prefix)?,
                None => {}
            }
        }
    }
    Ok(())
}

/// Prints a log as it is now.
pub(crate) fn read(ctx: &mut Context<'_>, request: Request, prefix: &str) -> Result<(), Failure> {
    let stream = ctx.open(request)?;
    loop {
        match ctx.next_arrival(stream, None)? {
            Some(Arrival::Frame(Frame::End { .. })) => break,
            Some(Arrival::Response(response))
                if response.is_success() && response.body.as_str().is_some() =>
            {
                print_text(ctx, response.body.as_str().unwrap_or_default(), prefix);
                break;
            }
            Some(arrival) => print_arrival(ctx, arrival, prefix)?,
            None => {}
        }
    }
    ctx.close(stream);
    Ok(())
}

fn print_arrival(ctx: &mut Context<'_>, arrival: Arrival, prefix: &str) -> Result<(), Failure> {
    let refuse = |response: Response| Err(Failure::server(&response));
    match arrival {
        Arrival::Frame(Frame::Data { text, .. }) => print_text(ctx, &text, prefix),
        Arrival::Frame(Frame::Response(response)) | Arrival::Response(response) => {
            if !response.is_success() {
                return refuse(response);
            }
            print_text(ctx, response.body.as_str().unwrap_or_default(), prefix);
        }
        _ => {}
    }
    Ok(())
}

fn print_text(ctx: &mut Context<'_>, text: &str, prefix: &str) {
    if prefix.is_empty() {
        ctx.out(text);
    } else {
        for line in text.split_inclusive('\n') {
            ctx.out(format!("{prefix}{line}"));
        }
    }
}

/// The pods meant: one by name, those of a selector, or the first of a workload.
fn pods(ctx: &mut Context<'_>, given: &Given, scope: &Scope) -> Result<Vec<Value>, Failure> {
    if given.has("selector") {
        if !given.args.is_empty() {
            return Err(Failure::error(
                "only a selector (-l) or a POD name is allowed",
            ));
        }
        let list = ctx.object(
            Request::list(&core::PODS, scope.namespace.clone()).labels(given.text("selector")),
        )?;
        if list.get("items").items().is_empty() {
            ctx.err(format!(
                "No resources found in {} namespace.\n",
                scope.namespace
            ));
        }
        return Ok(list.get("items").items().to_vec());
    }
    let target = match &given.args[..] {
        [] => {
            return Err(Failure::usage(
                "logs",
                "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
            ));
        }
        [one] if one.contains('/') => one.clone(),
        [one] => format!("pods/{one}").into(),
        // The container may stand behind the pod.
        [one, _] if one.contains('/') => one.clone(),
        [one, _] => format!("pods/{one}").into(),
        _ => {
            return Err(Failure::usage(
                "logs",
                "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
            ));
        }
    };
    let selection = select(ctx, &[target])?.remove(0);
    let name = selection.names.first().cloned().unwrap_or_default();
    let response = ctx.call(Request::get(
        &selection.mapping.resource,
        scope.namespace.clone(),
        name.clone(),
    ))?;
    if !response.is_success() {
        if response.reason() == "NotFound" {
            return Err(Failure::error(format!(
                "error from server (NotFound): {} in namespace {:?}",
                response.message(),
                scope.namespace.as_str()
            )));
        }
        return Err(Failure::server(&response));
    }
    if selection.mapping.resource == core::PODS {
        return Ok(vec![response.body]);
    }
    let selector = response.body.path("spec.selector");
    let labels = if selector.get("matchLabels").is_null() {
        selector
    } else {
        selector.get("matchLabels")
    };
    let text = api::meta::labels_text(labels.entries());
    if text.is_empty() {
        return Err(Failure::error(format!(
            "cannot get the logs from {}: selector is empty",
            selection.mapping.kind
        )));
    }
    let list = ctx.object(Request::list(&core::PODS, scope.namespace.clone()).labels(text))?;
    let mut pods = list.get("items").items().to_vec();
    // Ready pods first, then the oldest (`podutils.ByLogging` prefers running and ready ones).
    pods.sort_by_key(|pod| {
        (
            !api::meta::is_true(pod, "Ready"),
            core::Pod(pod).meta().creation_time(),
        )
    });
    if given.switch("all-pods") {
        return Ok(pods);
    }
    if pods.len() > 1 {
        ctx.err(format!(
            "Found {} pods, using pod/{}\n",
            pods.len(),
            core::Pod(&pods[0]).meta().name()
        ));
    }
    if pods.is_empty() {
        return Err(Failure::error("timed out waiting for the condition"));
    }
    pods.truncate(1);
    Ok(pods)
}

fn containers(ctx: &mut Context<'_>, given: &Given, object: &Value) -> Result<Vec<Str>, Failure> {
    let pod = core::Pod(object);
    let inits: Vec<Str> = pod.init_containers().map(|c| Str::new(c.name())).collect();
    let mains: Vec<Str> = pod.containers().map(|c| Str::new(c.name())).collect();
    let asides = object.path("spec.ephemeralContainers").items();
    let asides: Vec<Str> = asides.iter().map(|c| c.shared_str("name")).collect();
    if given.switch("all-containers") {
        return Ok(inits.into_iter().chain(mains).chain(asides).collect());
    }
    let wanted = match given.args.get(1) {
        Some(inline) => inline.clone(),
        None => given.text("container"),
    };
    if !wanted.is_empty() {
        let all: Vec<&Str> = mains.iter().chain(&inits).chain(&asides).collect();
        if all.contains(&&wanted) {
            return Ok(vec![wanted]);
        }
        let mut names: Vec<String> = mains.iter().map(Str::to_string).collect();
        names.extend(asides.iter().map(|name| format!("{name} (ephem)")));
        names.extend(inits.iter().map(|name| format!("{name} (init)")));
        return Err(Failure::error(format!(
            "container {wanted} is not valid for pod {} out of: {}",
            pod.meta().name(),
            names.join(", ")
        )));
    }
    super::exec::container(ctx, given, object).map(|name| vec![name])
}
