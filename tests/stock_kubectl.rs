//! Stock kubectl drives `kubenkyo serve`, and cannot tell.
//!
//! Looks for a kubectl on PATH (`KUBENKYO_KUBECTL` names another one, or `none` to go without), and for its sisters of
//! other versions beside it. `cargo xtask test` installs Debian's where there is none.
#![allow(
    clippy::disallowed_types,
    reason = "real processes live in real time; nothing here is simulated"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Virtual seconds in a real one: waits are short, and what must not end at once still lasts.
const SPEED: &str = "20";
const PATIENCE: Duration = Duration::from_secs(90);

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80}]
";

/// What types and fields mean, as a build makes it of the Kubernetes authors' sentences.
const TEXTS: &str = "\
v1.Pod\tOne or more containers that stand and fall together.
v1.Pod.spec\tWhat it should be.
v1.PodSpec\tThe wish.
v1.PodSpec.nodeName\tWhere it runs.
";

const SHELL: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: box
spec:
  containers:
  - name: box
    image: busybox:1.36
    command: [sh, -c, 'i=0; while true; do i=$((i+1)); echo line $i; sleep 1; done']
";

#[test]
fn stock_kubectl_does_a_days_work() {
    let Some(kubectl) = kubectl() else { return };
    let served = Served::start(&kubectl);
    let k = |args: &str| served.run(args, "");
    let dir = served.dir.clone();
    let web = dir.join("web.yaml");
    std::fs::write(&web, WEB).expect("the folder is ours");
    let web = web.to_string_lossy().into_owned();

    // What there is.
    k("version").says("Server Version: v1.36");
    k("cluster-info").says("Kubernetes control plane");
    k("get nodes").says("node-3").says("Ready");
    k("api-resources")
        .says("deployments")
        .says("horizontalpodautoscalers");
    k("api-versions").says("apps/v1");
    k("explain pods")
        .says("stand and fall together")
        .says("What it should be.");
    k("explain pod.spec.nodeName")
        .says("nodeName <string>")
        .says("Where it runs.");
    k("explain pod.spec --recursive").says("terminationGracePeriodSeconds");
    k("explain deployments --recursive --api-version=apps/v1").says("maxUnavailable");
    k("explain pods --output=plaintext-openapiv2").says("stand and fall together");
    k("explain pod.nothing")
        .fails(1)
        .complains("does not exist");
    k("auth can-i create deployments").says("yes");
    k("auth can-i --list").says("*.*");
    k("auth whoami").says("kubernetes-admin");
    k("auth can-i list secrets --as jane").fails(1).says("no");
    k("get secrets --as jane")
        .fails(1)
        .complains("User \"jane\" cannot list resource \"secrets\"");

    // Apply, and look in every way.
    k(&format!("apply -f {web}"))
        .says("deployment.apps/web created")
        .says("service/web created");
    k(&format!("apply -f {web}")).says("deployment.apps/web unchanged");
    k("rollout status deployment/web --timeout=60s").says("successfully rolled out");
    k("wait --for=condition=Available deployment/web --timeout=60s").says("condition met");
    k("get deployments").says("NAME").says("2/2");
    k("get pods -o wide").says("NODE");
    k("get deployment web -o yaml")
        .says("kind: Deployment")
        .says("image: nginx:1.27");
    k("get deployment web -o json").says("\"kind\": \"Deployment\"");
    k("get pods -o name").says("pod/web-");
    k("get pods -l app=web -o jsonpath={.items[*].spec.containers[0].image}")
        .is("nginx:1.27 nginx:1.27");
    k("get pods -o custom-columns=IMAGE:.spec.containers[0].image").says("IMAGE\nnginx:1.27");
    k("get deployment web -o go-template={{.spec.replicas}}").is("2");
    k("get deployment web -o template={{.kind}}").is("Deployment");
    k("get deployment web -o jsonpath-as-json={.spec.replicas}").is("[\n    2\n]\n");
    let file = |name: &str, text: &str| {
        let path = dir.join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path.to_string_lossy().into_owned()
    };
    let template = file(
        "columns.txt",
        "NAME          IMAGE\nmetadata.name spec.template.spec.containers[0].image\n",
    );
    k(&format!(
        "get deployments -o custom-columns-file={template}"
    ))
    .is("NAME   IMAGE\nweb    nginx:1.27\n");
    let template = file("path.txt", "{.metadata.name} has {.spec.replicas}");
    k(&format!("get deployment web -o jsonpath-file={template}")).is("web has 2");
    let template = file(
        "template.txt",
        "{{range .items}}{{.kind}} {{.metadata.name}};{{end}}",
    );
    for format in ["go-template-file", "templatefile"] {
        k(&format!("get deployments -o {format}={template}")).is("Deployment web;");
    }
    k("get deployment web -o nonsense")
        .fails(1)
        .complains("unable to match a printer");
    k("get deploy,svc,rs -l app=web")
        .says("deployment.apps/web")
        .says("replicaset.apps/web-");
    k("get all --show-labels").says("replicaset.apps/web-");
    k("get events").says("ScalingReplicaSet");
    k("get pods --field-selector=status.phase=Running --sort-by=.metadata.name").says("web-");
    k("get pods nothing")
        .fails(1)
        .complains("pods \"nothing\" not found");
    k("describe deployment web")
        .says("NewReplicaSetAvailable")
        .says("Scaled up replica set");
    k("describe service web").says("Endpoints:");
    k("describe pods -l app=web")
        .says("Successfully assigned default/web-")
        .says("Started");
    k("describe node node-1").says("Allocated resources");
    k(&format!("diff -f {web}")).is("");

    // Change it in every way.
    let editor = dir.join("editor.sh");
    std::fs::write(
        &editor,
        "#!/bin/sh\nsed -i 's/replicas: 2/replicas: 3/' \"$1\"\n",
    )
    .expect("ours");
    k(&format!(
        "edit deployment web --validate=false KUBE_EDITOR=sh {}",
        editor.display()
    ))
    .says("deployment.apps/web edited");
    k("get deployment web -o jsonpath={.spec.replicas}").is("3");
    k("patch deployment web -p {\"spec\":{\"replicas\":4}}").says("patched");
    k("patch deployment web --type=merge -p {\"spec\":{\"replicas\":5}}").says("patched");
    k("patch deployment web --type=json -p [{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":2}]").says("patched");
    k("patch deployment web --type=json -p [{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":7}]").fails(1);
    k("patch deployment web --subresource=scale --type=merge -p {\"spec\":{\"replicas\":3}}")
        .says("patched");
    k("get deployment web -o jsonpath={.spec.replicas}").is("3");
    k(&format!("apply --server-side -f {web}"))
        .fails(1)
        .complains("Apply failed with 1 conflict: conflict with \"kubectl-patch\"");
    k(&format!("apply --server-side --force-conflicts -f {web}")).says("serverside-applied");
    k("get deployment web -o jsonpath={.spec.replicas}").is("2");
    k("scale deployment web --replicas=3").says("scaled");
    k("set image deployment/web nginx=nginx:1.28").says("image updated");
    k("rollout status deployment/web --timeout=60s").says("successfully rolled out");
    k("rollout history deployment/web").says("REVISION");
    k("rollout undo deployment/web").says("rolled back");
    k("rollout status deployment/web --timeout=60s").says("successfully rolled out");
    k("rollout restart deployment/web").says("restarted");
    k("rollout status deployment/web --timeout=60s").says("successfully rolled out");
    k("rollout pause deployment/web").says("paused");
    k("rollout resume deployment/web").says("resumed");
    k("label deployment web tier=front").says("labeled");
    k("annotate deployment web note=x").says("annotated");
    k("create configmap c --from-literal=a=1 --dry-run=server -o yaml").says("a: \"1\"");
    k("create configmap c --from-literal=a=1").says("created");
    k("create configmap c --from-literal=a=1")
        .fails(1)
        .complains("already exists");
    k("expose deployment web --name=again --port=80").says("exposed");
    k("create token default").says("ey");

    // Inside.
    served.run("apply -f -", SHELL).says("pod/box created");
    k("wait --for=condition=Ready pod/box --timeout=60s").says("condition met");
    k("logs box --tail=1").says("line ");
    k("exec box -- sh -c 'echo out; echo err >&2; exit 3'")
        .fails(3)
        .says("out")
        .complains("err")
        .complains("exit code 3");
    served.run("exec -i box -- cat", "typed\n").is("typed\n");
    served.in_terminal(
        "exec -it box -- sh",
        "echo $((6 * 7)); tty; exit 5\n",
        "42",
        5,
    );
    let sent = dir.join("sent");
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| ((n * 7919) >> 5) as u8).collect();
    std::fs::write(&sent, &bytes).expect("ours");
    let back = dir.join("back");
    k(&format!("cp {} box:/tmp/file", sent.display())).ok();
    k(&format!("cp box:/tmp/file {}", back.display())).ok();
    assert!(
        std::fs::read(&back).expect("it came back") == bytes,
        "cp changed the file"
    );
    let folder = dir.join("folder");
    std::fs::create_dir_all(folder.join("inner")).expect("ours");
    std::fs::write(folder.join("inner/file"), "deep\n").expect("ours");
    k(&format!("cp {} box:/tmp/folder", folder.display())).ok();
    k("exec box -- cat /tmp/folder/inner/file").is("deep\n");
    k("get --raw /api/v1/namespaces/default/services/web:80/proxy/").says("Welcome to nginx!");
    k("get --raw /metrics").says("apiserver_request_total{");
    served.follows("logs -f box", "line ");
    served.follows("get pods -w", "box ");
    k("top pods").says("CPU(cores)").says("box ");
    k("top pod box --containers").says("POD ");
    k("top nodes").says("MEMORY").says("node-3 ");
    k("get nodes.metrics.k8s.io").says("WINDOW");
    served.forwards(&kubectl);

    // An end to it, in every way.
    k("delete deployment web --cascade=orphan").says("deleted");
    k("get replicasets -l app=web -o name").says("replicaset");
    k("delete replicasets -l app=web --cascade=foreground").says("deleted");
    k("delete service web again").says("service \"again\" deleted");
    k("wait --for=jsonpath={.status.phase}=Running pod/box --timeout=60s").says("condition met");
    k("delete pod box --grace-period=0 --force").says("deleted");
    k("wait --for=delete pod/box --timeout=60s").ok();
    k("get pod box").fails(1);
    k(&format!("apply -f {web}")).ok();
    k("rollout status deployment/web --timeout=60s").ok();
    k("drain node-1 --ignore-daemonsets --delete-emptydir-data --timeout=60s").says("drained");
    k("get node node-1").says("SchedulingDisabled");
    k("get pods -l app=web --field-selector=spec.nodeName=node-1").complains("No resources found");
    k("uncordon node-1").says("uncordoned");
    k(&format!("delete -f {web} --cascade=background --wait")).says("deleted");
    k("wait --for=delete pods -l app=web --timeout=60s").ok();
    k("get replicasets -l app=web").complains("No resources found");
    k("create namespace away").says("created");
    k("delete namespace away --timeout=60s").says("deleted");
}

