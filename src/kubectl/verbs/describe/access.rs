//! Roles and their bindings.

use api::{Value, meta::Meta};

use super::Text;

/// What one row of `PolicyRule` stands for.
struct Row {
    resource: String,
    urls: Vec<String>,
    names: Vec<String>,
    verbs: Vec<String>,
    order: String,
}

fn head(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    text.line(0, format!("Name:\t{}", meta.name()));
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
}

pub(super) fn role(text: &mut Text, object: &Value) {
    head(text, object);
    text.line(0, "PolicyRule:");
    text.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    text.line(1, "---------\t-----------------\t--------------\t-----");
    let mut rows = Vec::new();
    for rule in object.get("rules").items() {
        broken_down(rule, &mut rows);
    }
    rows.sort_by(|a: &Row, b: &Row| a.order.cmp(&b.order));
    for row in rows {
        let list = |words: &[String]| format!("[{}]", words.join(" "));
        text.line(
            1,
            format!(
                "{}\t{}\t{}\t{}",
                row.resource,
                list(&row.urls),
                list(&row.names),
                list(&row.verbs)
            ),
        );
    }
}

/// A rule as one row for each resource of each group; rows of the same resource are joined by their verbs.
fn broken_down(rule: &Value, rows: &mut Vec<Row>) {
    let words = |field: &str| -> Vec<String> {
        rule.get(field)
            .items()
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    let (verbs, names) = (words("verbs"), words("resourceNames"));
    let mut add = |resource: String, group: &str, urls: Vec<String>, names: Vec<String>| {
        let known = rows
            .iter_mut()
            .find(|row| row.resource == resource && row.urls == urls && row.names == names);
        match known {
            Some(row) => {
                for verb in &verbs {
                    if !row.verbs.contains(verb) {
                        row.verbs.push(verb.clone());
                    }
                }
            }
            None => {
                let plain = resource.split('.').next().unwrap_or_default();
                let order = format!(
                    "Verbs:{verbs:?},APIGroups:[{group}],Resources:[{plain}],ResourceNames:{names:?},NonResourceURLs:{urls:?}"
                );
                rows.push(Row {
                    resource,
                    urls,
                    names,
                    verbs: verbs.clone(),
                    order,
                });
            }
        }
    };
    for group in words("apiGroups") {
        for resource in words("resources") {
            let shown = match (group.as_str(), resource.split_once('/')) {
                ("", _) => resource.clone(),
                (group, Some((resource, sub))) => format!("{resource}.{group}/{sub}"),
                (group, None) => format!("{resource}.{group}"),
            };
            if names.is_empty() {
                add(shown, &group, Vec::new(), Vec::new());
                continue;
            }
            for name in &names {
                add(shown.clone(), &group, Vec::new(), vec![name.clone()]);
            }
        }
    }
    for url in words("nonResourceURLs") {
        add(String::new(), "", vec![url], Vec::new());
    }
}

pub(super) fn binding(text: &mut Text, object: &Value) {
    head(text, object);
    let role = object.get("roleRef");
    text.line(0, "Role:");
    text.line(1, format!("Kind:\t{}", role.str("kind")));
    text.line(1, format!("Name:\t{}", role.str("name")));
    text.line(0, "Subjects:");
    text.line(1, "Kind\tName\tNamespace");
    text.line(1, "----\t----\t---------");
    for subject in object.get("subjects").items() {
        text.line(
            1,
            format!(
                "{}\t{}\t{}",
                subject.str("kind"),
                subject.str("name"),
                subject.str("namespace")
            ),
        );
    }
}
