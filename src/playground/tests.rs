//! The door's own promises.

use super::*;

const SECOND: Micros = 1_000_000;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        ports:
        - containerPort: 80
";

fn apply(text: &str) -> Command {
    Command::Apply {
        file: "web.yaml".into(),
        text: text.into(),
        terminal: 0,
    }
}

fn line(line: &str) -> Command {
    Command::Terminal {
        terminal: 0,
        line: line.into(),
    }
}

/// What the terminal printed, without prompts and typed lines.
fn printed(updates: &[Update]) -> String {
    let text = updates.iter().filter_map(|update| match update {
        Update::Terminal(TerminalUpdate {
            output: Output::Stdout(text) | Output::Stderr(text),
            ..
        }) => Some(text.as_str()),
        _ => None,
    });
    text.collect()
}

#[test]
fn every_line_is_followed_by_a_prompt_however_quick_its_command() {
    let mut playground = Playground::new(Options::default());
    for text in [
        "echo hi",
        "echo hi",
        "false",
        "kubectl get namespace default",
    ] {
        playground.command(line(text));
        let until = playground.now() + 5_000_000;
        while !playground.advance(until, 4_096).reached {}
        let prompts: Vec<PromptState> = playground
            .updates()
            .iter()
            .filter_map(|update| match update {
                Update::Terminal(TerminalUpdate {
                    output: Output::Prompt(state),
                    ..
                }) => Some(*state),
                _ => None,
            })
            .collect();
        let rc = i32::from(text == "false");
        assert_eq!(prompts.last(), Some(&PromptState::Ready { rc }), "{text}");
    }
}

/// The pods that are ready when every update is folded.
fn ready_pods(updates: &[Update]) -> usize {
    let mut pods = std::collections::BTreeMap::new();
    for update in updates {
        match update {
            Update::Reset => pods.clear(),
            Update::Object(row) if row.kind == "Pod" => {
                pods.insert(row.uid.clone(), row.state);
            }
            Update::ObjectGone { uid } => {
                pods.remove(uid);
            }
            _ => {}
        }
    }
    pods.values()
        .filter(|state| **state == State::Ready)
        .count()
}

fn started() -> Playground {
    let mut playground = Playground::new(Options::default());
    assert!(playground.advance(10 * SECOND, u32::MAX).reached);
    playground
}

#[test]
fn a_recording_is_the_list_of_commands_with_their_times() {
    let mut playground = Playground::new(Options::default());
    playground.advance(1_500_000, 1_000_000);
    playground.command(line("kubectl get pods"));
    assert_eq!(
        playground.recording().commands,
        [(1_500_000, line("kubectl get pods"))]
    );
    assert_eq!(Playground::replay(playground.recording()).now(), 1_500_000);
}

#[test]
fn applying_a_deployment_brings_three_pods_to_life() {
    let mut playground = started();
    playground.command(apply(WEB));
    playground.advance(40 * SECOND, u32::MAX);
    let updates = playground.updates();
    assert_eq!(printed(&updates), "deployment.apps/web created\n");
    assert_eq!(ready_pods(&updates), 3);
    assert!(
        updates
            .iter()
            .any(|update| matches!(update, Update::Applied(Applied { rc: 0, .. })))
    );
    let chain = updates.iter().rev().find_map(|update| {
        if let Update::Chain(chain) = update {
            Some(chain)
        } else {
            None
        }
    });
    let actors: Vec<&Part> = chain
        .expect("the command is followed")
        .steps
        .iter()
        .map(|step| &step.part)
        .collect();
    for part in [
        Part::User,
        Part::Controller("Deployment".into()),
        Part::Controller("ReplicaSet".into()),
        Part::Scheduler,
    ] {
        assert!(actors.contains(&&part), "{part:?} acts in {actors:?}");
    }
    assert!(
        actors.iter().any(|part| matches!(part, Part::Kubelet(_))),
        "a kubelet acts in {actors:?}"
    );
}

#[test]
fn going_back_shows_what_was_and_a_command_there_opens_another_future() {
    let mut playground = started();
    playground.command(apply(WEB));
    playground.advance(40 * SECOND, u32::MAX);
    let end = playground.digest();
    playground.updates();
    playground.seek(5 * SECOND);
    assert_eq!(ready_pods(&playground.updates()), 0);
    playground.seek(40 * SECOND);
    assert_eq!(playground.digest(), end, "the same run comes again");
    assert_eq!(ready_pods(&playground.updates()), 3);
    playground.seek(5 * SECOND);
    playground.command(line("kubectl get deployments"));
    playground.advance(40 * SECOND, u32::MAX);
    let updates = playground.updates();
    assert!(
        printed(&updates).contains("No resources found in default namespace."),
        "{}",
        printed(&updates)
    );
    assert_eq!(ready_pods(&updates), 0);
}

