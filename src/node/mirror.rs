//! Static pods: those that a machine runs by itself, and their mirrors in the API.
//!
//! A manifest on the machine's disk becomes a pod whether or not an API server answers. So that others see it, the kubelet
//! creates a mirror of it, keeps the mirror's status, and makes it anew when somebody deletes it: the pod itself runs on.
//! Models `pkg/kubelet/config` (`common.go`, defaults of files) and `pkg/kubelet/pod/mirror_client.go` at v1.36.

use api::core::PODS;
use api::meta::Meta;
use api::{Request, RequestId, Response, Str, Value, list, map};
use client::Outbox;
use sim::{Micros, SECOND, Time};

use crate::host::Asked;
use crate::kubelet::{Kubelet, Timer};
use crate::pod::PodId;
use crate::reference::Reference;

pub(crate) const MIRROR: &str = "kubernetes.io/config.mirror";
const HASH: &str = "kubernetes.io/config.hash";
const SEEN: &str = "kubernetes.io/config.seen";
const SOURCE: &str = "kubernetes.io/config.source";
/// A mirror that could not be made is tried again after so long.
const AGAIN: Micros = 10 * SECOND;

/// What is known of a static pod's mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    None,
    /// It is being created, or an old one deleted.
    Asked(RequestId),
    /// Its UID.
    Known(Str),
}

impl Kubelet {
    /// Puts a manifest into `/etc/kubernetes/manifests`, or takes it away by its name: its pod comes or goes.
    pub fn set_manifest(
        &mut self,
        name: &str,
        manifest: Option<&Value>,
        out: &mut Outbox<'_, Timer>,
    ) {
        let manifests = &mut self.host_mut().machine.manifests;
        match manifest {
            Some(manifest) => drop(manifests.insert(Str::new(name), manifest.clone())),
            None => drop(manifests.remove(name)),
        }
        self.look_at_manifests(out);
    }

    /// Compares the manifests with the static pods that run.
    pub(crate) fn look_at_manifests(&mut self, out: &mut Outbox<'_, Timer>) {
        let wanted: Vec<Value> = self
            .machine()
            .manifests
            .values()
            .map(|manifest| self.static_pod(manifest, out.now()))
            .collect();
        let statics: Vec<PodId> = self
            .pods
            .values()
            .filter(|pod| pod.mirror.is_some() && !pod.is_gone)
            .map(|pod| pod.id)
            .collect();
        for id in statics {
            let uid = self.pods[&id].uid();
            if !wanted.iter().any(|pod| Meta::of(pod).shared_uid() == uid) {
                self.withdraw(id, out);
            }
        }
        for pod in wanted {
            if self.id_of(&pod).is_none() {
                self.appeared(pod, Some(Mirror::None), out);
            }
        }
        self.look_at_mirrors(out);
    }

    /// Makes the mirrors that are missing, once the API server knows this machine.
    pub(crate) fn look_at_mirrors(&mut self, out: &mut Outbox<'_, Timer>) {
        let Some(node) = self.registration.uid().cloned() else {
            return;
        };
        let missing: Vec<PodId> = self
            .pods
            .values()
            .filter(|pod| pod.mirror == Some(Mirror::None) && !pod.is_gone)
            .map(|pod| pod.id)
            .collect();
        for id in missing {
            let name = self.machine().name.clone();
            let mirror = mirror_of(&self.pods[&id].object, name, node.clone());
            let request = Request::create(&PODS, self.pods[&id].namespace(), mirror);
            self.ask_about_mirror(id, request, out);
        }
    }

    /// The watch shows a mirror on this machine.
    pub(crate) fn mirror_changed(&mut self, object: &Value, out: &mut Outbox<'_, Timer>) {
        let meta = Meta::of(object);
        let hash = meta.annotation(MIRROR).unwrap_or_default();
        let key = (meta.shared_namespace(), meta.shared_name());
        let id = self
            .id_of_name(&key.0, &key.1)
            .filter(|id| self.pods[id].mirror.is_some() && !self.pods[id].is_gone);
        let is_right = id.is_some_and(|id| self.pods[&id].uid() == hash) && !meta.is_deleting();
        let Some(id) = id.filter(|_| is_right) else {
            let mut request = Request::delete(&PODS, key.0, key.1);
            request.options.grace_period_secs = Some(0);
            request.options.precondition_uid = Some(meta.shared_uid());
            return match id {
                Some(id) => self.ask_about_mirror(id, request, out),
                None => drop(out.send(request)),
            };
        };
        let uid = meta.shared_uid();
        let status = object.get("status").clone();
        self.turn(id, out, |turn| {
            turn.pod.mirror = Some(Mirror::Known(uid));
            if turn.pod.patch.is_none() {
                turn.pod.reported = status;
                turn.report();
            }
        });
    }

    /// A mirror is gone: the pod runs on, and gets another one.
    pub(crate) fn mirror_gone(&mut self, object: &Value, out: &mut Outbox<'_, Timer>) {
        let meta = Meta::of(object);
        let id = self.id_of_name(&meta.shared_namespace(), &meta.shared_name());
        if let Some(pod) = id.and_then(|id| self.pods.get_mut(&id))
            && pod.mirror.is_some()
        {
            pod.mirror = Some(Mirror::None);
            self.look_at_mirrors(out);
        }
    }

