//! Keeps the size of a workload where a metric of its pods wants it.
//!
//! Looks at each HorizontalPodAutoscaler every 15 seconds. Reads the target's `scale` and the pods' usage from the
//! resource metrics API (a cluster without metrics-server has none, and the object says so); other sources of metrics
//! are not simulated. Models `pkg/controller/podautoscaler` at v1.36; starts at [`Autoscalers::sync`].

use std::collections::BTreeMap;

use api::core::PODS;
use api::meta::{self, Meta};
use api::quantity::Quantity;
use api::selector::LabelSelector;
use api::{Request, Resource, Str, Value, list, map};
use client::{Change, Informers, ObjectKey, ObjectRef, Severity};
use sim::{Micros, SECOND, Time};

use crate::pods;
use crate::runner::{Controller, Keys, update_status};
use crate::sync::{Step, Sync};

const AUTOSCALERS: Resource = Resource::of("autoscaling", "v2", "horizontalpodautoscalers");
const METRICS: Resource = Resource::of("metrics.k8s.io", "v1beta1", "pods");
/// `horizontal-pod-autoscaler-sync-period`, `-downscale-stabilization` and `-tolerance` (in thousandths).
const PERIOD: Micros = 15 * SECOND;
const STABILIZATION_SECS: i64 = 300;
const TOLERANCE: i64 = 100;

/// The HorizontalPodAutoscaler controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Autoscalers {
    /// What was recommended when, newest last.
    recommended: BTreeMap<ObjectKey, Vec<(Time, i64)>>,
}

/// What one look decides.
struct Decision {
    desired: i64,
    /// For the event, if the size changes.
    reason: String,
    metrics: Vec<Value>,
}

/// One metric's wish.
struct Wish {
    replicas: i64,
    name: String,
    current: Value,
}

/// Why no size could be found: the condition's reason, and the message.
struct Failure {
    reason: &'static str,
    message: String,
}

impl Controller for Autoscalers {
    fn name(&self) -> &'static str {
        "horizontal-pod-autoscaler"
    }

    fn kind(&self) -> &'static str {
        "horizontalpodautoscalers"
    }

    fn watches(&self) -> Vec<Resource> {
        vec![AUTOSCALERS, PODS]
    }

    fn observe(
        &mut self,
        resource: &Resource,
        change: &Change,
        _: &Informers,
        keys: &mut Keys<'_>,
    ) {
        if *resource != AUTOSCALERS {
            return;
        }
        let key = ObjectKey::of(change.object());
        if change.is_deleted() {
            self.recommended.remove(&key);
        }
        // A status that we wrote needs no look at once; what the user wrote does.
        let generation = |object: &Value| object.path("metadata.generation").clone();
        let is_own = change
            .updated()
            .is_some_and(|(old, new)| generation(old) == generation(new));
        if !is_own {
            keys.add(key);
        }
    }

    fn sync(&mut self, key: &ObjectKey, s: &mut Sync<'_, '_>) -> Step {
        let Some(mut scaler) = s.get_key(&AUTOSCALERS, key) else {
            return Ok(());
        };
        s.again_after(PERIOD);
        let old = scaler.get("status").clone();
        let outcome = self.reconcile(&mut scaler, key, s)?;
        let generation = scaler.path("metadata.generation").clone();
        scaler.set_path("status.observedGeneration", generation);
        let status = scaler.entry("status");
        let (current, desired) = outcome;
        status.set("currentReplicas", current);
        status.set("desiredReplicas", desired);
        if *scaler.get("status") != old {
            s.must(update_status(&AUTOSCALERS, scaler))?;
        }
        Ok(())
    }
}

