//! Watches what kube-proxy, the network plug-in and the cluster's DNS watch, and keeps the [`Tables`] up to date.
//!
//! One watcher stands for those of all nodes: they see the same and would do the same. A node that is cut off keeps a copy
//! of the tables as they were (see `cluster`).

use api::{RequestId, Resource, Response, WatchEvent, WatchKind};
use client::{Component, Fed, Feed, Outbox};

use crate::tables::{Kind, Tables};

const KINDS: [Kind; 4] = [
    Kind::Service,
    Kind::EndpointSlice,
    Kind::NetworkPolicy,
    Kind::Namespace,
];

/// The feed with this number tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer(usize);

#[derive(Clone, Debug)]
pub struct Proxy {
    tables: Tables,
    feeds: [Feed; 4],
}

impl Default for Proxy {
    fn default() -> Proxy {
        let feed = |group: &'static str, plural: &'static str| {
            Feed::new(Resource::of(group, "v1", plural))
        };
        Proxy {
            tables: Tables::default(),
            feeds: [
                feed("", "services"),
                feed("discovery.k8s.io", "endpointslices"),
                feed("networking.k8s.io", "networkpolicies"),
                feed("", "namespaces"),
            ],
        }
    }
}

impl Proxy {
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    fn fed(&mut self, at: usize, fed: Fed, out: &mut Outbox<'_, Timer>) -> bool {
        match fed {
            Fed::Foreign => return false,
            Fed::Nothing => {}
            Fed::RetryAfter(span) => out.wake_after(span, Timer(at)),
            Fed::Replaced(objects) => self.tables.replace(KINDS[at], objects),
            Fed::Changed(event) if event.kind == WatchKind::Deleted => {
                self.tables.forget(KINDS[at], &event.object)
            }
            Fed::Changed(event) => self.tables.learn(KINDS[at], event.object),
        }
        true
    }
}

impl Component for Proxy {
    type Timer = Timer;

    fn start(&mut self, out: &mut Outbox<'_, Timer>) {
        for feed in &mut self.feeds {
            feed.start(out);
        }
    }

    fn respond(&mut self, id: RequestId, response: Response, out: &mut Outbox<'_, Timer>) {
        for at in 0..self.feeds.len() {
            let fed = self.feeds[at].respond(id, &response, out);
            if self.fed(at, fed, out) {
                return;
            }
        }
    }

    fn observe(&mut self, id: RequestId, event: WatchEvent, out: &mut Outbox<'_, Timer>) {
        let Some(at) = self.feeds.iter().position(|feed| feed.owns(id)) else {
            return;
        };
        let fed = self.feeds[at].observe(id, event);
        self.fed(at, fed, out);
    }

    fn wake(&mut self, timer: Timer, out: &mut Outbox<'_, Timer>) {
        self.feeds[timer.0].retry(out);
    }
}
