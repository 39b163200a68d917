//! What the documentation promises and a learner must be able to see, with its times.

use api::Value;
use shell::{Options, Session};

const DOCS: &str = "../shared/corpus/manifests";

/// A session in front of a fresh cluster, and the documentation's manifests if they are beside the checkout.
fn session() -> Session {
    let options = Options {
        pull_speed: 1_000_000_000,
        ..Options::default()
    };
    Session::new(options, "/tmp/examples")
}

fn manifest(session: &mut Session, path: &str) -> bool {
    let shared = std::env::var("KUBENKYO_SHARED").map(|dir| dir + "/corpus/manifests");
    let dir = shared.unwrap_or_else(|_| format!("{}/{DOCS}", env!("CARGO_MANIFEST_DIR")));
    let Ok(text) = std::fs::read_to_string(format!("{dir}/{path}")) else {
        eprintln!("skipped: no documentation beside the checkout (set KUBENKYO_SHARED)");
        return false;
    };
    apply(session, &text);
    true
}

fn apply(session: &mut Session, text: &str) {
    session
        .workstation_mut()
        .put_file("/tmp/examples/it.yaml", text)
        .expect("the directory is there");
    run(session, "kubectl apply -f it.yaml");
}

/// Runs a line that must succeed; its output.
fn run(session: &mut Session, line: &str) -> String {
    let outcome = session.line(line, |_| {}).expect("a whole line");
    assert_eq!(outcome.status, 0, "$ {line}\n{}", outcome.text(true));
    outcome.text(false)
}

fn seconds(session: &Session) -> u64 {
    session.workstation().cluster().now().0 / sim::SECOND
}

fn all(session: &Session, collection: &str) -> Vec<Value> {
    let server = session.workstation().cluster().server();
    let of_kind = |(of, object): (&api::Str, &Value)| {
        let is_ours = object.path("metadata.namespace").as_str() == Some("default");
        (&**of == collection && is_ours).then(|| object.clone())
    };
    server.everything().filter_map(of_kind).collect()
}

fn pods(session: &Session) -> Vec<Value> {
    all(session, "pods")
}

fn restarts(pod: &Value) -> i64 {
    let statuses = pod.path("status.containerStatuses").items();
    statuses.iter().filter_map(|s| s.int("restartCount")).sum()
}

/// Lets half seconds pass until `is_so`, at most `limit` seconds; how many it took.
fn until(session: &mut Session, limit: u64, is_so: impl Fn(&Session) -> bool) -> u64 {
    let start = seconds(session);
    while !is_so(session) {
        let took = seconds(session) - start;
        assert!(took < limit, "not within {limit} s: {:?}", pods(session));
        session.wait(sim::SECOND / 2);
    }
    seconds(session) - start
}

fn name(object: &Value) -> String {
    let name = object.path("metadata.name").as_str();
    name.unwrap_or_default().to_owned()
}

fn ready(session: &Session) -> usize {
    let is_ready = |pod: &&Value| {
        api::meta::is_true(pod, "Ready") && pod.path("metadata.deletionTimestamp").is_null()
    };
    pods(session).iter().filter(is_ready).count()
}

#[test]
fn a_failing_liveness_command_restarts_the_container_at_the_documented_times() {
    let mut session = session();
    // The page: healthy for 30 s, then a failed probe every 5 s; the third kills, and 30 s of grace follow.
    if !manifest(&mut session, "pods/probe/exec-liveness.yaml") {
        return;
    }
    let restarted = |session: &Session| pods(session).iter().map(restarts).sum::<i64>();
    let first = until(&mut session, 120, |s| restarted(s) == 1);
    assert!((60..=85).contains(&first), "first restart after {first} s");
    let second = until(&mut session, 120, |s| restarted(s) == 2);
    assert!(
        (60..=90).contains(&second),
        "second restart after {second} s"
    );
    let told = run(&mut session, "kubectl describe pod liveness-exec");
    assert!(told.contains("Liveness probe failed: cat: can't open '/tmp/healthy': No such file"));
    assert!(told.contains("Container liveness failed liveness probe, will be restarted"));
}

