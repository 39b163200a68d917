//! Jobs.

use api::Value;
use api::batch::{CRON_JOBS, JOBS};
use api::core::{NODES, PODS};
use api::meta::Meta;
use api::{Request, list, map};
use expect_test::{Expect, expect};
use sim::SECOND;

use super::world::{Machine, World};

fn job(spec: Value) -> Value {
    let mut job = map! {
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": map! { "name": "pi", "namespace": "default" },
        "spec": map! { "template": map! { "spec": map! {
            "containers": list![map! { "name": "c", "image": "perl" }], "restartPolicy": "Never",
        } } },
    };
    for (key, value) in spec.entries().iter() {
        job.at_mut(&["spec"]).set(key.clone(), value);
    }
    job
}

/// The status without times.
fn status(job: &Value) -> String {
    let mut status = job.get("status").clone();
    status.remove("startTime");
    let end = status.remove("completionTime").is_some();
    let conditions: Vec<String> = status
        .get("conditions")
        .items()
        .iter()
        .map(|c| {
            format!(
                "{}={} {}: {}",
                c.str("type"),
                c.str("status"),
                c.str("reason"),
                c.str("message")
            )
        })
        .collect();
    status.remove("conditions");
    format!(
        "{} completed={end}\n{}\n",
        status.to_json(),
        conditions.join("\n")
    )
}

fn check(machine: Machine, spec: Value, secs: u64, expect: Expect) {
    let mut world = World::new(machine);
    let node = map! { "apiVersion": "v1", "kind": "Node", "metadata": map! { "name": "node-1" } };
    world.create(&NODES, node);
    world.create(&JOBS, job(spec));
    world.run(secs * SECOND);
    let job = world.get(&JOBS, "pi");
    let events = world.events().join("\n");
    let left = world.list(&PODS);
    let held = left
        .iter()
        .filter(|pod| !Meta::of(pod).finalizers().is_empty())
        .count();
    expect.assert_eq(&format!(
        "{}{events}\n{} pods, {held} not counted\n",
        status(&job),
        left.len()
    ));
}