impl Autoscalers {
    /// One look: the target's size before and after.
    fn reconcile(
        &mut self,
        scaler: &mut Value,
        key: &ObjectKey,
        s: &mut Sync<'_, '_>,
    ) -> Step<(i64, i64)> {
        let about = ObjectRef::of(scaler, "autoscaling/v2", "HorizontalPodAutoscaler");
        let reference = scaler.path("spec.scaleTargetRef").clone();
        let known = (
            scaler.path("status.currentReplicas").as_int().unwrap_or(0),
            scaler.path("status.desiredReplicas").as_int().unwrap_or(0),
        );
        let Some(target) = target_of(&reference) else {
            let why = format!(
                "no matches for kind \"{}\" in group \"{}\"",
                reference.str("kind"),
                group_of(reference.str("apiVersion"))
            );
            return cannot_scale(scaler, &about, &why, s).map(|()| known);
        };
        let name = reference.shared_str("name");
        let get = Request::get(&target, key.namespace.clone(), name.clone()).subresource("scale");
        let answer = s.call(get)?;
        if !answer.is_success() {
            let why = answer.message().to_owned();
            return cannot_scale(scaler, &about, &why, s).map(|()| known);
        }
        let scale = answer.body;
        let found = "the HPA controller was able to get the target's current scale";
        set(scaler, "AbleToScale", true, "SucceededGetScale", found, s);
        let current = scale.path("spec.replicas").as_int().unwrap_or(0);
        let least = scaler.path("spec.minReplicas").as_int().unwrap_or(1);
        let most = scaler.path("spec.maxReplicas").as_int().unwrap_or(1);
        if current == 0 && least != 0 {
            let text = "scaling is disabled since the replica count of the target is zero";
            set(scaler, "ScalingActive", false, "ScalingDisabled", text, s);
            return Ok((0, 0));
        }
        let decision = if current > most {
            Decision {
                desired: most,
                reason: "Current number of replicas above Spec.MaxReplicas".to_owned(),
                metrics: scaler.path("status.currentMetrics").items().to_vec(),
            }
        } else if current < least {
            Decision {
                desired: least,
                reason: "Current number of replicas below Spec.MinReplicas".to_owned(),
                metrics: scaler.path("status.currentMetrics").items().to_vec(),
            }
        } else {
            match self.compute(scaler, key, &scale, current, s)? {
                Ok(decision) => decision,
                Err(failure) => {
                    let text = format!(
                        "the HPA was unable to compute the replica count: {}",
                        failure.message
                    );
                    set(scaler, "ScalingActive", false, failure.reason, &text, s);
                    s.event(
                        &about,
                        Severity::Warning,
                        failure.reason,
                        failure.message.clone(),
                    );
                    let count = scaler.path("spec.metrics").items().len();
                    let text = format!(
                        "invalid metrics ({count} invalid out of {count}), first error is: failed to get cpu resource metric value: {}",
                        failure.message
                    );
                    s.event(
                        &about,
                        Severity::Warning,
                        "FailedComputeMetricsReplicas",
                        text,
                    );
                    return Ok((current, known.1));
                }
            }
        };
        if !decision.metrics.is_empty() {
            scaler.set_path("status.currentMetrics", decision.metrics);
        }
        if decision.desired == current {
            return Ok((current, current));
        }
        let desired = decision.desired;
        let mut wanted = scale.clone();
        wanted.set_path("spec.replicas", desired);
        let mut put = Request::update(&target, wanted).subresource("scale");
        put.name = name;
        put.namespace = key.namespace.clone();
        let answer = s.call(put)?;
        if !answer.is_success() {
            let why = answer.message();
            let text = format!("the HPA controller was unable to update the target scale: {why}");
            set(scaler, "AbleToScale", false, "FailedUpdateScale", &text, s);
            let event = format!(
                "New size: {desired}; reason: {}; error: {why}",
                decision.reason
            );
            s.event(&about, Severity::Warning, "FailedRescale", event);
            return Ok((current, desired));
        }
        let text = format!("the HPA controller was able to update the target scale to {desired}");
        set(scaler, "AbleToScale", true, "SucceededRescale", &text, s);
        let event = format!("New size: {desired}; reason: {}", decision.reason);
        s.event(&about, Severity::Normal, "SuccessfulRescale", event);
        scaler.set_path("status.lastScaleTime", s.now().rfc3339());
        Ok((current, desired))
    }

