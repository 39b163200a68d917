//! Manifests to begin with, smallest first. The first one stands in the editor when the page is opened for the first time.

use playground::deck::Lang;

/// A sentence in both languages, known when the page is built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Title {
    ja: &'static str,
    en: &'static str,
}

impl Title {
    pub(crate) fn get(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Ja => self.ja,
            Lang::En => self.en,
        }
    }
}

/// A manifest with its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Example {
    pub(crate) file: &'static str,
    pub(crate) title: Title,
    pub(crate) text: &'static str,
}

/// What the Examples menu offers: only what this cluster can run.
pub(crate) const EXAMPLES: [Example; 4] = [
    Example {
        file: "web.yaml",
        title: Title {
            ja: "Deployment：nginx を 3 つ",
            en: "Deployment: three of nginx",
        },
        text: "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
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
      - name: web
        image: nginx:1.27
        ports:
        - containerPort: 80
",
    },
    Example {
        file: "pod.yaml",
        title: Title {
            ja: "Pod：ひとつだけ、作り直されない",
            en: "Pod: a single one that nobody replaces",
        },
        text: "apiVersion: v1
kind: Pod
metadata:
  name: hello
  labels:
    app: hello
spec:
  containers:
  - name: hello
    image: nginx:1.27
    ports:
    - containerPort: 80
",
    },
    Example {
        file: "greedy.yaml",
        title: Title {
            ja: "入りきらない Deployment：なぜ Pending？",
            en: "A Deployment that does not fit: why Pending?",
        },
        text: "apiVersion: apps/v1
kind: Deployment
metadata:
  name: greedy
spec:
  replicas: 6
  selector:
    matchLabels:
      app: greedy
  template:
    metadata:
      labels:
        app: greedy
    spec:
      containers:
      - name: greedy
        image: nginx:1.27
        resources:
          requests:
            cpu: 1500m
            memory: 1Gi
",
    },
    Example {
        file: "pinned.yaml",
        title: Title {
            ja: "nodeSelector：置き場所を選ぶ Pod",
            en: "nodeSelector: a Pod that chooses its node",
        },
        text: "apiVersion: v1
kind: Pod
metadata:
  name: pinned
spec:
  nodeSelector:
    kubernetes.io/hostname: node-2
  containers:
  - name: web
    image: nginx:1.27
",
    },
];
