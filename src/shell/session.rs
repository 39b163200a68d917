//! A terminal used from outside, line by line: each command runs until it ends, and virtual time passes only while
//! something runs or sleeps. The console and the tests that replay recorded sessions drive a workstation with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::{Machine, Micros, Time};

use crate::Prompt;
use crate::terminal::Chunk;
use crate::workstation::{Command, Options, Workstation};

/// The terminal that sessions use.
const TERMINAL: u32 = 1;
/// The control plane and the nodes are up before the first line, as they are when a learner opens the page.
const BOOT: Micros = 12 * sim::SECOND;
/// A command that runs longer than this without an end is interrupted (`kubectl get --watch`), unless told otherwise.
const PATIENCE: Micros = sim::HOUR;

/// How long a session in a container is given to answer a line before the next one is typed.
const INPUT_PAUSE: Micros = sim::SECOND;

/// A workstation driven line by line.
#[derive(Clone, Debug)]
pub struct Session {
    workstation: Workstation,
    start: Time,
    /// Lines of a command that is not complete yet.
    pending: String,
    status: i32,
    /// How long a command may run.
    pub patience: Micros,
}

/// A command line that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When it began, since the session's start.
    pub at: Micros,
    pub line: String,
    pub status: i32,
    pub output: Vec<Chunk>,
}

impl Session {
    /// A cluster that has come up, and a terminal in the directory `dir`.
    pub fn new(options: Options, dir: &str) -> Session {
        let mut workstation = Workstation::new(options);
        let boot = workstation.now() + BOOT;
        workstation.advance(boot, u64::MAX);
        workstation.open_terminal(TERMINAL, dir);
        Session {
            start: workstation.now(),
            workstation,
            pending: String::new(),
            status: 0,
            patience: PATIENCE,
        }
    }

    /// From now on `kubectl explain` says what fields mean.
    pub fn set_field_texts(&mut self, texts: Arc<BTreeMap<String, String>>) {
        self.workstation.cluster_mut().set_field_texts(texts);
    }

    /// Exit status of the last command.
    pub fn status(&self) -> i32 {
        self.status
    }

    pub fn workstation(&self) -> &Workstation {
        &self.workstation
    }

    pub fn workstation_mut(&mut self) -> &mut Workstation {
        &mut self.workstation
    }

    /// The terminal's current directory.
    pub fn directory(&self) -> String {
        self.workstation.directory(TERMINAL)
    }

    /// Lets virtual time pass.
    pub fn wait(&mut self, span: Micros) {
        let until = self.workstation.now() + span;
        self.workstation.advance(until, u64::MAX);
    }

    /// Runs a line to its end, handing out its output as it comes; `None` if more lines belong to it (or it was a
    /// comment). A line that only sleeps takes any Go duration.
    pub fn line(&mut self, line: &str, mut print: impl FnMut(&Chunk)) -> Option<Outcome> {
        let is_blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        let is_read = self.workstation.prompt(TERMINAL) == Prompt::Input;
        if self.pending.is_empty() && is_blank && !is_read {
            return None;
        }
        if !self.pending.is_empty() {
            self.pending.push('\n');
        }
        self.pending.push_str(line);
        let at = self.workstation.now();
        if let Some(span) = sleep_span(&self.pending).filter(|_| !is_read) {
            self.wait(span);
            self.status = 0;
            return Some(self.outcome(at, Vec::new()));
        }
        self.workstation.command(Command::Line {
            terminal: TERMINAL,
            text: line.to_owned(),
        });
        if self.workstation.prompt(TERMINAL) == Prompt::More {
            return None;
        }
        Some(self.finish(at, &mut print))
    }

    /// The input is over: what was begun runs as it stands.
    pub fn end(&mut self, mut print: impl FnMut(&Chunk)) -> Option<Outcome> {
        if self.pending.is_empty() {
            return None;
        }
        let at = self.workstation.now();
        self.workstation.end_of_input(TERMINAL);
        Some(self.finish(at, &mut print))
    }

