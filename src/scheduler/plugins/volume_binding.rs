//! Claims must be bound, or be bindable on the node. Models `plugins/volumebinding`.

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal};
use crate::objects::{Claim, Objects, Volume};
use crate::plugins::volume_restrictions::missing;

pub const NAME: &str = "VolumeBinding";

#[derive(Clone, Debug)]
struct Binding<'a> {
    objects: &'a Objects,
    bound: Vec<&'a Volume>,
    /// Claims that are bound once a node is chosen.
    delayed: Vec<&'a Claim>,
}

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let pod = &cx.pod.resident;
    if pod.claims.is_empty() {
        return Prepared::Skip;
    }
    let mut binding = Binding {
        objects: cx.objects,
        bound: Vec::new(),
        delayed: Vec::new(),
    };
    let mut waits = false;
    for name in &pod.claims {
        let Some(claim) = cx.objects.claim(&pod.namespace, name) else {
            return Prepared::Refuse(missing(cx, name));
        };
        if claim.is_lost {
            let reason = format!(
                "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{}\"",
                claim.volume
            );
            return Prepared::Refuse(Refusal::unresolvable(NAME, reason));
        }
        if claim.is_deleting {
            let reason = format!("persistentvolumeclaim \"{name}\" is being deleted");
            return Prepared::Refuse(Refusal::unresolvable(NAME, reason));
        }
        if claim.is_bound {
            binding.bound.extend(cx.objects.volume(&claim.volume));
        } else if waits_for_consumer(cx.objects, claim) {
            binding.delayed.push(claim);
        } else {
            waits = true;
        }
    }
    if waits {
        let reason = "pod has unbound immediate PersistentVolumeClaims";
        return Prepared::Refuse(Refusal::unresolvable(NAME, reason));
    }
    Prepared::Check(Box::new(binding))
}

/// Whether a claim is only bound when a pod needs it.
pub fn waits_for_consumer(objects: &Objects, claim: &Claim) -> bool {
    claim.volume.is_empty()
        && objects
            .class(&claim.class)
            .is_some_and(|class| class.waits_for_consumer)
}

impl<'a> Filter<'a> for Binding<'a> {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        if !self.bound.iter().all(|volume| volume.accepts(node)) {
            return Err(Refusal::unresolvable(
                NAME,
                "node(s) didn't match PersistentVolume's node affinity",
            ));
        }
        let can_have = |claim: &&&Claim| {
            self.objects.match_volume(claim, node).is_some()
                || self
                    .objects
                    .class(&claim.class)
                    .is_some_and(|class| class.provisions)
        };
        if self.delayed.iter().filter(can_have).count() < self.delayed.len() {
            return Err(Refusal::unresolvable(
                NAME,
                "node(s) didn't find available persistent volumes to bind",
            ));
        }
        Ok(())
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}
