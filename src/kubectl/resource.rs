//! Which resources the arguments of a command mean: `pods`, `deploy/web`, `pods,services`, `pod a b`.
//!
//! Models the resource builder (`cli-runtime/pkg/resource/builder.go`) with its error messages.

use api::{Request, Resource, Str, Value};

use crate::{Context, Failure, flags::Given};

/// A resource as discovery describes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapping {
    pub resource: Resource,
    pub kind: Str,
    pub singular: Str,
    pub is_namespaced: bool,
}

/// What the arguments named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selection {
    pub mapping: Mapping,
    /// Empty: all of them.
    pub names: Vec<Str>,
    /// Named as `TYPE/NAME`.
    pub is_pair: bool,
}

/// Where a command looks for namespaced objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scope {
    pub namespace: Str,
    pub is_explicit: bool,
    pub is_all: bool,
}

impl Mapping {
    /// `deployment.apps`, `pod`: how messages name an object of this resource, before `/name`.
    pub(crate) fn singular_group(&self) -> String {
        let kind = self.kind.to_lowercase();
        if self.resource.group.is_empty() {
            kind
        } else {
            format!("{kind}.{}", self.resource.group)
        }
    }

    /// `deployment.apps/web`.
    pub(crate) fn qualified(&self, name: &str) -> String {
        format!("{}/{name}", self.singular_group())
    }

    /// The namespace to ask in; empty for cluster-scoped resources.
    pub(crate) fn namespace(&self, scope: &Scope) -> Str {
        if self.is_namespaced && !scope.is_all {
            scope.namespace.clone()
        } else {
            Str::EMPTY
        }
    }

    fn of_kind(kind: &api::kinds::Kind) -> Mapping {
        Mapping {
            resource: kind.resource(),
            kind: kind.kind.clone(),
            singular: kind.singular.clone(),
            is_namespaced: kind.namespaced,
        }
    }

    fn of_definition(definition: &Value, version: &str) -> Mapping {
        let spec = definition.get("spec");
        let names = spec.get("names");
        Mapping {
            resource: Resource {
                group: spec.shared_str("group"),
                version: Str::new(version),
                plural: names.shared_str("plural"),
            },
            kind: names.shared_str("kind"),
            singular: names.shared_str("singular"),
            is_namespaced: spec.str("scope") == "Namespaced",
        }
    }
}

impl Scope {
    /// By `--namespace` and `--all-namespaces`; else the current context's namespace.
    pub(crate) fn of(ctx: &mut Context<'_>, given: &Given) -> Result<Scope, Failure> {
        let named = given.text("namespace");
        let namespace = if named.is_empty() {
            crate::verbs::config::current_namespace(ctx)?
        } else {
            named.clone()
        };
        Ok(Scope {
            namespace,
            is_explicit: !named.is_empty(),
            is_all: given.switch("all-namespaces"),
        })
    }
}

/// The resource with this name (`po`, `pods`, `pod`, `deployments.apps`, `deploy.v1.apps`); built in or custom.
pub(crate) fn mapping(ctx: &mut Context<'_>, name: &str) -> Result<Mapping, Failure> {
    if let Some(kind) = api::kinds::by_name(name) {
        return Ok(Mapping::of_kind(kind));
    }
    let wanted = name.to_lowercase();
    let (head, group) = wanted.split_once('.').unwrap_or((&wanted, ""));
    for definition in definitions(ctx)? {
        let spec = definition.get("spec");
        let names = spec.get("names");
        let is_name = [
            names.str("plural"),
            names.str("singular"),
            &names.str("kind").to_lowercase(),
        ]
        .contains(&head)
            || names
                .get("shortNames")
                .items()
                .iter()
                .any(|short| short.as_str() == Some(head));
        let own_group = spec.str("group");
        let versions = spec.get("versions").items();
        let served = || {
            versions
                .iter()
                .filter(|v| v.bool("served"))
                .map(|v| v.str("name"))
        };
        let in_group = group.is_empty()
            || own_group == group
            || served().any(|v| {
                group
                    .strip_prefix(v)
                    .and_then(|rest| rest.strip_prefix('.'))
                    == Some(own_group)
            });
        if is_name
            && in_group
            && let Some(version) = served().next()
        {
            return Ok(Mapping::of_definition(&definition, version));
        }
    }
    Err(Failure::error(format!(
        "the server doesn't have a resource type {:?}",
        name.split('.').next().unwrap_or_default()
    )))
}

