//! Requests that the API server passes on to the kubelet: logs and exec.
//!
//! Models `pkg/kubelet/server` and `kuberuntime/logs`.

use api::{Frame, Request, Response, Status, Str, Value};
use client::Outbox;
use sim::{SECOND, Time};

use crate::kubelet::{Kubelet, Timer};
use crate::log::{Excerpt, Log};
use crate::pod::{PodId, Run};
use crate::process::Process;
use crate::worker::Turn;

/// Someone who reads a log as it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    pub stream: u64,
    pub index: u16,
    pub timestamps: bool,
    /// It is attached: it gets what is written as it comes, not the lines of the log.
    pub is_attached: bool,
    /// It shows what it gets on a real terminal.
    pub is_terminal: bool,
}

/// What a session gets on standard input.
pub(crate) struct Input {
    pub(crate) text: Str,
    /// Nothing follows.
    pub(crate) is_all: bool,
    pub(crate) is_tty: bool,
    /// It comes key by key from a real terminal.
    pub(crate) is_keys: bool,
}

impl Input {
    fn of(query: &impl Fn(&str) -> Str) -> Input {
        let text = query("input");
        Input {
            is_all: !text.is_empty(),
            is_tty: query("tty") == "true",
            is_keys: query("keys") == "true",
            text,
        }
    }
}

impl Kubelet {
    /// A request for a pod of this node; answered by frames of `stream`.
    pub fn serve(&mut self, stream: u64, request: &Request, out: &mut Outbox<'_, Timer>) {
        let query = |name: &str| {
            let found = request.options.query.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let Some(id) = self.id_of_name(&request.namespace, &request.name) else {
            let message = format!("pods \"{}\" not found", request.name);
            let status = Status::new(404, "NotFound", message);
            return out.frame(stream, Frame::Response(status.into_response()));
        };
        let container = query("container");
        let words: Vec<String> = request
            .options
            .query
            .iter()
            .filter(|(key, _)| key == "command")
            .map(|(_, word)| word.to_string())
            .collect();
        self.turn(id, out, |turn| {
            let index = match container.as_str() {
                "" => turn.pod.main_range().start,
                name => match turn.pod.index_of(name) {
                    Some(index) => index,
                    None => {
                        let message =
                            format!("container {name} is not valid for pod {}", request.name);
                        let status = Status::bad_request(message);
                        return turn
                            .out
                            .frame(stream, Frame::Response(status.into_response()));
                    }
                },
            };
            match request.subresource.as_str() {
                "log" => turn.log(stream, index, &query),
                "exec" => {
                    let input = (query("stdin") == "true").then(|| Input::of(&query));
                    turn.exec(stream, index, words, input);
                }
                "attach" => {
                    let input = (query("stdin") == "true").then(|| Input::of(&query));
                    let keys = query("keys") == "true";
                    turn.attach(stream, index, query("stdout") != "false", input, keys);
                }
                "portforward" => turn.forward(stream),
                other => {
                    let message = format!("{other} is not simulated on nodes");
                    let status = Status::new(501, "NotImplemented", message);
                    turn.out
                        .frame(stream, Frame::Response(status.into_response()));
                }
            }
        });
    }

    /// More of what somebody types into the exec or attach session `stream`.
    /// True if there is one.
    pub fn feed(&mut self, stream: u64, bytes: &[u8], out: &mut Outbox<'_, Timer>) -> bool {
        let mut is_taken = false;
        let ids: Vec<PodId> = self.pod_ids().collect();
        for id in ids {
            self.turn(id, out, |turn| {
                let reader = turn.pod.containers.iter().position(|container| {
                    container
                        .inside
                        .as_ref()
                        .is_some_and(|inside| inside.reads(stream))
                });
                if let Some(index) = reader {
                    is_taken = true;
                    turn.feed_inside(index as u16, stream, bytes, false);
                }
            });
        }
        is_taken
    }

    /// Whether somebody in a container waits for what is typed into `stream`.
    pub fn awaits(&self, stream: u64) -> bool {
        self.pods().any(|pod| {
            let mut insides = pod.containers.iter().filter_map(|c| c.inside.as_ref());
            insides.any(|inside| inside.awaits(stream))
        })
    }

    /// A client sends something on a stream.
    pub fn input(&mut self, stream: u64, input: &api::Input, out: &mut Outbox<'_, Timer>) {
        let Some(id) = self.pod_of_stream(stream) else {
            return;
        };
        self.turn(id, out, |turn| turn.input(stream, input));
    }

    /// Whoever listened to `stream` went away.
    pub fn hang_up(&mut self, stream: u64, out: &mut Outbox<'_, Timer>) {
        let ids: Vec<PodId> = self.pod_ids().collect();
        for id in ids {
            self.turn(id, out, |turn| {
                turn.pod
                    .followers
                    .retain(|follower| follower.stream != stream);
                for container in &mut turn.pod.containers {
                    if let Some(inside) = &mut container.inside {
                        inside.close(stream);
                    }
                }
            });
        }
    }
}

impl Turn<'_, '_> {
    fn input(&mut self, stream: u64, input: &api::Input) {
        let attached = self
            .pod
            .followers
            .iter()
            .find(|follower| follower.stream == stream && follower.is_attached)
            .map(|follower| follower.index);
        let exec = self.pod.containers.iter().position(|container| {
            let inside = container.inside.as_ref();
            inside.is_some_and(|inside| inside.has_session(stream))
        });
        let (index, is_attached) = match (attached, exec) {
            (Some(index), _) => (index, true),
            (None, Some(index)) => (index as u16, false),
            (None, None) => return,
        };
        let container = &mut self.pod.containers[index as usize];
        let Some(inside) = &mut container.inside else {
            return;
        };
        let echo = if is_attached {
            inside.main_input(input)
        } else {
            inside.input(stream, input)
        };
        if !echo.is_empty() {
            self.out.frame(stream, Frame::output(1, &echo));
        }
        self.run_inside(index);
    }

