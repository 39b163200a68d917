//! What `kubenkyo` breaks and mends, as it reads at the terminal.

mod transcript;

use expect_test::expect;

use transcript::{new_session, play, prepare};

#[test]
fn a_paused_controller_takes_no_work_until_it_is_resumed() {
    play(
        &mut new_session(),
        expect![[r#"
            $ kubenkyo pause deployment
            deployment paused
            $ kubectl create deployment web --image=nginx --replicas=2
            deployment.apps/web created
            $ sleep 5
            $ kubectl get deployments,replicasets --no-headers | tr -s ' ' | cut -d' ' -f1-4
            deployment.apps/web 0/2 0 0
            $ kubenkyo stop kube-controller-manager
            kube-controller-manager stopped
            $ kubenkyo start kube-controller-manager
            kube-controller-manager started
            $ sleep 5
            $ kubectl get replicasets
            ! No resources found in default namespace.
            $ kubenkyo resume deployment-controller
            deployment-controller resumed
            $ kubectl wait --for=condition=Available deployment/web --timeout=60s
            deployment.apps/web condition met
        "#]],
    );
}

#[test]
fn a_killed_process_is_started_again() {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl run web --image=nginx",
            "kubectl wait --for=condition=Ready pod/web --timeout=60s",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ kubenkyo kill web
            web of pod/web killed
            $ sleep 10
            $ kubectl get pod web -o jsonpath='{.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.reason} {.status.containerStatuses[0].lastState.terminated.exitCode}{"\n"}'
            1 Error 137
            $ kubenkyo fill-memory pod/web -c web
            web of pod/web runs out of memory
            $ sleep 30
            $ kubectl get pod web -o jsonpath='{.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.reason}{"\n"}'
            2 OOMKilled
            $ kubenkyo kill web -c db
            ! kubenkyo: no container "db" runs in pod "web"; hint: web
            [1]
        "#]],
    );
}

#[test]
fn services_get_an_address_once_there_is_a_load_balancer() {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl create deployment web --image=nginx",
            "kubectl expose deployment web --port=80 --type=LoadBalancer",
            "kubectl wait --for=condition=Available deployment/web --timeout=60s",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ kubectl get service web -o jsonpath='{.status}{"\n"}'
            {"loadBalancer":{}}
            $ kubenkyo enable load-balancer
            load-balancer enabled
            $ kubectl wait --for=jsonpath='{.status.loadBalancer.ingress}' service/web --timeout=20s
            service/web condition met
            $ kubectl get service web --no-headers | tr -s ' ' | cut -d' ' -f2,4
            LoadBalancer 172.18.255.200
            $ curl -s http://172.18.255.200 | grep title
            <title>Welcome to nginx!</title>
            $ kubectl expose deployment web --name=other --port=80 --type=LoadBalancer --load-balancer-ip=172.18.255.200
            service/other exposed
            $ sleep 2
            $ kubectl get events --field-selector involvedObject.kind=Service -o custom-columns=R:.reason,N:.involvedObject.name,M:.message --no-headers
            EnsuringLoadBalancer     other   Ensuring load balancer
            SyncLoadBalancerFailed   other   Error syncing load balancer: failed to ensure load balancer: 172.18.255.200 is taken, or none of 172.18.255.200 to 172.18.255.250
            EnsuringLoadBalancer     web     Ensuring load balancer
            EnsuredLoadBalancer      web     Ensured load balancer
            $ kubectl patch service web -p '{"spec":{"type":"ClusterIP"}}'
            service/web patched
            $ sleep 12
            $ kubectl get service other --no-headers | tr -s ' ' | cut -d' ' -f2,4
            LoadBalancer 172.18.255.200
            $ kubectl get service web -o jsonpath='{.metadata.finalizers}{.status}{"\n"}'
            {"loadBalancer":{}}
            $ kubectl delete service other
            service "other" deleted from default namespace
            $ kubectl get services -o name
            service/kubernetes
            service/web
        "#]],
    );
}