#[test]
fn each_version_of_kubectl_that_is_here_gets_along() {
    let Some(own) = kubectl() else { return };
    let versions = sisters(&own);
    println!(
        "{} versions of kubectl beside {}",
        versions.len(),
        own.display()
    );
    if versions.is_empty() {
        return;
    }
    let served = Served::start(&own);
    served
        .run("apply --validate=false -f -", SHELL)
        .says("created");
    served
        .run("wait --for=condition=Ready pod/box --timeout=60s", "")
        .ok();
    for version in versions {
        let served = served.for_another(&version);
        let k = |args: &str| served.run(args, "");
        println!("{}", version.display());
        k("get nodes").says("node-1");
        k("get pods -o yaml").says("busybox");
        k("describe pod box").says("Started");
        k("exec box -- sh -c 'echo hello; exit 4'")
            .fails(4)
            .says("hello");
        served.run("exec -i box -- cat", "typed\n").is("typed\n");
        k("logs box --tail=1").says("line ");
        k("top nodes").says("node-1 ");
        let apply = served.run("apply -f -", WEB);
        apply.says("deployment.apps/web ");
        k("rollout status deployment/web --timeout=60s").ok();
        served.forwards(&version);
        k("delete deployment web").says("deleted");
    }
}

/// A server and who talks to it.
struct Served {
    kubectl: PathBuf,
    kubeconfig: String,
    dir: PathBuf,
    process: Option<Child>,
}

