//! A learner's desk for tests: a cluster with one terminal, and what a task sees of both.

use deck::{Attempt, Deck, Progress, Scalar, Scene, Task, Tree, World};
use shell::{Command, Options, Prompt, Workstation};
use sim::{Machine, Micros};

/// Where the slides' files lie and commands run.
const HOME: &str = "/root";
const TERMINAL: u32 = 1;
/// From power on to Ready nodes.
const BOOT: Micros = 12 * sim::SECOND;
/// No command of a slide takes longer in virtual time.
const PATIENCE: Micros = 10 * 60 * sim::SECOND;
/// How often a task looks at the cluster.
const GLANCE: Micros = 100 * sim::MILLI;

pub(crate) struct Desk {
    workstation: Workstation,
    ran: Vec<String>,
    /// The task that is being watched, and how far it got.
    watched: Option<(Task, Attempt, Progress)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) said: String,
}

impl Desk {
    /// A fresh cluster with a deck's manifests as files, after a scene's commands.
    pub(crate) fn new(deck: &Deck, scene: Option<&Scene>) -> Desk {
        let default = Scene::default();
        let scene = scene.unwrap_or(&default);
        let options = Options {
            seed: scene.seed.unwrap_or(7),
            nodes: scene.nodes.unwrap_or(3),
            ..Options::default()
        };
        let mut workstation = Workstation::new(options);
        workstation.open_terminal(TERMINAL, HOME);
        for (name, yaml) in deck.files() {
            let path = format!("{HOME}/{name}");
            workstation
                .put_file(&path, yaml.as_bytes())
                .expect("the home folder takes files");
        }
        let mut desk = Desk {
            workstation,
            ran: Vec::new(),
            watched: None,
        };
        desk.wait(BOOT);
        for line in &scene.commands {
            let outcome = desk.run(line);
            assert_eq!(outcome.status, 0, "the scene's {line}: {}", outcome.said);
        }
        desk.ran.clear();
        desk
    }

    /// Watches a task from now on.
    pub(crate) fn watch(&mut self, task: &Task) {
        let unseen = Progress {
            met: false,
            done: 0,
            of: task.goals.len() as u32,
        };
        self.watched = Some((task.clone(), Attempt::default(), unseen));
        self.look();
    }

    /// How far the watched task got.
    pub(crate) fn progress(&self) -> Progress {
        self.watched.as_ref().expect("a task is watched").2
    }

    /// What is said about the mistake that the cluster shows.
    pub(crate) fn mistake(&self) -> Option<String> {
        let (task, ..) = self.watched.as_ref()?;
        task.mistake(&Sight(self))
            .map(|mistake| mistake.say.en.clone())
    }

    /// Lets virtual time pass.
    pub(crate) fn wait(&mut self, span: Micros) {
        let end = self.workstation.now() + span;
        while self.workstation.now() < end {
            let next = end.min(self.workstation.now() + GLANCE);
            self.workstation.advance(next, u64::MAX);
            self.look();
        }
    }

    /// Runs a line to its end.
    pub(crate) fn run(&mut self, line: &str) -> Outcome {
        if let Some(span) = span(line) {
            self.wait(span);
            return Outcome {
                status: 0,
                said: String::new(),
            };
        }
        self.ran.push(String::from(line));
        let end = self.workstation.now() + PATIENCE;
        self.workstation.command(Command::Line {
            terminal: TERMINAL,
            text: String::from(line),
        });
        let mut said = String::new();
        let status = loop {
            said.extend(
                self.workstation
                    .take_output(TERMINAL)
                    .into_iter()
                    .map(|chunk| chunk.text),
            );
            match self.workstation.prompt(TERMINAL) {
                Prompt::Ready { status } => break status,
                Prompt::More | Prompt::Input => break 2,
                Prompt::Busy if self.workstation.now() >= end => {
                    said.push_str("(no end)");
                    break 124;
                }
                Prompt::Busy => {
                    let next = self.workstation.now() + GLANCE / 10;
                    self.workstation.advance(next, u64::MAX);
                    self.look();
                }
            }
        };
        said.extend(
            self.workstation
                .take_output(TERMINAL)
                .into_iter()
                .map(|chunk| chunk.text),
        );
        Outcome { status, said }
    }

    fn look(&mut self) {
        if let Some((task, mut attempt, _)) = self.watched.take() {
            let progress = attempt.observe(&task, &Sight(self));
            self.watched = Some((task, attempt, progress));
        }
    }
}

/// `sleep 30s` as virtual time.
fn span(line: &str) -> Option<Micros> {
    let span = line.trim().strip_prefix("sleep ")?.trim();
    if let Ok(seconds) = span.parse::<u64>() {
        return Some(seconds * sim::SECOND);
    }
    let nanos = api::duration::parse(span).ok()?;
    u64::try_from(nanos).ok().map(|nanos| nanos / 1_000)
}

/// What a task sees of a desk.
struct Sight<'a>(&'a Desk);

impl World for Sight<'_> {
    type Object = Object;

    fn objects(&self, kind: &str, namespace: Option<&str>) -> Vec<Object> {
        let kind = api::kinds::by_name(kind)
            .unwrap_or_else(|| panic!("a goal names the unknown kind {kind}"));
        let name = if kind.group.is_empty() || *kind.plural == *"events" {
            kind.plural.to_string()
        } else {
            format!("{}.{}", kind.plural, kind.group)
        };
        let store = self.0.workstation.cluster().server().store();
        let namespace = namespace.filter(|_| kind.namespaced).unwrap_or("");
        store.find(&name).map_or_else(Vec::new, |collection| {
            store
                .list(collection, namespace, None)
                .map(|(_, entry)| Object(entry.object.clone()))
                .collect()
        })
    }

    fn ran(&self) -> Vec<String> {
        self.0.ran.clone()
    }
}

/// An object of the cluster, or a part of one.
#[derive(Clone)]
pub(crate) struct Object(api::Value);

impl Tree for Object {
    fn key(&self, key: &str) -> Option<Object> {
        self.0.has(key).then(|| Object(self.0.get(key).clone()))
    }

    fn items(&self) -> Vec<Object> {
        self.0.items().iter().cloned().map(Object).collect()
    }

    fn scalar(&self) -> Option<Scalar> {
        let text = self.0.as_str().map(|text| Scalar::Text(String::from(text)));
        text.or_else(|| self.0.as_int().map(Scalar::Number))
            .or_else(|| self.0.as_bool().map(Scalar::Bool))
    }
}
