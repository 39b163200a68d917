//! How many replicas each ReplicaSet of a Deployment gets.
//!
//! Models `rolling.go`, `recreate.go` and `sync.go` (`scale`) of `pkg/controller/deployment`.

use std::cmp::Reverse;

use api::apps::REPLICA_SETS;
use api::meta::Meta;
use api::{Request, Value};
use client::Severity;

use super::{Rollout, available, replicas, revisions};
use crate::sync::{Step, Sync};

/// `maxSurge` and `maxUnavailable` resolved for the Deployment's size. Both zero would never move: then one may be missing.
fn fences(rollout: &Rollout) -> (i64, i64) {
    let strategy = rollout.deployment.path("spec.strategy.rollingUpdate");
    if rollout.view().strategy() != "RollingUpdate" {
        return (0, 0);
    }
    let surge = resolve(strategy.get("maxSurge"), rollout.replicas(), true);
    let unavailable = resolve(strategy.get("maxUnavailable"), rollout.replicas(), false);
    if surge == 0 && unavailable == 0 {
        (0, 1)
    } else {
        (surge, unavailable)
    }
}

/// An int-or-percent of `total`.
pub(crate) fn resolve(value: &Value, total: i64, round_up: bool) -> i64 {
    if let Some(n) = value.as_int() {
        return n;
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%'));
    let percent: i64 = percent.and_then(|n| n.parse().ok()).unwrap_or_default();
    let product = percent.saturating_mul(total);
    if round_up {
        (product + 99).div_euclid(100)
    } else {
        product / 100
    }
}

pub(super) fn max_surge(rollout: &Rollout) -> i64 {
    if rollout.view().strategy() == "RollingUpdate" {
        fences(rollout).0
    } else {
        0
    }
}

pub(super) fn max_unavailable(rollout: &Rollout) -> i64 {
    if rollout.view().strategy() != "RollingUpdate" || rollout.replicas() == 0 {
        return 0;
    }
    fences(rollout).1.min(rollout.replicas())
}

/// How many replicas the new ReplicaSet may have now; `current` is what it has.
pub(super) fn new_size(rollout: &Rollout, current: i64) -> i64 {
    let wanted = rollout.replicas();
    if rollout.view().strategy() == "Recreate" {
        return wanted;
    }
    let total: i64 = rollout.sets().map(replicas).sum();
    let limit = wanted + max_surge(rollout);
    if total >= limit {
        return current;
    }
    current + (limit - total).min(wanted - current)
}

/// Whether somebody changed `spec.replicas` since the ReplicaSets were sized.
pub(super) fn is_scaling_event(rollout: &Rollout) -> bool {
    let wanted = rollout.replicas();
    rollout
        .sets()
        .filter(|set| replicas(set) > 0)
        .any(|set| desired(set).is_some_and(|desired| desired != wanted))
}

fn desired(set: &Value) -> Option<i64> {
    Meta::of(set).annotation(revisions::DESIRED)?.parse().ok()
}

/// Grows the new ReplicaSet as far as surge allows. True if anything was done.
pub(super) fn grow_new(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step<bool> {
    let Some(new) = &rollout.new else {
        return Ok(false);
    };
    let (current, wanted) = (replicas(new), rollout.replicas());
    let target = if current >= wanted {
        wanted
    } else {
        new_size(rollout, current)
    };
    resize_new(rollout, target, s)
}

pub(super) fn resize_new(rollout: &mut Rollout, target: i64, s: &mut Sync<'_, '_>) -> Step<bool> {
    let Some(new) = rollout.new.clone() else {
        return Ok(false);
    };
    if replicas(&new) == target {
        return Ok(false);
    }
    rollout.new = Some(resize(rollout, &new, target, s)?);
    Ok(true)
}

/// Shrinks old ReplicaSets as far as availability allows. True if anything was done.
pub(super) fn shrink_old(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step<bool> {
    let old_total: i64 = rollout.old.iter().map(replicas).sum();
    if old_total == 0 {
        return Ok(false);
    }
    let total: i64 = rollout.sets().map(replicas).sum();
    let min_available = rollout.replicas() - max_unavailable(rollout);
    let new_unavailable = rollout
        .new
        .as_ref()
        .map_or(0, |new| replicas(new) - available(new));
    let limit = total - min_available - new_unavailable;
    if limit <= 0 {
        return Ok(false);
    }
    // Unhealthy replicas first: their going costs no availability.
    let mut cleaned = 0;
    for at in 0..rollout.old.len() {
        let set = rollout.old[at].clone();
        let unhealthy = replicas(&set) - available(&set);
        if cleaned >= limit || replicas(&set) == 0 || unhealthy <= 0 {
            continue;
        }
        let count = unhealthy.min(limit - cleaned);
        rollout.old[at] = resize(rollout, &set, replicas(&set) - count, s)?;
        cleaned += count;
    }
    let available_total: i64 = rollout.all_available();
    let spare = available_total - min_available;
    let mut shrunk = 0;
    for at in 0..rollout.old.len() {
        let set = rollout.old[at].clone();
        if shrunk >= spare || replicas(&set) == 0 {
            continue;
        }
        let count = replicas(&set).min(spare - shrunk);
        rollout.old[at] = resize(rollout, &set, replicas(&set) - count, s)?;
        shrunk += count;
    }
    Ok(cleaned + shrunk.max(0) > 0)
}

/// Recreate: old ReplicaSets to nothing. True if anything was done.
pub(super) fn shrink_all_old(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step<bool> {
    let mut any = false;
    for at in 0..rollout.old.len() {
        let set = rollout.old[at].clone();
        if replicas(&set) > 0 {
            rollout.old[at] = resize(rollout, &set, 0, s)?;
            any = true;
        }
    }
    Ok(any)
}

/// The Deployment's size changed: one ReplicaSet follows, or several in proportion.
pub(super) fn scale(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    let wanted = rollout.replicas();
    if let Some(set) = active_or_latest(rollout) {
        if replicas(&set) != wanted {
            let resized = resize(rollout, &set, wanted, s)?;
            rollout.replace(resized);
        }
        return Ok(());
    }
    if is_saturated(rollout) {
        shrink_all_old(rollout, s)?;
        return Ok(());
    }
    if rollout.view().strategy() == "RollingUpdate" {
        scale_in_proportion(rollout, s)?;
    }
    Ok(())
}

/// The only ReplicaSet with replicas, or the newest if there is none; `None` if there are several.
fn active_or_latest(rollout: &Rollout) -> Option<Value> {
    let mut active = rollout.sets().filter(|set| replicas(set) > 0);
    match (active.next(), active.next()) {
        (None, _) => rollout.new.as_ref().or(rollout.old.last()).cloned(),
        (Some(one), None) => Some(one.clone()),
        (Some(_), Some(_)) => None,
    }
}

/// Whether the new ReplicaSet has all it should and serves.
fn is_saturated(rollout: &Rollout) -> bool {
    let wanted = rollout.replicas();
    rollout.new.as_ref().is_some_and(|new| {
        replicas(new) == wanted && desired(new) == Some(wanted) && available(new) == wanted
    })
}

fn scale_in_proportion(rollout: &mut Rollout, s: &mut Sync<'_, '_>) -> Step {
    let wanted = rollout.replicas();
    let mut sets: Vec<Value> = rollout
        .sets()
        .filter(|set| replicas(set) > 0)
        .cloned()
        .collect();
    let total: i64 = sets.iter().map(replicas).sum();
    let allowed = if wanted > 0 {
        wanted + max_surge(rollout)
    } else {
        0
    };
    let to_add = allowed - total;
    // Of equal ones the newer grows first and the older shrinks first.
    let created = |set: &Value| {
        (
            Meta::of(set).creation_time(),
            Meta::of(set).name().to_owned(),
        )
    };
    if to_add > 0 {
        sets.sort_by_cached_key(|set| (Reverse(replicas(set)), Reverse(created(set))));
    } else {
        sets.sort_by_cached_key(|set| (Reverse(replicas(set)), created(set)));
    }
    let mut sizes = Vec::new();
    let mut added = 0;
    for set in &sets {
        let share = share(rollout, set, to_add, added);
        added += share;
        sizes.push(replicas(set) + share);
    }
    if let Some(first) = sizes.first_mut() {
        // What rounding left over goes to the largest.
        *first = (*first + to_add - added).max(0);
    }
    for (set, size) in sets.iter().zip(sizes) {
        let resized = resize(rollout, set, size, s)?;
        rollout.replace(resized);
    }
    Ok(())
}

/// What one ReplicaSet gets of `to_add` replicas, `added` of which are given away already.
fn share(rollout: &Rollout, set: &Value, to_add: i64, added: i64) -> i64 {
    let size = replicas(set);
    if size == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let fraction = if rollout.replicas() == 0 {
        -size
    } else {
        let limit = rollout.replicas() + max_surge(rollout);
        let noted: Option<i64> = Meta::of(set)
            .annotation(revisions::MAX)
            .and_then(|text| text.parse().ok());
        let before = noted
            .filter(|n| *n > 0)
            .or(rollout.deployment.path("status.replicas").as_int())
            .unwrap_or_default();
        if before == 0 {
            0
        } else {
            // Rounded half away from zero, in integers.
            (2 * size * limit + before) / (2 * before) - size
        }
    };
    let rest = to_add - added;
    if to_add > 0 {
        fraction.min(rest)
    } else {
        fraction.max(rest)
    }
}

/// Writes a ReplicaSet's size and the annotations that go with it; tells an event if the size changed.
fn resize(rollout: &Rollout, set: &Value, target: i64, s: &mut Sync<'_, '_>) -> Step<Value> {
    let current = replicas(set);
    let limit = rollout.replicas() + max_surge(rollout);
    let mut changed = set.clone();
    let annotated = revisions::set_sizes(&mut changed, rollout.replicas(), limit);
    if current == target && !annotated {
        return Ok(set.clone());
    }
    changed.set_path("spec.replicas", target);
    let updated = s.must(Request::update(&REPLICA_SETS, changed))?;
    if current != target {
        let direction = if current < target { "up" } else { "down" };
        let name = Meta::of(set).name();
        s.event(
            &rollout.about(),
            Severity::Normal,
            "ScalingReplicaSet",
            format!("Scaled {direction} replica set {name} from {current} to {target}"),
        );
    }
    Ok(updated)
}

impl Rollout {
    /// What is available of all sets; of each no more than it is to have, as its status may be older than its size.
    fn all_available(&self) -> i64 {
        self.sets()
            .map(|set| available(set).min(replicas(set)))
            .sum()
    }

    /// Puts the newer version of one of the sets in its place.
    fn replace(&mut self, updated: Value) {
        let uid = Meta::of(&updated).shared_uid();
        for set in self.old.iter_mut().chain(&mut self.new) {
            if Meta::of(set).uid() == &*uid {
                *set = updated.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_away_from_stillness() {
        for (value, total, up, down) in [
            (Value::from("25%"), 3, 1, 0),
            (Value::from("25%"), 10, 3, 2),
            (Value::from(2), 10, 2, 2),
            (Value::from("0%"), 10, 0, 0),
        ] {
            assert_eq!(resolve(&value, total, true), up, "{value:?} of {total}");
            assert_eq!(resolve(&value, total, false), down, "{value:?} of {total}");
        }
    }
}
