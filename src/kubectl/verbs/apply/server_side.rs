//! `kubectl apply --server-side`: the API server merges; what client-side apply owned before is taken over.
//!
//! Models `applyOneObject` of `kubectl/pkg/cmd/apply/apply.go` and `client-go/util/csaupgrade`.

use api::{PatchKind, Request, Response, Str, Value, list, map};

use super::{Applied, DryRun, LAST_APPLIED, options, refused};
use crate::flags::Given;
use crate::resource::Mapping;
use crate::{Context, Failure};

/// kubectl's manager where no other is named.
const MANAGER: &str = "kubectl";
/// Attempts to hand over ownership while others write the object too.
const ATTEMPTS: usize = 5;

#[allow(
    clippy::too_many_arguments,
    reason = "one call site; a struct would only rename them"
)]
pub(super) fn server_side(
    ctx: &mut Context<'_>,
    given: &Given,
    mapping: &Mapping,
    object: Value,
    namespace: Str,
    name: Str,
    source: &Str,
    dry_run: DryRun,
) -> Result<Applied, Failure> {
    let manager = if given.has("field-manager") {
        given.text("field-manager")
    } else {
        MANAGER.into()
    };
    let request = || {
        let mut request = Request::patch(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
            PatchKind::Apply,
            object.clone(),
        );
        options(&mut request, given, dry_run);
        request.options.field_manager = manager.clone();
        request.options.force = given.switch("force-conflicts");
        request
    };
    let response = ctx.call(request())?;
    if !response.is_success() {
        if response.reason() == "Conflict" {
            return Err(Failure::error(conflict_text(&response)));
        }
        return Err(refused(&response, "applying", source));
    }
    let mut live = response.body;
    if dry_run == DryRun::None {
        if manager == *MANAGER {
            live = keep_annotation(ctx, mapping, &live)?.unwrap_or(live);
        }
        if take_over(ctx, mapping, &live, &manager)? {
            live = ctx.object(request())?;
        }
    }
    Ok(Applied {
        mapping: mapping.clone(),
        object: live,
        word: "serverside-applied",
    })
}

/// The last-applied annotation gets an owner of its own, so that it outlives what owned it.
fn keep_annotation(
    ctx: &mut Context<'_>,
    mapping: &Mapping,
    live: &Value,
) -> Result<Option<Value>, Failure> {
    let meta = api::meta::Meta::of(live);
    let Some(text) = meta.annotation(LAST_APPLIED) else {
        return Ok(None);
    };
    let mut annotations = map! {};
    annotations.set(LAST_APPLIED, Str::new(text));
    let mut metadata = map! { "annotations": annotations, "name": meta.shared_name() };
    if !meta.namespace().is_empty() {
        metadata.set("namespace", meta.shared_namespace());
    }
    let object = map! {
        "apiVersion": mapping.resource.api_version(), "kind": mapping.kind.clone(), "metadata": metadata,
    };
    let mut request = Request::patch(
        &mapping.resource,
        meta.shared_namespace(),
        meta.shared_name(),
        PatchKind::Apply,
        object,
    );
    request.options.field_manager = "kubectl-last-applied".into();
    let response = ctx.call(request)?;
    Ok(response.is_success().then_some(response.body))
}

/// Whoever owns the last-applied annotation by updates was a client-side apply: its fields go to `manager`. True if
/// there was any.
fn take_over(
    ctx: &mut Context<'_>,
    mapping: &Mapping,
    live: &Value,
    manager: &Str,
) -> Result<bool, Failure> {
    let mut live = live.clone();
    let updaters: Vec<Str> = entries(&live)
        .filter(|entry| entry.str("operation") == "Update" && owns_annotation(entry))
        .map(|entry| entry.shared_str("manager"))
        .collect();
    for _ in 0..ATTEMPTS {
        let Some(managed) = upgraded(&live, &updaters, manager) else {
            return Ok(false);
        };
        let meta = api::meta::Meta::of(&live);
        let patch = list![
            map! { "op": "replace", "path": "/metadata/managedFields", "value": managed },
            map! { "op": "replace", "path": "/metadata/resourceVersion", "value": meta.0.shared_str("resourceVersion") },
        ];
        let (namespace, name) = (meta.shared_namespace(), meta.shared_name());
        let response = ctx.call(Request::patch(
            &mapping.resource,
            namespace.clone(),
            name.clone(),
            PatchKind::Json,
            patch,
        ))?;
        if response.is_success() {
            return Ok(true);
        }
        if response.reason() != "Conflict" {
            return Ok(false);
        }
        live = ctx.object(Request::get(&mapping.resource, namespace, name))?;
    }
    Ok(false)
}

fn entries(live: &Value) -> impl Iterator<Item = &Value> {
    live.path("metadata.managedFields").items().iter()
}

fn owns_annotation(entry: &Value) -> bool {
    let key = format!("f:{LAST_APPLIED}");
    !entry
        .at(&["fieldsV1", "f:metadata", "f:annotations", &key])
        .is_null()
}

/// The managed fields once the updates of `updaters` belong to what `manager` applied; `None` if they made none.
fn upgraded(live: &Value, updaters: &[Str], manager: &Str) -> Option<Value> {
    let is_old = |entry: &Value| {
        entry.str("operation") == "Update"
            && entry.str("subresource").is_empty()
            && updaters
                .iter()
                .any(|name| entry.str("manager") == name.as_str())
    };
    let is_new = |entry: &Value| {
        entry.str("operation") == "Apply"
            && entry.str("subresource").is_empty()
            && entry.str("manager") == manager.as_str()
    };
    let mut own = entries(live).find(|entry| is_new(entry)).cloned();
    let mut has_old = false;
    for entry in entries(live).filter(|entry| is_old(entry)) {
        has_old = true;
        match &mut own {
            Some(own) => unite(own.entry("fieldsV1"), entry.get("fieldsV1")),
            None => {
                let mut first = entry.clone();
                first.set("manager", manager.clone());
                first.set("operation", "Apply");
                own = Some(first);
            }
        }
    }
    let own = own.filter(|_| has_old)?;
    let mut all: Vec<Value> = entries(live)
        .filter(|entry| !is_old(entry) && !is_new(entry))
        .cloned()
        .collect();
    all.push(own);
    Some(Value::from(all))
}

/// Adds the fields of `more`, which are maps of maps.
fn unite(fields: &mut Value, more: &Value) {
    for (key, inner) in more.entries().iter() {
        unite(fields.map_mut().entry(key.clone()), inner);
    }
    if fields.is_null() {
        *fields = map! {};
    }
}

fn conflict_text(response: &Response) -> String {
    format!(
        "{}\nPlease review the fields above--they currently have other managers. Here\nare the ways you can resolve this warning:\n* If you intend to manage all of these fields, please re-run the apply\n  command with the `--force-conflicts` flag.\n* If you do not intend to manage all of the fields, please edit your\n  manifest to remove references to the fields that should keep their\n  current managers.\n* You may co-own fields by updating your manifest to match the existing\n  value; in this case, you'll become the manager if the other manager(s)\n  stop managing the field (remove it from their configuration).\nSee https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts",
        response.message()
    )
}
