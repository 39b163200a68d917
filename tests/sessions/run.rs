//! Runs a page's steps in a session, as a learner would who reads the page and waits where it says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use shell::{Options, Session};

use crate::judge;
use crate::page::{Page, Step};

/// A learner reads and types this long between two commands.
const THINKS: u64 = 5 * sim::SECOND;
/// A reading step is repeated at this distance …
const LOOKS_AGAIN: u64 = 30 * sim::SECOND;
/// … so often.
const LOOKS: usize = 6;
/// A command that goes on until it is interrupted is watched for this long.
const WATCHES: u64 = 20 * sim::SECOND;

/// How a page went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) page: String,
    pub(crate) passed: usize,
    pub(crate) counted: usize,
    /// Steps that are not run, by reason.
    pub(crate) not_ours: BTreeMap<&'static str, usize>,
    /// Name of the step as the list of known failures has it, and what is wrong.
    pub(crate) failed: BTreeMap<String, String>,
    pub(crate) text: String,
}

/// What a command line printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Printed {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Report {
    pub(crate) fn summary(&self) -> String {
        let mut line = format!("{}: {} of {}", self.page, self.passed, self.counted);
        for (why, count) in &self.not_ours {
            let _ = write!(line, ", {count} not run ({why})");
        }
        line
    }
}

/// The documentation's clusters have a control plane that is a Node, and a provider that balances loads.
fn options() -> Options {
    Options {
        control_plane: true,
        load_balancer: true,
        ..Options::default()
    }
}

/// Runs pages one after another in one cluster.
pub(crate) fn run(pages: &[Page]) -> Vec<Report> {
    let mut session = Session::new(options(), "/root");
    pages
        .iter()
        .map(|page| run_page(&mut session, page))
        .collect()
}

fn run_page(session: &mut Session, page: &Page) -> Report {
    for (path, content) in &page.files {
        put(session, path, content);
    }
    let mut report = Report {
        page: page.name.clone(),
        ..Report::default()
    };
    let mut earlier = String::new();
    for (number, step) in page.steps.iter().enumerate() {
        let has_lines = page
            .steps
            .iter()
            .any(|other| other.inside.as_ref() == Some(&step.command));
        let not_run = step
            .not_ours()
            .or(has_lines.then_some("a shell whose lines follow"));
        if let Some(why) = not_run {
            *report.not_ours.entry(why).or_default() += 1;
            continue;
        }
        if let Some((path, content)) = &step.makes {
            put(session, path, content);
        }
        for command in &step.extra.before {
            let printed = line(session, command);
            if printed.status != 0 {
                let name = format!("session {} before step {}", page.name, number + 1);
                let why = printed.err.lines().next().unwrap_or_default();
                report.failed.insert(name, format!("{command}: {why}"));
            }
        }
        // What several commands print is shown after the last of them.
        let (command, printed, verdict) = perform(session, step, &earlier);
        earlier = if step.shown.is_empty() {
            format!("{earlier}{}", printed.out)
        } else {
            String::new()
        };
        if page.counts {
            report.counted += 1;
            report.passed += usize::from(verdict.is_ok());
        }
        let Err(why) = verdict else { continue };
        if page.counts {
            let name = format!("session {} step {}", page.name, number + 1);
            report.failed.insert(name, why.clone());
        }
        let _ = writeln!(
            report.text,
            "## step {}: {why}\n$ {command}\n--- shown\n{}\n--- got (rc {})\n{}{}\n",
            number + 1,
            step.shown.join("\n---\n"),
            printed.status,
            printed.out,
            printed.err
        );
    }
    report
}

fn put(session: &mut Session, path: &str, content: &str) {
    session
        .workstation_mut()
        .put_file(path, content.as_bytes())
        .expect("the learner's disk has room for a manifest");
}

/// Runs a step, again and again if it only reads and the page promises more than there is yet.
fn perform(
    session: &mut Session,
    step: &Step,
    earlier: &str,
) -> (String, Printed, Result<(), String>) {
    let reads = judge::only_reads(&step.command) && !step.shown.is_empty();
    // Who only looks does so at once, and once more after a while.
    if !reads {
        session.wait(THINKS);
    }
    let mut looks = 0;
    loop {
        let command = command(session, step);
        session.patience = if step.has("long-running") {
            WATCHES
        } else {
            5 * sim::MINUTE
        };
        let printed = line(session, &command);
        let mut verdict = judge::judge(step, &printed);
        if verdict.is_err() && step.inside.is_some() && !earlier.is_empty() {
            let mut all = printed.clone();
            all.out = format!("{earlier}{}", all.out);
            verdict = judge::judge(step, &all);
        }
        looks += 1;
        if verdict.is_ok() || !reads || looks == LOOKS || step.has("long-running") {
            return (command, printed, verdict);
        }
        session.wait(if looks == 1 { THINKS } else { LOOKS_AGAIN });
    }
}

/// The command as it is typed here: examples are files, names with random parts are those of this cluster, and a line for
/// a shell inside a container is given to that container.
fn command(session: &mut Session, step: &Step) -> String {
    let mut command = match &step.inside {
        Some(outer) => match judge::into_container(outer, &step.command) {
            Some(command) => command,
            None => step.command.clone(),
        },
        None => step.command.clone(),
    };
    for address in [
        "https://k8s.io/examples/",
        "https://kubernetes.io/examples/",
    ] {
        command = command.replace(address, "/examples/");
    }
    // A file that the learner fetches is there already.
    if let Some(rest) = command.strip_prefix("wget /examples/")
        && let Some((from, to)) = rest.split_once(" -O ")
    {
        command = format!("cp /examples/{from} {to}");
    }
    // The page's nodes have other names.
    command = command.replace(" node1 ", " node-1 ");
    // A command that other terminals use while it runs, runs beside.
    let serves =
        command.starts_with("kubectl proxy") || command.starts_with("kubectl port-forward");
    if step.has("long-running") && serves {
        let command_alone = command.trim_end_matches(['&', ' ']).to_owned();
        command = format!("kill $! 2>/dev/null; {command_alone} & sleep 1; kill -0 $!");
    }
    if judge::has_generated_name(&command) {
        let list = "kubectl get pods,replicasets,jobs,configmaps,secrets -o name";
        let names = line(
            session,
            &format!("{list} --sort-by=.metadata.creationTimestamp"),
        )
        .out;
        command = judge::with_real_names(&command, &names);
    }
    command
}

fn line(session: &mut Session, command: &str) -> Printed {
    if std::env::var_os("SESSION").is_some() {
        eprintln!("$ {command}");
    }
    let mut outcome = None;
    for part in command.split('\n') {
        outcome = session.line(part, |_| {}).or(outcome);
    }
    let outcome = session.end(|_| {}).or(outcome);
    outcome.map_or_else(Printed::default, |outcome| Printed {
        status: outcome.status,
        out: outcome.text(false),
        err: outcome.text(true),
    })
}