    fn log(&mut self, stream: u64, index: u16, query: &impl Fn(&str) -> Str) {
        let container = &self.pod.containers[index as usize];
        let name = self.pod.container_spec(index).shared_str("name");
        let pod = self.pod.name();
        let refuse =
            |message: String| Frame::Response(Status::bad_request(message).into_response());
        let wants_previous = query("previous") == "true";
        if wants_previous && container.last.is_none() {
            let message =
                format!("previous terminated container \"{name}\" in pod \"{pod}\" not found");
            return self.out.frame(stream, refuse(message));
        }
        if !wants_previous && matches!(container.run, Run::None) && container.last.is_none() {
            let message = match &container.waiting {
                Some(why)
                    if matches!(
                        why.0.as_str(),
                        "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName"
                    ) =>
                {
                    let why = if why.0 == "ErrImagePull" {
                        "image can't be pulled"
                    } else {
                        "trying and failing to pull image"
                    };
                    format!("container \"{name}\" in pod \"{pod}\" is waiting to start: {why}")
                }
                Some(why) => format!(
                    "container \"{name}\" in pod \"{pod}\" is waiting to start: {}",
                    why.0
                ),
                None if self.pod.init_count > 0 => {
                    format!(
                        "container \"{name}\" in pod \"{pod}\" is waiting to start: PodInitializing"
                    )
                }
                None => format!(
                    "container \"{name}\" in pod \"{pod}\" is waiting to start: ContainerCreating"
                ),
            };
            return self.out.frame(stream, refuse(message));
        }
        let number = |name: &str| query(name).parse::<usize>().ok();
        let now = self.out.now();
        let since_secs = number("sinceSeconds").map(|secs| now - secs as u64 * SECOND);
        let excerpt = Excerpt {
            tail: number("tailLines"),
            since: since_secs.or_else(|| Time::parse_rfc3339(&query("sinceTime"))),
            timestamps: query("timestamps") == "true",
            limit_bytes: number("limitBytes"),
        };
        let text = match (wants_previous, &container.last_log, &container.log) {
            (true, Some(log), _) | (false, _, Some(log)) => log.read(&excerpt),
            (true, None, _) => String::new(),
            (false, _, None) => self.start_log(index).read(&excerpt),
        };
        let is_running = self.pod.containers[index as usize].is_running();
        if query("follow") != "true" {
            return self
                .out
                .frame(stream, Frame::Response(Response::ok(Value::from(text))));
        }
        self.out.frame(stream, Frame::Opened);
        if !text.is_empty() {
            self.out.frame(
                stream,
                Frame::Data {
                    channel: 1,
                    text: text.into(),
                },
            );
        }
        if is_running && !wants_previous {
            let timestamps = excerpt.timestamps;
            self.pod.followers.push(Follower {
                stream,
                index,
                timestamps,
                is_attached: false,
                is_terminal: false,
            });
        } else {
            self.out.frame(stream, Frame::End { exit_code: 0 });
        }
    }

    /// What a server wrote when it started; not kept, because it is always the same.
    pub(crate) fn start_log(&self, index: u16) -> Log {
        let mut log = Log::default();
        let container = &self.pod.containers[index as usize];
        if let (Some(Process::Server { since, .. }), Some(image)) =
            (container.process.as_deref(), self.image(index))
        {
            let own = image.custom.iter().flat_map(|custom| custom.log.iter());
            let lines = image
                .start_log
                .iter()
                .copied()
                .chain(own.map(String::as_str));
            for (at, line) in lines.enumerate() {
                log.write(
                    *since + at as u64 * 2_000,
                    1,
                    format!("{line}\n").as_bytes(),
                );
            }
        }
        log
    }

    /// Opens the way to the pod's ports; what passes goes over the network.
    fn forward(&mut self, stream: u64) {
        let has_sandbox = self.pod.containers.iter().any(|c| c.is_running());
        if has_sandbox {
            return self.out.frame(stream, Frame::Opened);
        }
        let message = format!("pod {} is not running", self.pod.name());
        let status = Status::new(500, "InternalError", message);
        self.out
            .frame(stream, Frame::Response(status.into_response()));
    }

    fn attach(
        &mut self,
        stream: u64,
        index: u16,
        wants_output: bool,
        input: Option<Input>,
        keys: bool,
    ) {
        if !self.pod.containers[index as usize].is_running() {
            return self.out.frame(stream, Frame::End { exit_code: 0 });
        }
        self.out.frame(stream, Frame::Opened);
        if wants_output {
            self.pod.followers.push(Follower {
                stream,
                index,
                timestamps: false,
                is_attached: true,
                is_terminal: keys,
            });
        }
        if let Some(input) = input {
            if let Some(inside) = &mut self.pod.containers[index as usize].inside {
                inside.attach(stream);
            }
            self.feed_inside(index, stream, input.text.as_bytes(), input.is_all);
        }
    }

    /// The container has ended: so has what was read from it.
    pub(crate) fn end_followers(&mut self, index: u16) {
        let (ended, rest) = std::mem::take(&mut self.pod.followers)
            .into_iter()
            .partition::<Vec<_>, _>(|follower| follower.index == index);
        self.pod.followers = rest;
        for follower in ended {
            self.out.frame(follower.stream, Frame::End { exit_code: 0 });
        }
    }
}
