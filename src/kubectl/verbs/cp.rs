//! `kubectl cp`: a file out of a container or into it.
//!
//! The real one runs `tar` in the container; here `cat` and `sh` do, one file at a time. Models `kubectl/pkg/cmd/cp`.

use api::{Request, Str, Value, core};

use super::exec;
use crate::flags::{Flag, Given, number, switch, text};
use crate::resource::Scope;
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    text("container").short('c'),
    switch("no-preserve"),
    number("retries"),
];

/// `[[NAMESPACE/]POD:]PATH`.
struct Place {
    namespace: Str,
    pod: Str,
    path: Str,
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("cp", FLAGS, args)?;
    let [from, to] = &given.args[..] else {
        return Err(Failure::error("source and destination are required"));
    };
    let scope = Scope::of(ctx, &given)?;
    let (from, to) = (place(&scope, from)?, place(&scope, to)?);
    match (from.pod.is_empty(), to.pod.is_empty()) {
        (false, false) => Err(Failure::error(
            "one of src or dest must be a local file specification",
        )),
        (true, true) => Err(Failure::error(
            "one of src or dest must be a remote file specification",
        )),
        (false, true) => download(ctx, &given, &from, &to),
        (true, false) => upload(ctx, &given, &from, &to),
    }
}

fn place(scope: &Scope, text: &str) -> Result<Place, Failure> {
    let Some((pod, path)) = text.split_once(':') else {
        return Ok(Place {
            namespace: Str::EMPTY,
            pod: Str::EMPTY,
            path: Str::new(text),
        });
    };
    let (namespace, pod) = match pod.split_once('/') {
        Some((namespace, pod)) => (Str::new(namespace), pod),
        None => (scope.namespace.clone(), pod),
    };
    if pod.is_empty() || path.is_empty() {
        return Err(Failure::error("filepath can not be empty"));
    }
    Ok(Place {
        namespace,
        pod: Str::new(pod),
        path: Str::new(path),
    })
}

fn pod(ctx: &mut Context<'_>, place: &Place) -> Result<Value, Failure> {
    ctx.object(Request::get(
        &core::PODS,
        place.namespace.clone(),
        place.pod.clone(),
    ))
}

fn download(ctx: &mut Context<'_>, given: &Given, from: &Place, to: &Place) -> Result<(), Failure> {
    let pod = pod(ctx, from)?;
    let container = exec::container(ctx, given, &pod)?;
    let (mut content, mut complaint) = (String::new(), String::new());
    let command = [Str::from("cat"), from.path.clone()];
    let code = exec::execute(
        ctx,
        &pod,
        &container,
        &command,
        &exec::Input::default(),
        |_, channel, text| {
            if channel == 2 {
                complaint += text;
            } else {
                content += text;
            }
        },
    )?;
    if code != 0 {
        return Err(Failure::error(complaint.trim_end()));
    }
    let base = from.path.rsplit('/').next().unwrap_or_default().to_owned();
    let path = if to.path.ends_with('/') || to.path == "." {
        format!("{}/{base}", to.path.trim_end_matches('/'))
    } else {
        to.path.to_string()
    };
    ctx.write_file(&path, &content)?
        .map_err(|why| Failure::error(format!("open {path}: {why}")))
}

fn upload(ctx: &mut Context<'_>, given: &Given, from: &Place, to: &Place) -> Result<(), Failure> {
    let content = ctx
        .read_file(&from.path)?
        .map_err(|_| Failure::error(format!("{} doesn't exist in local filesystem", from.path)))?;
    let pod = pod(ctx, to)?;
    let container = exec::container(ctx, given, &pod)?;
    let base = from.path.rsplit('/').next().unwrap_or_default().to_owned();
    let script =
        "if [ -d \"$2\" ]; then printf %s \"$1\" > \"$2/$3\"; else printf %s \"$1\" > \"$2\"; fi";
    let command = [
        Str::from("sh"),
        "-c".into(),
        script.into(),
        "sh".into(),
        content,
        to.path.clone(),
        base.into(),
    ];
    let mut complaint = String::new();
    let code = exec::execute(
        ctx,
        &pod,
        &container,
        &command,
        &exec::Input::default(),
        |_, _, text| complaint += text,
    )?;
    if code == 0 {
        Ok(())
    } else {
        Err(Failure::error(format!(
            "{}\ncommand terminated with exit code {code}",
            complaint.trim_end()
        )))
    }
}
