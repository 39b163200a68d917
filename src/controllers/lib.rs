//! kube-controller-manager: every controller of the control plane in one component.
//!
//! [`Manager`] owns the shared informer caches, the event recorder and the controllers; each controller is a file (or
//! folder) that models its upstream package: handlers mark keys dirty, `sync` reads caches, decides and sends.
//! Nothing here starts containers (kubelet) or places pods (scheduler), and nothing here knows the API server.

mod autoscale;
mod certificate;
mod clusterrole;
mod cronjob;
mod daemonset;
mod deployment;
mod disruption;
mod endpoint;
mod garbage;
mod hash;
mod history;
mod job;
mod namespace;
mod node;
mod owned;
mod podgc;
mod pods;
mod quota;
mod replicaset;
mod runner;
mod selection;
mod served;
mod service_lb;
mod serviceaccount;
mod statefulset;
mod sync;
#[cfg(test)]
mod tests;
mod ttl;
mod volume;

use std::collections::{BTreeMap, BTreeSet};

use api::{RequestId, Resource, Response, WatchEvent};
use client::{Change, Component, InformerId, Informers, Outbox, Recorder, Reflector};

use deployment::Deployments;
pub use hash::template_hash;
use replicaset::{Flavor, ReplicaSets};
use runner::{Bench, Controller, Keys, Runner};

/// The timers of the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    Client(client::Timer),
    /// Some keys of this controller may be due.
    Work(usize),
}

impl From<client::Timer> for Timer {
    fn from(timer: client::Timer) -> Timer {
        Timer::Client(timer)
    }
}

/// Declares the set of controllers: a field each, reachable by number, with its name in `--controllers`.
macro_rules! controllers {
    ($($field:ident $name:literal: $type:ty = $new:expr),* $(,)?) => {
        #[derive(Clone, Debug)]
        struct Controllers { $($field: $type),* }

        impl Default for Controllers {
            fn default() -> Self {
                Controllers { $($field: $new),* }
            }
        }

        impl Controllers {
            const NAMES: &[&str] = &[$($name),*];
            const COUNT: usize = Self::NAMES.len();

            fn all(&mut self) -> [&mut dyn Controller; Self::COUNT] {
                [$(&mut self.$field),*]
            }

            fn get(&mut self, index: usize) -> &mut dyn Controller {
                self.all().into_iter().nth(index).expect("a timer or request names an existing controller")
            }
        }
    };
}

controllers! {
    deployment "deployment-controller": Deployments = Deployments,
    replicaset "replicaset-controller": ReplicaSets = ReplicaSets::new(Flavor::ReplicaSet),
    garbage "garbage-collector-controller": garbage::Garbage = garbage::Garbage::default(),
    namespace "namespace-controller": namespace::Namespaces = namespace::Namespaces,
    node_lifecycle "node-lifecycle-controller": node::lifecycle::NodeLifecycle = node::lifecycle::NodeLifecycle::default(),
    pod_collector "pod-garbage-collector-controller": podgc::PodCollector = podgc::PodCollector::default(),
    default_accounts "serviceaccount-controller": serviceaccount::DefaultAccounts = serviceaccount::DefaultAccounts,
    root_certificates "root-ca-certificate-publisher-controller": serviceaccount::RootCertificates = serviceaccount::RootCertificates,
    taint_eviction "taint-eviction-controller": node::eviction::TaintEviction = node::eviction::TaintEviction::default(),
    statefulset "statefulset-controller": statefulset::StatefulSets = statefulset::StatefulSets,
    daemonset "daemonset-controller": daemonset::DaemonSets = daemonset::DaemonSets::default(),
    job "job-controller": job::Jobs = job::Jobs::default(),
    endpoint_slices "endpointslice-controller": endpoint::slices::EndpointSlices = endpoint::slices::EndpointSlices,
    endpoints "endpoints-controller": endpoint::legacy::LegacyEndpoints = endpoint::legacy::LegacyEndpoints,
    ttl_after_finished "ttl-after-finished-controller": ttl::TtlAfterFinished = ttl::TtlAfterFinished,
    volume_binder "persistentvolume-binder-controller": volume::binder::Binder = volume::binder::Binder,
    volume_protection "persistentvolumeclaim-protection-controller": volume::protection::Protection = volume::protection::Protection,
    autoscalers "horizontal-pod-autoscaler-controller": autoscale::Autoscalers = autoscale::Autoscalers::default(),
    attacher "persistentvolume-attach-detach-controller": volume::attach::Attacher = volume::attach::Attacher,
    ephemeral_volumes "ephemeral-volume-controller": volume::ephemeral::EphemeralVolumes = volume::ephemeral::EphemeralVolumes,
    cronjob "cronjob-controller": cronjob::CronJobs = cronjob::CronJobs,
    disruption "disruption-controller": disruption::Disruption = disruption::Disruption,
    quota "resourcequota-controller": quota::Quotas = quota::Quotas,
    cluster_roles "clusterrole-aggregation-controller": clusterrole::ClusterRoles = clusterrole::ClusterRoles,
    mirror "endpointslice-mirroring-controller": endpoint::mirror::Mirror = endpoint::mirror::Mirror,
    replication "replicationcontroller-controller": ReplicaSets = ReplicaSets::new(Flavor::ReplicationController),
    csr_approver "certificatesigningrequest-approving-controller": certificate::Approver = certificate::Approver,
    csr_signer "certificatesigningrequest-signing-controller": certificate::Signer = certificate::Signer,
    csr_cleaner "certificatesigningrequest-cleaner-controller": certificate::Cleaner = certificate::Cleaner,
    load_balancers "service-lb-controller": service_lb::LoadBalancers = service_lb::LoadBalancers::default(),
}

