//! `kubenkyo`: the command line of *Break it*, so that a scene or a lesson can break things too.
//!
//! Only reads the words; what a fault does is the cluster's business.

use cluster::{Cluster, Fault};
use posix::Done;
use sim::Machine;

/// Subcommands with what they take and do, in the order of the help.
const HELP: &[(&str, &str, &str)] = &[
    ("power-off", "NODE", "the machine loses power"),
    ("power-on", "NODE", "power returns, and it boots"),
    (
        "cut-off",
        "NODE",
        "nothing passes between it and the control plane",
    ),
    ("reconnect", "NODE", "the connection returns"),
    (
        "fill-memory",
        "NODE",
        "something takes nearly all of its memory",
    ),
    ("free-memory", "NODE", "that ends"),
    ("fill-disk", "NODE", "something fills its disk"),
    ("free-disk", "NODE", "that ends"),
    (
        "stop",
        "PART",
        "kube-scheduler, kube-controller-manager or kube-apiserver stops",
    ),
    ("start", "PART", "it starts again"),
    (
        "slow",
        "TIMES",
        "kube-apiserver takes so many times as long; 1 is normal",
    ),
];

/// Reads a command line: the fault and what the command prints.
pub(crate) fn run(args: &[impl AsRef<str>], nodes: u32) -> (Option<Fault>, Done) {
    let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
    match parse(&args, nodes) {
        Ok(Some((fault, said))) => {
            let done = Done {
                stdout: format!("{said}\n").into_bytes(),
                ..Done::default()
            };
            (Some(fault), done)
        }
        Ok(None) => (
            None,
            Done {
                stdout: help().into_bytes(),
                ..Done::default()
            },
        ),
        Err(why) => {
            let stderr = format!("kubenkyo: {why}\n").into_bytes();
            (
                None,
                Done {
                    stderr,
                    status: 1,
                    ..Done::default()
                },
            )
        }
    }
}

/// Breaks or mends what a terminal asked for.
pub(crate) fn inflict(cluster: &mut Cluster, faults: Vec<Fault>) {
    for fault in faults {
        cluster.command(fault);
    }
}

fn parse(args: &[&str], nodes: u32) -> Result<Option<(Fault, String)>, String> {
    let (verb, rest) = match args {
        [] | ["help" | "--help" | "-h", ..] => return Ok(None),
        [verb, rest @ ..] => (*verb, rest),
    };
    let Some((_, takes, _)) = HELP.iter().find(|(name, ..)| *name == verb) else {
        let known: Vec<&str> = HELP.iter().map(|(name, ..)| *name).collect();
        return Err(format!(
            "unknown command \"{verb}\"; hint: {}",
            known.join(", ")
        ));
    };
    let [argument] = rest else {
        return Err(format!("usage: kubenkyo {verb} {takes}"));
    };
    let fault = match verb {
        "power-off" | "power-on" => Fault::PowerOff {
            node: node(argument, nodes)?,
            on: verb == "power-off",
        },
        "cut-off" | "reconnect" => Fault::CutOff {
            node: node(argument, nodes)?,
            on: verb == "cut-off",
        },
        "fill-memory" | "free-memory" => Fault::FillMemory {
            node: node(argument, nodes)?,
            on: verb == "fill-memory",
        },
        "fill-disk" | "free-disk" => Fault::FillDisk {
            node: node(argument, nodes)?,
            on: verb == "fill-disk",
        },
        "slow" => match argument.parse() {
            Ok(times) if times >= 1 => Fault::SlowApiServer { times },
            _ => return Err(format!("\"{argument}\" is no whole number from 1")),
        },
        _ => part(argument, verb == "stop")?,
    };
    let said = match verb {
        "power-off" => "powered off",
        "power-on" => "powered on",
        "cut-off" => "cut off",
        "reconnect" => "reconnected",
        "fill-memory" => "has its memory filled",
        "free-memory" => "has its memory back",
        "fill-disk" => "has its disk filled",
        "free-disk" => "has its disk back",
        "stop" => "stopped",
        "start" => "started",
        _ => {
            return Ok(Some((
                fault,
                format!("kube-apiserver takes {argument} times as long"),
            )));
        }
    };
    Ok(Some((fault, format!("{argument} {said}"))))
}

/// The number of `node-3` is 2.
fn node(name: &str, nodes: u32) -> Result<u32, String> {
    let number = name
        .strip_prefix("node-")
        .and_then(|number| number.parse::<u32>().ok());
    match number {
        Some(number) if (1..=nodes).contains(&number) => Ok(number - 1),
        _ => Err(format!(
            "no machine is called \"{name}\"; hint: node-1 to node-{nodes}"
        )),
    }
}

