//! `kubectl diff`: what `apply` would change, as `diff -u -N` of the live object and the merged one.
//!
//! Models `kubectl/pkg/cmd/diff`; the comparison itself is here too, because there is no `diff` program to call.

use api::{PatchKind, Request, Str, Value, meta::Meta};

use super::apply::{self, DryRun};
use super::files;
use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::print;
use crate::resource::{Mapping, Scope, mapping_of};
use crate::{Context, Failure};

const FLAGS: &[Flag] = &[
    array("filename").short('f'),
    text("kustomize").short('k'),
    switch("recursive").short('R'),
    text("selector").short('l'),
    switch("server-side"),
    switch("force-conflicts"),
    text("field-manager"),
    switch("show-managed-fields"),
    switch("prune"),
    array("prune-allowlist"),
    crate::flags::number("concurrency"),
    optional("validate", "strict"),
];

/// Lines of unchanged text around a change.
const AROUND: usize = 3;

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = Given::parse("diff", FLAGS, args)?;
    if !given.names_files() {
        return Err(Failure::error("must specify one of -f and -k"));
    }
    let scope = Scope::of(ctx, &given)?;
    let mut differs = false;
    for document in files::read(ctx, &given)? {
        let mut object = document.object.clone();
        let (api_version, kind) = (object.shared_str("apiVersion"), object.shared_str("kind"));
        let Some(mapping) = mapping_of(ctx, &api_version, &kind)? else {
            return Err(Failure::error(format!(
                "no matches for kind {:?} in version {:?}",
                kind.as_str(),
                api_version.as_str()
            )));
        };
        let namespace = apply::place(&mut object, &mapping, &scope)?;
        if !given.switch("server-side") {
            // Compared as apply would send it, which always has annotations.
            object = apply::with_annotations(object);
        }
        let (mut live, mut merged) = both(ctx, &given, &mapping, namespace, &object)?;
        if kind == "Secret" {
            mask(&mut live, &mut merged);
        }
        let shown = |object: &Value| {
            if object.is_null() {
                String::new()
            } else if given.switch("show-managed-fields") {
                api::yaml::emit(object)
            } else {
                api::yaml::emit(&print::without_managed_fields(object))
            }
        };
        let hunks = unified(&shown(&live), &shown(&merged));
        if hunks.is_empty() {
            continue;
        }
        differs = true;
        let meta = Meta::of(&merged);
        let file = format!(
            "{}.{kind}.{}.{}",
            api_version.replace('/', "."),
            meta.namespace(),
            meta.name()
        );
        let now = ctx.now();
        let number = now.since(sim::Time::default()) % 4_000_000_000;
        let (from, to) = (
            format!("/tmp/LIVE-{number}/{file}"),
            format!("/tmp/MERGED-{}/{file}", number ^ 0x5a5a_5a5a),
        );
        let at = stamp(now);
        ctx.out(format!(
            "diff -u -N {from} {to}\n--- {from}\t{at}\n+++ {to}\t{at}\n{hunks}"
        ));
    }
    if differs {
        Err(Failure::exit(1))
    } else {
        Ok(())
    }
}

/// The object as it is (null if it is not), and as it would be: merged by the server without storing it.
fn both(
    ctx: &mut Context<'_>,
    given: &Given,
    mapping: &Mapping,
    namespace: Str,
    object: &Value,
) -> Result<(Value, Value), Failure> {
    let name = Meta::of(object).shared_name();
    let resource = &mapping.resource;
    let response = ctx.call(Request::get(resource, namespace.clone(), name.clone()))?;
    if !response.is_success() && response.code != 404 {
        return Err(Failure::server(&response));
    }
    let live = if response.is_success() {
        response.body
    } else {
        Value::Null
    };
    let mut request = if given.switch("server-side") {
        let mut request =
            Request::patch(resource, namespace, name, PatchKind::Apply, object.clone());
        request.options.force = given.switch("force-conflicts");
        request
    } else if live.is_null() {
        Request::create(resource, namespace, object.clone())
    } else {
        // What was applied last is compared, but the annotation that says so stays as it is.
        let original = Meta::of(&live)
            .annotation(apply::LAST_APPLIED)
            .and_then(|text| Value::from_json(text).ok())
            .unwrap_or_default();
        let of = api::patch::strategic::type_of(&resource.group, &resource.version, &mapping.kind);
        let (kind, patch) = match of {
            Some(of) => {
                let patch = api::patch::strategic::three_way(of, &original, object, &live);
                (PatchKind::Strategic, patch.map_err(Failure::error)?)
            }
            None => (
                PatchKind::Merge,
                api::patch::merge::three_way(&original, object, &live),
            ),
        };
        if patch.is_empty() {
            return Ok((live.clone(), live));
        }
        Request::patch(resource, namespace, name, kind, patch)
    };
    apply::options(&mut request, given, DryRun::Server);
    let merged = ctx.object(request)?;
    Ok((live, merged))
}

