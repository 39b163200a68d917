//! kube-controller-manager: every controller of the control plane in one component.
//!
//! [`Manager`] owns the shared informer caches, the event recorder and the controllers; each controller is a file (or
//! folder) that models its upstream package: handlers mark keys dirty, `sync` reads caches, decides and sends.
//! Nothing here starts containers (kubelet) or places pods (scheduler), and nothing here knows the API server.

mod autoscale;
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
mod serviceaccount;
mod statefulset;
mod sync;
#[cfg(test)]
mod tests;
mod ttl;
mod volume;

use std::collections::BTreeMap;

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

/// Declares the set of controllers: a field each, reachable by number.
macro_rules! controllers {
    ($($field:ident: $type:ty = $new:expr),* $(,)?) => {
        #[derive(Clone, Debug)]
        struct Controllers { $($field: $type),* }

        impl Default for Controllers {
            fn default() -> Self {
                Controllers { $($field: $new),* }
            }
        }

        impl Controllers {
            const COUNT: usize = [$(stringify!($field)),*].len();

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
    deployment: Deployments = Deployments,
    replicaset: ReplicaSets = ReplicaSets::new(Flavor::ReplicaSet),
    garbage: garbage::Garbage = garbage::Garbage::default(),
    namespace: namespace::Namespaces = namespace::Namespaces,
    node_lifecycle: node::lifecycle::NodeLifecycle = node::lifecycle::NodeLifecycle::default(),
    pod_collector: podgc::PodCollector = podgc::PodCollector::default(),
    default_accounts: serviceaccount::DefaultAccounts = serviceaccount::DefaultAccounts,
    root_certificates: serviceaccount::RootCertificates = serviceaccount::RootCertificates,
    taint_eviction: node::eviction::TaintEviction = node::eviction::TaintEviction::default(),
    statefulset: statefulset::StatefulSets = statefulset::StatefulSets,
    daemonset: daemonset::DaemonSets = daemonset::DaemonSets::default(),
    job: job::Jobs = job::Jobs::default(),
    endpoint_slices: endpoint::slices::EndpointSlices = endpoint::slices::EndpointSlices,
    endpoints: endpoint::legacy::LegacyEndpoints = endpoint::legacy::LegacyEndpoints,
    ttl_after_finished: ttl::TtlAfterFinished = ttl::TtlAfterFinished,
    volume_binder: volume::binder::Binder = volume::binder::Binder,
    volume_protection: volume::protection::Protection = volume::protection::Protection,
    autoscalers: autoscale::Autoscalers = autoscale::Autoscalers::default(),
    attacher: volume::attach::Attacher = volume::attach::Attacher,
    ephemeral_volumes: volume::ephemeral::EphemeralVolumes = volume::ephemeral::EphemeralVolumes,
    cronjob: cronjob::CronJobs = cronjob::CronJobs,
    disruption: disruption::Disruption = disruption::Disruption,
    quota: quota::Quotas = quota::Quotas,
    cluster_roles: clusterrole::ClusterRoles = clusterrole::ClusterRoles,
    mirror: endpoint::mirror::Mirror = endpoint::mirror::Mirror,
    replication: ReplicaSets = ReplicaSets::new(Flavor::ReplicationController),
}

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
}

impl Manager {
    pub fn new() -> Manager {
        let mut manager = Manager {
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
            let workers = self.controllers.get(index).workers();
            self.runners[index].schedule(index, workers, out);
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
        *self = Manager::new();
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
