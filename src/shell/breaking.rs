//! `kubenkyo`: the command line of *Break it*, so that a scene or a lesson can break things too.
//!
//! Only reads the words; what a fault does is the cluster's business.

use cluster::{Cluster, Fault};
use posix::Done;
use sim::Machine;

/// Subcommands with what they take and do (in both languages: nobody asks a terminal for another one).
const HELP: &[(&str, &str, &str, &str)] = &[
    (
        "power-off",
        "NODE",
        "the machine loses power",
        "マシンの電源が切れる",
    ),
    (
        "power-on",
        "NODE",
        "power returns, and it boots",
        "電源が戻り、起動する",
    ),
    (
        "cut-off",
        "NODE",
        "nothing passes between it and the control plane",
        "コントロールプレーンとの通信が切れる",
    ),
    ("reconnect", "NODE", "the connection returns", "通信が戻る"),
    (
        "fill-memory",
        "NODE | pod/POD",
        "something takes its memory",
        "メモリを使い切らせる",
    ),
    ("free-memory", "NODE", "that ends", "メモリを空ける"),
    (
        "fill-disk",
        "NODE",
        "something fills its disk",
        "ディスクを満杯にする",
    ),
    ("free-disk", "NODE", "that ends", "ディスクを空ける"),
    (
        "kill",
        "pod/POD",
        "a container's process is killed (-c NAME, -n NAMESPACE)",
        "コンテナのプロセスを止める",
    ),
    (
        "stop",
        "PART",
        "kube-scheduler, kube-controller-manager or kube-apiserver stops",
        "部品を止める",
    ),
    ("start", "PART", "it starts again", "部品を動かす"),
    (
        "pause",
        "CONTROLLER",
        "deployment-controller, say, takes no work",
        "コントローラーを休ませる",
    ),
    (
        "resume",
        "CONTROLLER",
        "it goes on with what has come in",
        "コントローラーを再開する",
    ),
    (
        "slow",
        "[PART] TIMES",
        "kube-apiserver or kube-scheduler takes so many times as long; 1 is normal",
        "API サーバーやスケジューラーを遅くする",
    ),
    (
        "join",
        "linux | windows",
        "one more machine joins the cluster",
        "マシンを 1 台加える",
    ),
    (
        "enable",
        "load-balancer",
        "Services of type LoadBalancer get an address",
        "LoadBalancer に IP を割り当てる",
    ),
    (
        "enable",
        "control-plane",
        "the control plane becomes a Node, with kubeadm's pods in kube-system",
        "コントロールプレーンも Node にする",
    ),
    (
        "disable",
        "load-balancer",
        "they stay <pending> again",
        "割り当てをやめる",
    ),
];

const LOAD_BALANCER: &str = "service-lb-controller";

/// The subcommands with what each takes, for completion.
pub fn commands() -> impl Iterator<Item = (&'static str, &'static str)> {
    HELP.iter()
        .map(|(name, takes, ..)| (*name, *takes))
        .chain([("help", ""), ("image", "FILE")])
}