#[test]
fn the_pause_of_a_crash_loop_doubles_up_to_five_minutes() {
    let mut session = session();
    run(
        &mut session,
        "kubectl run crash --image=busybox:1.36 -- false",
    );
    let mut starts = Vec::new();
    for restart in 1..=8 {
        until(&mut session, 400, |s| restarts(&pods(s)[0]) == restart);
        starts.push(seconds(&session));
    }
    let pauses: Vec<u64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let expected = [10, 20, 40, 80, 160, 300, 300];
    for (pause, expected) in pauses.iter().zip(expected) {
        assert!(
            pause.abs_diff(expected) <= 5,
            "pauses {pauses:?}, expected {expected:?}"
        );
    }
}

#[test]
fn pods_of_a_lost_node_leave_after_five_minutes_and_come_back_elsewhere() {
    let mut session = session();
    run(
        &mut session,
        "kubectl create deployment web --image=nginx:1.27 --replicas=3",
    );
    until(&mut session, 60, |s| ready(s) == 3);
    run(&mut session, "kubenkyo power-off node-2");
    let on_lost = |pod: &Value| pod.path("spec.nodeName").as_str() == Some("node-2");
    let lost: Vec<String> = pods(&session)
        .iter()
        .filter(|p| on_lost(p))
        .map(name)
        .collect();
    assert!(!lost.is_empty(), "three pods spread over three nodes");
    let node_is_lost = |s: &Session| {
        let server = s.workstation().cluster().server();
        server.everything().any(|(of, object)| {
            &**of == "nodes"
                && name(object) == "node-2"
                && api::meta::condition(object, "Ready").is_some_and(|c| c.status() == "Unknown")
        })
    };
    let noticed = until(&mut session, 90, node_is_lost);
    assert!((40..=60).contains(&noticed), "noticed after {noticed} s");
    let is_leaving = |s: &Session| {
        let deleted = |pod: &&Value| !pod.path("metadata.deletionTimestamp").is_null();
        pods(s).iter().filter(deleted).any(on_lost)
    };
    let evicted = until(&mut session, 330, is_leaving);
    assert!((295..=310).contains(&evicted), "evicted after {evicted} s");
    let back = until(&mut session, 30, |s| ready(s) == 3);
    assert!(back <= 15, "back after {back} s");
}

#[test]
fn a_stateful_set_rolls_from_its_last_pod_to_its_first() {
    let mut session = session();
    apply(
        &mut session,
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  replicas: 3\n  serviceName: db\n  selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    spec: {containers: [{name: db, image: 'nginx:1.26'}]}\n",
    );
    until(&mut session, 60, |s| ready(s) == 3);
    run(
        &mut session,
        "kubectl set image statefulset/db db=nginx:1.27",
    );
    let is_new = |pod: &Value| pod.path("spec.containers").items()[0].str("image") == "nginx:1.27";
    let mut order: Vec<String> = Vec::new();
    while order.len() < 3 {
        until(&mut session, 60, |s| {
            pods(s).iter().filter(|p| is_new(p)).count() > order.len()
        });
        for pod in pods(&session).iter().filter(|pod| is_new(pod)) {
            if !order.contains(&name(pod)) {
                order.push(name(pod));
            }
        }
    }
    assert_eq!(order, ["db-2", "db-1", "db-0"]);
}

#[test]
fn a_job_that_keeps_failing_ends_at_its_backoff_limit() {
    let mut session = session();
    apply(
        &mut session,
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: fails}\nspec:\n  backoffLimit: 2\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: c, image: 'busybox:1.36', command: ['false']}]\n",
    );
    let failed = |s: &Session| {
        all(s, "jobs.batch")
            .iter()
            .any(|job| api::meta::is_true(job, "Failed"))
    };
    let took = until(&mut session, 120, failed);
    // Retries after 10 and 20 seconds.
    assert!((30..=50).contains(&took), "failed after {took} s");
    assert_eq!(pods(&session).len(), 3);
    let job = &all(&session, "jobs.batch")[0];
    let why = api::meta::condition(job, "Failed").expect("it has failed");
    assert_eq!(why.reason(), "BackoffLimitExceeded");
    assert_eq!(job.path("status.failed").as_int(), Some(3));
}

