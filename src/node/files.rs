//! The files of a pod: each container's root over its image, and the volumes mounted into it.
//!
//! Made when a process needs them, not before: a pod whose containers only serve has none. Which content a volume has
//! is Kubernetes' (`pkg/volume/*`); how files behave is `posix`'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Str, Value};
use posix::{Disk, Flavour, ImageFiles, Meta, Mounts, Tree, Volume, VolumeId, standard_root};
use sim::Time;

use crate::catalogue::Image;
use crate::environment::{self, Sources};
use crate::host::Host;
use crate::machine::Machine;
use crate::needs::Kind;
use crate::pod::Pod;
use crate::token;

/// What the machine's own files are called among the shared ones; claims have a blank in their names.
const MACHINE: &str = "machine";

/// All files of one machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Storage {
    pub(crate) disk: Disk,
    bases: BTreeMap<Str, Arc<Tree>>,
    /// The machine's own files and claims, which outlive pods.
    shared: BTreeMap<Str, VolumeId>,
    /// Claims (`namespace/name`) whose volume is a directory of the machine, with that directory.
    placed: BTreeMap<Str, Str>,
    next: u64,
}

/// What of the machine's disk belongs to one pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodFiles {
    /// The content of each volume, and the directory in it.
    volumes: BTreeMap<Str, (VolumeId, Str)>,
    roots: BTreeMap<u16, VolumeId>,
}

impl Storage {
    fn add(&mut self, volume: Volume) -> VolumeId {
        self.next += 1;
        let id = VolumeId(self.next);
        self.disk.insert(id, volume);
        id
    }

    fn shared(&mut self, name: Str) -> VolumeId {
        if let Some(id) = self.shared.get(&name) {
            return *id;
        }
        let id = self.add(Volume::new());
        self.shared.insert(name, id);
        id
    }

    /// The machine's own files.
    fn machine(&mut self, machine: &Machine) -> VolumeId {
        match self.shared.get(MACHINE) {
            Some(id) => *id,
            None => {
                let id = self.add(machine_root(machine));
                self.shared.insert(MACHINE.into(), id);
                id
            }
        }
    }

    /// A claim is a directory of this machine.
    pub(crate) fn place(&mut self, claim: Str, path: Str) {
        self.placed.insert(claim, path);
    }

    /// A fresh root over the image's files.
    fn root(&mut self, image: &Image, name: &Str) -> Volume {
        let base = self
            .bases
            .entry(name.clone())
            .or_insert_with(|| base(image, name).freeze());
        Volume::over(base.clone())
    }

    /// Whether the directory of a claim is on this machine.
    pub(crate) fn has_claim(&self, name: &str) -> bool {
        self.shared.contains_key(name)
    }

    /// The content of a claim, to be attached to another machine; it stays here too while a pod uses it.
    pub(crate) fn detach(&mut self, name: &str, is_used: bool) -> Option<Volume> {
        let id = *self.shared.get(name)?;
        if is_used {
            return self.disk.volume(id).cloned();
        }
        self.shared.remove(name);
        self.disk.remove(id)
    }

    pub(crate) fn attach(&mut self, name: Str, content: Volume) {
        if !self.shared.contains_key(&name) {
            let id = self.add(content);
            self.shared.insert(name, id);
        }
    }

    /// The pod is gone, and what was its own with it.
    pub(crate) fn release(&mut self, files: &PodFiles) {
        for id in files.roots.values() {
            self.disk.remove(*id);
        }
        for (id, _) in files.volumes.values() {
            if !self.shared.values().any(|shared| shared == id) {
                self.disk.remove(*id);
            }
        }
    }

    /// A container is made anew: its root is fresh again.
    pub(crate) fn forget_root(&mut self, files: &mut PodFiles, index: u16) {
        if let Some(id) = files.roots.remove(&index) {
            self.disk.remove(id);
        }
    }

    pub(crate) fn read(&self, files: &PodFiles, index: u16, path: &str) -> Option<Vec<u8>> {
        let root = files.roots.get(&index)?;
        self.disk
            .volume(*root)?
            .read(path.trim_start_matches('/'))
            .map(|bytes| bytes.to_vec())
    }
}