/// `2026-11-23 00:36:34.455523000 +0000`.
fn stamp(time: sim::Time) -> String {
    let c = time.civil();
    let micros = time.since(sim::Time::default()) % sim::SECOND;
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{micros:06}000 +0000",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

/// Hides what secrets hold, but not that it differs.
fn mask(live: &mut Value, merged: &mut Value) {
    let (before, after) = (live.get("data").clone(), merged.get("data").clone());
    let hide = |of: &mut Value, own: &Value, other: &Value, word: &str| {
        for (key, value) in own.entries().iter() {
            let hidden = if other.has(key) && other.get(key) != value {
                format!("*** ({word})")
            } else {
                "***".to_owned()
            };
            of.entry("data").set(key.clone(), hidden);
        }
    };
    hide(live, &before, &after, "before");
    hide(merged, &after, &before, "after");
}

#[derive(Clone, Copy, PartialEq)]
enum Edit {
    Same,
    Removed,
    Added,
}

/// The hunks of a unified diff; empty if the texts are equal.
fn unified(from: &str, to: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let edits = edits(&a, &b);
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = (at..edits.len()).find(|i| edits[*i].0 != Edit::Same) {
        // A hunk goes on while the next change is close enough for the surroundings to touch.
        let mut last = first;
        while let Some(next) = (last + 1..edits.len()).find(|i| edits[*i].0 != Edit::Same) {
            if next - last > 2 * AROUND {
                break;
            }
            last = next;
        }
        let (start, end) = (
            first.saturating_sub(AROUND),
            (last + 1 + AROUND).min(edits.len()),
        );
        let before = |edit: Edit| {
            edits[..start]
                .iter()
                .filter(|(e, _)| *e == Edit::Same || *e == edit)
                .count()
        };
        let inside = |edit: Edit| {
            edits[start..end]
                .iter()
                .filter(|(e, _)| *e == Edit::Same || *e == edit)
                .count()
        };
        out += &format!(
            "@@ -{} +{} @@\n",
            range(before(Edit::Removed), inside(Edit::Removed)),
            range(before(Edit::Added), inside(Edit::Added))
        );
        for (edit, line) in &edits[start..end] {
            let mark = match edit {
                Edit::Same => ' ',
                Edit::Removed => '-',
                Edit::Added => '+',
            };
            out.push(mark);
            out += line;
            out.push('\n');
        }
        at = end;
    }
    out
}

/// `7,3`: where a hunk begins and how long it is.
fn range(before: usize, count: usize) -> String {
    match count {
        0 => format!("{before},0"),
        1 => (before + 1).to_string(),
        _ => format!("{},{count}", before + 1),
    }
}

/// The shortest way from one text to the other, by the longest common subsequence.
fn edits<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<(Edit, &'a str)> {
    let width = b.len() + 1;
    let mut longest = vec![0u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * width + j] = if a[i] == b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut edits = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            edits.push((Edit::Same, a[i]));
            i += 1;
            j += 1;
        } else if i < a.len()
            && (j == b.len() || longest[(i + 1) * width + j] >= longest[i * width + j + 1])
        {
            edits.push((Edit::Removed, a[i]));
            i += 1;
        } else {
            edits.push((Edit::Added, b[j]));
            j += 1;
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_have_three_lines_around_a_change() {
        let from: String = (1..=12).map(|n| format!("{n}\n")).collect();
        let to = from.replace("6\n", "six\n");
        assert_eq!(
            unified(&from, &to),
            "@@ -3,7 +3,7 @@\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n 9\n"
        );
        assert_eq!(unified(&from, &from), "");
        assert_eq!(unified("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
    }
}