#[test]
fn small_budgets_give_the_same_run() {
    let run = |budget| {
        let mut playground = Playground::new(Options::default());
        for (at, command) in [
            (10, apply(WEB)),
            (25, line("kubectl scale deployment/web --replicas=5")),
            (60, line("kubectl get pods")),
        ] {
            while !playground.advance(at * SECOND, budget).reached {}
            playground.command(command);
        }
        while !playground.advance(70 * SECOND, budget).reached {}
        playground.digest()
    };
    assert_eq!(run(u32::MAX), run(7));
}

#[test]
fn a_clone_continues_as_its_original() {
    let mut playground = started();
    playground.command(apply(WEB));
    playground.advance(11 * SECOND, u32::MAX);
    let mut clone = playground.clone();
    playground.advance(60 * SECOND, u32::MAX);
    clone.advance(60 * SECOND, u32::MAX);
    assert_eq!(playground.digest(), clone.digest());
}

#[test]
fn three_misspelt_fields_and_a_wrong_type_are_four_problems_at_their_lines() {
    let playground = started();
    let wrong = WEB
        .replace("  replicas: 3", "  replicsa: 3")
        .replace("        image:", "        imgae:")
        .replace("        ports:", "        port:")
        .replace("  name: web", "  name: 5");
    let problems = playground.diagnose(&wrong);
    let found: Vec<(u32, &str, Option<&str>)> = problems
        .iter()
        .map(|p| (p.line, p.path.as_str(), p.replacement.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (4, "metadata.name", Some("\"5\"")),
            (6, "spec.replicsa", Some("replicas")),
            (17, "spec.template.spec.containers[0].imgae", Some("image")),
            (18, "spec.template.spec.containers[0].port", Some("ports")),
        ]
    );
}

#[test]
fn what_the_server_refuses_stands_at_its_place() {
    let mut playground = started();
    playground.command(apply(&WEB.replace("replicas: 3", "replicas: -3")));
    playground.advance(20 * SECOND, u32::MAX);
    let updates = playground.updates();
    let applied = updates
        .iter()
        .find_map(|update| {
            if let Update::Applied(applied) = update {
                Some(applied)
            } else {
                None
            }
        })
        .expect("it ended");
    assert_eq!(applied.rc, 1);
    assert_eq!(
        (applied.problems[0].line, applied.problems[0].path.as_str()),
        (6, "spec.replicas"),
        "{:?}",
        applied.problems
    );
}

#[test]
fn any_text_can_be_asked_about() {
    let playground = Playground::new(Options::default());
    for at in (0..WEB.len()).filter(|at| WEB.is_char_boundary(*at)) {
        playground.diagnose(&WEB[..at]);
        playground.complete_manifest(WEB, at);
        playground.hover(WEB, at);
    }
    playground.complete_line(0, "kubectl get po", 14);
    let breaks = playground.complete_line(0, "kubenkyo pause dep", 18);
    assert_eq!(breaks.candidates[0].text, "deployment-controller");
    let offered = |line: &str| -> Vec<String> {
        let found = playground.complete_line(0, line, line.len());
        found.candidates.into_iter().map(|c| c.text).collect()
    };
    assert_eq!(
        offered("kubectl get pods --show"),
        ["--show-kind", "--show-labels", "--show-managed-fields"]
    );
    assert_eq!(offered("kubectl config use"), ["use-context"]);
    assert_eq!(offered("kubectl create secret g"), ["generic"]);
    let fields = playground.complete_manifest("apiVersion: v1\nkind: Pod\nspec:\n  cont", 36);
    assert!(
        fields.candidates[0].text.starts_with("containers:"),
        "{fields:?}"
    );
}

#[test]
fn a_misspelt_image_is_told_with_the_name_that_was_meant() {
    let mut playground = Playground::new(Options::default());
    playground.command(line("kubectl run web --image=ngnix:1.27"));
    playground.advance(30 * SECOND, u32::MAX);
    let pod = ObjectRef {
        kind: "Pod".into(),
        namespace: "default".into(),
        name: "web".into(),
    };
    let detail = playground.inspect(&pod).expect("the pod exists");
    let why = detail.why.expect("its image cannot be pulled");
    assert_eq!(why.lead.en, "The image ngnix:1.27 cannot be pulled.");
    assert_eq!(why.fixes[0].says.en, "Did you mean nginx:1.27?");
    let fix = why.fixes[0].command.clone().expect("a pod can be mended");
    playground.command(line(&fix));
    playground.advance(120 * SECOND, u32::MAX);
    let detail = playground.inspect(&pod).expect("the pod exists");
    assert!(detail.why.is_none(), "{:?}", detail.why);
}
