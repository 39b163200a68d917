//! The control plane as a Node, with kubeadm's pods, as it reads at the terminal.

mod transcript;

use expect_test::expect;
use shell::{Options, Session};

use transcript::{new_session, play, prepare};

fn with_control_plane() -> Session {
    let options = Options {
        control_plane: true,
        nodes: 1,
        ..Options::default()
    };
    let mut session = Session::new(options, "/tmp");
    prepare(&mut session, &["sleep 60"]);
    session
}

#[test]
fn kube_system_has_what_kubeadm_puts_there() {
    play(
        &mut with_control_plane(),
        expect![[r#"
            $ kubectl get nodes --no-headers | tr -s ' ' | cut -d' ' -f1-3
            control-plane Ready control-plane
            node-1 Ready <none>
            $ kubectl get pods -n kube-system --no-headers -o wide | tr -s ' ' | cut -d' ' -f1-4,7 | sed -E 's/(coredns|kube-proxy)-[a-z0-9-]+/\1/'
            coredns 1/1 Running 0 control-plane
            coredns 1/1 Running 0 control-plane
            etcd-control-plane 1/1 Running 0 control-plane
            kube-apiserver-control-plane 1/1 Running 0 control-plane
            kube-controller-manager-control-plane 1/1 Running 0 control-plane
            kube-proxy 1/1 Running 0 control-plane
            kube-proxy 1/1 Running 0 node-1
            kube-scheduler-control-plane 1/1 Running 0 control-plane
            $ kubectl get pod etcd-control-plane -n kube-system -o jsonpath='{.metadata.annotations}{"\n"}{.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].name} {.spec.priorityClassName} {.spec.tolerations}{"\n"}' | sed -E 's/[0-9a-f]{32}/HASH/g'
            {"kubeadm.kubernetes.io/etcd.advertise-client-urls":"https://172.18.0.1:2379","kubernetes.io/config.hash":"HASH","kubernetes.io/config.mirror":"HASH","kubernetes.io/config.seen":"2026-01-01T00:00:00.350000Z","kubernetes.io/config.source":"file"}
            Node control-plane system-node-critical [{"effect":"NoExecute","operator":"Exists"}]
            $ kubectl get deployments,daemonsets -n kube-system --no-headers | tr -s ' ' | cut -d' ' -f1-4
            deployment.apps/coredns 2/2 2 2

            daemonset.apps/kube-proxy 2 2 2
            $ kubectl run box --image=busybox -- sleep 3600
            pod/box created
            $ kubectl wait --for=condition=Ready pod/box --timeout=60s
            pod/box condition met
            $ kubectl get pod box -o jsonpath='{.spec.nodeName}{"\n"}'
            node-1
            $ kubectl exec box -- nslookup kubernetes.default.svc.cluster.local
            Server:		10.96.0.10
            Address:	10.96.0.10:53

            Name:	kubernetes.default.svc.cluster.local
            Address: 10.96.0.1

            $ kubectl get endpointslices -n kube-system -l k8s-app=kube-dns -o jsonpath='{.items[0].endpoints[*].conditions.ready}{"\n"}'
            true true
        "#]],
    );
}

#[test]
fn a_deleted_mirror_comes_back_and_its_pod_runs_on() {
    let mut session = with_control_plane();
    play(
        &mut session,
        expect![[r#"
            $ kubectl get pod kube-scheduler-control-plane -n kube-system -o jsonpath='{.metadata.uid}' > before
            $ kubectl delete pod kube-scheduler-control-plane -n kube-system
            pod "kube-scheduler-control-plane" deleted from kube-system namespace
            $ sleep 5
            $ kubectl get pod kube-scheduler-control-plane -n kube-system -o jsonpath='{.metadata.uid}' > after
            $ cmp -s before after || echo another mirror
            another mirror
            $ kubectl get pod kube-scheduler-control-plane -n kube-system --no-headers | tr -s ' ' | cut -d' ' -f1-4
            kube-scheduler-control-plane 1/1 Running 0
            $ kubectl drain control-plane --ignore-daemonsets | sed -E 's/-[a-z0-9]*-?[a-z0-9]{5}\b//g' | sort | uniq
            evicting pod kube/coredns
            node/control cordoned
            node/control drained
            pod/coredns evicted
            ! Warning: ignoring DaemonSet-managed Pods: kube-system/kube-proxy-jkv7l
        "#]],
    );
}

#[test]
fn a_component_that_is_stopped_or_killed_is_a_pod_that_goes_or_restarts() {
    play(
        &mut with_control_plane(),
        expect![[r#"
            $ kubenkyo stop kube-scheduler
            kube-scheduler stopped
            $ sleep 5
            $ kubectl get pod kube-scheduler-control-plane -n kube-system
            ! Error from server (NotFound): pods "kube-scheduler-control-plane" not found
            [1]
            $ kubectl run late --image=nginx
            pod/late created
            $ sleep 5
            $ kubectl get pod late --no-headers | tr -s ' ' | cut -d' ' -f1-3
            late 0/1 Pending
            $ kubenkyo start kube-scheduler
            kube-scheduler started
            $ kubectl wait --for=condition=Ready pod/late --timeout=60s
            pod/late condition met
            $ kubectl get pod kube-scheduler-control-plane -n kube-system --no-headers | tr -s ' ' | cut -d' ' -f1-4
            kube-scheduler-control-plane 0/1 Running 0
            $ kubenkyo kill pod/kube-controller-manager-control-plane -n kube-system
            kube-controller-manager of pod/kube-controller-manager-control-plane killed
            $ kubectl create deployment web --image=nginx
            deployment.apps/web created
            $ kubectl wait --for=condition=Available deployment/web --timeout=60s
            deployment.apps/web condition met
            $ sleep 20
            $ kubectl get pod kube-controller-manager-control-plane -n kube-system --no-headers | tr -s ' ' | cut -d' ' -f1-4
            kube-controller-manager-control-plane 1/1 Running 1
        "#]],
    );
}

#[test]
fn the_control_plane_goes_with_its_machine_and_comes_back_with_it() {
    play(
        &mut with_control_plane(),
        expect![[r#"
            $ kubectl run web --image=nginx
            pod/web created
            $ kubectl wait --for=condition=Ready pod/web --timeout=60s
            pod/web condition met
            $ kubenkyo cut-off control-plane
            ! kubenkyo: the control plane cannot be cut off from itself; hint: kubenkyo stop kube-apiserver
            [1]
            $ kubenkyo power-off control-plane
            control-plane powered off
            $ kubectl get nodes
            ! Error from server (ServiceUnavailable): The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?
            [1]
            $ sleep 60
            $ kubenkyo power-on control-plane
            control-plane powered on
            $ sleep 60
            $ kubectl get nodes --no-headers | tr -s ' ' | cut -d' ' -f1-3
            control-plane Ready control-plane
            node-1 Ready <none>
            $ kubectl get pods --no-headers | tr -s ' ' | cut -d' ' -f1-4
            web 1/1 Running 0
            $ kubectl get pods -n kube-system -l tier=control-plane --no-headers | tr -s ' ' | cut -d' ' -f1-4
            etcd-control-plane 1/1 Running 0
            kube-apiserver-control-plane 1/1 Running 0
            kube-controller-manager-control-plane 1/1 Running 0
            kube-scheduler-control-plane 1/1 Running 0
            $ kubectl create deployment more --image=nginx
            deployment.apps/more created
            $ kubectl wait --for=condition=Available deployment/more --timeout=60s
            deployment.apps/more condition met
        "#]],
    );
}

#[test]
fn a_running_cluster_can_get_one() {
    play(
        &mut new_session(),
        expect![[r#"
            $ kubenkyo enable control-plane
            control-plane enabled
            $ sleep 60
            $ kubectl get nodes --no-headers | tr -s ' ' | cut -d' ' -f1-3
            control-plane Ready control-plane
            node-1 Ready <none>
            node-2 Ready <none>
            node-3 Ready <none>
            $ kubectl get pods -n kube-system --no-headers | tr -s ' ' | cut -d' ' -f2-4 | sort | uniq -c | tr -s ' '
             10 1/1 Running 0
            $ kubenkyo enable control-plane
            control-plane enabled
            $ kubectl get nodes --no-headers | wc -l
            4
        "#]],
    );
}
