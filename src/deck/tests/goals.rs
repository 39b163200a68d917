//! Goals over a cluster's objects.

use serde_yaml::Value;

use crate::{Attempt, Deck, Progress, Scalar, Task, Tree, World};

impl Tree for &Value {
    fn key(&self, key: &str) -> Option<Self> {
        Value::get(self, key)
    }

    fn items(&self) -> Vec<Self> {
        self.as_sequence()
            .map(|items| items.iter().collect())
            .unwrap_or_default()
    }

    fn scalar(&self) -> Option<Scalar> {
        crate::fields::scalar(self)
    }
}

/// A cluster of a few objects.
struct Few {
    objects: Vec<Value>,
    ran: Vec<String>,
}

impl<'a> World for &'a Few {
    type Object = &'a Value;

    fn objects(&self, kind: &str, namespace: Option<&str>) -> Vec<&'a Value> {
        let is = |value: &Value, path: [&str; 2], text: &str| {
            value
                .get(path[0])
                .and_then(|inner| inner.get(path[1]))
                .and_then(Value::as_str)
                == Some(text)
        };
        let all = self
            .objects
            .iter()
            .filter(|object| object.get("kind").and_then(Value::as_str) == Some(kind));
        all.filter(|object| {
            namespace.is_none_or(|namespace| is(object, ["metadata", "namespace"], namespace))
        })
        .collect()
    }

    fn ran(&self) -> Vec<String> {
        self.ran.clone()
    }
}

fn pod(name: &str, app: &str, ready: bool, image: &str) -> Value {
    let yaml = format!(
        "{{kind: Pod, metadata: {{name: {name}, namespace: default, labels: {{app: {app}}}}}, spec: {{containers: [{{image: \"{image}\"}}]}}, status: {{restartCount: 2, conditions: [{{type: Ready, status: \"{}\"}}]}}}}",
        if ready { "True" } else { "False" }
    );
    serde_yaml::from_str(&yaml).expect("the test's own YAML")
}

fn few() -> Few {
    let deployment = "{kind: Deployment, metadata: {name: web, namespace: default}, spec: {replicas: 3}, status: {readyReplicas: 2, conditions: [{type: Available, status: \"True\"}]}}";
    let leaving = "{kind: Pod, metadata: {name: d, namespace: default, deletionTimestamp: x, labels: {app: web}}, status: {conditions: [{type: Ready, status: \"True\"}]}}";
    Few {
        objects: vec![
            pod("a", "web", true, "nginx:1.27"),
            pod("b", "web", true, "nginx:1.28"),
            pod("c", "web", false, "nginx:1.28"),
            pod("e", "db", true, "redis:7"),
            serde_yaml::from_str(leaving).expect("the test's own YAML"),
            serde_yaml::from_str(deployment).expect("the test's own YAML"),
        ],
        ran: vec![String::from("kubectl -n default get pods -o wide")],
    }
}

fn task(goal: &str) -> Task {
    let deck = Deck::parse(&[("a.md", &format!("```yaml task\ntitle: t\n{goal}\n```\n"))]);
    assert_eq!(deck.problems, [], "{goal}");
    deck.slides[0][0].tasks().next().expect("the task").clone()
}

