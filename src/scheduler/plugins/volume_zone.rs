//! A volume that carries the labels of a zone or region is used there. Models `plugins/volumezone`.

use api::Str;

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal};
use crate::selector::label;

pub const NAME: &str = "VolumeZone";

/// The labels that say where something is; those of former times count as their successors do.
const PLACES: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];

/// Labels of volumes: a key with the values that are right, `a__b` in one text.
#[derive(Clone, Debug)]
struct Zones(Vec<(&'static str, Str)>);

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let pod = &cx.pod.resident;
    let mut wanted = Vec::new();
    for name in &pod.claims {
        let claim = cx.objects.claim(&pod.namespace, name);
        let Some(volume) = claim.and_then(|claim| cx.objects.volume(&claim.volume)) else {
            continue;
        };
        let labels = volume.object.path("metadata.labels");
        wanted.extend(PLACES.iter().filter_map(|key| {
            let value = labels.get(key).as_shared_str()?;
            Some((*key, value.clone()))
        }));
    }
    if wanted.is_empty() {
        Prepared::Skip
    } else {
        Prepared::Check(Box::new(Zones(wanted)))
    }
}

/// The value of a place's label on a node, under its name of today or of former times.
fn place<'a>(node: &'a NodeInfo, key: &str) -> Option<&'a Str> {
    let end = key.rsplit('/').next().unwrap_or_default();
    let same = PLACES.iter().filter(|other| other.ends_with(end));
    label(&node.labels, key).or_else(|| {
        let mut found = same.filter_map(|other| label(&node.labels, other));
        found.next()
    })
}

impl<'a> Filter<'a> for Zones {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        if PLACES.iter().all(|key| label(&node.labels, key).is_none()) {
            // A cluster without zones.
            return Ok(());
        }
        let is_right = |(key, values): &(&'static str, Str)| {
            place(node, key).is_some_and(|is| values.split("__").any(|value| value == is.as_str()))
        };
        if self.0.iter().all(is_right) {
            Ok(())
        } else {
            Err(Refusal::unresolvable(
                NAME,
                "node(s) had no available volume zone",
            ))
        }
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}