#[test]
fn an_image_that_does_not_exist_stalls_a_rollout_and_undo_heals_it_without_losing_a_ready_pod() {
    let mut session = session();
    if !manifest(&mut session, "controllers/nginx-deployment.yaml") {
        return;
    }
    until(&mut session, 60, |s| ready(s) == 3);
    run(
        &mut session,
        "kubectl set image deployment/nginx-deployment nginx=nginx:1.161",
    );
    for _ in 0..120 {
        session.wait(sim::SECOND / 2);
        assert!(ready(&session) >= 3, "{:?}", pods(&session));
    }
    let table = run(&mut session, "kubectl get pods");
    let stalls = ["ImagePullBackOff", "ErrImagePull"]
        .iter()
        .any(|why| table.contains(why));
    assert!(stalls, "{table}");
    run(
        &mut session,
        "kubectl rollout undo deployment/nginx-deployment",
    );
    for _ in 0..20 {
        session.wait(sim::SECOND / 2);
        assert!(ready(&session) >= 3, "{:?}", pods(&session));
    }
    run(
        &mut session,
        "kubectl rollout status deployment/nginx-deployment",
    );
    let images: Vec<String> = pods(&session)
        .iter()
        .map(|pod| {
            pod.path("spec.containers").items()[0]
                .str("image")
                .to_owned()
        })
        .collect();
    assert_eq!(images, ["nginx:1.14.2"; 3]);
}

#[test]
fn a_changed_config_map_reaches_the_mounted_file_within_two_minutes() {
    let mut session = session();
    run(
        &mut session,
        "kubectl create configmap web --from-literal=greeting=hello",
    );
    apply(
        &mut session,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: reader}\nspec:\n  containers:\n  - name: c\n    image: busybox:1.36\n    command: [sleep, '3600']\n    env: [{name: GREETING, valueFrom: {configMapKeyRef: {name: web, key: greeting}}}]\n    volumeMounts: [{name: config, mountPath: /etc/web}, {name: config, mountPath: /etc/part, subPath: greeting}]\n  volumes: [{name: config, configMap: {name: web}}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: whole}\nspec:\n  containers:\n  - name: c\n    image: busybox:1.36\n    command: [sleep, '3600']\n    volumeMounts: [{name: config, mountPath: /etc/web}]\n  volumes: [{name: config, configMap: {name: web}}]\n",
    );
    until(&mut session, 30, |s| ready(s) == 2);
    let file = |session: &mut Session| run(session, "kubectl exec whole -- cat /etc/web/greeting");
    assert_eq!(file(&mut session), "hello");
    run(
        &mut session,
        "kubectl patch configmap web --type=merge -p '{\"data\":{\"greeting\":\"hi\",\"more\":\"1\"}}'",
    );
    assert_eq!(file(&mut session), "hello", "not at once");
    session.wait(120 * sim::SECOND);
    assert_eq!(file(&mut session), "hi");
    assert_eq!(
        run(&mut session, "kubectl exec whole -- ls /etc/web"),
        "greeting\nmore\n"
    );
    let variable = run(&mut session, "kubectl exec reader -- printenv GREETING");
    assert_eq!(variable, "hello\n", "variables stay");
}

