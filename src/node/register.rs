//! The kubelet's own signs of life: its Node object, the node's status, and its Lease.
//!
//! Models `kubelet_node_status.go` and `component-helpers/apimachinery/lease`.

use api::core::{LEASES, NODES};
use api::{PatchKind, Request, Response, Str, Value, list, map};
use client::Outbox;
use sim::{MILLI, MINUTE, Micros, SECOND, Time};

use crate::eviction;
use crate::host::{Asked, Host};
use crate::kubelet::Timer;

const NAMESPACE: &str = "kube-node-lease";
/// A quarter of the lease's 40 seconds.
const RENEWAL: Micros = 10 * SECOND;
const LEASE_SECS: i64 = 40;
/// How often the status is compared with what was told.
const LOOK: Micros = 10 * SECOND;
/// An unchanged status is told again after this long.
const REPORT: Micros = 5 * MINUTE;
/// From registration to the first ready status.
const BECOMES_READY: (Micros, Micros) = (300 * MILLI, 900 * MILLI);

/// What this kubelet has told about itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registration {
    lease: Value,
    /// The UID of our Node, once it was seen.
    uid: Option<Str>,
    is_registered: bool,
    is_ready: bool,
    /// The API server thinks that this machine is lost.
    is_misjudged: bool,
    ready_since: Time,
    told: Time,
    /// Images as last told.
    images: Value,
    /// When the status is next compared; other timers are late ones.
    next_status: Time,
    next_lease: Time,
}

impl Registration {
    pub(crate) fn uid(&self) -> Option<&Str> {
        self.uid.as_ref()
    }

    pub(crate) fn start(&mut self, host: &mut Host, out: &mut Outbox<'_, Timer>) {
        self.is_registered = false;
        self.register(host, out);
        self.renew(host, out);
    }

    fn register(&mut self, host: &mut Host, out: &mut Outbox<'_, Timer>) {
        let mut node = host.machine.node_object(out.now());
        node.set_path(
            "status.conditions",
            host.machine.conditions(out.now(), out.now(), false),
        );
        let id = out.send(Request::create(&NODES, "", node));
        host.asked.insert(id, Asked::Register);
    }

    pub(crate) fn registered(&mut self, response: &Response, out: &mut Outbox<'_, Timer>) {
        // A node that exists already is taken over as it is; its status follows at once.
        self.is_registered = response.is_success() || response.reason() == "AlreadyExists";
        self.is_ready = false;
        let span = if self.is_registered {
            out.rng.latency(BECOMES_READY.0, BECOMES_READY.1)
        } else {
            SECOND
        };
        self.next_status = out.now() + span;
        out.wake_at(self.next_status, Timer::Status);
    }

    /// Time to compare the status with what was told.
    pub(crate) fn look(&mut self, host: &mut Host, out: &mut Outbox<'_, Timer>) {
        let now = out.now();
        if now < self.next_status {
            return;
        }
        if !self.is_registered {
            return self.register(host, out);
        }
        let is_due = now.since(self.told) >= REPORT;
        if !self.is_ready || self.is_misjudged || host.images_changed || is_due {
            self.is_misjudged = false;
            self.tell(host, out);
        }
        self.next_status = self.told + REPORT;
        out.wake_at(self.next_status, Timer::Status);
    }

    /// Our Node as the API server has it. If it says that we are lost, the next regular look sets it right.
    pub(crate) fn seen(&mut self, node: &Value, out: &mut Outbox<'_, Timer>) {
        self.uid = Some(api::meta::Meta::of(node).shared_uid());
        let ready = api::meta::condition(node, "Ready");
        if self.is_ready && ready.is_some_and(|ready| ready.status() != "True") {
            self.is_misjudged = true;
            self.look_soon(out);
        }
    }

    /// Memory or disk became short, or sufficient again: told at once.
    pub(crate) fn strained(&mut self, out: &mut Outbox<'_, Timer>) {
        self.is_misjudged = true;
        self.next_status = out.now();
        out.wake_at(self.next_status, Timer::Status);
    }

    /// The images on the machine changed: the next regular look will find it.
    pub(crate) fn images_changed(&mut self, out: &mut Outbox<'_, Timer>) {
        self.look_soon(out);
    }