    /// The largest wish of all metrics, kept within what time and limits allow.
    fn compute(
        &mut self,
        scaler: &mut Value,
        key: &ObjectKey,
        scale: &Value,
        current: i64,
        s: &mut Sync<'_, '_>,
    ) -> Step<Result<Decision, Failure>> {
        let selector = scale.path("status.selector").as_str().unwrap_or_default();
        let Ok(labels) = LabelSelector::parse(selector) else {
            return Ok(Err(Failure {
                reason: "InvalidSelector",
                message: format!("the target's selector {selector:?} cannot be read"),
            }));
        };
        let pods = s.list(&PODS, |cache| {
            let all = cache.in_namespace(&key.namespace);
            all.filter(|pod| labels.matches(Meta::of(pod).labels()))
        });
        let list = Request::list(&METRICS, key.namespace.clone()).labels(Str::new(selector));
        let usage = s.call(list)?;
        let mut best: Option<Wish> = None;
        let mut shown = Vec::new();
        for metric in scaler.path("spec.metrics").items().to_vec() {
            let resource = metric.path("resource.name").as_str().unwrap_or("cpu");
            let wish = if !usage.is_success() {
                let why = "unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
                let what = if metric.path("resource.target").has("averageUtilization") {
                    format!("failed to get {resource} utilization: ")
                } else {
                    String::new()
                };
                Err(Failure {
                    reason: "FailedGetResourceMetric",
                    message: format!("{what}unable to get metrics for resource {resource}: {why}"),
                })
            } else {
                wish(
                    &metric,
                    resource,
                    &pods,
                    usage.body.get("items").items(),
                    current,
                )
            };
            match wish {
                Err(failure) => return Ok(Err(failure)),
                Ok(wish) => {
                    shown.push(wish.current.clone());
                    if best
                        .as_ref()
                        .is_none_or(|best| wish.replicas > best.replicas)
                    {
                        best = Some(wish);
                    }
                }
            }
        }
        let Some(best) = best else {
            return Ok(Err(Failure {
                reason: "InvalidMetricSourceType",
                message: "no metric to scale by".to_owned(),
            }));
        };
        let text = format!(
            "the HPA was able to successfully calculate a replica count from {}",
            best.name
        );
        set(scaler, "ScalingActive", true, "ValidMetricFound", &text, s);
        let stable = self.stabilize(scaler, key, best.replicas, current, s);
        let desired = limited(scaler, stable, current, s);
        let reason = match desired > current {
            true => format!("{} above target", best.name),
            false => "All metrics below target".to_owned(),
        };
        Ok(Ok(Decision {
            desired,
            reason,
            metrics: shown,
        }))
    }

    /// Going down waits until nothing more was wished for a while.
    fn stabilize(
        &mut self,
        scaler: &mut Value,
        key: &ObjectKey,
        wished: i64,
        current: i64,
        s: &mut Sync<'_, '_>,
    ) -> i64 {
        let window = |direction: &str, usual: i64| {
            let path = scaler.path("spec.behavior").get(direction);
            path.int("stabilizationWindowSeconds")
                .unwrap_or(usual)
                .max(0) as u64
                * SECOND
        };
        let (down, up) = (
            window("scaleDown", STABILIZATION_SECS),
            window("scaleUp", 0),
        );
        let now = s.now();
        if s.first_time() {
            let all = self.recommended.entry(key.clone()).or_default();
            if all.is_empty() {
                all.push((now, current));
            }
            all.push((now, wished));
            all.retain(|(at, _)| now.since(*at) <= down.max(up).max(PERIOD));
        }
        let none = Vec::new();
        let all = self.recommended.get(key).unwrap_or(&none);
        let within = |span: Micros| {
            let recent = all
                .iter()
                .filter(move |(at, _)| now.since(*at) < span.max(1));
            recent.map(|(_, replicas)| *replicas)
        };
        let floor = within(up).min().unwrap_or(wished).min(wished).max(current);
        let ceiling = within(down).max().unwrap_or(wished).max(wished);
        let stable = if wished > current {
            floor.max(current)
        } else {
            ceiling.min(current)
        };
        let (reason, text) = if stable == wished {
            ("ReadyForNewScale", "recommended size matches current size")
        } else if stable > wished {
            (
                "ScaleDownStabilized",
                "recent recommendations were higher than current one, applying the highest recent recommendation",
            )
        } else {
            (
                "ScaleUpStabilized",
                "recent recommendations were lower than current one, applying the lowest recent recommendation",
            )
        };
        set(scaler, "AbleToScale", true, reason, text, s);
        stable
    }
}

/// Within the limits of the object and of how fast a target may grow.
fn limited(scaler: &mut Value, wished: i64, current: i64, s: &mut Sync<'_, '_>) -> i64 {
    let least = scaler.path("spec.minReplicas").as_int().unwrap_or(1);
    let most = scaler.path("spec.maxReplicas").as_int().unwrap_or(1);
    let fastest = (2 * current).max(4);
    let (desired, reason, text) = if wished > most.min(fastest) && most > fastest {
        (
            fastest,
            "ScaleUpLimit",
            "the desired replica count is increasing faster than the maximum scale rate",
        )
    } else if wished > most {
        (
            most,
            "TooManyReplicas",
            "the desired replica count is more than the maximum replica count",
        )
    } else if wished < least {
        (
            least,
            "TooFewReplicas",
            "the desired replica count is less than the minimum replica count",
        )
    } else {
        (
            wished,
            "DesiredWithinRange",
            "the desired count is within the acceptable range",
        )
    };
    let is_limited = reason != "DesiredWithinRange";
    set(scaler, "ScalingLimited", is_limited, reason, text, s);
    desired
}

