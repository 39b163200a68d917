//! All reflectors of one component, found by the requests they wait for.
//!
//! Models client-go's shared informer factory: each collection is watched once, however many controllers read it.

use std::collections::BTreeMap;

use api::{RequestId, Resource, Response, WatchEvent};

use crate::cache::{Cache, Change};
use crate::reflector::Reflector;
use crate::{Outbox, Timer};

/// The place of a reflector in its [`Informers`].
pub type InformerId = usize;

/// The reflectors of a component. Forward `respond`, `observe` and `wake` to it and use the changes it returns.
#[derive(Clone, Debug, Default)]
pub struct Informers {
    reflectors: Vec<Reflector>,
    by_resource: BTreeMap<Resource, InformerId>,
    awaiting: BTreeMap<RequestId, InformerId>,
}

impl Informers {
    /// Adds a reflector; `resource` must not be there yet when it is to be found by [`Informers::cache`].
    pub fn add(&mut self, reflector: Reflector) -> InformerId {
        let id = self.reflectors.len();
        self.by_resource
            .entry(reflector.resource.clone())
            .or_insert(id);
        self.reflectors.push(reflector);
        id
    }

    pub fn find(&self, resource: &Resource) -> Option<InformerId> {
        self.by_resource.get(resource).copied()
    }

    /// The cache of a collection that was added before.
    pub fn cache(&self, resource: &Resource) -> &Cache {
        let id = self
            .find(resource)
            .expect("the component watches this collection");
        &self.reflectors[id].cache
    }

    pub fn get(&self, id: InformerId) -> &Reflector {
        &self.reflectors[id]
    }

    pub fn get_mut(&mut self, id: InformerId) -> &mut Reflector {
        &mut self.reflectors[id]
    }

    pub fn len(&self) -> usize {
        self.reflectors.len()
    }

    pub fn is_empty(&self) -> bool {
        self.reflectors.is_empty()
    }

    /// Whether every collection has been listed once.
    pub fn are_synced(&self) -> bool {
        self.reflectors.iter().all(Reflector::is_synced)
    }

    /// Forgets everything and lists every collection.
    pub fn start<T>(&mut self, out: &mut Outbox<T>) {
        self.awaiting.clear();
        for id in 0..self.reflectors.len() {
            self.reflectors[id].start(out);
            self.track(id);
        }
    }

    /// Starts one reflector (added after [`Informers::start`]).
    pub fn start_one<T>(&mut self, id: InformerId, out: &mut Outbox<T>) {
        self.reflectors[id].start(out);
        self.track(id);
    }

    /// Ends one reflector's watch and empties its cache.
    pub fn stop_one<T>(&mut self, id: InformerId, out: &mut Outbox<T>) {
        self.awaiting.retain(|_, owner| *owner != id);
        self.reflectors[id].stop(out);
    }

    /// What the answer changed; `None` if the request was not an informer's.
    pub fn respond<T: From<Timer>>(
        &mut self,
        request: RequestId,
        response: &Response,
        out: &mut Outbox<T>,
    ) -> Option<(InformerId, Vec<Change>)> {
        let id = self.awaiting.remove(&request)?;
        let changes = self.reflectors[id].respond(response, Timer::Reflector(id), out);
        self.track(id);
        Some((id, changes))
    }

    /// What the event changed; `None` if the watch was not an informer's or nothing changed.
    pub fn observe<T: From<Timer>>(
        &mut self,
        request: RequestId,
        event: WatchEvent,
        out: &mut Outbox<T>,
    ) -> Option<(InformerId, Change)> {
        let id = *self.awaiting.get(&request)?;
        let change = self.reflectors[id].observe(event, Timer::Reflector(id), out);
        if self.reflectors[id].request() != Some(request) {
            self.awaiting.remove(&request);
            self.track(id);
        }
        Some((id, change?))
    }

    /// A reflector's pause is over.
    pub fn wake<T>(&mut self, id: InformerId, out: &mut Outbox<T>) {
        if let Some(reflector) = self.reflectors.get_mut(id) {
            reflector.wake(out);
            self.track(id);
        }
    }

    fn track(&mut self, id: InformerId) {
        if let Some(request) = self.reflectors[id].request() {
            self.awaiting.insert(request, id);
        }
    }
}
