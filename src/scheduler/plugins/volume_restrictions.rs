//! A claim that only one pod may use is used by one pod only. Models `plugins/volumerestrictions`.

use api::Str;

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal};

pub const NAME: &str = "VolumeRestrictions";

/// Claims with `ReadWriteOncePod` that another pod has already.
#[derive(Clone, Debug)]
struct Taken;

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let pod = &cx.pod.resident;
    let mut exclusive: Vec<&Str> = Vec::new();
    for name in &pod.claims {
        match cx.objects.claim(&pod.namespace, name) {
            Some(claim) if claim.is_exclusive => exclusive.push(name),
            Some(_) => {}
            None => return Prepared::Refuse(missing(cx, name)),
        }
    }
    if exclusive.is_empty() {
        return Prepared::Skip;
    }
    let uses = |node: &NodeInfo| {
        node.groups.iter().any(|group| {
            group.resident.namespace == pod.namespace
                && group
                    .resident
                    .claims
                    .iter()
                    .any(|claim| exclusive.contains(&claim))
        })
    };
    if cx.cache.nodes().any(uses) {
        Prepared::Check(Box::new(Taken))
    } else {
        Prepared::Skip
    }
}

/// The claim of a pod that does not exist.
pub fn missing(cx: Context<'_>, name: &Str) -> Refusal {
    let is_ephemeral = cx
        .pod
        .object
        .path("spec.volumes")
        .items()
        .iter()
        .any(|volume| {
            volume.has("ephemeral")
                && format!("{}-{}", cx.pod.key.1, volume.str("name")) == name.as_str()
        });
    let reason = if is_ephemeral {
        format!(
            "waiting for ephemeral volume controller to create the persistentvolumeclaim \"{name}\""
        )
    } else {
        format!("persistentvolumeclaim \"{name}\" not found")
    };
    Refusal::unresolvable(NAME, reason)
}

impl<'a> Filter<'a> for Taken {
    fn check(&self, _node: &NodeInfo) -> Result<(), Refusal> {
        Err(Refusal::of(
            NAME,
            "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
        ))
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}
