//! Room that is made for more important pods, as it reads at the terminal.

mod transcript;

use expect_test::expect;

use transcript::{new_session, play, prepare};

#[test]
fn a_node_that_was_promised_to_one_pod_may_be_promised_to_a_better_one() {
    let mut session = new_session();
    let pod = |name: &str, class: &str, node: &str| {
        format!(
            "kubectl run {name} --image=busybox --overrides='{{\"spec\":{{\"nodeSelector\":{{\"kubernetes.io/hostname\":\"{node}\"}},\"priorityClassName\":\"{class}\",\"containers\":[{{\"name\":\"c\",\"image\":\"busybox\",\"command\":[\"sh\",\"-c\",\"trap \\\"\\\" TERM; sleep 3600 & wait; sleep 3600\"],\"resources\":{{\"requests\":{{\"cpu\":\"3\"}}}}}}]}}}}'"
        )
    };
    let lines = [
        "kubectl create priorityclass low --value=1".to_owned(),
        "kubectl create priorityclass mid --value=100".to_owned(),
        "kubectl create priorityclass high --value=1000".to_owned(),
        pod("old", "low", "node-1"),
        "kubectl wait --for=condition=Ready pod/old --timeout=60s".to_owned(),
        pod("second", "mid", "node-1"),
        "sleep 2".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    prepare(&mut session, &lines);
    play(
        &mut session,
        expect![[r#"
            $ kubectl get pods -o custom-columns=N:.metadata.name,P:.status.phase,NOMINATED:.status.nominatedNodeName --no-headers
            old      Running   <none>
            second   Pending   node-1
            $ kubectl get events --field-selector reason=Preempted -o jsonpath='{.items[*].involvedObject.name}{"\n"}'
            old
        "#]],
    );
    prepare(&mut session, &[&pod("first", "high", "node-1"), "sleep 2"]);
    play(
        &mut session,
        expect![[r#"
            $ kubectl get pods -o custom-columns=N:.metadata.name,P:.status.phase,NOMINATED:.status.nominatedNodeName --no-headers
            first    Pending   node-1
            old      Running   <none>
            second   Pending   <none>
            $ sleep 40
            $ kubectl get pods -o custom-columns=N:.metadata.name,P:.status.phase,NOMINATED:.status.nominatedNodeName --no-headers
            first    Running   <none>
            second   Pending   <none>
        "#]],
    );
}