#[test]
fn a_container_gets_more_cpu_in_place_and_is_restarted_only_for_memory() {
    let mut session = session();
    apply(
        &mut session,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: c\n    image: nginx:1.27\n    resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: memory, restartPolicy: RestartContainer}]\n    resources: {requests: {cpu: 500m, memory: 100Mi}, limits: {cpu: 500m, memory: 100Mi}}\n",
    );
    until(&mut session, 30, |s| ready(s) == 1);
    let resize = |session: &mut Session, resource: &str, amount: &str| {
        let both = format!(
            "{{\"requests\":{{\"{resource}\":\"{amount}\"}},\"limits\":{{\"{resource}\":\"{amount}\"}}}}"
        );
        let patch =
            format!("{{\"spec\":{{\"containers\":[{{\"name\":\"c\",\"resources\":{both}}}]}}}}");
        run(
            session,
            &format!("kubectl patch pod web --subresource resize -p '{patch}'"),
        );
        session.wait(5 * sim::SECOND);
        pods(session)[0].clone()
    };
    let told = |pod: &Value, resource: &str| {
        let status = &pod.path("status.containerStatuses").items()[0];
        status.path("resources.limits").str(resource).to_owned()
    };
    let pod = resize(&mut session, "cpu", "800m");
    assert_eq!((told(&pod, "cpu").as_str(), restarts(&pod)), ("800m", 0));
    let pod = resize(&mut session, "memory", "200Mi");
    assert_eq!(
        (told(&pod, "memory").as_str(), restarts(&pod)),
        ("200Mi", 1)
    );
    let pod = resize(&mut session, "cpu", "1000");
    assert_eq!(told(&pod, "cpu"), "800m");
    let why = api::meta::condition(&pod, "PodResizePending").expect("it cannot be done");
    assert_eq!(why.reason(), "Infeasible");
    let events = run(&mut session, "kubectl get events");
    for reason in ["ResizeStarted", "ResizeCompleted", "ResizeInfeasible"] {
        assert!(events.contains(reason), "{reason} in\n{events}");
    }
}

#[test]
fn a_node_short_of_memory_evicts_careless_pods_first() {
    let mut session = session();
    apply(
        &mut session,
        "apiVersion: v1\nkind: Pod\nmetadata: {name: careful}\nspec:\n  nodeName: node-1\n  containers: [{name: c, image: 'nginx:1.27', resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}}]\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: careless}\nspec:\n  nodeName: node-1\n  containers: [{name: c, image: 'mysql:8.0'}]\n",
    );
    until(&mut session, 30, |s| ready(s) == 2);
    run(&mut session, "kubenkyo fill-memory node-1");
    let is_evicted = |s: &Session| {
        let reason = |pod: &Value| pod.path("status.reason").as_str().map(str::to_owned);
        let gone: Vec<String> = pods(s)
            .iter()
            .filter(|pod| reason(pod).as_deref() == Some("Evicted"))
            .map(name)
            .collect();
        assert!(
            !gone.contains(&"careful".to_owned()),
            "it keeps within its requests"
        );
        gone == ["careless"]
    };
    until(&mut session, 30, is_evicted);
    let node = run(&mut session, "kubectl describe node node-1");
    assert!(node.contains("KubeletHasInsufficientMemory"), "{node}");
    assert!(
        node.contains("node.kubernetes.io/memory-pressure:NoSchedule"),
        "{node}"
    );
    let told = run(&mut session, "kubectl describe pod careless");
    assert!(
        told.contains("The node was low on resource: memory. Threshold quantity: 100Mi"),
        "{told}"
    );
    run(&mut session, "kubenkyo free-memory node-1");
    session.wait(330 * sim::SECOND);
    let node = run(&mut session, "kubectl describe node node-1");
    assert!(node.contains("KubeletHasSufficientMemory"), "{node}");
}

#[test]
fn an_autoscaler_follows_the_load_up_at_once_and_down_after_five_minutes() {
    let mut session = session();
    if !manifest(&mut session, "application/php-apache.yaml") {
        return;
    }
    until(&mut session, 60, |s| ready(s) == 1);
    run(
        &mut session,
        "kubectl autoscale deployment php-apache --cpu-percent=50 --min=1 --max=10",
    );
    run(
        &mut session,
        "kubectl run load --image=busybox:1.28 --restart=Never -- /bin/sh -c \"while sleep 0.1; do wget -q -O- http://php-apache; done\"",
    );
    let replicas = |s: &Session| all(s, "deployments.apps")[0].path("spec.replicas").as_int();
    until(&mut session, 120, |s| replicas(s) >= Some(2));
    let events = run(&mut session, "kubectl get events");
    let why = "reason: cpu resource utilization (percentage of request) above target";
    assert!(events.contains(why), "{events}");
    run(&mut session, "kubectl delete pod load --now");
    session.wait(240 * sim::SECOND);
    assert!(
        replicas(&session) >= Some(2),
        "it waits before it goes down"
    );
    until(&mut session, 180, |s| replicas(s) == Some(1));
    let told = run(&mut session, "kubectl describe hpa php-apache");
    assert!(told.contains("ValidMetricFound"), "{told}");
}