/// Does nothing unless it is switched on: kubeadm's clusters have no load balancer.
const LOAD_BALANCER: &str = "service-lb-controller";

/// kube-controller-manager.
#[derive(Clone, Debug)]
pub struct Manager {
    caches: Informers,
    recorder: Recorder,
    controllers: Controllers,
    runners: Vec<Runner>,
    /// Which controllers want the changes of which informer.
    interest: BTreeMap<InformerId, Vec<usize>>,
    /// Which controller waits for which answer.
    asked: BTreeMap<RequestId, usize>,
    /// Changes that came before all caches were filled; handlers see them then.
    early: Vec<(InformerId, Change)>,
    has_started: bool,
    /// Controllers that take no keys, as if `--controllers` left them out.
    disabled: BTreeSet<usize>,
}

impl Manager {
    /// The names of all controllers, as `--controllers` knows them.
    pub fn controllers() -> &'static [&'static str] {
        Controllers::NAMES
    }

    pub fn new() -> Manager {
        let off = Controllers::NAMES.iter().position(|n| *n == LOAD_BALANCER);
        Manager::with_disabled(off.into_iter().collect())
    }

    /// The process begins anew, with the same flags.
    pub fn restarted(&self) -> Manager {
        Manager::with_disabled(self.disabled.clone())
    }

    /// Whether a controller (by its name in `--controllers`) takes work.
    pub fn is_enabled(&self, controller: &str) -> bool {
        let mut enabled = (0..Controllers::COUNT).filter(|index| !self.disabled.contains(index));
        enabled.any(|index| Controllers::NAMES[index] == controller)
    }

    /// Lets a controller take no work from now on, or lets it go on with what has come in meanwhile. What it has
    /// begun it finishes. False if there is no such controller, or no change.
    pub fn enable(&mut self, controller: &str, is_on: bool, out: &mut Outbox<'_, Timer>) -> bool {
        let mut names = Controllers::NAMES.iter();
        let Some(index) = names.position(|name| *name == controller) else {
            return false;
        };
        if !is_on {
            return self.disabled.insert(index);
        }
        let is_change = self.disabled.remove(&index);
        if is_change {
            self.schedule(index, out);
        }
        is_change
    }

    /// Sets the timer for a controller's next work.
    fn schedule(&mut self, index: usize, out: &mut Outbox<'_, Timer>) {
        if !self.disabled.contains(&index) {
            let workers = self.controllers.get(index).workers();
            self.runners[index].schedule(index, workers, out);
        }
    }

    fn with_disabled(disabled: BTreeSet<usize>) -> Manager {
        let mut manager = Manager {
            disabled,
            caches: Informers::default(),
            recorder: Recorder::new(""),
            controllers: Controllers::default(),
            runners: vec![Runner::default(); Controllers::COUNT],
            interest: BTreeMap::new(),
            asked: BTreeMap::new(),
            early: Vec::new(),
            has_started: false,
        };
        let Manager {
            caches,
            controllers,
            interest,
            ..
        } = &mut manager;
        for (index, controller) in controllers.all().into_iter().enumerate() {
            for resource in controller.watches() {
                let id = caches
                    .find(&resource)
                    .unwrap_or_else(|| caches.add(indexed(&resource)));
                interest.entry(id).or_default().push(index);
            }
        }
        manager
    }

    /// The component's copy of a collection, if it watches it: for tests and the page.
    pub fn cache(&self, resource: &Resource) -> Option<&client::Cache> {
        self.caches
            .find(resource)
            .map(|id| &self.caches.get(id).cache)
    }

    fn changed(&mut self, id: InformerId, changes: Vec<Change>, out: &mut Outbox<'_, Timer>) {
        if !self.has_started {
            self.early.extend(changes.into_iter().map(|c| (id, c)));
            if !self.caches.are_synced() {
                return;
            }
            self.has_started = true;
            let early = std::mem::take(&mut self.early);
            for index in 0..Controllers::COUNT {
                self.handle(index, out, |controller, _, keys| controller.start(keys));
            }
            for (id, change) in early {
                self.tell(id, &change, out);
            }
        } else {
            for change in &changes {
                self.tell(id, change, out);
            }
        }
        for index in 0..Controllers::COUNT {
            self.schedule(index, out);
        }
    }

    /// Begins or ends watching the collection of a custom resource definition.
    fn follow(&mut self, change: &Change, out: &mut Outbox<'_, Timer>) {
        let before = change.old.as_ref().and_then(served::defined);
        let after = change.new.as_ref().and_then(served::defined);
        if before == after {
            return;
        }
        if let Some(id) = before.and_then(|resource| self.caches.find(&resource)) {
            self.interest.remove(&id);
            self.caches.stop_one(id, out);
        }
        let Some(resource) = after else { return };
        let known = self.caches.find(&resource);
        let id = known.unwrap_or_else(|| self.caches.add(indexed(&resource)));
        let wants = |(index, controller): (usize, &mut dyn Controller)| {
            controller.watches_defined().then_some(index)
        };
        let interested = self.controllers.all().into_iter().enumerate();
        self.interest
            .insert(id, interested.filter_map(wants).collect());
        self.caches.start_one(id, out);
    }

    fn tell(&mut self, id: InformerId, change: &Change, out: &mut Outbox<'_, Timer>) {
        let resource = self.caches.get(id).resource.clone();
        if resource == served::DEFINITIONS {
            self.follow(change, out);
        }
        for index in self.interest.get(&id).cloned().unwrap_or_default() {
            self.handle(index, out, |controller, caches, keys| {
                controller.observe(&resource, change, caches, keys);
            });
        }
    }

    fn handle(
        &mut self,
        index: usize,
        out: &mut Outbox<'_, Timer>,
        handler: impl FnOnce(&mut dyn Controller, &Informers, &mut Keys<'_>),
    ) {
        let mut keys = Keys {
            queue: &mut self.runners[index].queue,
            cause: out.cause,
            now: out.now(),
        };
        handler(self.controllers.get(index), &self.caches, &mut keys);
    }

    /// Runs something of one controller.
    fn run(
        &mut self,
        index: usize,
        out: &mut Outbox<'_, Timer>,
        run: impl FnOnce(&mut Runner, &mut dyn Controller, &mut Bench<'_, '_>),
    ) {
        let mut bench = Bench {
            caches: &self.caches,
            recorder: &mut self.recorder,
            asked: &mut self.asked,
            out,
            index,
        };
        run(
            &mut self.runners[index],
            self.controllers.get(index),
            &mut bench,
        );
    }
}

