//! Mounted ConfigMaps and Secrets follow their objects: a while after a change the files change too.
//!
//! The kubelet looks when it syncs a pod again, every minute or a little more; environment variables and `subPath` mounts
//! stay as they are, and immutable objects are not asked for. Models the volume manager's remounts
//! (`pkg/kubelet/volumemanager`) with the atomic writer of `pkg/volume/util`.

use api::{Request, Response, Value};
use sim::{Micros, SECOND};

use crate::files;
use crate::host::Asked;
use crate::kubelet::{Alarm, Timer};
use crate::needs::{self, Need};
use crate::pod::Mode;
use crate::worker::Turn;

/// `syncFrequency` of the kubelet, lengthened by up to half at random.
const EVERY: Micros = 60 * SECOND;

impl Turn<'_, '_> {
    /// The volumes are mounted: if any of them can change, a later look is set.
    pub(crate) fn arm_refresh(&mut self) {
        if !self.pod.refreshes && !self.refreshable().is_empty() {
            self.pod.refreshes = true;
            self.look_again();
        }
    }

    fn look_again(&mut self) {
        let span = EVERY + self.out.rng.below(EVERY / 2);
        let id = self.pod.id;
        let alarm = Alarm::Refresh;
        self.out.wake_after(span, Timer::Pod { id, alarm });
    }

    /// What volumes show and may have changed, once each.
    fn refreshable(&self) -> Vec<Need> {
        let mut needs: Vec<Need> = Vec::new();
        for need in needs::of_volumes(self.pod.spec()) {
            let known = self.pod.sources.get(&(need.kind, need.name.clone()));
            let is_fixed = known.is_some_and(|object| object.bool("immutable"));
            let is_listed = |other: &Need| other.kind == need.kind && other.name == need.name;
            if need.name != "kube-root-ca.crt" && !is_fixed && !needs.iter().any(is_listed) {
                needs.push(need);
            }
        }
        needs
    }

    /// Time to ask for the objects again.
    pub(crate) fn refresh(&mut self) {
        if self.pod.mode != Mode::Syncing || self.pod.is_gone {
            self.pod.refreshes = false;
            return;
        }
        for need in self.refreshable() {
            let namespace = self.pod.namespace();
            let request = Request::get(&need.kind.resource(), namespace, need.name.clone());
            let id = self.out.send(request);
            self.host
                .asked
                .insert(id, Asked::Refresh(self.pod.id, need));
        }
        self.look_again();
    }

    /// An object as it is now.
    pub(crate) fn refreshed(&mut self, need: &Need, response: &Response) {
        // What is gone stays mounted as it last was.
        if !response.is_success() {
            return;
        }
        let key = (need.kind, need.name.clone());
        let content = |object: &Value| {
            let part = |field: &str| object.get(field).clone();
            (part("data"), part("binaryData"))
        };
        let known = self.pod.sources.get(&key);
        if known.is_some_and(|known| content(known) == content(&response.body)) {
            return;
        }
        self.pod.sources.insert(key, response.body.clone());
        files::rewrite(self.host, self.pod, self.out.now());
    }
}
