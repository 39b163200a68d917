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
        let answer = self.ask(index, &spec);
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
        let is_news = probe.learn(answer.is_ok, &spec);
        let is_settled = answer.is_final && probe.result == Some(answer.is_ok);
        if !is_settled {
            let at = self.out.now() + probe::period(&spec);
            let alarm = Alarm::Probe(index, stamp, kind);
            self.out.wake_at(
                at,
                Timer::Pod {
                    id: self.pod.id,
                    alarm,
                },
            );
        }
        if !is_news {
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

    fn ask(&self, index: u16, spec: &Value) -> Answer {
        let container = self.pod.container_spec(index);
        let process = self.pod.containers[index as usize].process.as_deref();
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
}