/// Reads a command line: the fault and what the command prints.
pub(crate) fn run(args: &[impl AsRef<str>], cluster: &Cluster) -> (Option<Fault>, Done) {
    let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
    match parse(&args, cluster) {
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

fn parse(args: &[&str], cluster: &Cluster) -> Result<Option<(Fault, String)>, String> {
    let (verb, rest) = match args {
        [] | ["help" | "--help" | "-h", ..] => return Ok(None),
        [verb, rest @ ..] => (*verb, rest),
    };
    let Some((_, takes, ..)) = HELP.iter().find(|(name, ..)| *name == verb) else {
        let mut known: Vec<&str> = HELP.iter().map(|(name, ..)| *name).collect();
        known.dedup();
        return Err(format!(
            "unknown command \"{verb}\"; hint: {}",
            known.join(", ")
        ));
    };
    let usage = || format!("usage: kubenkyo {verb} {takes}");
    let is_pod = |name: &&str| verb == "kill" || name.starts_with("pod/");
    if rest.first().is_some_and(is_pod) {
        let found = kill(rest, verb, cluster)?;
        return found.map(Some).ok_or_else(usage);
    }
    if verb == "slow" {
        return slow(rest).and_then(|found| found.map(Some).ok_or_else(usage));
    }
    let [argument] = rest else {
        return Err(usage());
    };
    if verb == "cut-off" && *argument == "control-plane" {
        return Err(
            "the control plane cannot be cut off from itself; hint: kubenkyo stop kube-apiserver"
                .to_owned(),
        );
    }
    let fault = match verb {
        "power-off" | "power-on" => Fault::PowerOff {
            node: node(argument, cluster)?,
            on: verb == "power-off",
        },
        "cut-off" | "reconnect" => Fault::CutOff {
            node: node(argument, cluster)?,
            on: verb == "cut-off",
        },
        "fill-memory" | "free-memory" => Fault::FillMemory {
            node: node(argument, cluster)?,
            on: verb == "fill-memory",
        },
        "fill-disk" | "free-disk" => Fault::FillDisk {
            node: node(argument, cluster)?,
            on: verb == "fill-disk",
        },
        "join" if matches!(*argument, "linux" | "windows") => {
            let windows = *argument == "windows";
            let number = cluster.machine_count() + 1;
            return Ok(Some((
                Fault::Join { windows },
                format!("node-{number} joins"),
            )));
        }
        "join" => return Err(usage()),
        "pause" | "resume" => controller(argument, verb == "pause")?,
        "enable" | "disable" if *argument == "load-balancer" => {
            controller(LOAD_BALANCER, verb == "disable")?
        }
        "enable" if *argument == "control-plane" => Fault::AddControlPlane,
        "enable" | "disable" => {
            return Err(format!(
                "nothing to {verb} is called \"{argument}\"; hint: load-balancer, control-plane"
            ));
        }
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
        "pause" => "paused",
        "resume" => "resumed",
        "enable" => "enabled",
        "disable" => "disabled",
        _ => "done",
    };
    Ok(Some((fault, format!("{argument} {said}"))))
}

/// `10`, or `kube-scheduler 10`.
fn slow(args: &[&str]) -> Result<Option<(Fault, String)>, String> {
    let (part, times) = match args {
        [times] => ("kube-apiserver", times),
        [part @ ("kube-apiserver" | "kube-scheduler"), times] => (*part, times),
        _ => return Ok(None),
    };
    let times: u32 = times
        .parse()
        .ok()
        .filter(|times| *times >= 1)
        .ok_or_else(|| format!("\"{times}\" is no whole number from 1"))?;
    let fault = if part == "kube-scheduler" {
        Fault::SlowScheduler { times }
    } else {
        Fault::SlowApiServer { times }
    };
    Ok(Some((fault, format!("{part} takes {times} times as long"))))
}

/// The number of the machine with this name: that of `node-3` is 2.
fn node(name: &str, cluster: &Cluster) -> Result<u32, String> {
    cluster.machine_number(name).ok_or_else(|| {
        let nodes = cluster.options().nodes;
        format!("no machine is called \"{name}\"; hint: node-1 to node-{nodes}")
    })
}

/// `pod/web -c app -n shop`, with `pod/` or without.
fn kill(args: &[&str], verb: &str, cluster: &Cluster) -> Result<Option<(Fault, String)>, String> {
    let out_of_memory = match verb {
        "kill" => false,
        "fill-memory" => true,
        _ => return Ok(None),
    };
    let (mut namespace, mut pod, mut container) = ("default", "", "");
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let place = match *word {
            "-n" | "--namespace" => &mut namespace,
            "-c" | "--container" => &mut container,
            name if !name.starts_with('-') && pod.is_empty() => {
                pod = name.strip_prefix("pod/").unwrap_or(name);
                continue;
            }
            _ => return Ok(None),
        };
        match words.next() {
            Some(value) => *place = value,
            None => return Ok(None),
        }
    }
    let running = cluster
        .running_containers(namespace, pod)
        .ok_or_else(|| format!("no machine has a pod \"{pod}\" of namespace \"{namespace}\""))?;
    let meant = running
        .iter()
        .find(|name| container.is_empty() || *name == container);
    let Some(meant) = meant else {
        let names: Vec<&str> = running.iter().map(api::Str::as_str).collect();
        return Err(match (container, names.as_slice()) {
            ("", _) | (_, []) => format!("nothing runs in pod \"{pod}\" at this moment"),
            (name, names) => format!(
                "no container \"{name}\" runs in pod \"{pod}\"; hint: {}",
                names.join(", ")
            ),
        });
    };
    let said = if out_of_memory {
        "runs out of memory"
    } else {
        "killed"
    };
    let said = format!("{meant} of pod/{pod} {said}");
    let fault = Fault::Kill {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container: meant.to_string(),
        out_of_memory,
    };
    Ok(Some((fault, said)))
}

fn controller(name: &str, on: bool) -> Result<Fault, String> {
    let known = Cluster::controllers();
    if known.contains(&name) {
        return Ok(Fault::PauseController {
            controller: name.to_owned(),
            on,
        });
    }
    let whole = format!("{name}-controller");
    if known.contains(&whole.as_str()) {
        return controller(&whole, on);
    }
    Err(format!(
        "no controller is called \"{name}\"; hint: {}",
        known.join(", ")
    ))
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
    let mut out = String::from(
        "Breaks the simulated cluster, and mends it. クラスターを壊したり直したりします。\n\n",
    );
    for (name, takes, english, japanese) in HELP {
        let call = format!("{name} {takes}");
        out.push_str(&format!("  kubenkyo {call:<26} {english} / {japanese}\n"));
    }
    let call = "image FILE";
    out.push_str(&format!(
        "\n  kubenkyo {call:<26} images of your own, described in YAML / YAML でイメージを定義する\n"
    ));
    out
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(line: &str, expected: &Expect) {
        let args: Vec<&str> = line.split_whitespace().collect();
        let cluster = Cluster::new(cluster::Options::default());
        let (fault, done) = run(&args, &cluster);
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
            "slow kube-scheduler 500",
            &expect![[r#"
            0 Some(SlowScheduler { times: 500 })
            kube-scheduler takes 500 times as long
        "#]],
        );
        check(
            "slow kubelet 5",
            &expect![[r#"
            1 None
            kubenkyo: usage: kubenkyo slow [PART] TIMES
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
    fn controllers_pause_by_their_names_with_or_without_the_last_word() {
        check(
            "pause deployment-controller",
            &expect![[r#"
            0 Some(PauseController { controller: "deployment-controller", on: true })
            deployment-controller paused
        "#]],
        );
        check(
            "resume deployment",
            &expect![[r#"
            0 Some(PauseController { controller: "deployment-controller", on: false })
            deployment resumed
        "#]],
        );
        check(
            "enable load-balancer",
            &expect![[r#"
            0 Some(PauseController { controller: "service-lb-controller", on: false })
            load-balancer enabled
        "#]],
        );
        check(
            "disable load-balancer",
            &expect![[r#"
            0 Some(PauseController { controller: "service-lb-controller", on: true })
            load-balancer disabled
        "#]],
        );
        check(
            "enable dashboard",
            &expect![[r#"
                1 None
                kubenkyo: nothing to enable is called "dashboard"; hint: load-balancer, control-plane
            "#]],
        );
        check(
            "pause kubelet",
            &expect![[r#"
                1 None
                kubenkyo: no controller is called "kubelet"; hint: deployment-controller, replicaset-controller, garbage-collector-controller, namespace-controller, node-lifecycle-controller, pod-garbage-collector-controller, serviceaccount-controller, root-ca-certificate-publisher-controller, taint-eviction-controller, statefulset-controller, daemonset-controller, job-controller, endpointslice-controller, endpoints-controller, ttl-after-finished-controller, persistentvolume-binder-controller, persistentvolumeclaim-protection-controller, horizontal-pod-autoscaler-controller, persistentvolume-attach-detach-controller, ephemeral-volume-controller, cronjob-controller, disruption-controller, resourcequota-controller, clusterrole-aggregation-controller, endpointslice-mirroring-controller, replicationcontroller-controller, certificatesigningrequest-approving-controller, certificatesigningrequest-signing-controller, certificatesigningrequest-cleaner-controller, service-lb-controller
            "#]],
        );
    }

    #[test]
    fn killing_asks_for_a_pod_that_runs() {
        check(
            "kill",
            &expect![[r#"
            1 None
            kubenkyo: usage: kubenkyo kill pod/POD
        "#]],
        );
        check(
            "kill pod/web -c",
            &expect![[r#"
            1 None
            kubenkyo: usage: kubenkyo kill pod/POD
        "#]],
        );
        check(
            "kill pod/web",
            &expect![[r#"
            1 None
            kubenkyo: no machine has a pod "web" of namespace "default"
        "#]],
        );
        check(
            "fill-memory pod/web -n shop",
            &expect![[r#"
            1 None
            kubenkyo: no machine has a pod "web" of namespace "shop"
        "#]],
        );
        check(
            "fill-disk pod/web",
            &expect![[r#"
            1 None
            kubenkyo: usage: kubenkyo fill-disk NODE
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
                kubenkyo: unknown command "poweroff"; hint: power-off, power-on, cut-off, reconnect, fill-memory, free-memory, fill-disk, free-disk, kill, stop, start, pause, resume, slow, join, enable, disable
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
                Breaks the simulated cluster, and mends it. クラスターを壊したり直したりします。

                  kubenkyo power-off NODE             the machine loses power / マシンの電源が切れる
                  kubenkyo power-on NODE              power returns, and it boots / 電源が戻り、起動する
                  kubenkyo cut-off NODE               nothing passes between it and the control plane / コントロールプレーンとの通信が切れる
                  kubenkyo reconnect NODE             the connection returns / 通信が戻る
                  kubenkyo fill-memory NODE | pod/POD something takes its memory / メモリを使い切らせる
                  kubenkyo free-memory NODE           that ends / メモリを空ける
                  kubenkyo fill-disk NODE             something fills its disk / ディスクを満杯にする
                  kubenkyo free-disk NODE             that ends / ディスクを空ける
                  kubenkyo kill pod/POD               a container's process is killed (-c NAME, -n NAMESPACE) / コンテナのプロセスを止める
                  kubenkyo stop PART                  kube-scheduler, kube-controller-manager or kube-apiserver stops / 部品を止める
                  kubenkyo start PART                 it starts again / 部品を動かす
                  kubenkyo pause CONTROLLER           deployment-controller, say, takes no work / コントローラーを休ませる
                  kubenkyo resume CONTROLLER          it goes on with what has come in / コントローラーを再開する
                  kubenkyo slow [PART] TIMES          kube-apiserver or kube-scheduler takes so many times as long; 1 is normal / API サーバーやスケジューラーを遅くする
                  kubenkyo join linux | windows       one more machine joins the cluster / マシンを 1 台加える
                  kubenkyo enable load-balancer       Services of type LoadBalancer get an address / LoadBalancer に IP を割り当てる
                  kubenkyo enable control-plane       the control plane becomes a Node, with kubeadm's pods in kube-system / コントロールプレーンも Node にする
                  kubenkyo disable load-balancer      they stay <pending> again / 割り当てをやめる

                  kubenkyo image FILE                 images of your own, described in YAML / YAML でイメージを定義する
            "#]],
        );
    }
}