/// The mounts of one container; makes what is not there yet.
pub(crate) fn mounts(
    host: &mut Host,
    pod: &mut Pod,
    index: u16,
    image: &Image,
    now: Time,
) -> Mounts {
    let mut files = pod.files.take().unwrap_or_default();
    let spec = pod.container_spec(index).clone();
    let root = *files.roots.entry(index).or_insert_with(|| {
        let name = spec.shared_str("image");
        let mut root = host.storage.root(image, &name);
        own_files(&mut root, pod, host, now);
        host.storage.add(root)
    });
    let read_only = spec
        .path("securityContext.readOnlyRootFilesystem")
        .as_bool()
        == Some(true);
    let mut mounts = Mounts::with_root(root, read_only);
    let wanted: Vec<Value> = spec.get("volumeMounts").items().to_vec();
    for mount in wanted {
        let name = mount.shared_str("name");
        let (id, base) = match files.volumes.get(&name) {
            Some(volume) => volume.clone(),
            None => {
                let volume = make_volume(host, pod, &name, now);
                files.volumes.insert(name, volume.clone());
                volume
            }
        };
        let env = environment::environment(pod, &spec, host);
        let sub_path = match mount.str("subPathExpr") {
            "" => mount.str("subPath").to_owned(),
            expression => environment::expand(expression, &env),
        };
        let sub_path = format!("{base}/{sub_path}");
        // The runtime follows links of the image: `/var/run` is `/run` in all of them.
        let at = match mount.str("mountPath").strip_prefix("/var/run/") {
            Some(below) => format!("/run/{below}"),
            None => mount.str("mountPath").to_owned(),
        };
        // A mount that cannot be made is left out: validation let only odd ones come this far.
        let _ = mounts.mount(
            &mut host.storage.disk,
            &at,
            id,
            sub_path.trim_matches('/'),
            mount.bool("readOnly"),
        );
    }
    pod.files = Some(files);
    mounts
}

/// The content of a volume, and the directory in it.
fn make_volume(host: &mut Host, pod: &Pod, name: &Str, now: Time) -> (VolumeId, Str) {
    let none = Value::Null;
    let spec = pod
        .spec()
        .get("volumes")
        .items()
        .iter()
        .find(|v| v.str("name") == name.as_str())
        .unwrap_or(&none);
    let claim = match spec.path("persistentVolumeClaim.claimName").as_str() {
        Some(claim) => Some(format!("{}/{claim}", pod.namespace())),
        None if spec.has("ephemeral") => Some(format!("{}/{}-{name}", pod.namespace(), pod.name())),
        None => None,
    };
    let placed = claim
        .as_ref()
        .and_then(|claim| host.storage.placed.get(claim.as_str()).cloned());
    let path = spec.path("hostPath.path").as_str().map(Str::new);
    if let Some(path) = placed.or(path) {
        return (host.storage.machine(&host.machine), path);
    }
    if let Some(claim) = claim {
        let id = host.storage.shared(format!("claim {claim}").into());
        return (id, Str::EMPTY);
    }
    let mut volume = Volume::new();
    if let Some(limit) = spec.path("emptyDir.sizeLimit").as_str() {
        let bytes = api::quantity::Quantity::of(&Value::from(limit.to_owned())).value();
        volume = volume.limit(bytes.max(0) as u64);
    }
    for (path, mode, bytes) in contents(pod, spec, &pod.sources, host, now) {
        let meta = Meta {
            mode,
            ..Meta::default()
        };
        let _ = volume.write(&path, bytes, meta);
    }
    (host.storage.add(volume), Str::EMPTY)
}

/// Writes what volumes show of ConfigMaps and Secrets anew; a volume of which a part is mounted by `subPath` stays.
pub(crate) fn rewrite(host: &mut Host, pod: &mut Pod, now: Time) {
    let Some(files) = pod.files.take() else {
        return;
    };
    let lists = ["initContainers", "containers"];
    let containers = lists.iter().flat_map(|list| pod.spec().get(list).items());
    let mounts: Vec<&Value> = containers
        .flat_map(|c| c.get("volumeMounts").items())
        .collect();
    for spec in pod.spec().get("volumes").items() {
        let shows = ["configMap", "secret", "projected"];
        let name = spec.str("name");
        let has_part = mounts.iter().any(|mount| {
            mount.str("name") == name && (mount.has("subPath") || mount.has("subPathExpr"))
        });
        let (true, false, Some((id, _))) = (
            shows.iter().any(|kind| spec.has(kind)),
            has_part,
            files.volumes.get(name),
        ) else {
            continue;
        };
        let fresh = contents(pod, spec, &pod.sources, host, now);
        let Some(volume) = host.storage.disk.volume_mut(*id) else {
            continue;
        };
        for old in volume.list("") {
            if !fresh
                .iter()
                .any(|(path, _, _)| path.split('/').next() == Some(&*old))
            {
                volume.remove(&old);
            }
        }
        for (path, mode, bytes) in fresh {
            let meta = Meta {
                mode,
                ..Meta::default()
            };
            let is_same = volume.read(&path).is_some_and(|known| *known == bytes);
            if !is_same {
                let _ = volume.write(&path, bytes, meta);
            }
        }
    }
    pod.files = Some(files);
}

