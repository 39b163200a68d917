//! Disruption budgets, autoscalers, quotas, limits and priorities.

use api::{Value, list, map};

use super::fill::{edit, edit_each, edit_made, fill, fill_text};
use super::{Generation, Rules};
use crate::validate::policy;

pub(crate) static BUDGET: Rules = Rules {
    generation: Generation::Spec,
    unconditional_update: false,
    defaults: |object| {
        fill(object, "spec", map! {});
        edit_made(object, "status", budget_status);
    },
    prepare_create: |object| {
        let mut status = map! {};
        budget_status(&mut status);
        object.set("status", status);
    },
    validate: policy::budget,
    validate_update: |new, _, out| policy::budget(new, out),
    ..Rules::PLAIN
};

/// The numbers that the type always shows.
fn budget_status(status: &mut Value) {
    for field in [
        "currentHealthy",
        "desiredHealthy",
        "disruptionsAllowed",
        "expectedPods",
    ] {
        fill(status, field, 0);
    }
}

pub(crate) static AUTOSCALER: Rules = Rules {
    defaults: |object| {
        edit_made(object, "spec", |spec| {
            fill(spec, "minReplicas", 1);
            if spec.get("metrics").items().is_empty() {
                let cpu = map! {
                    "type": "Resource",
                    "resource": map! { "name": "cpu", "target": map! { "type": "Utilization", "averageUtilization": 80 } },
                };
                spec.set("metrics", list![cpu]);
            }
            if !spec.get("behavior").is_null() {
                scaling_behavior(spec);
            }
        });
        edit_made(object, "status", autoscaler_status);
    },
    prepare_create: |object| {
        let mut status = map! {};
        autoscaler_status(&mut status);
        object.set("status", status);
    },
    validate: policy::autoscaler,
    validate_update: |new, _, out| policy::autoscaler(new, out),
    ..Rules::PLAIN
};

fn autoscaler_status(status: &mut Value) {
    fill(status, "desiredReplicas", 0);
    if !status.has("currentMetrics") {
        status.set("currentMetrics", Value::Null);
    }
}

/// `GenerateHPAScaleUpRules` and `…DownRules`: what is left out of a behaviour that is given.
fn scaling_behavior(spec: &mut Value) {
    let percent = || map! { "type": "Percent", "value": 100, "periodSeconds": 15 };
    let pods = || map! { "type": "Pods", "value": 4, "periodSeconds": 15 };
    edit_made(spec, "behavior", |behavior| {
        edit_made(behavior, "scaleUp", |rules| {
            fill_text(rules, "selectPolicy", "Max");
            fill(rules, "stabilizationWindowSeconds", 0);
            if rules.get("policies").items().is_empty() {
                rules.set("policies", list![pods(), percent()]);
            }
        });
        edit_made(behavior, "scaleDown", |rules| {
            fill_text(rules, "selectPolicy", "Max");
            if rules.get("policies").items().is_empty() {
                rules.set("policies", list![percent()]);
            }
        });
    });
}

pub(crate) static QUOTA: Rules = Rules {
    returns_deleted: true,
    defaults: |object| {
        fill(object, "spec", map! {});
        fill(object, "status", map! {});
    },
    prepare_create: |object| object.set("status", map! {}),
    validate: policy::quota,
    validate_update: |new, _, out| policy::quota(new, out),
    ..Rules::PLAIN
};

pub(crate) static LIMIT_RANGE: Rules = Rules {
    defaults: |object| {
        edit_made(object, "spec", |spec| edit_each(spec, "limits", limit));
    },
    validate: policy::limit_range,
    validate_update: |new, _, out| policy::limit_range(new, out),
    ..Rules::PLAIN
};

/// `SetDefaults_LimitRangeItem`: containers get the maximum as default, the default as request, else the minimum.
fn limit(item: &mut Value) {
    if item.str("type") != "Container" {
        return;
    }
    let copy = |item: &mut Value, from: &str, to: &'static str| {
        let missing: Vec<_> = item
            .get(from)
            .entries()
            .iter()
            .filter(|(name, _)| !item.get(to).has(name))
            .map(|(name, amount)| (name.clone(), amount.clone()))
            .collect();
        for (name, amount) in missing {
            item.entry(to).set(name, amount);
        }
    };
    copy(item, "max", "default");
    copy(item, "default", "defaultRequest");
    copy(item, "min", "defaultRequest");
}

pub(crate) static PRIORITY_CLASS: Rules = Rules {
    generation: Generation::Content,
    defaults: |object| {
        fill_text(object, "preemptionPolicy", "PreemptLowerPriority");
        fill(object, "value", 0);
    },
    validate: policy::priority_class,
    validate_update: policy::priority_class_update,
    ..Rules::PLAIN
};

pub(crate) static DEVICE_CLASS: Rules = Rules {
    generation: Generation::Spec,
    defaults: |object| fill(object, "spec", map! {}),
    ..Rules::PLAIN
};

pub(crate) static RESOURCE_SLICE: Rules = Rules {
    generation: Generation::Spec,
    ..Rules::PLAIN
};

pub(crate) static RESOURCE_CLAIM: Rules = Rules {
    defaults: |object| {
        edit(object, "spec", claim_spec);
        fill(object, "status", map! {});
    },
    prepare_create: |object| object.set("status", map! {}),
    ..Rules::PLAIN
};

pub(crate) static RESOURCE_CLAIM_TEMPLATE: Rules = Rules {
    defaults: |object| {
        edit(object, "spec", |spec| {
            fill(spec, "metadata", map! {});
            edit(spec, "spec", claim_spec);
        });
    },
    ..Rules::PLAIN
};

/// `pkg/apis/resource/v1/defaults.go`.
fn claim_spec(spec: &mut Value) {
    let request = |request: &mut Value| {
        fill_text(request, "allocationMode", "ExactCount");
        if request.str("allocationMode") == "ExactCount" {
            fill(request, "count", 1);
        }
    };
    edit(spec, "devices", |devices| {
        edit_each(devices, "requests", |entry| {
            edit(entry, "exactly", request);
            edit_each(entry, "firstAvailable", request);
        });
    });
}
