//! `kubectl port-forward`: ports of this machine that lead to ports of a pod.
//!
//! Models `kubectl/pkg/cmd/portforward`. What listens is the terminal's machine ([`crate::Forward`]); the command only says
//! where it leads, and ends with the pod.

use api::{Request, Str, Value, WatchKind, core, meta::Meta};

use super::exec;
use crate::flags::{Flag, Given, duration, many};
use crate::resource::Scope;
use crate::{Arrival, Context, Failure, Forward};

const FLAGS: &[Flag] = &[many("address"), duration("pod-running-timeout")];

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("port-forward", FLAGS, args)?;
    let [named, ports @ ..] = &given.args[..] else {
        return Err(Failure::usage(
            "port-forward",
            "TYPE/NAME and list of ports are required for port-forward",
        ));
    };
    if ports.is_empty() {
        return Err(Failure::usage(
            "port-forward",
            "TYPE/NAME and list of ports are required for port-forward",
        ));
    }
    let scope = Scope::of(ctx, &given)?;
    let service = service(ctx, &scope, named)?;
    let pod = exec::pod(ctx, &scope, named)?;
    let mut wanted = Vec::new();
    for port in ports {
        let (local, remote) = port.split_once(':').unwrap_or((port, port));
        let remote = remote_port(remote, service.as_ref(), &pod)?;
        // A number that stands for both is the service's, when it is a service that is named.
        let local = match local {
            "" | "0" => free_port(ctx, wanted.len()),
            local => number(local).ok_or_else(|| bad(port, local))?,
        };
        wanted.push((local, remote));
    }
    let phase = pod.path("status.phase").as_str().unwrap_or_default();
    if phase != "Running" {
        return Err(Failure::error(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        )));
    }
    let meta = Meta::of(&pod);
    let watch = Request::watch(
        &core::PODS,
        meta.shared_namespace(),
        meta.0.shared_str("resourceVersion"),
    )
    .fields(format!("metadata.name={}", meta.name()));
    let stream = ctx.open(watch)?;
    for (local, remote) in wanted {
        for address in ["127.0.0.1", "[::1]"] {
            ctx.out(format!("Forwarding from {address}:{local} -> {remote}\n"));
        }
        ctx.forward(Forward {
            local,
            address: pod.get("status").shared_str("podIP"),
            remote,
        });
    }
    ctx.resume(Value::Null);
    loop {
        if let Some(Arrival::Watch(event)) = ctx.next_arrival(stream, None)? {
            let phase = event.object.path("status.phase");
            let is_over = matches!(event.kind, WatchKind::Deleted | WatchKind::Error)
                || matches!(phase.as_str(), Some("Succeeded" | "Failed"));
            if is_over {
                return Err(Failure::error("lost connection to pod"));
            }
        }
        ctx.checkpoint(Value::Null);
    }
}

/// The service, if one is named: its ports lead to others.
fn service(ctx: &mut Context<'_>, scope: &Scope, named: &Str) -> Result<Option<Value>, Failure> {
    let is_service = named
        .split_once('/')
        .is_some_and(|(kind, _)| matches!(kind, "service" | "services" | "svc"));
    if !is_service {
        return Ok(None);
    }
    let (_, name) = named.split_once('/').expect("just split");
    let resource = api::Resource::of("", "v1", "services");
    let request = Request::get(&resource, scope.namespace.clone(), Str::new(name));
    ctx.object(request).map(Some)
}

/// The pod's port that `text` means: a number, a name, or a service's port with what it leads to.
fn remote_port(text: &str, service: Option<&Value>, pod: &Value) -> Result<u16, Failure> {
    let named = |name: &str| {
        let containers = pod.path("spec.containers").items().iter();
        containers
            .flat_map(|container| container.get("ports").items())
            .find(|port| port.str("name") == name)
            .and_then(|port| port.int("containerPort"))
            .and_then(|port| u16::try_from(port).ok())
    };
    let Some(service) = service else {
        return number(text).or_else(|| named(text)).ok_or_else(|| {
            Failure::error(format!(
                "Pod '{}' does not have a named port '{text}'",
                Meta::of(pod).name()
            ))
        });
    };
    let port = service
        .path("spec.ports")
        .items()
        .iter()
        .find(|port| port.str("name") == text || number(text).map(i64::from) == port.int("port"))
        .ok_or_else(|| {
            Failure::error(format!(
                "Service {} does not have a service port {text}",
                Meta::of(service).name()
            ))
        })?;
    let target = match port.get("targetPort") {
        Value::Int(number) => u16::try_from(*number).ok(),
        Value::Str(name) => named(name),
        _ => port.int("port").and_then(|port| u16::try_from(port).ok()),
    };
    target.ok_or_else(|| {
        Failure::error(format!(
            "Pod '{}' does not have a named port '{}'",
            Meta::of(pod).name(),
            port.str("targetPort")
        ))
    })
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port > 0)
}

fn bad(port: &str, part: &str) -> Failure {
    Failure::error(format!(
        "error parsing local port {part:?}: invalid port in {port:?}"
    ))
}

/// A port that nobody asked for, the same for the same moment.
fn free_port(ctx: &Context<'_>, nth: usize) -> u16 {
    let mut rng = sim::Rng::stream(ctx.now().0, "local port");
    let number = (rng.next_u64() % 20_000) as u16;
    30_000 + number + nth as u16
}