#[test]
fn a_job_completes() {
    check(
        Machine::Succeed,
        map! { "completions": 3, "parallelism": 2 },
        20,
        expect![[r#"
            {"ready":0,"succeeded":3,"terminating":0,"uncountedTerminatedPods":{}} completed=true
            SuccessCriteriaMet=True CompletionsReached: Reached expected number of succeeded pods
            Complete=True CompletionsReached: Reached expected number of succeeded pods
            Normal SuccessfulCreate x1 Created pod: pi-kj5m6
            Normal SuccessfulCreate x1 Created pod: pi-r5plr
            Normal SuccessfulCreate x1 Created pod: pi-d5b6h
            Normal RegisteredNode x1 Node node-1 event: Registered Node node-1 in Controller
            Normal Completed x1 Job completed
            3 pods, 0 not counted
        "#]],
    );
}

#[test]
fn an_indexed_job_completes_each_index() {
    check(
        Machine::Succeed,
        map! { "completions": 3, "parallelism": 3, "completionMode": "Indexed" },
        20,
        expect![[r#"
            {"completedIndexes":"0-2","ready":0,"succeeded":3,"terminating":0,"uncountedTerminatedPods":{}} completed=true
            SuccessCriteriaMet=True CompletionsReached: Reached expected number of succeeded pods
            Complete=True CompletionsReached: Reached expected number of succeeded pods
            Normal SuccessfulCreate x1 Created pod: pi-0-kj5m6
            Normal SuccessfulCreate x1 Created pod: pi-1-r5plr
            Normal SuccessfulCreate x1 Created pod: pi-2-d5b6h
            Normal Completed x1 Job completed
            Normal RegisteredNode x1 Node node-1 event: Registered Node node-1 in Controller
            3 pods, 0 not counted
        "#]],
    );
}

#[test]
fn a_failing_job_backs_off_and_gives_up() {
    check(
        Machine::Fail,
        map! { "backoffLimit": 2 },
        60,
        expect![[r#"
            {"failed":3,"ready":0,"terminating":0,"uncountedTerminatedPods":{}} completed=false
            FailureTarget=True BackoffLimitExceeded: Job has reached the specified backoff limit
            Failed=True BackoffLimitExceeded: Job has reached the specified backoff limit
            Normal SuccessfulCreate x1 Created pod: pi-kj5m6
            Normal RegisteredNode x1 Node node-1 event: Registered Node node-1 in Controller
            Normal SuccessfulCreate x1 Created pod: pi-r5plr
            Normal SuccessfulCreate x1 Created pod: pi-d5b6h
            Warning BackoffLimitExceeded x1 Job has reached the specified backoff limit
            3 pods, 0 not counted
        "#]],
    );
}

#[test]
fn each_index_has_its_own_limit() {
    check(
        Machine::Fail,
        map! { "completions": 2, "parallelism": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 1 },
        60,
        expect![[r#"
            {"failed":4,"failedIndexes":"0,1","ready":0,"terminating":0,"uncountedTerminatedPods":{}} completed=false
            FailureTarget=True FailedIndexes: Job has failed indexes
            Failed=True FailedIndexes: Job has failed indexes
            Normal SuccessfulCreate x1 Created pod: pi-0-kj5m6
            Normal SuccessfulCreate x1 Created pod: pi-1-r5plr
            Normal RegisteredNode x1 Node node-1 event: Registered Node node-1 in Controller
            Normal SuccessfulCreate x1 Created pod: pi-0-d5b6h
            Normal SuccessfulCreate x1 Created pod: pi-1-clhw2
            Warning FailedIndexes x1 Job has failed indexes
            4 pods, 0 not counted
        "#]],
    );
}

#[test]
fn a_job_that_takes_too_long_is_ended() {
    check(
        Machine::Ready,
        map! { "activeDeadlineSeconds": 5 },
        20,
        expect![[r#"
            {"failed":1,"ready":0,"terminating":0,"uncountedTerminatedPods":{}} completed=false
            FailureTarget=True DeadlineExceeded: Job was active longer than specified deadline
            Failed=True DeadlineExceeded: Job was active longer than specified deadline
            Normal SuccessfulCreate x1 Created pod: pi-kj5m6
            Normal RegisteredNode x1 Node node-1 event: Registered Node node-1 in Controller
            Normal SuccessfulDelete x1 Deleted pod: pi-kj5m6
            Warning DeadlineExceeded x1 Job was active longer than specified deadline
            0 pods, 0 not counted
        "#]],
    );
}

#[test]
fn a_suspended_job_runs_nothing_until_resumed() {
    let mut world = World::new(Machine::Ready);
    world.create(&JOBS, job(map! { "suspend": true }));
    world.run(5 * SECOND);
    assert_eq!(world.list(&PODS).len(), 0);
    world.patch(&JOBS, "pi", map! { "spec": map! { "suspend": false } });
    world.run(5 * SECOND);
    assert_eq!(world.list(&PODS).len(), 1);
    expect![[r#"
        {"active":1,"ready":1,"terminating":0,"uncountedTerminatedPods":{}} completed=false
        Suspended=False JobResumed: Job resumed
    "#]]
    .assert_eq(&status(&world.get(&JOBS, "pi")));
}

#[test]
fn a_deleted_job_takes_its_pods_along() {
    let mut world = World::new(Machine::Ready);
    world.create(&JOBS, job(map! {}));
    world.run(5 * SECOND);
    let mut request = Request::delete(&JOBS, "default", "pi");
    request.options.propagation_policy = "Background".into();
    world.must(request);
    world.run(5 * SECOND);
    assert_eq!(world.list(&PODS), [Value::Null; 0]);
}

#[test]
fn a_cron_job_starts_jobs_on_time_and_keeps_three() {
    let mut world = World::new(Machine::Succeed);
    let spec = job(map! {}).get("spec").clone();
    let cron = map! {
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": map! { "name": "tick", "namespace": "default" },
        "spec": map! { "schedule": "* * * * *", "jobTemplate": map! { "spec": spec } },
    };
    world.create(&CRON_JOBS, cron);
    world.run(5 * 60 * SECOND + 30 * SECOND);
    let jobs = world.list(&JOBS);
    let names: Vec<&str> = jobs.iter().map(|job| Meta::of(job).name()).collect();
    expect![[r#"
        [
            "tick-29833336",
            "tick-29833337",
            "tick-29833338",
        ]
    "#]]
    .assert_debug_eq(&names);
    let events: Vec<String> = world
        .events()
        .into_iter()
        .filter(|e| e.contains("tick-29833334") || e.contains("29833335"))
        .collect();
    expect![[r#"
        [
            "Normal SuccessfulCreate x1 Created job tick-29833334",
            "Normal SuccessfulCreate x1 Created pod: tick-29833334-kj5m6",
            "Normal SawCompletedJob x1 Saw completed job: tick-29833334, condition: Complete",
            "Normal SuccessfulCreate x1 Created job tick-29833335",
            "Normal SuccessfulCreate x1 Created pod: tick-29833335-r5plr",
            "Normal SawCompletedJob x1 Saw completed job: tick-29833335, condition: Complete",
            "Normal SuccessfulDelete x1 Deleted job tick-29833334",
            "Normal SuccessfulDelete x1 Deleted job tick-29833335",
        ]
    "#]]
    .assert_debug_eq(&events);
    let cron = world.get(&CRON_JOBS, "tick");
    expect![[
        r#"{"lastScheduleTime":"2026-09-21T14:18:00Z","lastSuccessfulTime":"2026-09-21T14:18:02Z"}"#
    ]]
    .assert_eq(&cron.get("status").to_json());
}
