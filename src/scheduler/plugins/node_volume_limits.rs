//! How many disks of a driver a node takes: no driver is installed on these machines, so nothing is counted. What is left
//! of the plugin is what it makes of in-tree disks that their driver cannot take over. Models `nodevolumelimits/csi.go`.

use api::Value;

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
