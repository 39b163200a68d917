//! Asking a container how it is: what probes find out, and what follows.

use api::Value;
use client::Severity;
use sim::SECOND;

use crate::kubelet::{Alarm, Timer};
use crate::probe::{self, Answer, Kind};
use crate::process::{Process, Server};
use crate::worker::Turn;

impl Turn<'_, '_> {
    /// Sets the first tick of the probes that may ask now.
    pub(crate) fn arm_probes(&mut self, index: u16) {
        let now = self.out.now();
        let container = &self.pod.containers[index as usize];
        let (stamp, is_started) = (container.stamp, container.is_started);
        let kinds: Vec<Kind> = container
            .probes
            .iter()
            .map(|probe| probe.kind)
            .filter(|kind| (*kind == Kind::Startup) != is_started)
            .collect();
        for kind in kinds {
            let spec = self.pod.container_spec(index).get(kind.field());
            let (delay, period) = (probe::initial_delay(spec), probe::period(spec));
            // Ticks begin somewhere in the first second; those before the delay is over are let pass.
            let mut first = self.out.rng.below(SECOND.min(period));
            while first < delay {
                first += period;
            }
            let alarm = Alarm::Probe(index, stamp, kind);
            self.out.wake_at(
                now + first,
                Timer::Pod {
                    id: self.pod.id,
                    alarm,
                },
            );
        }
    }

    /// A probe's tick.
    pub(crate) fn probe(&mut self, index: u16, stamp: u32, kind: Kind) {
        let Some(container) = self.pod.containers.get(index as usize) else {
            return;
        };
        if container.stamp != stamp || !container.is_running() || container.kill_at.is_some() {
            return;
        }
        if kind == Kind::Startup && container.is_started {
            return;
        }
        let spec = self.pod.container_spec(index).get(kind.field()).clone();
        let words = spec.path("exec.command").items();
        if !words.is_empty() {
            let argv = words
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            self.tick_again(index, stamp, kind, &spec);
            let timeout = spec.int("timeoutSeconds").unwrap_or(1);
            return self.exec_probe(index, kind, argv, timeout);
        }
        let answer = self.ask(index, &spec);
        let settles =
            |probe: &probe::Probe| probe.kind == kind && probe.result == Some(answer.is_ok);
        // The same answer for ever needs no further question.
        if !answer.is_final
            || !self.pod.containers[index as usize]
                .probes
                .iter()
                .any(settles)
        {
            self.tick_again(index, stamp, kind, &spec);
        }
        self.probe_answered(index, kind, &answer);
    }

    fn tick_again(&mut self, index: u16, stamp: u32, kind: Kind, spec: &Value) {
        let at = self.out.now() + probe::period(spec);
        let alarm = Alarm::Probe(index, stamp, kind);
        self.out.wake_at(
            at,
            Timer::Pod {
                id: self.pod.id,
                alarm,
            },
        );
    }

    /// What a probe found out.
    pub(crate) fn probe_answered(&mut self, index: u16, kind: Kind, answer: &Answer) {
        if !self.pod.containers[index as usize].is_running() {
            return;
        }
        let spec = self.pod.container_spec(index).get(kind.field()).clone();
        if !answer.is_ok {
            let about = self.pod.about_container(index);
            let message = format!("{} probe failed: {}", kind.word(), answer.output);
            self.host
                .tell(&about, Severity::Warning, "Unhealthy", message, self.out);
        }
        let container = &mut self.pod.containers[index as usize];
        let Some(probe) = container.probes.iter_mut().find(|probe| probe.kind == kind) else {
            return;
        };
        if !probe.learn(answer.is_ok, &spec) {
            return;
        }
        match (kind, answer.is_ok) {
            (Kind::Readiness, is_ok) => container.is_ready = is_ok && container.is_started,
            (Kind::Startup, true) => {
                container.is_started = true;
                container.is_ready = !container.probes.iter().any(|p| p.kind == Kind::Readiness);
                self.arm_probes(index);
            }
            _ => {}
        }
        self.sync();
    }

