//! Sessions at the terminal, as they read there.

mod transcript;

use expect_test::expect;
use shell::{Command, Session};
use sim::Machine as _;

use transcript::{new_session, play, prepare, run};

/// The terminal that a session opens.
const TERMINAL: u32 = 1;

/// A session with a pod `box` that sleeps, whose container runs.
fn with_pod() -> Session {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl run box --image=busybox -- sleep 3600",
            "kubectl wait --for=condition=Ready pod/box --timeout=60s",
        ],
    );
    session
}

#[test]
fn a_watch_that_is_interrupted_gives_the_prompt_back() {
    let mut session = new_session();
    session.patience = 10 * sim::SECOND;
    assert_eq!(run(&mut session, "kubectl get pods --watch").status, 130);
    play(
        &mut session,
        expect![[r#"
            $ echo here
            here
        "#]],
    );
}

#[test]
fn what_is_piped_into_kubectl_exec_reaches_the_container() {
    play(
        &mut with_pod(),
        expect![[r#"
            $ echo hello | kubectl exec -i box -- cat
            hello
            $ kubectl exec -i box -- sh < <(echo 'echo $((6*7))')
            42
            $ kubectl exec box -- cat
        "#]],
    );
}

#[test]
fn a_program_that_reads_nothing_is_waited_for_and_ctrl_c_reaches_it() {
    let mut session = with_pod();
    session.patience = 10 * sim::SECOND;
    play(
        &mut session,
        expect![[r#"
            $ kubectl run once -i --rm --image=busybox --restart=Never -- sh -c 'sleep 5; echo done; exit 3'
            done
            pod "once" deleted from default namespace
            ! All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.
            ! If you don't see a command prompt, try pressing enter.
            ! pod default/once terminated (Error)
            [3]
        "#]],
    );
    assert_eq!(
        run(
            &mut session,
            "kubectl exec -it box -- sh -c 'while true; do date; sleep 1; done'"
        )
        .status,
        130
    );
    play(
        &mut session,
        expect![[r#"
            $ echo here
            here
        "#]],
    );
}

#[test]
fn debug_adds_a_container_makes_a_copy_and_shows_a_node_s_files() {
    let mut session = with_pod();
    play(
        &mut session,
        expect![[r#"
            $ kubectl debug box -i -q --image=alpine -c aside -- sh -c 'cat /etc/os-release | head -1'
            NAME="Alpine Linux"
            $ kubectl debug box -it --image=busybox -c shell
            / # ¬
            ! All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.
            ! If you don't see a command prompt, try pressing enter.
            $ echo in $(hostname)
            in box
            / # ¬
            $ exit
            Session ended, the ephemeral container will not be restarted but may be reattached using 'kubectl attach box -c shell -n default -i -t' if it is still running
            $ kubectl logs box aside
            NAME="Alpine Linux"
            $ kubectl get pod box -o jsonpath='{.spec.ephemeralContainers[*].name} {.status.ephemeralContainerStatuses[*].ready}'
            aside shell false false¬
            $ kubectl debug box --copy-to=copy --image=busybox -c aside -q -- sleep 60
            $ kubectl get pod copy -o jsonpath='{.spec.containers[*].name} {.spec.shareProcessNamespace}'
            box aside true¬
            $ kubectl debug node/node-2 -i -q --image=busybox -- sh -c 'mkdir -p /host/mnt/data; echo hello > /host/mnt/data/file; cat /host/etc/hostname'
            node-2
            $ kubectl debug node/node-2 -i -q --image=busybox --profile=baseline -- ls /host
            ! ls: /host: No such file or directory
            $ kubectl debug box
            ! error: you must specify --image when not using --copy-to.
            [1]
            $ kubectl debug box --image=busybox --profile=other
            ! error: unknown profile: other
            [1]
        "#]],
    );
}

#[test]
fn a_log_is_asked_for_by_pod_and_container_or_by_its_path() {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl run box --image=busybox --restart=Never -- sh -c 'echo here; echo wrong >&2'",
            "kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pod/box",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ kubectl logs box box
            here
            wrong
            $ kubectl logs box -c box box
            ! error: only one of -c or an inline [CONTAINER] arg is allowed
            [1]
            $ kubectl logs box other
            ! error: container other is not valid for pod box out of: box
            [1]
            $ kubectl get --raw '/api/v1/namespaces/default/pods/box/log?tailLines=1'
            wrong
        "#]],
    );
}

#[test]
fn what_is_made_of_files_may_be_edited_before() {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl create service clusterip first --clusterip=None --dry-run=client -o yaml > s.yaml",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ KUBE_EDITOR='sed -i s/first/second/' kubectl create --edit -f s.yaml
            service/second created
            $ KUBE_EDITOR=true kubectl create --edit -f s.yaml
            ! Edit cancelled, no changes made.
        "#]],
    );
}

#[test]
fn a_shell_in_a_container_takes_what_is_typed() {
    play(
        &mut with_pod(),
        expect![[r#"
            $ kubectl exec -it box -- sh
            / # ¬
            $ cd /tmp; x=5
            /tmp # ¬
            $ echo $x in $(pwd)
            5 in /tmp
            /tmp # ¬
            $ exit 3
            ! command terminated with exit code 3
            [3]
            $ echo -$x-
            --
            $ kubectl run -it once --rm --image=busybox --restart=Never -- sh
            / # ¬
            ! All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.
            ! If you don't see a command prompt, try pressing enter.
            $ echo here
            here
            / # ¬
            $ exit
            pod "once" deleted from default namespace
        "#]],
    );
}

#[test]
fn kubectl_edit_runs_the_editor_that_is_asked_for() {
    play(
        &mut new_session(),
        expect![[r#"
            $ kubectl create cm c --from-literal=key=1
            configmap/c created
            $ KUBE_EDITOR='sed -i s/key:/other:/' kubectl edit cm c
            configmap/c edited
            $ kubectl get cm c -o jsonpath='{.data}'
            {"other":"1"}¬
            $ EDITOR=true kubectl edit cm/c
            ! Edit cancelled, no changes made.
            $ EDITOR=false kubectl edit cm/c
            ! error: there was a problem with the editor "false"
            [1]
            $ kubectl apply -f <(printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n')
            configmap/d created
        "#]],
    );
}

#[test]
fn without_an_editor_the_file_is_changed_elsewhere_until_enter_is_pressed() {
    let mut session = new_session();
    prepare(&mut session, &["kubectl create cm c --from-literal=key=1"]);
    let opened = run(&mut session, "kubectl edit cm c");
    assert!(opened.text(true).contains("press Enter here"));
    let files = session.workstation_mut().take_opened(TERMINAL);
    let [(path, text)] = &files[..] else {
        panic!("one file is open: {files:?}");
    };
    let changed = text.replace("key: \"1\"", "key: \"2\"");
    session.workstation_mut().command(Command::Write {
        path: path.clone(),
        text: changed,
    });
    play(
        &mut session,
        expect![[r#"
            $
            configmap/c edited
            $ kubectl get cm c -o jsonpath='{.data.key}'
            2¬
        "#]],
    );
}

#[test]
fn flags_before_a_subcommand_and_programs_called_kubectl_something() {
    play(
        &mut new_session(),
        expect![[r#"
            $ kubectl config --kubeconfig=demo set-context dev --namespace=front
            Context "dev" created.
            $ kubectl config --kubeconfig=demo view -o jsonpath='{.contexts[0].context.namespace}'
            front¬
            $ kubectl -n default create configmap c --from-literal=a=b
            configmap/c created
            $ printf '#!/bin/bash\necho I am $0 with $1\n' > /usr/local/bin/kubectl-foo-bar_baz
            $ chmod +x /usr/local/bin/kubectl-foo-bar_baz
            $ kubectl foo bar-baz x
            I am /usr/local/bin/kubectl-foo-bar_baz with x
            $ kubectl foo
            ! error: unknown command "foo" for "kubectl"
            !
            ! Did you mean this?
            ! 	top
            [1]
        "#]],
    );
}

#[test]
fn a_forwarded_port_leads_to_the_pod() {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl create deployment web --image=nginx",
            "kubectl expose deployment web --port=8000 --target-port=80",
            "kubectl rollout status deployment web",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ curl -s localhost:8080
            [7]
            $ kubectl port-forward svc/web 8080:8000 > forward.log & sleep 2
            $ curl -s localhost:8080 | grep -o 'Welcome to nginx!' | head -1
            Welcome to nginx!
            $ cat forward.log
            Forwarding from 127.0.0.1:8080 -> 80
            Forwarding from [::1]:8080 -> 80
            Handling connection for 8080
            $ kubectl port-forward svc/web 8080:81
            ! error: Service web does not have a service port 81
            [1]
        "#]],
    );
}

#[test]
fn top_shows_what_the_kubelets_measure() {
    let mut session = new_session();
    let two = "printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: two, labels: {app: two}}' 'spec:' '  containers:' '  - {name: a, image: nginx}' '  - {name: b, image: redis}' > two.yaml";
    prepare(
        &mut session,
        &[
            "kubectl label node node-1 disk=ssd",
            two,
            "kubectl apply -f two.yaml",
            "kubectl run web --image=nginx",
            "kubectl wait --for=condition=Ready pod --all",
        ],
    );
    session.wait(30 * sim::SECOND);
    play(
        &mut session,
        expect![[r#"
            $ kubectl top pods
            NAME   CPU(cores)   MEMORY(bytes)   
            two    2m           19Mi            
            web    1m           10Mi            
            $ kubectl top pod two --containers --no-headers
            two   a     1m    10Mi   
            two   b     1m    8Mi    
            $ kubectl top po -A -l app=two --sort-by=memory --sum
            NAMESPACE   NAME   CPU(cores)   MEMORY(bytes)   
            default     two    2m           19Mi            
                               ________     ________        
                               2m           19Mi            
            $ kubectl top pods --sort-by=name
            ! error: --sort-by accepts only cpu or memory
            [1]
            $ kubectl top pod web -l app=two
            ! error: only one of NAME or selector can be provided
            [1]
            $ kubectl top pod nothing
            ! Error from server (NotFound): pods "nothing" not found
            [1]
            $ kubectl top pods -n kube-public
            ! No resources found in kube-public namespace.
            $ kubectl top nodes
            NAME     CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)   
            node-1   41m          1%       610Mi           7%          
            node-2   42m          1%       619Mi           7%          
            node-3   40m          1%       600Mi           7%          
            $ kubectl top node node-2 --show-capacity --no-headers
            node-2   42m   1%    619Mi   7%    
            $ kubectl top node -l disk=ssd
            NAME     CPU(cores)   CPU(%)   MEMORY(bytes)   MEMORY(%)   
            node-1   41m          1%       610Mi           7%          
            $ kubectl get pods.metrics.k8s.io two
            NAME   CPU   MEMORY    WINDOW
            two    2m    19544Ki   15s
            $ kubectl get nodes.metrics.k8s.io -l disk=ssd --show-labels
            NAME     CPU   MEMORY     WINDOW   LABELS
            node-1   41m   624795Ki   15s      beta.kubernetes.io/arch=amd64,beta.kubernetes.io/os=linux,disk=ssd,kubernetes.io/arch=amd64,kubernetes.io/hostname=node-1,kubernetes.io/os=linux,topology.kubernetes.io/region=region-1,topology.kubernetes.io/zone=zone-a
            $ kubectl get --raw /apis/metrics.k8s.io/v1beta1/nodes/nothing
            ! Error from server (NotFound): nodes "nothing" not found
            [1]
            $ kubectl get apiservices v1.apps v1beta1.metrics.k8s.io --no-headers
            v1.apps                  Local                        True   46s
            v1beta1.metrics.k8s.io   kube-system/metrics-server   True   46s
            $ kubectl api-versions | grep metrics
            metrics.k8s.io/v1beta1
            $ kubectl api-resources --api-group=metrics.k8s.io -o wide
            NAME    SHORTNAMES   APIVERSION               NAMESPACED   KIND          VERBS      CATEGORIES
            nodes                metrics.k8s.io/v1beta1   false        NodeMetrics   get,list   
            pods                 metrics.k8s.io/v1beta1   true         PodMetrics    get,list   
            $ kubectl auth can-i list pods.metrics.k8s.io --as=jane
            no
            [1]
            $ kubectl get --raw /apis/metrics.k8s.io/v1beta1/pods --as=jane
            ! Error from server (Forbidden): pods.metrics.k8s.io is forbidden: User "jane" cannot list resource "pods" in API group "metrics.k8s.io" at the cluster scope
            [1]
            $ kubectl delete apiservice v1beta1.metrics.k8s.io
            apiservice.apiregistration.k8s.io "v1beta1.metrics.k8s.io" deleted
            $ kubectl top nodes
            ! error: Metrics API not available
            [1]
            $ kubectl get --raw /apis/metrics.k8s.io/v1beta1
            ! Error from server (NotFound): the server could not find the requested resource
            [1]
        "#]],
    );
}

#[test]
fn a_container_whose_image_is_changed_is_restarted() {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl run web --image=nginx:1.27",
            "kubectl wait --for=condition=Ready pod/web",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ kubectl set image pod/web web=nginx:1.28; kubectl get pod web -o jsonpath='{.spec.containers[0].image} {.status.containerStatuses[0].image}{"\n"}'
            pod/web image updated
            nginx:1.28 docker.io/library/nginx:1.27
            $ sleep 60; kubectl get pod web --no-headers | cut -c1-27
            web   1/1   Running   1 (60
            $ kubectl get pod web -o jsonpath='{.status.containerStatuses[0].image}{"\n"}'
            docker.io/library/nginx:1.28
            $ kubectl events --for pod/web | grep -o 'Container web definition.*'
            Container web definition changed, will be restarted
        "#]],
    );
}

#[test]
fn the_api_server_counts_what_it_does() {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl create configmap c",
            "kubectl create configmap d --dry-run=server",
            "kubectl get pods -n default",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ kubectl get --raw /metrics | grep 'request_total{.*"configmaps".*POST'
            apiserver_request_total{code="201",component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"} 5
            apiserver_request_total{code="201",component="apiserver",dry_run="All",group="",resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"} 1
            $ kubectl get --raw /metrics | grep 'request_total{.*"pods".*LIST.*' | grep 'namespace"'
            apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"} 1
            $ kubectl get --raw /nothing/at/all > page; kubectl get --raw /metrics | grep -c nothing
            0
            ! Error from server (NotFound): the server could not find the requested resource
            [1]
            $ kubectl get --raw /metrics | grep 'resource_objects{.*"nodes"'
            apiserver_resource_objects{group="",resource="nodes"} 3
            $ kubectl get --raw /metrics | grep 'longrunning.*"nodes"'
            apiserver_longrunning_requests{component="apiserver",group="",resource="nodes",scope="cluster",subresource="",verb="WATCH",version="v1"} 2
            apiserver_longrunning_requests{component="apiserver",group="",resource="nodes",scope="resource",subresource="",verb="WATCH",version="v1"} 3
            $ kubectl get --raw /metrics | grep -o 'build_info.*build_date'
            build_info{build_date
            $ kubectl get --raw /metrics/slis | grep '"etcd"'
            kubernetes_healthcheck{name="etcd",type="healthz"} 1
            kubernetes_healthcheck{name="etcd",type="livez"} 1
            $ kubectl get --raw /metrics --as=jane
            ! Error from server (Forbidden): forbidden: User "jane" cannot get path "/metrics"
            [1]
        "#]],
    );
}

#[test]
fn a_proxy_leads_through_the_api_server() {
    let mut session = new_session();
    prepare(
        &mut session,
        &[
            "kubectl create deployment web --image=nginx",
            "kubectl expose deployment web --port=8000 --target-port=80",
            "kubectl run box --image=busybox -- sleep 1d",
            "kubectl rollout status deployment web",
            "kubectl wait --for=condition=Ready pod/box",
            "pod=$(kubectl get pods -l app=web -o name | cut -d/ -f2)",
        ],
    );
    play(
        &mut session,
        expect![[r#"
            $ at=/api/v1/namespaces/default; kubectl get --raw $at/services/web:8000/proxy/ | grep -o 'Welcome to nginx!' | head -1
            Welcome to nginx!
            $ kubectl get --raw $at/services/http:web:8000/proxy/nothing?a=b
            ! Error from server (NotFound): the server could not find the requested resource
            [1]
            $ kubectl get --raw $at/pods/$pod/proxy/ | grep -c nginx
            3
            $ kubectl get --raw $at/services/other/proxy/
            ! Error from server (NotFound): services "other" not found
            [1]
            $ kubectl get --raw $at/pods/box:80/proxy/
            ! Error from server (ServiceUnavailable): error trying to reach service: connect: connection refused
            [1]
            $ kubectl get --raw $at/services/web:8000/proxy/ --as=jane
            ! Error from server (Forbidden): services "web:8000" is forbidden: User "jane" cannot get resource "services/proxy" in API group "" in the namespace "default"
            [1]
        "#]],
    );
}