impl Served {
    fn start(kubectl: &Path) -> Served {
        let texts = std::env::temp_dir().join(format!("kubenkyo-explain-{}", std::process::id()));
        std::fs::write(&texts, TEXTS).expect("a folder for what passes");
        let mut process = Command::new(env!("CARGO_BIN_EXE_kubenkyo"))
            .args(["serve", "--port", "0", "--speed", SPEED])
            .env("KUBENKYO_EXPLAIN", &texts)
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubenkyo starts");
        let output = process.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("text");
        let kubeconfig = line
            .trim_end()
            .strip_prefix("KUBECONFIG=")
            .expect("the path on a line of its own")
            .to_owned();
        let _ = std::fs::remove_file(texts);
        let dir = std::env::temp_dir().join(format!("kubenkyo-test-{}", process.id()));
        std::fs::create_dir_all(&dir).expect("a folder for the test");
        Served {
            kubectl: kubectl.to_owned(),
            kubeconfig,
            dir,
            process: Some(process),
        }
    }

    /// The same server for another kubectl.
    fn for_another(&self, kubectl: &Path) -> Served {
        Served {
            kubectl: kubectl.to_owned(),
            kubeconfig: self.kubeconfig.clone(),
            dir: self.dir.clone(),
            process: None,
        }
    }

