//! `kubectl exec` and `kubectl attach`: a stream to a container.
//!
//! Models `kubectl/pkg/cmd/{exec,attach}`. With `-i`, what was piped in goes along with the request, and what is typed
//! follows it line by line.

use api::{Frame, Request, Str, Value, Verb, core, meta::Meta};

use crate::flags::{Flag, Given, array, duration, switch, text};
use crate::resource::{Scope, select};
use crate::{Arrival, Context, Failure};

const FLAGS: &[Flag] = &[
    text("container").short('c'),
    switch("stdin").short('i'),
    switch("tty").short('t'),
    switch("quiet").short('q'),
    array("filename").short('f'),
    duration("pod-running-timeout"),
];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("exec", FLAGS, args)?;
    if given.args.is_empty() {
        return Err(Failure::usage(
            "exec",
            "pod, type/name or --filename must be specified",
        ));
    }
    let command = given.after_dashes.clone().unwrap_or_default();
    if given.args.len() > 1 {
        return Err(Failure::error(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples",
        ));
    }
    if command.is_empty() {
        return Err(Failure::error(
            "you must specify at least one command for the container",
        ));
    }
    let scope = Scope::of(ctx, &given)?;
    let pod = pod(ctx, &scope, &given.args[0])?;
    let phase = pod.path("status.phase").as_str().unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(Failure::error(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        )));
    }
    let container = container(ctx, &given, &pod)?;
    if given.switch("tty") && ctx.stdin().is_some() {
        ctx.err("Unable to use a TTY - input is not a terminal or the right kind of file\n");
    }
    let input = input(ctx, &given);
    let is_tty = input.is_tty;
    let code = execute(
        ctx,
        &pod,
        &container,
        &command,
        &input,
        |ctx, channel, text| {
            // A terminal has one way for both.
            if channel == 2 && !is_tty {
                ctx.err(text);
            } else {
                ctx.out(text);
            }
        },
    )?;
    if code == 0 {
        return Ok(());
    }
    Err(Failure::Exit {
        code,
        message: format!("command terminated with exit code {code}\n"),
    })
}

/// What one is told before a session with the container's own process begins.
pub(crate) const PROMPT_HINT: &str = "All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\nIf you don't see a command prompt, try pressing enter.\n";

/// What goes to the other end's standard input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Input {
    /// What was piped in, all of it.
    piped: Option<Str>,
    /// What is typed follows.
    pub(crate) is_typed: bool,
    is_tty: bool,
}

impl Input {
    /// Whether both ends are terminals.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_tty
    }

    fn add_to(&self, query: &mut Vec<(Str, Str)>) {
        if self.is_typed || self.piped.is_some() {
            query.push(("stdin".into(), "true".into()));
        }
        if self.is_tty {
            query.push(("tty".into(), "true".into()));
        }
        // In place of the bytes that would follow on the connection.
        if let Some(piped) = &self.piped {
            query.push(("input".into(), piped.clone()));
        }
    }
}

/// By `--stdin` and `--tty`, and by what standard input is.
pub(crate) fn input(ctx: &Context<'_>, given: &Given) -> Input {
    if !given.switch("stdin") {
        return Input::default();
    }
    let piped = ctx.stdin();
    let is_typed = piped.is_none() && ctx.is_typed();
    Input {
        is_typed,
        is_tty: is_typed && given.switch("tty"),
        piped,
    }
}