    /// Mirrors that the whole list does not have any more.
    pub(crate) fn mirrors_listed(&mut self, objects: &[Value], out: &mut Outbox<'_, Timer>) {
        for pod in self.pods.values_mut() {
            if let Some(Mirror::Known(uid)) = &pod.mirror
                && !objects.iter().any(|o| Meta::of(o).uid() == uid.as_str())
            {
                pod.mirror = Some(Mirror::None);
            }
        }
        self.look_at_mirrors(out);
    }

    /// The answer to the creation or deletion of a mirror. What is right the watch shows.
    pub(crate) fn mirror_answered(
        &mut self,
        id: PodId,
        response: &Response,
        out: &mut Outbox<'_, Timer>,
    ) {
        let is_settled = response.is_success() || matches!(response.code, 404 | 409);
        if let Some(pod) = self.pods.get_mut(&id)
            && matches!(pod.mirror, Some(Mirror::Asked(_)))
            && !is_settled
        {
            pod.mirror = Some(Mirror::None);
            out.wake_after(AGAIN, Timer::Mirrors);
        }
    }

    fn ask_about_mirror(&mut self, id: PodId, request: Request, out: &mut Outbox<'_, Timer>) {
        let asked = out.send(request);
        self.host_mut().asked.insert(asked, Asked::Mirror(id));
        if let Some(pod) = self.pods.get_mut(&id) {
            pod.mirror = Some(Mirror::Asked(asked));
        }
    }

    /// The manifest is gone: the pod ends, and its mirror with it.
    fn withdraw(&mut self, id: PodId, out: &mut Outbox<'_, Timer>) {
        let pod = &self.pods[&id];
        let mut request = Request::delete(&PODS, pod.namespace(), pod.name());
        request.options.grace_period_secs = Some(0);
        if let Some(Mirror::Known(_)) = pod.mirror {
            out.send(request);
        }
        self.turn(id, out, |turn| {
            turn.pod.is_gone = true;
            turn.abort();
        });
    }

    /// The pod of a manifest, as the kubelet's reading of files completes it.
    fn static_pod(&self, manifest: &Value, now: Time) -> Value {
        let machine = self.machine();
        let mut pod = manifest.clone();
        let uid = hash_of(&format!("{}{}", manifest.to_json(), machine.name));
        let name = format!("{}-{}", manifest.get("metadata").str("name"), machine.name);
        let meta = pod.at_mut(&["metadata"]);
        meta.set("name", name);
        meta.set("uid", uid.clone());
        if !meta.has("namespace") {
            meta.set("namespace", "default");
        }
        let notes = meta.at_mut(&["annotations"]);
        notes.set(HASH, uid);
        notes.set(SEEN, now.rfc3339_micros());
        notes.set(SOURCE, "file");
        let spec = pod.at_mut(&["spec"]);
        spec.set("nodeName", machine.name.clone());
        spec.set(
            "tolerations",
            list![map! { "effect": "NoExecute", "operator": "Exists" }],
        );
        for (field, value) in [
            ("restartPolicy", Value::from("Always")),
            ("dnsPolicy", Value::from("ClusterFirst")),
            ("schedulerName", Value::from("default-scheduler")),
            ("terminationGracePeriodSeconds", Value::from(30)),
            ("enableServiceLinks", Value::from(true)),
            ("securityContext", map! {}),
        ] {
            if !spec.has(field) {
                spec.set(field, value);
            }
        }
        for container in spec.entry("containers").list_mut() {
            let pull = match Reference::parse(container.str("image")) {
                Ok(image) if image.tag == "latest" => "Always",
                _ => "IfNotPresent",
            };
            for (field, value) in [
                ("imagePullPolicy", pull),
                ("terminationMessagePath", "/dev/termination-log"),
                ("terminationMessagePolicy", "File"),
            ] {
                if !container.has(field) {
                    container.set(field, value);
                }
            }
        }
        pod.set("status", map! { "phase": "Pending" });
        pod
    }
}

/// What is created in the API for a static pod: the same, owned by the Node.
fn mirror_of(pod: &Value, node: Str, node_uid: Str) -> Value {
    let mut mirror = pod.clone();
    mirror.remove("status");
    let hash = Meta::of(pod).shared_uid();
    let meta = mirror.at_mut(&["metadata"]);
    meta.remove("uid");
    meta.at_mut(&["annotations"]).set(MIRROR, hash);
    meta.set(
        "ownerReferences",
        list![map! {
            "apiVersion": "v1", "controller": true, "kind": "Node", "name": node, "uid": node_uid,
        }],
    );
    mirror
}

/// 32 hexadecimal digits that follow from a text, as an MD5 sum looks.
fn hash_of(text: &str) -> String {
    let part = |purpose: &str| sim::Rng::stream(0, &format!("{purpose}{text}")).next_u64();
    format!("{:016x}{:016x}", part("static"), part("pod"))
}