    /// Lets virtual time pass until the command has ended.
    fn finish(&mut self, at: Time, print: &mut impl FnMut(&Chunk)) -> Outcome {
        let mut output: Vec<Chunk> = Vec::new();
        let patience = at + self.patience;
        let (mut is_interrupted, mut has_paused) = (false, false);
        loop {
            for chunk in self.workstation.take_output(TERMINAL) {
                print(&chunk);
                match output.last_mut() {
                    Some(last) if last.is_error == chunk.is_error => {
                        last.text.push_str(&chunk.text)
                    }
                    _ => output.push(chunk),
                }
            }
            match self.workstation.prompt(TERMINAL) {
                Prompt::Ready { status } => {
                    self.status = status;
                    break;
                }
                Prompt::More => break,
                Prompt::Input if has_paused => {
                    self.status = 0;
                    break;
                }
                Prompt::Input => {
                    // What reads lines may take its time with this one.
                    has_paused = true;
                    self.wait(INPUT_PAUSE);
                    continue;
                }
                Prompt::Busy => {}
            }
            if self.workstation.now() >= patience && !is_interrupted {
                is_interrupted = true;
                self.workstation
                    .command(Command::Interrupt { terminal: TERMINAL });
                continue;
            }
            let until = patience + if is_interrupted { sim::SECOND } else { 0 };
            let did_nothing = self.workstation.advance(until, 1) == 0;
            if is_interrupted && did_nothing && self.workstation.now() >= until {
                break;
            }
        }
        self.outcome(at, output)
    }

    fn outcome(&mut self, at: Time, output: Vec<Chunk>) -> Outcome {
        Outcome {
            at: at.since(self.start),
            line: std::mem::take(&mut self.pending),
            status: self.status,
            output,
        }
    }
}

impl Outcome {
    /// All standard output, or all error output.
    pub fn text(&self, is_error: bool) -> String {
        self.output
            .iter()
            .filter(|chunk| chunk.is_error == is_error)
            .map(|chunk| chunk.text.as_str())
            .collect()
    }
}

