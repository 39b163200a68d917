//! get and list: from the store, at the revision and in the form that the caller asks for.

use api::{Map, Options, Response, Status, Str, Value, list, map};
use store::Key;

use crate::call::Call;
use crate::path::Path;
use crate::select::Selection;
use crate::{ApiServer, kinds};

/// The form in which objects are answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    Object,
    Table,
    PartialMetadata,
}

impl Form {
    pub(crate) fn of(options: &Options) -> Form {
        if options.table {
            return Form::Table;
        }
        match query(options, "as") {
            Some(kind) if kind.starts_with("PartialObjectMetadata") => Form::PartialMetadata,
            _ => Form::Object,
        }
    }
}

/// The value of a further query parameter.
pub(crate) fn query<'a>(options: &'a Options, name: &str) -> Option<&'a Str> {
    options
        .query
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

impl ApiServer {
    pub(crate) fn get(&mut self, call: &mut Call) -> Result<Response, Status> {
        self.check_version_is_reached(&call.options.resource_version)?;
        let entry = self
            .store
            .get(call.collection, &call.key())
            .ok_or_else(|| call.not_found())?;
        let object = kinds::from_storage(&call.kind, &entry.object);
        Ok(Response::ok(self.in_form(call, object)))
    }

    pub(crate) fn list(&mut self, call: &mut Call) -> Result<Response, Status> {
        let options = call.options;
        check_list_options(options, false)?;
        let selection = Selection::of(&call.kind, options)?;
        let limit = options.limit.filter(|n| *n > 0).map(|n| n as usize);
        let (revision, after) = self.list_start(call)?;

        let mut items: Vec<Value> = Vec::new();
        let mut last: Option<Key> = None;
        let mut remaining = 0;
        let mut visit = |key: &Key, object: &Value| {
            let object = kinds::from_storage(&call.kind, object);
            if !selection.is_empty() && !selection.matches(&call.kind, &object) {
                return;
            }
            if limit.is_some_and(|limit| items.len() == limit) {
                remaining += 1;
                return;
            }
            items.push(object);
            last = Some(key.clone());
        };
        let only = selection
            .demanded("metadata.name")
            .filter(|_| !call.namespace.is_empty() || !call.kind.namespaced);
        if let (Some(name), true) = (only, revision == self.store.revision()) {
            // One object by its name needs no look at the others.
            let key = Key::new(call.namespace.clone(), name.clone());
            if let Some(entry) = self.store.get(call.collection, &key)
                && after.as_ref().is_none_or(|after| key > *after)
            {
                visit(&key, &entry.object);
            }
        } else if revision == self.store.revision() {
            for (key, entry) in self
                .store
                .list(call.collection, &call.namespace, after.as_ref())
            {
                visit(key, &entry.object);
            }
        } else {
            let then = self
                .store
                .list_at(call.collection, &call.namespace, revision)
                .map_err(|_| {
                    Status::expired(if options.continue_token.is_empty() {
                        format!("The resourceVersion for the provided list is too old: {revision}")
                    } else {
                        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.".to_owned()
                    })
                })?;
            for (key, object) in &then {
                if after.as_ref().is_none_or(|after| key > after) {
                    visit(key, object);
                }
            }
        }

        let mut meta = Map::default();
        meta.insert("resourceVersion", revision.to_string());
        if remaining > 0
            && let Some(last) = last
        {
            meta.insert(
                "continue",
                continue_token(revision, &call.namespace, &last, call.kind.namespaced),
            );
            if selection.is_empty() {
                meta.insert("remainingItemCount", remaining as i64);
            }
        }
        let body = match Form::of(options) {
            Form::Table => crate::table::of_call(self, &call.kind, call, &items, Value::from(meta)),
            Form::PartialMetadata => map! {
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
                "items": items.iter().map(partial_metadata).collect::<Vec<_>>(),
            },
            Form::Object => map! {
                "kind": call.kind.list_kind(), "apiVersion": call.kind.api_version(), "metadata": meta, "items": items,
            },
        };
        Ok(Response::ok(body))
    }

    /// One object as the caller wants to see it.
    pub(crate) fn in_form(&self, call: &Call, object: Value) -> Value {
        match Form::of(call.options) {
            Form::Object => object,
            Form::PartialMetadata => partial_metadata(&object),
            Form::Table => {
                let meta =
                    map! { "resourceVersion": object.get("metadata").get("resourceVersion") };
                crate::table::of_call(self, &call.kind, call, &[object], meta)
            }
        }
    }

    /// The revision to list at and the key to begin after.
    fn list_start(&self, call: &Call) -> Result<(u64, Option<Key>), Status> {
        let options = call.options;
        if !options.continue_token.is_empty() {
            let (revision, start) = read_continue_token(&options.continue_token)?;
            let start = start.trim_start_matches('/');
            let key = if call.kind.namespaced && call.namespace.is_empty() {
                let (namespace, name) = start.split_once('/').unwrap_or(("", start));
                Key::new(Str::new(namespace), Str::new(name))
            } else {
                Key::new(&call.namespace, Str::new(start))
            };
            // A token of a read at no particular revision carries -1.
            let revision = u64::try_from(revision).unwrap_or(self.store.revision());
            return Ok((revision, Some(key)));
        }
        self.check_version_is_reached(&options.resource_version)?;
        let asked = parse_version(&options.resource_version)?;
        if options.resource_version_match == *"Exact" && asked > 0 {
            return Ok((asked, None));
        }
        Ok((self.store.revision(), None))
    }

