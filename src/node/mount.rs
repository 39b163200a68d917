//! Volumes that these machines cannot mount: drivers that nobody installed, plugins that Kubernetes has removed, disks of
//! clouds that are not here.

use api::Value;

/// In-tree plugins that v1.36 does not have any more.
const REMOVED: &[&str] = &[
    "cephfs",
    "flocker",
    "glusterfs",
    "photonPersistentDisk",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
];

/// Disks that a cloud's driver would have to attach first: the kubelet waits, and says so only after two minutes.
const ATTACHED: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cinder",
    "gcePersistentDisk",
    "portworxVolume",
    "vsphereVolume",
];

/// Whether a volume is of a kind that Kubernetes has no plugin for: the whole sync fails.
pub(crate) fn lacks_plugin(spec: &Value) -> bool {
    let volumes = spec.get("volumes").items();
    volumes
        .iter()
        .any(|volume| REMOVED.iter().any(|plugin| volume.has(plugin)))
}

/// The message of the FailedMount event for each mounted volume that will never be there; `None` where nothing is said.
pub(crate) fn unmountable(spec: &Value) -> Vec<Option<String>> {
    let mounted = |name: &str| {
        ["initContainers", "containers"]
            .iter()
            .flat_map(|field| spec.get(field).items())
            .flat_map(|container| container.get("volumeMounts").items())
            .any(|mount| mount.str("name") == name)
    };
    let mut problems = Vec::new();
    for volume in spec
        .get("volumes")
        .items()
        .iter()
        .filter(|v| mounted(v.str("name")))
    {
        let name = volume.str("name");
        if REMOVED.iter().any(|plugin| volume.has(plugin)) {
            problems.push(Some(format!(
                "Unable to attach or mount volumes: unmounted volumes=[{name}], unattached volumes=[], failed to process volumes=[{name}]: failed to get Plugin from volumeSpec for volume \"{name}\" err=no volume plugin matched"
            )));
        } else if volume.has("csi") {
            let driver = volume.get("csi").str("driver");
            problems.push(Some(format!(
                "MountVolume.SetUp failed for volume \"{name}\" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name {driver} not found in the list of registered CSI drivers"
            )));
        } else if volume.has("iscsi") {
            problems.push(Some(format!(
                "MountVolume.WaitForAttach failed for volume \"{name}\" : executable file not found in $PATH"
            )));
        } else if ATTACHED.iter().any(|plugin| volume.has(plugin)) {
            problems.push(None);
        }
    }
    problems
}