    fn look_soon(&mut self, out: &mut Outbox<'_, Timer>) {
        let next = out.now() + (LOOK - out.now().0 % LOOK);
        if self.next_status > next {
            self.next_status = next;
            out.wake_at(next, Timer::Status);
        }
    }

    fn tell(&mut self, host: &mut Host, out: &mut Outbox<'_, Timer>) {
        let now = out.now();
        if !self.is_ready {
            self.is_ready = true;
            self.ready_since = now;
        }
        let mut conditions = host.machine.conditions(now, self.ready_since, true);
        eviction::conditions(&host.strains, &mut conditions);
        let order = conditions
            .items()
            .iter()
            .map(|c| map! { "type": c.get("type") });
        let order: Vec<Value> = order.collect();
        let mut status = map! { "conditions": conditions, "$setElementOrder/conditions": order };
        if host.images_changed {
            host.images_changed = false;
            self.images = host.images.report();
            status.set("images", &self.images);
        }
        self.told = now;
        let patch = map! { "status": status };
        let name = host.machine.name.clone();
        let request = Request::patch(&NODES, "", name, PatchKind::Strategic, patch);
        let id = out.send(request.subresource("status"));
        host.asked.insert(id, Asked::NodeStatus);
    }

    pub(crate) fn told(&mut self, response: &Response, out: &mut Outbox<'_, Timer>) {
        if response.is_success() {
            return;
        }
        // The node was deleted under us: it is registered again.
        self.is_registered = response.code != 404;
        self.is_ready = false;
        self.next_status = out.now() + LOOK;
        out.wake_at(self.next_status, Timer::Status);
    }

    /// Time to renew the lease.
    pub(crate) fn renew(&mut self, host: &mut Host, out: &mut Outbox<'_, Timer>) {
        let now = out.now();
        if now < self.next_lease {
            return;
        }
        let renewed: Str = now.rfc3339_micros().into();
        let (request, asked) = if self.lease.is_null() {
            (
                Request::create(&LEASES, NAMESPACE, self.new_lease(host, renewed)),
                Asked::NewLease,
            )
        } else {
            let mut lease = self.lease.clone();
            lease.set_path("spec.renewTime", renewed);
            self.own(&mut lease, host);
            (Request::update(&LEASES, lease), Asked::Lease)
        };
        let id = out.send(request);
        host.asked.insert(id, asked);
        self.next_lease = now + RENEWAL;
        out.wake_at(self.next_lease, Timer::Lease);
    }

    fn new_lease(&self, host: &Host, renewed: Str) -> Value {
        let name = host.machine.name.clone();
        let mut lease = map! {
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": map! { "name": name.clone(), "namespace": NAMESPACE },
            "spec": map! {
                "holderIdentity": name, "leaseDurationSeconds": LEASE_SECS, "renewTime": renewed,
            },
        };
        self.own(&mut lease, host);
        lease
    }

    /// The lease goes with its node, once that is known.
    fn own(&self, lease: &mut Value, host: &Host) {
        if let Some(uid) = &self.uid
            && !lease.get("metadata").has("ownerReferences")
        {
            let owner = map! {
                "apiVersion": "v1", "kind": "Node", "name": host.machine.name.clone(), "uid": uid.clone(),
            };
            lease.set_path("metadata.ownerReferences", list![owner]);
        }
    }

    /// The answer to a creation or renewal.
    pub(crate) fn renewed(
        &mut self,
        is_new: bool,
        response: &Response,
        host: &mut Host,
        out: &mut Outbox<'_, Timer>,
    ) {
        if response.is_success() {
            self.lease = response.body.clone();
            return;
        }
        if response.code >= 500 {
            // The API server does not answer: the same again next time.
            return;
        }
        // Someone else wrote it, or it is gone, or was there before: read it, or make it anew.
        self.lease = Value::Null;
        if is_new && response.reason() == "AlreadyExists" || response.code == 409 {
            let name = host.machine.name.clone();
            let id = out.send(Request::get(&LEASES, NAMESPACE, name));
            host.asked.insert(id, Asked::Lease);
        }
    }
}