    /// Refuses a resource version that lies in the future.
    pub(crate) fn check_version_is_reached(&self, version: &str) -> Result<(), Status> {
        let asked = parse_version(version)?;
        let current = self.store.revision();
        if asked <= current {
            return Ok(());
        }
        Err(Status::new(
            504,
            "Timeout",
            format!("Timeout: Too large resource version: {asked}, current: {current}"),
        )
        .with_details(map! {
            "causes": list![map! { "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
            "retryAfterSeconds": 1,
        }))
    }
}

/// 0 for "any" and for "most recent".
pub(crate) fn parse_version(version: &str) -> Result<u64, Status> {
    if version.is_empty() {
        return Ok(0);
    }
    version.parse().map_err(|_| {
        Status::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {version:?}: strconv.ParseUint: parsing {version:?}: invalid syntax"
        ))
    })
}

/// `ValidateListOptions` of `apimachinery/pkg/apis/internalversion/validation`.
pub(crate) fn check_list_options(options: &Options, is_watch: bool) -> Result<(), Status> {
    let mut problems = Vec::new();
    let matching = Path::new("resourceVersionMatch");
    let version_match = &options.resource_version_match;
    if is_watch && options.send_initial_events.is_some() {
        if version_match.is_empty() {
            problems.push(matching.forbidden(
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        } else if *version_match != *"NotOlderThan" {
            problems.push(matching.not_supported(version_match, &["NotOlderThan"]));
        }
    } else if !version_match.is_empty() {
        if is_watch {
            problems.push(matching.forbidden(
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
        if options.resource_version.is_empty() {
            problems.push(
                matching.forbidden(
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                ),
            );
        }
        if !options.continue_token.is_empty() {
            problems.push(
                matching.forbidden("resourceVersionMatch is forbidden when continue is provided"),
            );
        }
        if !matches!(version_match.as_str(), "Exact" | "NotOlderThan") {
            problems.push(matching.not_supported(version_match, &["Exact", "NotOlderThan", ""]));
        }
        if *version_match == *"Exact" && options.resource_version == *"0" {
            problems.push(matching.forbidden(
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            ));
        }
    }
    if !is_watch && options.send_initial_events.is_some() {
        problems.push(
            Path::new("sendInitialEvents").forbidden("sendInitialEvents is forbidden for list"),
        );
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Status::invalid("meta.k8s.io", "ListOptions", "", &problems))
}

pub(crate) fn partial_metadata(object: &Value) -> Value {
    map! {
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata"),
    }
}

/// Whether an object of `kind` lives in a namespace, as its key shows.
fn continue_token(revision: u64, namespace: &str, last: &Key, is_namespaced: bool) -> String {
    let start = if is_namespaced && namespace.is_empty() {
        format!("/{}/{}\u{0}", last.namespace, last.name)
    } else {
        format!("/{}\u{0}", last.name)
    };
    let token = map! { "v": "meta.k8s.io/v1", "rv": revision as i64, "start": start };
    // encoding/json keeps the order of the struct's fields.
    let text = format!(
        "{{\"v\":{},\"rv\":{},\"start\":{}}}",
        token.get("v").to_json(),
        token.get("rv").to_json(),
        token.get("start").to_json()
    );
    api::base64::encode_url(text.as_bytes())
}

fn read_continue_token(token: &str) -> Result<(i64, String), Status> {
    let bad = |why: &str| Status::bad_request(format!("invalid continue token: {why}"));
    let bytes = api::base64::decode_url(token).map_err(|at| {
        bad(&format!(
            "continue key is not valid: illegal base64 data at input byte {at}"
        ))
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let value = Value::from_json(&text).map_err(|_| {
        let first = bytes.first().copied().unwrap_or_default();
        bad(&format!(
            "continue key is not valid: invalid character {} looking for beginning of value",
            go_quoted_byte(first)
        ))
    })?;
    let start = value.str("start").trim_end_matches('\u{0}').to_owned();
    if value.str("v") != "meta.k8s.io/v1" {
        return Err(bad(
            "continue key is not valid: server does not recognize this encoded version",
        ));
    }
    if start.is_empty() || value.int("rv").is_none_or(|rv| rv == 0) {
        return Err(bad(
            "continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
        ));
    }
    Ok((value.int("rv").unwrap_or(-1), start))
}

/// How Go's JSON decoder names the character it stumbled over.
fn go_quoted_byte(byte: u8) -> String {
    match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        0x20..=0x7e => format!("'{}'", byte as char),
        _ => format!("'\\u{byte:04x}'"),
    }
}