/// Runs a command in a container and gives what it prints to `show`; returns its exit code.
pub(crate) fn execute(
    ctx: &mut Context<'_>,
    pod: &Value,
    container: &Str,
    command: &[Str],
    input: &Input,
    mut show: impl FnMut(&mut Context<'_>, u8, &str),
) -> Result<i32, Failure> {
    let mut query = vec![(Str::from("container"), container.clone())];
    query.extend(
        command
            .iter()
            .map(|word| (Str::from("command"), word.clone())),
    );
    query.push(("stdout".into(), "true".into()));
    query.push(("stderr".into(), "true".into()));
    input.add_to(&mut query);
    let stream = connect(ctx, pod, "exec", query)?;
    if input.is_typed {
        ctx.pass_on_typing(stream, input.is_tty);
    }
    loop {
        match ctx.next_arrival(stream, None)? {
            Some(Arrival::Frame(Frame::Data { channel, text })) => show(ctx, channel, &text),
            Some(Arrival::Frame(Frame::End { exit_code })) => {
                ctx.close(stream);
                return Ok(exit_code);
            }
            Some(Arrival::Frame(Frame::Response(response)) | Arrival::Response(response)) => {
                ctx.close(stream);
                if response.is_success() {
                    return Ok(0);
                }
                return Err(Failure::error(response.message()));
            }
            Some(Arrival::Frame(Frame::Bytes { channel, bytes })) => {
                show(ctx, channel, &String::from_utf8_lossy(&bytes));
            }
            Some(Arrival::Frame(Frame::Opened) | Arrival::Watch(_)) | None => {}
        }
    }
}

/// Opens a way for `input` to a pod's container, if there is any; nothing comes back on it.
pub(crate) fn send_input(
    ctx: &mut Context<'_>,
    namespace: &Str,
    name: &Str,
    container: &Str,
    input: &Input,
) -> Result<Option<api::RequestId>, Failure> {
    if input.piped.is_none() {
        return Ok(None);
    }
    let mut query = vec![(Str::from("stdout"), Str::from("false"))];
    if !container.is_empty() {
        query.push(("container".into(), container.clone()));
    }
    input.add_to(&mut query);
    let mut request = Request::new(Verb::Connect, &core::PODS, namespace.clone(), name.clone())
        .subresource("attach");
    request.options.query = query;
    ctx.open(request).map(Some)
}

fn connect(
    ctx: &mut Context<'_>,
    pod: &Value,
    subresource: &'static str,
    query: Vec<(Str, Str)>,
) -> Result<api::RequestId, Failure> {
    let meta = Meta::of(pod);
    let mut request = Request::new(
        Verb::Connect,
        &core::PODS,
        meta.shared_namespace(),
        meta.shared_name(),
    )
    .subresource(subresource);
    request.options.query = query;
    ctx.open(request)
}

/// `POD` or `TYPE/NAME`: of a workload its first ready pod.
pub(crate) fn pod(ctx: &mut Context<'_>, scope: &Scope, named: &Str) -> Result<Value, Failure> {
    let target: Str = if named.contains('/') {
        named.clone()
    } else {
        format!("pods/{named}").into()
    };
    let selection = select(ctx, &[target])?.remove(0);
    let name = selection.names.first().cloned().unwrap_or_default();
    let object = ctx.object(Request::get(
        &selection.mapping.resource,
        selection.mapping.namespace(scope),
        name.clone(),
    ))?;
    if selection.mapping.resource == core::PODS {
        return Ok(object);
    }
    let selector = object.path("spec.selector");
    let labels = if selector.get("matchLabels").is_null() {
        selector
    } else {
        selector.get("matchLabels")
    };
    let text = api::meta::labels_text(labels.entries());
    if text.is_empty() {
        return Err(Failure::error(format!(
            "cannot attach to {}: selector is empty",
            selection.mapping.kind
        )));
    }
    let list = ctx.object(Request::list(&core::PODS, scope.namespace.clone()).labels(text))?;
    let mut pods = list.get("items").items().to_vec();
    pods.sort_by_key(|pod| {
        (
            !api::meta::is_true(pod, "Ready"),
            Meta::of(pod).creation_time(),
        )
    });
    match pods.into_iter().next() {
        Some(pod) => Ok(pod),
        None => Err(Failure::error("timed out waiting for the condition")),
    }
}

/// The container meant; says so if one is taken out of several.
pub(crate) fn container(ctx: &mut Context<'_>, given: &Given, pod: &Value) -> Result<Str, Failure> {
    let view = core::Pod(pod);
    let mains: Vec<Str> = view.containers().map(|c| Str::new(c.name())).collect();
    let inits: Vec<Str> = view.init_containers().map(|c| Str::new(c.name())).collect();
    let asides: Vec<Str> = pod
        .path("spec.ephemeralContainers")
        .items()
        .iter()
        .map(|c| c.shared_str("name"))
        .collect();
    let wanted = given.text("container");
    if !wanted.is_empty() {
        if mains
            .iter()
            .chain(&inits)
            .chain(&asides)
            .any(|name| *name == wanted)
        {
            return Ok(wanted);
        }
        return Err(Failure::error(format!(
            "container {wanted} not found in pod {}",
            view.meta().name()
        )));
    }
    if let Some(default) = view
        .meta()
        .annotation("kubectl.kubernetes.io/default-container")
        && mains.iter().any(|name| name == default)
    {
        return Ok(Str::new(default));
    }
    let first = mains.first().cloned().unwrap_or_default();
    let is_one = mains.len() + inits.len() + asides.len() <= 1;
    if !is_one && !given.switch("quiet") {
        let mut names: Vec<String> = mains.iter().map(ToString::to_string).collect();
        names.extend(asides.iter().map(|name| format!("{name} (ephem)")));
        names.extend(inits.iter().map(|name| format!("{name} (init)")));
        ctx.err(format!(
            "Defaulted container {:?} out of: {}\n",
            first.as_str(),
            names.join(", ")
        ));
    }
    Ok(first)
}

pub(crate) fn attach(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("attach", FLAGS, args)?;
    let [named] = &given.args[..] else {
        return Err(Failure::usage(
            "attach",
            if given.args.is_empty() {
                "at least 1 argument is required for attach".to_owned()
            } else {
                format!(
                    "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
                    given.args.len(),
                    given.args.join(" ")
                )
            },
        ));
    };
    let scope = Scope::of(ctx, &given)?;
    let pod = pod(ctx, &scope, named)?;
    let phase = pod.path("status.phase").as_str().unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(Failure::error(format!(
            "cannot attach a container in a completed pod; current phase is {phase}"
        )));
    }
    let container = container(ctx, &given, &pod)?;
    if !given.switch("quiet") {
        ctx.err(PROMPT_HINT);
    }
    let input = input(ctx, &given);
    follow(ctx, &pod, &container, &input)
}

/// Prints what a container says, and gives it `input`, until it ends.
pub(crate) fn follow(
    ctx: &mut Context<'_>,
    pod: &Value,
    container: &Str,
    input: &Input,
) -> Result<(), Failure> {
    let mut query = vec![(Str::from("container"), container.clone())];
    input.add_to(&mut query);
    let stream = connect(ctx, pod, "attach", query)?;
    if input.is_typed {
        ctx.pass_on_typing(stream, input.is_tty);
    }
    ctx.resume(Value::Null);
    loop {
        match ctx.next_arrival(stream, None)? {
            Some(Arrival::Frame(Frame::Data { channel: 2, text })) if !input.is_tty => {
                ctx.err(&*text)
            }
            Some(Arrival::Frame(Frame::Data { text, .. })) => ctx.out(&*text),
            Some(Arrival::Frame(Frame::End { .. })) => {
                ctx.close(stream);
                return Ok(());
            }
            Some(Arrival::Frame(Frame::Response(response)) | Arrival::Response(response))
                if !response.is_success() =>
            {
                ctx.close(stream);
                return Err(Failure::error(response.message()));
            }
            _ => {}
        }
        ctx.checkpoint(Value::Null);
    }
}