#[test]
fn an_image_for_one_system_does_not_run_on_the_other_and_says_why() {
    play(
        &mut new_session(),
        expect![[r#"
            $ kubenkyo join windows
            node-4 joins
            $ sleep 10
            $ kubectl get node node-4 -o jsonpath='{.metadata.labels.kubernetes\.io/os} {.status.nodeInfo.osImage}{"\n"}'
            windows Windows Server 2022 Datacenter
            $ kubectl run linux --image=nginx --overrides='{"spec":{"nodeName":"node-4"}}'
            pod/linux created
            $ kubectl run iis --image=mcr.microsoft.com/windows/servercore/iis --overrides='{"spec":{"nodeSelector":{"kubernetes.io/os":"windows"}}}'
            pod/iis created
            $ kubectl run wrong --image=mcr.microsoft.com/windows/nanoserver:ltsc2022 --overrides='{"spec":{"nodeName":"node-1"}}'
            pod/wrong created
            $ kubectl run declared --image=mcr.microsoft.com/windows/nanoserver:ltsc2022 --overrides='{"spec":{"nodeName":"node-1","os":{"name":"windows"}}}'
            pod/declared created
            $ sleep 30
            $ kubectl get pods --no-headers | tr -s ' ' | cut -d' ' -f1-3
            declared 0/1 PodOSNotSupported
            iis 1/1 Running
            linux 0/1 ErrImagePull
            wrong 0/1 ErrImagePull
            $ kubectl get pod linux -o jsonpath='{.status.containerStatuses[0].state.waiting.message}{"\n"}'
            failed to pull and unpack image "docker.io/library/nginx:latest": no match for platform in manifest: not found
            $ kubectl get pod declared -o jsonpath='{.status.message}{"\n"}'
            Pod was rejected: Failed to admit pod as the OS field doesn't match node OS
            $ kubectl get pod iis -o jsonpath='{.spec.nodeName}{"\n"}'
            node-4
        "#]],
    );
}

#[test]
fn a_pod_that_names_its_node_is_refused_where_it_does_not_fit() {
    let mut session = new_session();
    let on_node = |name: &str, more: &str| {
        format!(
            "kubectl run {name} --image=nginx --overrides='{{\"spec\":{{\"nodeName\":\"node-1\"{more}}}}}'"
        )
    };
    let asks = |what: &str| {
        format!(
            ",\"containers\":[{{\"name\":\"c\",\"image\":\"nginx\",\"resources\":{{\"requests\":{{{what}}}}}}}]"
        )
    };
    prepare(
        &mut session,
        &[
            &on_node("first", &asks("\"cpu\":\"3\"")),
            &on_node("second", &asks("\"cpu\":\"2\"")),
            &on_node("third", &asks("\"memory\":\"20Gi\"")),
            &on_node("fourth", ",\"nodeSelector\":{\"disk\":\"ssd\"}"),
            "sleep 20",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ kubectl get pods --no-headers | tr -s ' ' | cut -d' ' -f1-3
            first 1/1 Running
            fourth 0/1 NodeAffinity
            second 0/1 OutOfcpu
            third 0/1 OutOfmemory
            $ kubectl get pods -o jsonpath='{range .items[*]}{.metadata.name}: {.status.message}{"\n"}{end}'
            first: 
            fourth: Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector
            second: Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000
            third: Pod was rejected: Node didn't have enough resource: memory, requested: 21474836480, used: 0, capacity: 8589934592
            $ kubectl delete pod first
            pod "first" deleted from default namespace
            $ kubectl run fifth --image=nginx --overrides='{"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"nginx","resources":{"requests":{"cpu":"4"}}}]}}'
            pod/fifth created
            $ kubectl wait --for=condition=Ready pod/fifth --timeout=60s
            pod/fifth condition met
        "#]],
    );
}

#[test]
fn a_slow_scheduler_decides_late() {
    play(
        &mut new_session(),
        expect![[r#"
            $ kubenkyo slow kube-scheduler 20000
            kube-scheduler takes 20000 times as long
            $ kubectl run web --image=nginx
            pod/web created
            $ sleep 3
            $ kubectl get pod web --no-headers | tr -s ' ' | cut -d' ' -f1-3
            web 0/1 Pending
            $ kubectl wait --for=condition=Ready pod/web --timeout=60s
            pod/web condition met
            $ kubenkyo slow kube-scheduler 1
            kube-scheduler takes 1 times as long
            $ kubectl run other --image=nginx
            pod/other created
            $ sleep 1
            $ kubectl get pod other -o jsonpath='{.status.conditions[?(@.type=="PodScheduled")].status}{"\n"}'
            True
        "#]],
    );
}