    fn ask(&mut self, index: u16, spec: &Value) -> Answer {
        let container = &self.pod.container_spec(index).clone();
        let process = self.pod.containers[index as usize].process.clone();
        let process = process.as_deref();
        let address = match self.pod.address {
            Some(number) if !self.pod.spec().bool("hostNetwork") => {
                self.host.machine.pod_address(number)
            }
            _ => self.host.machine.address(),
        };
        let ok = |is_final| Answer {
            is_ok: true,
            output: String::new(),
            is_final,
        };
        let not = |output: String, is_final| Answer {
            is_ok: false,
            output,
            is_final,
        };
        for (handler, scheme) in [("httpGet", "http"), ("tcpSocket", ""), ("grpc", "")] {
            let handler_spec = spec.get(handler);
            if !handler_spec.is_map() {
                continue;
            }
            let Some(port) = probe::port(handler_spec, container) else {
                return not(
                    format!("couldn't find port: {:?}", handler_spec.str("port")),
                    false,
                );
            };
            let (listens, kind, since) = match process {
                Some(Process::Server {
                    ports, kind, since, ..
                }) => (ports.contains(&port), *kind, *since),
                Some(Process::Inside { ports }) => {
                    (ports.contains(&port), Server::Plain, self.out.now())
                }
                _ => (false, Server::Plain, self.out.now()),
            };
            if !listens {
                let refused = format!("dial tcp {address}:{port}: connect: connection refused");
                return match handler {
                    "httpGet" => {
                        let scheme = match handler_spec.str("scheme") {
                            "HTTPS" => "https",
                            _ => scheme,
                        };
                        let host = match handler_spec.str("host") {
                            "" => address.as_str(),
                            host => host,
                        };
                        let path = handler_spec.str("path");
                        let slash = if path.starts_with('/') { "" } else { "/" };
                        not(
                            format!("Get \"{scheme}://{host}:{port}{slash}{path}\": {refused}"),
                            false,
                        )
                    }
                    "grpc" => not(
                        format!(
                            "timeout: failed to connect service \"{address}:{port}\" within 1s: context deadline exceeded"
                        ),
                        false,
                    ),
                    _ => not(refused, false),
                };
            }
            if handler == "httpGet" && !self.has_document(index, handler_spec.str("path")) {
                return not("HTTP probe failed with statuscode: 404".to_owned(), false);
            }
            if kind == Server::FailsAfterTenSecs && handler == "httpGet" {
                return if self.out.now().since(since) > 10 * SECOND {
                    not("HTTP probe failed with statuscode: 500".to_owned(), true)
                } else {
                    ok(false)
                };
            }
            return ok(true);
        }
        ok(true)
    }

    /// Whether a web server that serves files has one for this path; other servers answer every path.
    fn has_document(&mut self, index: u16, path: &str) -> bool {
        let Some(image) = self.image(index) else {
            return true;
        };
        let Some(root) = image.document_root else {
            return true;
        };
        let path = path
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .trim_start_matches('/');
        let file = if path.is_empty() || path.ends_with('/') {
            format!("{root}/{path}index.html")
        } else {
            format!("{root}/{path}")
        };
        let spec = self.pod.container_spec(index);
        let is_covered = spec.get("volumeMounts").items().iter().any(|mount| {
            let at = mount.str("mountPath");
            file.starts_with(at) || at.starts_with("/etc/")
        });
        if !is_covered && self.pod.containers[index as usize].inside.is_none() {
            return image.files.iter().any(|(known, _)| *known == file);
        }
        // Its configuration may say anything: only what is in a mounted document root is judged.
        if spec
            .get("volumeMounts")
            .items()
            .iter()
            .any(|mount| mount.str("mountPath").starts_with("/etc/"))
        {
            return true;
        }
        self.open_inside(index, &image);
        self.has_program(index, &file)
    }
}