/// The resource of an object by its apiVersion and kind.
pub(crate) fn mapping_of(
    ctx: &mut Context<'_>,
    api_version: &str,
    kind: &str,
) -> Result<Option<Mapping>, Failure> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if let Some(kind) = api::kinds::by_gvk(group, version, kind) {
        return Ok(Some(Mapping::of_kind(kind)));
    }
    if !group.contains('.') {
        return Ok(None);
    }
    let found = definitions(ctx)?.into_iter().find(|definition| {
        let spec = definition.get("spec");
        spec.str("group") == group
            && spec.path("names.kind").as_str() == Some(kind)
            && spec
                .get("versions")
                .items()
                .iter()
                .any(|v| v.str("name") == version && v.bool("served"))
    });
    Ok(found.map(|definition| Mapping::of_definition(&definition, version)))
}

/// The custom resources that count themselves among a category.
fn customs_of_category(ctx: &mut Context<'_>, category: &str) -> Result<Vec<Mapping>, Failure> {
    let mut found = Vec::new();
    for definition in definitions(ctx)? {
        let spec = definition.get("spec");
        let is_member = spec
            .path("names.categories")
            .items()
            .iter()
            .any(|own| own.as_str() == Some(category));
        let served = spec
            .get("versions")
            .items()
            .iter()
            .find(|v| v.bool("served"))
            .map(|v| v.shared_str("name"));
        if let Some(version) = served.filter(|_| is_member) {
            found.push(Mapping::of_definition(&definition, &version));
        }
    }
    Ok(found)
}

/// All custom resource definitions that are served.
fn definitions(ctx: &mut Context<'_>) -> Result<Vec<Value>, Failure> {
    let response = ctx.call(Request::list(
        &Resource::of("apiextensions.k8s.io", "v1", "customresourcedefinitions"),
        "",
    ))?;
    Ok(response.body.get("items").items().to_vec())
}

/// Reads `TYPE[,TYPE…] [NAME…]` or `TYPE/NAME…`. `verb` stands in messages.
pub(crate) fn select(ctx: &mut Context<'_>, args: &[Str]) -> Result<Vec<Selection>, Failure> {
    let pairs = args.iter().filter(|arg| arg.contains('/')).count();
    if pairs > 0 {
        if pairs < args.len() {
            return Err(Failure::error(
                "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
            ));
        }
        let mut selections: Vec<Selection> = Vec::new();
        for arg in args {
            let parts: Vec<&str> = arg.split('/').collect();
            let [kind, name] = parts[..] else {
                return Err(Failure::error(
                    "arguments in resource/name form may not have more than one slash",
                ));
            };
            if kind.is_empty() || name.is_empty() {
                return Err(Failure::error(
                    "arguments in resource/name form must have a single resource and name",
                ));
            }
            let mapping = mapping(ctx, kind)?;
            selections.push(Selection {
                mapping,
                names: vec![Str::new(name)],
                is_pair: true,
            });
        }
        return Ok(selections);
    }
    let Some((kinds, names)) = args.split_first() else {
        return Ok(Vec::new());
    };
    let mut mappings = Vec::new();
    for kind in kinds.split(',') {
        let category = api::kinds::all()
            .iter()
            .filter(|k| k.categories.iter().any(|c| c == kind))
            .map(Mapping::of_kind);
        let before = mappings.len();
        mappings.extend(category);
        if mappings.len() > before || kind == "all" {
            mappings.extend(customs_of_category(ctx, kind)?);
        }
        if mappings.len() == before {
            mappings.push(mapping(ctx, kind)?);
        }
    }
    if mappings.len() > 1 && !names.is_empty() && mappings.iter().any(|m| m.kind.is_empty()) {
        return Err(Failure::error(
            "you may only specify a single resource type",
        ));
    }
    Ok(mappings
        .into_iter()
        .map(|mapping| Selection {
            mapping,
            names: names.to_vec(),
            is_pair: false,
        })
        .collect())
}