impl Default for Manager {
    fn default() -> Self {
        Manager::new()
    }
}

impl Component for Manager {
    type Timer = Timer;

    fn start(&mut self, out: &mut Outbox<'_, Timer>) {
        *self = self.restarted();
        self.caches.start(out);
    }

    fn respond(&mut self, id: RequestId, response: Response, out: &mut Outbox<'_, Timer>) {
        if let Some((informer, changes)) = self.caches.respond(id, &response, out) {
            self.changed(informer, changes, out);
        } else if let Some(index) = self.asked.remove(&id) {
            self.run(index, out, |runner, controller, bench| {
                runner.respond(id, response, controller, bench);
            });
        } else {
            self.recorder.respond(id, &response, out);
        }
    }

    fn observe(&mut self, id: RequestId, event: WatchEvent, out: &mut Outbox<'_, Timer>) {
        if let Some((informer, change)) = self.caches.observe(id, event, out) {
            self.changed(informer, vec![change], out);
        }
    }

    fn wake(&mut self, timer: Timer, out: &mut Outbox<'_, Timer>) {
        match timer {
            Timer::Client(client::Timer::Reflector(id)) => self.caches.wake(id, out),
            Timer::Client(client::Timer::Events) => self.recorder.wake(out),
            Timer::Work(index) if self.disabled.contains(&index) => {}
            Timer::Work(index) if index < Controllers::COUNT => {
                self.run(index, out, |runner, controller, bench| {
                    runner.work(controller, bench);
                });
            }
            Timer::Work(_) => {}
        }
    }
}

/// A reflector with the indexes that controllers need of its collection.
fn indexed(resource: &Resource) -> Reflector {
    let mut reflector = Reflector::new(resource);
    if matches!(
        &*resource.plural,
        "pods" | "replicasets" | "jobs" | "controllerrevisions"
    ) {
        reflector.cache.index_controllers();
    }
    if *resource == api::core::PODS {
        reflector.cache.index_nodes();
    }
    reflector
}