#[test]
fn goals_are_met_or_say_how_near_they_are() {
    let cases = [
        ("goal: {kind: Pod, selector: app=web, ready: 3}", "2/3"),
        ("goal: {kind: Pod, selector: app=web, ready: 2}", "met"),
        (
            "goal: {kind: Pod, selector: app=web, ready: \">=2\"}",
            "met",
        ),
        ("goal: {kind: Pod, selector: app=web, ready: 1}", "0/1"),
        ("goal: {kind: Pod, selector: app=web, ready: \"<3\"}", "met"),
        ("goal: {kind: Pod, selector: app=web, count: 4}", "met"),
        (
            "goal: {kind: Pod, selector: \"app in (web, db)\", count: 5}",
            "met",
        ),
        ("goal: {kind: Pod, selector: \"app!=web\", count: 1}", "met"),
        (
            "goal: {kind: Pod, selector: \"app,!tier\", count: 2..5}",
            "met",
        ),
        ("goal: {kind: Pod, name: zzz, exists: false}", "met"),
        ("goal: {kind: Pod, name: a, exists: false}", "0/1"),
        ("goal: {kind: Pod, namespace: other, count: 0}", "met"),
        ("goal: {kind: Pod, namespace: \"*\", count: 5}", "met"),
        (
            "goal: {kind: Pod, where: {\"spec.containers[*].image\": nginx:1.28}, count: 2}",
            "met",
        ),
        (
            "goal: {kind: Pod, where: {\"spec.containers[0].image\": {contains: redis}}, count: 1}",
            "met",
        ),
        (
            "goal: {kind: Pod, where: {\"spec.containers[0].image\": {not: nginx:1.28}}, count: 3}",
            "met",
        ),
        (
            "goal: {kind: Pod, where: {\"spec.containers[0].image\": {in: [nginx:1.28, redis:7]}}, count: 3}",
            "met",
        ),
        (
            "goal: {kind: Pod, where: {status.restartCount: {min: 2}}, count: 4}",
            "met",
        ),
        (
            "goal: {kind: Pod, where: {status.restartCount: {max: 1}}, exists: true}",
            "0/1",
        ),
        (
            "goal: {kind: Pod, where: {metadata.deletionTimestamp: {exists: true}}, count: 1}",
            "met",
        ),
        (
            "goal: {kind: Pod, where: {\"metadata.labels['app']\": db}, ready: true}",
            "met",
        ),
        (
            "goal: {kind: Deployment, name: web, where: {status.readyReplicas: {same: spec.replicas}}}",
            "0/1",
        ),
        (
            "goal: {kind: Deployment, name: web, where: {spec.replicas: \"3\"}, ready: true}",
            "met",
        ),
        ("goal: {ran: kubectl get pods}", "met"),
        ("goal: {ran: kubectl pods get}", "0/1"),
        ("goal: {not: {kind: Pod, name: a}}", "0/1"),
        (
            "goal: {any: [{kind: Pod, name: zzz}, {kind: Pod, name: a}]}",
            "met",
        ),
        (
            "goal: [{kind: Pod, name: zzz}, {kind: Pod, name: a}]",
            "1/2",
        ),
    ];
    let world = few();
    for (goal, expected) in cases {
        let progress = Attempt::default().observe(&task(goal), &&world);
        let shown = if progress.met {
            String::from("met")
        } else {
            format!("{}/{}", progress.done, progress.of)
        };
        assert_eq!(shown, expected, "{goal}");
        assert_eq!(progress.met, progress.done == progress.of, "{goal}");
    }
}

#[test]
fn steps_are_reached_one_after_another_and_stay_reached() {
    let task = task(
        "steps:\n- {kind: Pod, selector: app=web, ready: \"<2\"}\n- {kind: Pod, selector: app=web, ready: 2}",
    );
    let mut attempt = Attempt::default();
    let mut world = few();
    assert_eq!(
        attempt.observe(&task, &&world),
        Progress {
            met: false,
            done: 0,
            of: 2
        }
    );
    let kept = world.objects.remove(0);
    assert_eq!(
        attempt.observe(&task, &&world),
        Progress {
            met: false,
            done: 1,
            of: 2
        }
    );
    world.objects.push(kept);
    assert_eq!(
        attempt.observe(&task, &&world),
        Progress {
            met: true,
            done: 2,
            of: 2
        }
    );
    world.objects.clear();
    assert!(attempt.observe(&task, &&world).met);
}

#[test]
fn common_mistakes_are_recognised() {
    let task = task(
        "goal: {kind: Pod, count: 1}\nmistakes:\n- when: {kind: Pod, count: \">4\"}\n  say: too many",
    );
    let mut world = few();
    assert_eq!(
        task.mistake(&&world).map(|mistake| mistake.say.en.as_str()),
        Some("too many")
    );
    world.objects.clear();
    assert_eq!(task.mistake(&&world), None);
}