/// How many replicas one metric wants.
fn wish(
    metric: &Value,
    resource: &str,
    pods: &[Value],
    usage: &[Value],
    current: i64,
) -> Result<Wish, Failure> {
    let target = metric.path("resource.target");
    let amount = |quantity: &Value| match resource {
        "cpu" => Quantity::of(quantity).millis(),
        _ => Quantity::of(quantity).value(),
    };
    let used_by = |pod: &Value| {
        let of_pod = usage
            .iter()
            .find(|u| Meta::of(u).name() == Meta::of(pod).name())?;
        let containers = of_pod.get("containers").items().iter();
        Some(
            containers
                .map(|c| amount(c.get("usage").get(resource)))
                .sum::<i64>(),
        )
    };
    let (mut used, mut requested, mut ready, mut idle) = (0, 0, 0, 0);
    for pod in pods.iter().filter(|pod| pods::is_active(pod)) {
        let mut requests = 0;
        for container in pod.path("spec.containers").items() {
            let request = container.path("resources.requests").get(resource);
            if request.is_null() && target.has("averageUtilization") {
                return Err(Failure {
                    reason: "FailedGetResourceMetric",
                    message: format!(
                        "failed to get {resource} utilization: missing request for {resource} in container {} of Pod {}",
                        container.str("name"),
                        Meta::of(pod).name()
                    ),
                });
            }
            requests += amount(request);
        }
        match used_by(pod).filter(|_| pods::is_ready(pod)) {
            Some(usage) => {
                used += usage;
                requested += requests;
                ready += 1;
            }
            None => {
                idle += 1;
                requested += 0;
            }
        }
    }
    if ready == 0 {
        return Err(Failure {
            reason: "FailedGetResourceMetric",
            message: format!(
                "failed to get {resource} utilization: did not receive metrics for targeted pods (pods might be unready)"
            ),
        });
    }
    // What is used in thousandths of what should be.
    let average = used / ready;
    let (permille, name, current_value) = match target.int("averageUtilization") {
        Some(percent) => {
            let utilization = used * 100 / requested.max(1);
            (
                utilization * 1000 / percent.max(1),
                format!("{resource} resource utilization (percentage of request)"),
                map! { "averageUtilization": utilization, "averageValue": text_of(resource, average) },
            )
        }
        None => (
            average * 1000 / amount(target.get("averageValue")).max(1),
            format!("{resource} resource"),
            map! { "averageValue": text_of(resource, average) },
        ),
    };
    let is_near = (permille - 1000).abs() <= TOLERANCE;
    // Pods that are not ready yet count as idle when the target would grow.
    let counted = if permille > 1000 { ready } else { ready + idle };
    let replicas = match is_near {
        true => current,
        false => (permille * counted + 999) / 1000,
    };
    let replicas = match permille > 1000 {
        true => replicas.max(current),
        false => replicas,
    };
    Ok(Wish {
        replicas,
        name,
        current: map! {
            "type": "Resource",
            "resource": map! { "name": Str::new(resource), "current": current_value },
        },
    })
}

fn text_of(resource: &str, amount: i64) -> String {
    match resource {
        "cpu" => format!("{amount}m"),
        _ => amount.to_string(),
    }
}

/// The collection that has the target, if it can be scaled.
fn target_of(reference: &Value) -> Option<Resource> {
    let kind = api::kinds::by_api_version(reference.str("apiVersion"), reference.str("kind"))?;
    Some(kind.resource())
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

fn cannot_scale(scaler: &mut Value, about: &ObjectRef, why: &str, s: &mut Sync<'_, '_>) -> Step {
    s.event(about, Severity::Warning, "FailedGetScale", why);
    let text = format!("the HPA controller was unable to get the target's current scale: {why}");
    set(scaler, "AbleToScale", false, "FailedGetScale", &text, s);
    Ok(())
}

/// Sets a condition; its time changes only with its status.
fn set(
    scaler: &mut Value,
    kind: &'static str,
    is: bool,
    reason: &'static str,
    message: &str,
    s: &Sync<'_, '_>,
) {
    let status = if is { "True" } else { "False" };
    let since = meta::condition(scaler, kind)
        .filter(|old| old.status() == status)
        .map(|old| old.0.get("lastTransitionTime").clone());
    let condition = map! {
        "type": kind, "status": status, "reason": reason, "message": Str::new(message),
        "lastTransitionTime": since.unwrap_or_else(|| s.now().rfc3339().into()),
    };
    if !scaler.get("status").has("conditions") {
        scaler.set_path("status.conditions", list![]);
    }
    let conditions = scaler.at_mut(&["status", "conditions"]).list_mut();
    match conditions.iter_mut().find(|c| c.str("type") == kind) {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
}