    /// Runs kubectl with words, of which those in single quotes are one; `KUBE_EDITOR=…` at the end is the environment.
    fn run(&self, args: &str, input: &str) -> Done {
        let (args, editor) = args.split_once(" KUBE_EDITOR=").unwrap_or((args, "false"));
        let mut child = self
            .command(args)
            .env("KUBE_EDITOR", editor)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl starts");
        // One that does not read its input has not failed for that.
        let _ = child
            .stdin
            .take()
            .expect("it is piped")
            .write_all(input.as_bytes());
        let id = child.id();
        let (done, is_done) = std::sync::mpsc::channel();
        let line = args.to_owned();
        let watchdog = std::thread::spawn(move || {
            if is_done.recv_timeout(PATIENCE).is_err() {
                eprintln!("kubectl {line} takes too long");
                let _ = Command::new("kill").arg(id.to_string()).status();
            }
        });
        let output = child.wait_with_output().expect("kubectl ends");
        let _ = done.send(());
        watchdog.join().expect("the watchdog ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Done {
            line: args.to_owned(),
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    fn command(&self, args: &str) -> Command {
        let mut words: Vec<String> = Vec::new();
        for (at, part) in args.split('\'').enumerate() {
            if at % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        let mut command = Command::new(&self.kubectl);
        command
            .args(words)
            .env("KUBECONFIG", &self.kubeconfig)
            // Discovery is cached below it.
            .env("HOME", &self.dir)
            .env("KUBECACHEDIR", self.dir.join("cache"));
        command
    }

    /// Types into a command that has a terminal, which `script` makes.
    fn in_terminal(&self, args: &str, typed: &str, wanted: &str, code: i32) {
        let kubectl = self.command("");
        let line = format!("{} {args}", kubectl.get_program().to_string_lossy());
        let child = Command::new("script")
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .envs(
                kubectl
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = match child {
            Ok(child) => Killed(child),
            Err(why) => {
                println!(
                    "skipped: kubectl {args}: no terminal, because `script` does not start: {why}"
                );
                return;
            }
        };
        let mut input = child.0.stdin.take().expect("it is piped");
        let mut output = child.0.stdout.take().expect("it is piped");
        // The prompt says that the shell listens.
        let mut shown = Vec::new();
        let mut byte = [0];
        while !shown.ends_with(b"# ") && output.read(&mut byte).is_ok_and(|n| n > 0) {
            shown.push(byte[0]);
        }
        input.write_all(typed.as_bytes()).expect("it reads");
        output.read_to_end(&mut shown).expect("bytes");
        let shown = String::from_utf8_lossy(&shown);
        assert!(shown.contains(wanted), "no {wanted:?} in {shown:?}");
        let status = child.0.wait().expect("it ends");
        assert_eq!(status.code(), Some(code), "{shown}");
    }

    /// A command that goes on prints lines with `wanted`, some of them later than others.
    fn follows(&self, args: &str, wanted: &str) {
        let child = self.command(args).stdout(Stdio::piped()).spawn();
        let mut child = Killed(child.expect("kubectl starts"));
        let output = child.0.stdout.take().expect("it is piped");
        let mut found = 0;
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            found += usize::from(line.contains(wanted));
            if found == 1 && args.contains("get pods -w") {
                self.run("annotate pod box seen=yes --overwrite", "").ok();
                self.run("annotate pod box seen=again --overwrite", "").ok();
            }
            if found == 3 {
                return;
            }
        }
        panic!("kubectl {args} ended after {found} lines with {wanted:?}");
    }

    /// A page comes through a port-forward to the deployment.
    fn forwards(&self, kubectl: &Path) {
        let child = self
            .command("port-forward deployment/web :80")
            .stdout(Stdio::piped())
            .spawn();
        let mut child = Killed(child.expect("kubectl starts"));
        let output = child.0.stdout.take().expect("it is piped");
        let mut line = String::new();
        // It is kept open: who cannot print ends.
        let mut output = BufReader::new(output);
        output.read_line(&mut line).expect("text");
        let port = line
            .split(" -> ")
            .next()
            .and_then(|from| from.rsplit(':').next())
            .unwrap_or_else(|| panic!("{} forwards: {line:?}", kubectl.display()));
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
            .expect("sent");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time limit");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("a page");
        assert!(page.contains("Welcome to nginx!"), "{page}");
        drop(output);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let _ = Command::new("kill").arg(process.id().to_string()).status();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            if let Ok(Some(status)) = process.try_wait() {
                let _ = std::fs::remove_dir_all(&self.dir);
                if !std::thread::panicking() {
                    assert!(status.success(), "SIGTERM ends it: {status}");
                    assert!(!Path::new(&self.kubeconfig).exists(), "the keys are gone");
                }
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = process.kill();
        assert!(std::thread::panicking(), "SIGTERM did not end it");
    }
}

/// A child that must not outlive its use.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a command did.
struct Done {
    line: String,
    code: i32,
    stdout: String,
    stderr: String,
}

impl Done {
    fn ok(&self) -> &Done {
        self.fails(0)
    }

    #[track_caller]
    fn fails(&self, code: i32) -> &Done {
        assert!(
            self.code == code,
            "exit code {} instead of {code}\n{self}",
            self.code
        );
        self
    }

    #[track_caller]
    fn says(&self, text: &str) -> &Done {
        assert!(
            self.stdout.contains(text),
            "no {text:?} in the output\n{self}"
        );
        self
    }

    #[track_caller]
    fn is(&self, text: &str) -> &Done {
        assert!(self.stdout == text, "the output is not {text:?}\n{self}");
        self
    }

    #[track_caller]
    fn complains(&self, text: &str) -> &Done {
        assert!(
            self.stderr.contains(text),
            "no {text:?} among the errors\n{self}"
        );
        self
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Done {
            line,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "$ kubectl {line}\n{stdout}\n{stderr}\n(exit code {code})"
        )
    }
}

/// The kubectl to test with; `None` only where somebody said that there is none.
fn kubectl() -> Option<PathBuf> {
    let named = std::env::var("KUBENKYO_KUBECTL").unwrap_or_default();
    if named == "none" {
        println!("NOT TESTED: this machine has no kubectl");
        return None;
    }
    if !named.is_empty() {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|dir| dir.join("kubectl"))
        .find(|file| file.is_file());
    Some(found.expect("a kubectl on PATH; hint: KUBENKYO_KUBECTL=none goes without"))
}

/// kubectls of other versions that lie beside one, oldest first.
fn sisters(kubectl: &Path) -> Vec<PathBuf> {
    let real = std::fs::canonicalize(kubectl).unwrap_or_else(|_| kubectl.to_owned());
    let dir = real.parent().map(Path::to_owned).unwrap_or_default();
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("kubectl.1.")
        })
        .collect();
    found.sort();
    found
}
