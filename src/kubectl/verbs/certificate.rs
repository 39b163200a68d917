//! `kubectl certificate approve|deny`: the verdict on a certificate signing request.
//!
//! Models `kubectl/pkg/cmd/certificates`.

use api::{Request, Resource, Str, Value, map};

use crate::flags::{Flag, Given, array, switch, text};
use crate::resource::Scope;
use crate::{Context, Failure, targets};

const FLAGS: &[Flag] = &[
    switch("allow-missing-template-keys"),
    array("filename").short('f'),
    switch("force"),
    text("kustomize").short('k'),
    text("output").short('o'),
    switch("recursive").short('R'),
    switch("show-managed-fields"),
    text("template"),
];

const REQUESTS: Resource = Resource::of("certificates.k8s.io", "v1", "certificatesigningrequests");

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    match args.split_first() {
        Some((verb, rest)) if *verb == "approve" => decide(
            ctx,
            rest,
            "approve",
            "Approved",
            "KubectlApprove",
            "approved",
        ),
        Some((verb, rest)) if *verb == "deny" => {
            decide(ctx, rest, "deny", "Denied", "KubectlDeny", "denied")
        }
        Some((other, _)) => Err(Failure::error(format!(
            "unknown command {:?} for \"kubectl certificate\"",
            other.as_str()
        ))),
        None => {
            super::help::of_command(ctx, "certificate");
            Ok(())
        }
    }
}

fn decide(
    ctx: &mut Context<'_>,
    args: &[Str],
    verb: &'static str,
    verdict: &'static str,
    reason: &'static str,
    word: &'static str,
) -> Result<(), Failure> {
    let given = Given::parse(&format!("certificate {verb}"), FLAGS, args)?;
    if given.args.is_empty() && !given.names_files() {
        return Err(Failure::error(
            "one or more CSRs must be specified as <name> or -f <filename>",
        ));
    }
    let scope = Scope::of(ctx, &given)?;
    let names: Vec<Str> = match given.args.first() {
        Some(first) if !first.contains('/') => {
            let mut names = vec![Str::from("csr")];
            names.extend(given.args.iter().cloned());
            names
        }
        _ => given.args.clone(),
    };
    let found = targets::find(ctx, &given, &scope, &names)?;
    for target in &found.found {
        let mut object = target.object.clone();
        let conditions = object.path("status.conditions").items().to_vec();
        let other = if verdict == "Approved" {
            "Denied"
        } else {
            "Approved"
        };
        if conditions.iter().any(|c| c.str("type") == other) {
            return Err(Failure::error(format!(
                "certificate signing request {:?} is already {}",
                target.name().as_str(),
                other.to_lowercase()
            )));
        }
        let is_known = conditions.iter().any(|c| c.str("type") == verdict);
        if !is_known || given.switch("force") {
            let mut all: Vec<Value> = conditions
                .into_iter()
                .filter(|c| c.str("type") != verdict)
                .collect();
            all.push(map! {
                "type": verdict, "status": "True", "reason": reason,
                "message": format!("This CSR was {word} by kubectl certificate {}.", verb),
                "lastUpdateTime": ctx.now().rfc3339(),
            });
            object.set_path("status.conditions", all);
            let request = Request::update(&REQUESTS, object.clone()).subresource("approval");
            object = ctx.object(request)?;
        }
        targets::report(
            ctx,
            &given,
            &target.mapping,
            &object,
            word,
            super::apply::DryRun::None,
        )?;
    }
    found.finish()
}