/// Files of a volume: path, mode, content.
fn contents(
    pod: &Pod,
    spec: &Value,
    sources: &Sources,
    host: &Host,
    now: Time,
) -> Vec<(String, u16, Vec<u8>)> {
    let mut files = Vec::new();
    let mode_of = |source: &Value, item: &Value, above: &Value| {
        let mode = item
            .int("mode")
            .or(source.int("defaultMode"))
            .or(above.int("defaultMode"));
        mode.unwrap_or(0o644) as u16
    };
    let mut object = |kind: Kind, source: &Value, field: &str, above: &Value| {
        let name = source.shared_str(field);
        let root = host
            .certified
            .get(&pod.namespace())
            .filter(|_| name == "kube-root-ca.crt");
        let Some(object) = sources.get(&(kind, name)).or(root) else {
            return;
        };
        let all = environment::data(kind, object);
        let items = source.get("items").items();
        if items.is_empty() {
            for (key, bytes) in all {
                files.push((key.to_string(), mode_of(source, &Value::Null, above), bytes));
            }
            return;
        }
        for item in items {
            if let Some(bytes) = all.get(item.str("key")) {
                files.push((
                    item.str("path").to_owned(),
                    mode_of(source, item, above),
                    bytes.clone(),
                ));
            }
        }
    };
    object(Kind::ConfigMap, spec.get("configMap"), "name", &Value::Null);
    object(Kind::Secret, spec.get("secret"), "secretName", &Value::Null);
    let projected = spec.get("projected");
    for source in projected.get("sources").items() {
        object(Kind::ConfigMap, source.get("configMap"), "name", projected);
        object(Kind::Secret, source.get("secret"), "name", projected);
    }
    let mut downward = |source: &Value, above: &Value| {
        for item in source.get("items").items() {
            let text = if item.has("fieldRef") {
                environment::field(pod, item.get("fieldRef").str("fieldPath"), &host.machine)
            } else {
                Some(environment::resource_value(
                    pod,
                    &Value::Null,
                    item.get("resourceFieldRef"),
                    &host.machine,
                ))
            };
            files.push((
                item.str("path").to_owned(),
                mode_of(source, item, above),
                text.unwrap_or_default().into_bytes(),
            ));
        }
    };
    downward(spec.get("downwardAPI"), &Value::Null);
    for source in projected.get("sources").items() {
        downward(source.get("downwardAPI"), projected);
    }
    for source in projected.get("sources").items() {
        let wanted = source.get("serviceAccountToken");
        if wanted.is_map() {
            let account = pod.spec().str("serviceAccountName");
            let text = token::of(pod, account, wanted, &host.machine.name, now);
            files.push((
                wanted.str("path").to_owned(),
                mode_of(wanted, &Value::Null, projected),
                text.into_bytes(),
            ));
        }
    }
    files
}

/// What the runtime puts into every container.
fn own_files(root: &mut Volume, pod: &Pod, host: &Host, _now: Time) {
    let hostname = environment::hostname(pod, &host.machine);
    let address = match pod.address {
        Some(number) if !pod.spec().bool("hostNetwork") => host.machine.pod_address(number),
        _ => host.machine.address(),
    };
    let mut hosts = format!(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nfe00::\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n{address}\t{hostname}\n"
    );
    let aliases = pod.spec().get("hostAliases").items();
    if !aliases.is_empty() {
        hosts += "\n# Entries added by HostAliases.\n";
    }
    for alias in aliases {
        let names: Vec<&str> = alias
            .get("hostnames")
            .items()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        hosts += &format!("{}\t{}\n", alias.str("ip"), names.join("\t"));
    }
    let namespace = pod.namespace();
    let resolv = resolv_conf(pod, &namespace);
    for (path, text) in [
        ("etc/hostname", format!("{hostname}\n")),
        ("etc/hosts", hosts),
        ("etc/resolv.conf", resolv),
        ("dev/termination-log", String::new()),
    ] {
        let _ = root.write(
            path,
            text,
            Meta {
                mode: 0o644,
                ..Meta::default()
            },
        );
    }
}

