//! Events live for an hour (`--event-ttl`), then etcd's lease lets them go without anyone deleting them.

use sim::{HOUR, Time};
use store::Key;

use crate::ApiServer;

impl ApiServer {
    /// When the oldest event expires.
    pub(crate) fn next_event_expiry(&self) -> Option<Time> {
        self.expiries.keys().next().map(|(at, _)| *at)
    }

    /// Remembers when an event that was just written expires; each write begins a new hour.
    pub(crate) fn set_event_expiry(&mut self, key: Key) {
        let revision = self.store.revision();
        self.expiries.insert((self.now + HOUR, revision), key);
    }

    pub(crate) fn expire_events(&mut self) {
        while let Some((&(at, revision), _)) = self.expiries.first_key_value()
            && at <= self.now
        {
            let key = self
                .expiries
                .remove(&(at, revision))
                .expect("it was just seen");
            let events = self.store.collection("events");
            // A later write has set a later expiry.
            if self
                .store
                .get(events, &key)
                .is_some_and(|e| e.modified == revision)
            {
                self.remove(events, "events".into(), &key);
            }
        }
    }
}