fn part(name: &str, on: bool) -> Result<Fault, String> {
    match name {
        "kube-scheduler" => Ok(Fault::StopScheduler { on }),
        "kube-controller-manager" => Ok(Fault::StopControllerManager { on }),
        "kube-apiserver" => Ok(Fault::StopApiServer { on }),
        _ => Err(format!(
            "no part is called \"{name}\"; hint: kube-scheduler, kube-controller-manager, kube-apiserver"
        )),
    }
}

fn help() -> String {
    let mut out = String::from("Breaks the simulated cluster, and mends it.\n\n");
    for (name, takes, what) in HELP {
        out.push_str(&format!(
            "  kubenkyo {:<16} {what}\n",
            format!("{name} {takes}")
        ));
    }
    out.push_str("\n  kubenkyo image FILE       images of your own, described in YAML\n");
    out
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(line: &str, expected: &Expect) {
        let args: Vec<&str> = line.split_whitespace().collect();
        let (fault, done) = run(&args, 3);
        let text = [done.stdout, done.stderr].concat();
        let shown = String::from_utf8(text).expect("it prints UTF-8");
        expected.assert_eq(&format!("{} {fault:?}\n{shown}", done.status));
    }

    #[test]
    fn every_fault_has_a_command_and_a_way_back() {
        check(
            "power-off node-3",
            &expect![[r#"
            0 Some(PowerOff { node: 2, on: true })
            node-3 powered off
        "#]],
        );
        check(
            "power-on node-3",
            &expect![[r#"
            0 Some(PowerOff { node: 2, on: false })
            node-3 powered on
        "#]],
        );
        check(
            "cut-off node-1",
            &expect![[r#"
            0 Some(CutOff { node: 0, on: true })
            node-1 cut off
        "#]],
        );
        check(
            "reconnect node-1",
            &expect![[r#"
            0 Some(CutOff { node: 0, on: false })
            node-1 reconnected
        "#]],
        );
        check(
            "stop kube-scheduler",
            &expect![[r#"
            0 Some(StopScheduler { on: true })
            kube-scheduler stopped
        "#]],
        );
        check(
            "start kube-controller-manager",
            &expect![[r#"
            0 Some(StopControllerManager { on: false })
            kube-controller-manager started
        "#]],
        );
        check(
            "slow 10",
            &expect![[r#"
            0 Some(SlowApiServer { times: 10 })
            kube-apiserver takes 10 times as long
        "#]],
        );
    }

    #[test]
    fn what_does_not_exist_is_said_with_a_hint() {
        check(
            "power-off node-4",
            &expect![[r#"
            1 None
            kubenkyo: no machine is called "node-4"; hint: node-1 to node-3
        "#]],
        );
        check(
            "power-off",
            &expect![[r#"
            1 None
            kubenkyo: usage: kubenkyo power-off NODE
        "#]],
        );
        check(
            "poweroff node-1",
            &expect![[r#"
                1 None
                kubenkyo: unknown command "poweroff"; hint: power-off, power-on, cut-off, reconnect, fill-memory, free-memory, fill-disk, free-disk, stop, start, slow
            "#]],
        );
        check(
            "stop kubelet",
            &expect![[r#"
            1 None
            kubenkyo: no part is called "kubelet"; hint: kube-scheduler, kube-controller-manager, kube-apiserver
        "#]],
        );
        check(
            "slow 0",
            &expect![[r#"
            1 None
            kubenkyo: "0" is no whole number from 1
        "#]],
        );
        check(
            "help",
            &expect![[r#"
                0 None
                Breaks the simulated cluster, and mends it.

                  kubenkyo power-off NODE   the machine loses power
                  kubenkyo power-on NODE    power returns, and it boots
                  kubenkyo cut-off NODE     nothing passes between it and the control plane
                  kubenkyo reconnect NODE   the connection returns
                  kubenkyo fill-memory NODE something takes nearly all of its memory
                  kubenkyo free-memory NODE that ends
                  kubenkyo fill-disk NODE   something fills its disk
                  kubenkyo free-disk NODE   that ends
                  kubenkyo stop PART        kube-scheduler, kube-controller-manager or kube-apiserver stops
                  kubenkyo start PART       it starts again
                  kubenkyo slow TIMES       kube-apiserver takes so many times as long; 1 is normal

                  kubenkyo image FILE       images of your own, described in YAML
            "#]],
        );
    }
}
