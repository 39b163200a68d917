//! The simulated machine: what it has, what it is called, and the Node object that tells about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Str, Value, list, map};
use sim::Time;

use crate::catalogue::{self, Image, Missing, Os};
use crate::custom::Custom;
use crate::reference::Reference;

/// Facts about one machine that do not change while it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub name: Str,
    /// From 0; addresses are made of it.
    pub number: u32,
    /// Empty: follows from the number.
    pub own_address: Str,
    pub cpus: u32,
    pub memory_kib: u64,
    pub disk_kib: u64,
    pub max_pods: u32,
    /// Bytes per second of an image pull; 0 if it varies.
    pub pull_speed: u64,
    pub zone: Str,
    pub region: Str,
    /// Further labels.
    pub labels: BTreeMap<Str, Str>,
    /// Taints that the kubelet registers with.
    pub taints: Vec<Value>,
    pub is_windows: bool,
    /// Static pods by their file's name, as in `/etc/kubernetes/manifests`.
    pub manifests: BTreeMap<Str, Value>,
    /// Images that the user has defined, by name.
    pub images: BTreeMap<String, Arc<Custom>>,
}

impl Machine {
    /// A worker like those of the recordings: 4 CPUs, 8 GiB, in one of three zones.
    pub fn worker(number: u32) -> Machine {
        const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];
        Machine {
            name: format!("node-{}", number + 1).into(),
            number,
            own_address: Str::EMPTY,
            cpus: 4,
            memory_kib: 8 << 20,
            disk_kib: 100 << 20,
            max_pods: 110,
            pull_speed: 0,
            zone: ZONES[number as usize % ZONES.len()].into(),
            region: "region-1".into(),
            labels: BTreeMap::new(),
            taints: Vec::new(),
            is_windows: false,
            manifests: BTreeMap::new(),
            images: BTreeMap::new(),
        }
    }

    /// The image of a name, as a pull from here finds it.
    pub fn find_image(&self, reference: &Reference) -> Result<Image, Missing> {
        match self.images.get(&reference.name()) {
            Some(custom) if custom.has_tag(&reference.tag) => Ok(custom.image()),
            Some(_) => Err(Missing::Tag),
            None => {
                let image = catalogue::find(reference)?;
                let is_right = match catalogue::os_of(reference) {
                    Os::Both => true,
                    Os::Windows => self.is_windows,
                    Os::Linux => !self.is_windows,
                };
                if is_right {
                    Ok(image)
                } else {
                    Err(Missing::Platform)
                }
            }
        }
    }

    /// As `kubernetes.io/os` and `spec.os.name` say it.
    pub fn os(&self) -> &'static str {
        if self.is_windows { "windows" } else { "linux" }
    }

    /// `172.18.0.11` for the first machine.
    pub fn address(&self) -> Str {
        if !self.own_address.is_empty() {
            return self.own_address.clone();
        }
        let host = self.number + 11;
        format!("172.18.{}.{}", host >> 8, host & 255).into()
    }

    /// The first two numbers and the third of the machine's pod network.
    fn pod_network(&self) -> (u32, u32) {
        ((244 + (self.number >> 8)) & 255, self.number & 255)
    }

    /// `10.244.0.0/24` for the first machine.
    pub fn pod_cidr(&self) -> Str {
        let (second, third) = self.pod_network();
        format!("10.{second}.{third}.0/24").into()
    }

    /// The address of a pod by its number in the machine's pod network.
    pub fn pod_address(&self, host: u8) -> Str {
        let (second, third) = self.pod_network();
        format!("10.{second}.{third}.{host}").into()
    }

    /// The Node object as the kubelet registers it.
    pub fn node_object(&self, now: Time) -> Value {
        let os = self.os();
        let mut labels = map! {
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": os,
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": self.name.clone(),
            "kubernetes.io/os": os,
            "topology.kubernetes.io/region": self.region.clone(),
            "topology.kubernetes.io/zone": self.zone.clone(),
        };
        for (key, value) in &self.labels {
            labels.set(key.clone(), value.clone());
        }
        let mut spec = map! { "podCIDR": self.pod_cidr(), "podCIDRs": list![self.pod_cidr()] };
        if !self.taints.is_empty() {
            spec.set("taints", self.taints.clone());
        }
        map! {
            "apiVersion": "v1", "kind": "Node",
            "metadata": map! {
                "name": self.name.clone(),
                "labels": labels,
                "annotations": map! {
                    "volumes.kubernetes.io/controller-managed-attach-detach": "true",
                },
            },
            "spec": spec,
            "status": self.status(now),
        }
    }

    fn status(&self, now: Time) -> Value {
        let amount = |memory: u64, disk: String| {
            map! {
                "cpu": self.cpus.to_string(),
                "ephemeral-storage": disk,
                "hugepages-1Gi": "0",
                "hugepages-2Mi": "0",
                "memory": format!("{memory}Ki"),
                "pods": self.max_pods.to_string(),
            }
        };
        map! {
            "addresses": list![
                map! { "type": "InternalIP", "address": self.address() },
                map! { "type": "Hostname", "address": self.name.clone() },
            ],
            "capacity": amount(self.memory_kib, format!("{}Ki", self.disk_kib)),
            "allocatable": amount(self.memory_kib, format!("{}Ki", self.disk_kib)),
            "conditions": self.conditions(now, now, true),
            "daemonEndpoints": map! { "kubeletEndpoint": map! { "Port": 10250 } },
            "nodeInfo": self.info(),
        }
    }

    /// The kubelet's conditions; `since` is when the node became ready.
    pub fn conditions(&self, now: Time, since: Time, is_ready: bool) -> Value {
        let condition = |kind: &'static str,
                         status: &'static str,
                         reason: &'static str,
                         message: &'static str| {
            map! {
                "type": kind, "status": status, "reason": reason, "message": message,
                "lastHeartbeatTime": now.rfc3339(), "lastTransitionTime": since.rfc3339(),
            }
        };
        let ready = if is_ready {
            condition(
                "Ready",
                "True",
                "KubeletReady",
                "kubelet is posting ready status",
            )
        } else {
            condition(
                "Ready",
                "False",
                "KubeletNotReady",
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
            )
        };
        list![
            condition(
                "MemoryPressure",
                "False",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available"
            ),
            condition(
                "DiskPressure",
                "False",
                "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure"
            ),
            condition(
                "PIDPressure",
                "False",
                "KubeletHasSufficientPID",
                "kubelet has sufficient PID available"
            ),
            ready,
        ]
    }

    /// Two numbers that only this machine has.
    fn numbers(&self) -> (u64, u64) {
        let id = |purpose: &str| sim::Rng::stream(u64::from(self.number), purpose).next_u64();
        (id("machine"), id("system"))
    }

    /// What stands in its `/etc/machine-id`.
    pub(crate) fn id(&self) -> String {
        let (a, b) = self.numbers();
        format!("{a:016x}{b:016x}")
    }

    fn info(&self) -> Value {
        let (a, b) = self.numbers();
        let uuid = |a: u64, b: u64| {
            let (a, b) = (format!("{a:016x}"), format!("{b:016x}"));
            format!(
                "{}-{}-{}-{}-{}",
                &a[..8],
                &a[8..12],
                &a[12..],
                &b[..4],
                &b[4..]
            )
        };
        let machine_id = self.id();
        map! {
            "architecture": "amd64",
            "bootID": uuid(b, a),
            "containerRuntimeVersion": "containerd://2.2.1",
            "kernelVersion": if self.is_windows { "10.0.20348.2582" } else { "6.8.0-87-generic" },
            "kubeProxyVersion": "",
            "kubeletVersion": api::KUBERNETES_VERSION,
            "machineID": machine_id,
            "operatingSystem": if self.is_windows { "windows" } else { "linux" },
            "osImage": if self.is_windows { "Windows Server 2022 Datacenter" } else { "Debian GNU/Linux 12 (bookworm)" },
            "systemUUID": uuid(a, b),
        }
    }
}
