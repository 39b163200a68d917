//! How many volumes of a driver a node takes, as its CSINode says. Models `nodevolumelimits/csi.go`.
//!
//! Volumes that are not made yet count by their class. Inline disks of old are only looked at for what makes the plugin fail.

use std::collections::BTreeSet;

use api::{Str, Value};

use crate::cache::NodeInfo;
use crate::framework::{Context, Filter, Prepared, Refusal};
use crate::objects::Objects;
use crate::pod::Resident;

pub const NAME: &str = "NodeVolumeLimits";

/// The driver of a volume, and what tells it from others.
type VolumeKey = (Str, String);

#[derive(Clone, Debug)]
struct Limits<'a> {
    objects: &'a Objects,
    wanted: BTreeSet<VolumeKey>,
}

pub fn filter<'a>(cx: Context<'a>) -> Prepared<'a> {
    let wanted = volumes(cx.objects, &cx.pod.resident);
    if wanted.is_empty() || !cx.objects.has_volume_limits() {
        return Prepared::Skip;
    }
    Prepared::Check(Box::new(Limits {
        objects: cx.objects,
        wanted,
    }))
}

/// The volumes of a pod that drivers look after.
fn volumes(objects: &Objects, pod: &Resident) -> BTreeSet<VolumeKey> {
    let of_claim = |name: &Str| {
        let claim = objects.claim(&pod.namespace, name)?;
        if claim.volume.is_empty() {
            let class = objects.class(&claim.class)?;
            let handle = format!("{}/{name}", pod.namespace);
            return Some((class.provisioner.clone(), handle));
        }
        let csi = objects.volume(&claim.volume)?.object.path("spec.csi");
        csi.is_map()
            .then(|| (csi.shared_str("driver"), csi.str("volumeHandle").to_owned()))
    };
    pod.claims.iter().filter_map(of_claim).collect()
}

impl<'a> Filter<'a> for Limits<'a> {
    fn check(&self, node: &NodeInfo) -> Result<(), Refusal> {
        let there: BTreeSet<VolumeKey> = node
            .groups
            .iter()
            .flat_map(|group| volumes(self.objects, &group.resident))
            .collect();
        let all: BTreeSet<&VolumeKey> = there.union(&self.wanted).collect();
        for (driver, _) in self.wanted.difference(&there) {
            let count = all.iter().filter(|(of, _)| of == driver).count();
            let limit = self.objects.volume_limit(&node.name, driver);
            if limit.is_some_and(|limit| count as i64 > limit) {
                return Err(Refusal::of(NAME, "node(s) exceed max volume count"));
            }
        }
        Ok(())
    }

    fn boxed(&self) -> Box<dyn Filter<'a> + 'a> {
        Box::new(self.clone())
    }
}

/// The error of the filter for a pod whose inline disk cannot be translated, if it has one.
pub fn error(pod: &Value) -> Option<String> {
    let mut volumes = pod.path("spec.volumes").items().iter();
    volumes.find_map(|volume| {
        let disk = volume.get("azureDisk");
        let kind = disk.str("kind");
        let is_translatable = !disk.is_map() || kind == "Managed";
        (!is_translatable).then(|| {
            format!(
                "running \"NodeVolumeLimits\" filter plugin: converting volume({}) from inline to csi: kind({kind}) is not supported in csi migration",
                volume.str("name")
            )
        })
    })
}