fn resolv_conf(pod: &Pod, namespace: &str) -> String {
    let config = pod.spec().get("dnsConfig");
    let list = |field: &str| -> Vec<String> {
        config
            .get(field)
            .items()
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let policy = pod.spec().str("dnsPolicy");
    let is_cluster = policy == "ClusterFirst" && !pod.spec().bool("hostNetwork")
        || policy == "ClusterFirstWithHostNet"
        || policy.is_empty();
    let (mut searches, mut servers, mut options) = if policy == "None" {
        (Vec::new(), Vec::new(), Vec::new())
    } else if is_cluster {
        (
            vec![
                format!("{namespace}.svc.cluster.local"),
                "svc.cluster.local".to_owned(),
                "cluster.local".to_owned(),
            ],
            vec!["10.96.0.10".to_owned()],
            vec!["ndots:5".to_owned()],
        )
    } else {
        (Vec::new(), vec!["10.0.2.3".to_owned()], Vec::new())
    };
    searches.extend(list("searches"));
    servers.extend(list("nameservers"));
    for option in config.get("options").items() {
        options.push(match option.get("value").as_str() {
            Some(value) => format!("{}:{value}", option.str("name")),
            None => option.str("name").to_owned(),
        });
    }
    let mut text = String::new();
    if !searches.is_empty() {
        text += &format!("search {}\n", searches.join(" "));
    }
    for server in servers {
        text += &format!("nameserver {server}\n");
    }
    if !options.is_empty() {
        text += &format!("options {}\n", options.join(" "));
    }
    text
}

/// What stands on a machine's disk.
fn machine_root(machine: &Machine) -> Volume {
    let mut root = standard_root(&ImageFiles {
        flavour: Flavour::Gnu,
        os_release: "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n",
        programs: &["kubelet", "containerd", "crictl"],
        has_tools: true,
    });
    let files = [
        ("etc/machine-id", format!("{}\n", machine.id())),
        ("etc/hostname", format!("{}\n", machine.name)),
    ];
    let file = Meta {
        mode: 0o644,
        ..Meta::default()
    };
    for (path, text) in files {
        let _ = root.write(path, text, file);
    }
    let dir = Meta {
        mode: 0o755,
        ..Meta::default()
    };
    for path in [
        "etc/kubernetes/manifests",
        "mnt",
        "var/lib/kubelet/pods",
        "var/log/pods",
    ] {
        let _ = root.make_dirs(path, dir);
    }
    root
}

/// The files that an image brings along.
fn base(image: &Image, name: &str) -> Volume {
    let short = name
        .rsplit('/')
        .next()
        .unwrap_or(name)
        .split([':', '@'])
        .next()
        .unwrap_or_default();
    let flavour = flavour(short);
    let mut programs: Vec<&str> = image.programs.to_vec();
    programs.extend(image.entrypoint.first());
    programs.extend(image.cmd.first());
    if image.has_tools {
        programs.extend(match short {
            "alpine" => &["apk"][..],
            "fedora" | "centos" => &["yum", "dnf"],
            "busybox" | "busyboxplus" | "bash" | "curl" => &[],
            _ => &["apt-get", "apt"],
        });
    }
    let os_release = match short {
        "alpine" => {
            "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME=\"Alpine Linux v3.22\"\n"
        }
        "ubuntu" => {
            "PRETTY_NAME=\"Ubuntu 24.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"24.04\"\nID=ubuntu\nID_LIKE=debian\n"
        }
        "fedora" => "NAME=\"Fedora Linux\"\nID=fedora\n",
        _ => {
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n"
        }
    };
    let mut root = standard_root(&ImageFiles {
        flavour,
        os_release,
        programs: &programs,
        has_tools: image.has_tools,
    });
    let own = image.custom.iter().flat_map(|custom| custom.files.iter());
    let own = own.map(|(path, text)| (path.as_str(), text.as_str()));
    for (path, text) in image.files.iter().copied().chain(own) {
        let _ = root.write(
            path.trim_start_matches('/'),
            text,
            Meta {
                mode: 0o644,
                ..Meta::default()
            },
        );
    }
    root
}

/// Which family of tools an image has, by its short name.
pub(crate) fn flavour(short: &str) -> Flavour {
    match short {
        "busybox" | "alpine" | "busyboxplus" | "bash" | "dnsutils" | "curl" => Flavour::Busybox,
        _ => Flavour::Gnu,
    }
}