/// The span of a line that only sleeps: `sleep 30s`, `sleep 1m30s`, `sleep 5`.
fn sleep_span(line: &str) -> Option<Micros> {
    let span = line.trim().strip_prefix("sleep ")?.trim();
    if let Ok(seconds) = span.parse::<u64>() {
        return Some(seconds.saturating_mul(sim::SECOND));
    }
    let nanos = api::duration::parse(span).ok()?;
    u64::try_from(nanos).ok().map(|nanos| nanos / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_that_is_interrupted_gives_the_prompt_back() {
        let mut session = Session::new(Options::default(), "/tmp");
        session.patience = 10 * sim::SECOND;
        let watch = session.line("kubectl get pods --watch", |_| {});
        assert_eq!(watch.map(|outcome| outcome.status), Some(130));
        let next = session.line("echo here", |_| {}).expect("a whole line");
        assert_eq!((next.status, next.text(false).as_str()), (0, "here\n"));
    }

    /// A session with a pod `box` that sleeps, whose container runs.
    fn with_pod() -> Session {
        let mut session = Session::new(Options::default(), "/tmp");
        for line in [
            "kubectl run box --image=busybox -- sleep 3600",
            "kubectl wait --for=condition=Ready pod/box --timeout=60s",
        ] {
            assert_eq!(
                session.line(line, |_| {}).map(|o| o.status),
                Some(0),
                "{line}"
            );
        }
        session
    }

    fn check(session: &mut Session, line: &str, expected: (i32, &str, &str)) {
        let ran = session.line(line, |_| {}).expect("a whole line");
        let (stdout, stderr) = (ran.text(false), ran.text(true));
        assert_eq!(
            (ran.status, stdout.as_str(), stderr.as_str()),
            expected,
            "{line}"
        );
    }

    #[test]
    fn what_is_piped_into_kubectl_exec_reaches_the_container() {
        let mut session = with_pod();
        let session = &mut session;
        check(
            session,
            "echo hello | kubectl exec -i box -- cat",
            (0, "hello\n", ""),
        );
        check(
            session,
            "kubectl exec -i box -- sh < <(echo 'echo $((6*7))')",
            (0, "42\n", ""),
        );
        check(session, "kubectl exec box -- cat", (0, "", ""));
    }

    #[test]
    fn a_shell_in_a_container_takes_what_is_typed() {
        let mut session = with_pod();
        let session = &mut session;
        check(session, "kubectl exec -it box -- sh", (0, "/ # ", ""));
        check(session, "cd /tmp; x=5", (0, "/tmp # ", ""));
        check(session, "echo $x in $(pwd)", (0, "5 in /tmp\n/tmp # ", ""));
        check(
            session,
            "exit 3",
            (3, "", "command terminated with exit code 3\n"),
        );
        check(session, "echo $x", (0, "\n", ""));
        check(
            session,
            "kubectl run -it once --rm --image=busybox --restart=Never -- sh",
            (
                0,
                "/ # ",
                "If you don't see a command prompt, try pressing enter.\n",
            ),
        );
        check(session, "echo here", (0, "here\n/ # ", ""));
        check(
            session,
            "exit",
            (0, "pod \"once\" deleted from default namespace\n", ""),
        );
    }

    #[test]
    fn kubectl_edit_runs_the_editor_that_is_asked_for() {
        let mut session = Session::new(Options::default(), "/tmp");
        let session = &mut session;
        check(
            session,
            "kubectl create cm c --from-literal=key=1",
            (0, "configmap/c created\n", ""),
        );
        check(
            session,
            "KUBE_EDITOR='sed -i s/key:/other:/' kubectl edit cm c",
            (0, "configmap/c edited\n", ""),
        );
        check(
            session,
            "kubectl get cm c -o jsonpath='{.data}'",
            (0, "{\"other\":\"1\"}", ""),
        );
        check(
            session,
            "EDITOR=true kubectl edit cm/c",
            (0, "", "Edit cancelled, no changes made.\n"),
        );
        check(
            session,
            "EDITOR=false kubectl edit cm/c",
            (
                1,
                "",
                "error: there was a problem with the editor \"false\"\n",
            ),
        );
        check(
            session,
            "kubectl apply -f <(printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: d}\\n')",
            (0, "configmap/d created\n", ""),
        );
    }

    #[test]
    fn without_an_editor_the_file_is_changed_elsewhere_until_enter_is_pressed() {
        let mut session = Session::new(Options::default(), "/tmp");
        let session = &mut session;
        check(
            session,
            "kubectl create cm c --from-literal=key=1",
            (0, "configmap/c created\n", ""),
        );
        let opened = session.line("kubectl edit cm c", |_| {}).expect("it waits");
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
        check(session, "", (0, "configmap/c edited\n", ""));
        check(
            session,
            "kubectl get cm c -o jsonpath='{.data.key}'",
            (0, "2", ""),
        );
    }

    #[test]
    fn flags_before_a_subcommand_and_programs_called_kubectl_something() {
        let mut session = Session::new(Options::default(), "/tmp");
        let session = &mut session;
        check(
            session,
            "kubectl config --kubeconfig=demo set-context dev --namespace=front",
            (0, "Context \"dev\" created.\n", ""),
        );
        check(
            session,
            "kubectl config --kubeconfig=demo view -o jsonpath='{.contexts[0].context.namespace}'",
            (0, "front", ""),
        );
        check(
            session,
            "kubectl -n default create configmap c --from-literal=a=b",
            (0, "configmap/c created\n", ""),
        );
        check(
            session,
            "printf '#!/bin/bash\\necho I am $0 with $1\\n' > /usr/local/bin/kubectl-foo-bar_baz",
            (0, "", ""),
        );
        check(
            session,
            "chmod +x /usr/local/bin/kubectl-foo-bar_baz",
            (0, "", ""),
        );
        check(
            session,
            "kubectl foo bar-baz x",
            (0, "I am /usr/local/bin/kubectl-foo-bar_baz with x\n", ""),
        );
        check(
            session,
            "kubectl foo",
            (
                1,
                "",
                "error: unknown command \"foo\" for \"kubectl\"\n\nDid you mean this?\n\ttop\n",
            ),
        );
    }

    #[test]
    fn a_forwarded_port_leads_to_the_pod() {
        let mut session = Session::new(Options::default(), "/tmp");
        let session = &mut session;
        for line in [
            "kubectl create deployment web --image=nginx",
            "kubectl expose deployment web --port=8000 --target-port=80",
            "kubectl rollout status deployment web",
        ] {
            assert_eq!(
                session.line(line, |_| {}).map(|o| o.status),
                Some(0),
                "{line}"
            );
        }
        let refused = session
            .line("curl -s localhost:8080", |_| {})
            .expect("a line");
        assert_eq!(refused.status, 7);
        let ran = session
            .line(
                "kubectl port-forward svc/web 8080:8000 > forward.log & sleep 2",
                |_| {},
            )
            .expect("a line");
        assert_eq!(ran.status, 0);
        let page = session
            .line("curl -s localhost:8080", |_| {})
            .expect("a line");
        assert!(page.text(false).contains("Welcome to nginx!"), "{page:?}");
        check(
            session,
            "cat forward.log",
            (
                0,
                "Forwarding from 127.0.0.1:8080 -> 80\nForwarding from [::1]:8080 -> 80\nHandling connection for 8080\n",
                "",
            ),
        );
        check(
            session,
            "kubectl port-forward svc/web 8080:81",
            (
                1,
                "",
                "error: Service web does not have a service port 81\n",
            ),
        );
    }
}
