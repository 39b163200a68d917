//! Calls to the API server itself: from containers, which it knows by their tokens, and from those outside.

use api::note::Key;
use api::{Part, RequestId, Status, Value};
use apiserver::{Caller, Reply};
use network::{Answer, Call, Payload};
use sim::{MILLI, NoteId};

use crate::Cluster;
use crate::proxied::proxied;
use crate::traffic::{API_SERVER, Asker, HOST_OF_API_SERVER, INSIDER, Source};

impl Cluster {
    /// A call to the API server as the administrator (`kubectl proxy`); the paths that end in `proxy` lead on to pods.
    pub fn call_api(&mut self, (number, exchange): (u32, u64), call: &Call, cause: NoteId) {
        let Payload::Http { request, .. } = &call.payload else {
            let ticket = self.open_ticket(
                Asker::Client { number, exchange },
                Key::new("apiserver", "", "kube-apiserver"),
                None,
                call,
                cause,
            );
            return self.answered(ticket, Answer::Reset, 0);
        };
        let (_, _, path) = posix::split_url(&request.url);
        if let Some(proxied) = proxied(&path) {
            let asker = Asker::Client { number, exchange };
            return self.call_proxied(asker, &proxied, request, call, cause);
        }
        let user = Caller::component(Part::Client(0)).user;
        let ticket = self.open_ticket(
            Asker::Client { number, exchange },
            Key::new("apiserver", "", "kube-apiserver"),
            None,
            call,
            cause,
        );
        let answer = if self.faults.is_down(Part::ApiServer) {
            Answer::text(
                502,
                "error trying to reach service: dial tcp 127.0.0.1:6443: connect: connection refused\n",
            )
        } else {
            self.serve_http(request, user, cause)
        };
        self.answered(ticket, answer, 3 * MILLI);
    }

    /// The API server answers a request from inside the cluster as it answers any.
    pub(crate) fn ask_api_server(&mut self, call: &Call, source: &Source) -> Answer {
        let Payload::Http { request, tls } = &call.payload else {
            return if matches!(call.payload, Payload::Bytes(_)) {
                Answer::Bytes(Vec::new())
            } else {
                Answer::Dropped
            };
        };
        if self.faults.is_down(Part::ApiServer) {
            return Answer::Refused;
        }
        if !tls {
            return Answer::text(400, "Client sent an HTTP request to an HTTPS server.\n");
        }
        let is_trusted =
            request.insecure || request.extra.iter().any(|option| option.starts_with("c:"));
        if !is_trusted {
            return Answer::Tls(
                "SSL certificate problem: unable to get local issuer certificate".to_owned(),
            );
        }
        let token = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let token = token
            .and_then(|(_, value)| value.strip_prefix("Bearer "))
            .map(|t| t.trim().to_owned());
        let user = match &token {
            None => apiserver::User {
                name: "system:anonymous".into(),
                groups: vec!["system:unauthenticated".into()],
                ..apiserver::User::default()
            },
            Some(token) => match self.user_of_token(token, source) {
                Some(user) => user,
                None => return failure(&Status::new(401, "Unauthorized", "Unauthorized")),
            },
        };
        self.serve_http(request, user, source.cause)
    }

    /// The API server's answer over HTTP.
    pub(crate) fn serve_http(
        &mut self,
        request: &posix::HttpRequest,
        user: apiserver::User,
        cause: NoteId,
    ) -> Answer {
        let (_, _, path_and_query) = posix::split_url(&request.url);
        let http = apiserver::http::HttpRequest {
            method: request.method.clone(),
            path_and_query,
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        let parsed = match apiserver::http::parse(&http) {
            Ok(parsed) => parsed,
            Err(status) => return failure(&status),
        };
        let caller = Caller {
            part: INSIDER,
            user,
        };
        let id = RequestId(self.network.ticket());
        let reply = self.server.handle(self.now, &caller, id, &parsed.request);
        self.audit(&caller, id, &parsed.request, &reply, cause);
        self.tell_watchers(cause);
        let reply = match reply {
            Reply::Extension { request } if request.subresource.is_empty() => {
                Reply::Done(self.metrics(&request))
            }
            reply => reply,
        };
        match reply {
            Reply::Done(response) => {
                let encoded = apiserver::http::encode(&parsed.request, parsed.accept, &response);
                Answer::Http {
                    status: encoded.status,
                    reason: network::reason(encoded.status).to_owned(),
                    headers: encoded.headers,
                    body: pretty(&http, encoded.body),
                }
            }
            Reply::Watching => {
                self.server.cancel(INSIDER, id);
                Answer::page(200, "application/json", "")
            }
            Reply::Proxy { .. } | Reply::Extension { .. } => failure(&Status::new(
                501,
                "NotImplemented",
                "streams from inside a pod are not simulated",
            )),
        }
    }

    /// Who shows a token: one that the API server signed, or one that a kubelet put into the pod that shows it.
    pub(crate) fn user_of_token(&self, token: &str, source: &Source) -> Option<apiserver::User> {
        if let Some(user) = self.server.account_of_token(self.now, token) {
            return Some(user);
        }
        let pod = source.pod.as_ref()?;
        let namespace = pod.get("metadata").shared_str("namespace");
        let account = pod.get("spec").shared_str("serviceAccountName");
        let is_own = node::is_token_of(token, &namespace, &account, pod.get("metadata").str("uid"));
        is_own.then(|| apiserver::User {
            name: format!("system:serviceaccount:{namespace}:{account}").into(),
            groups: vec![
                "system:serviceaccounts".into(),
                format!("system:serviceaccounts:{namespace}").into(),
                "system:authenticated".into(),
            ],
            ..apiserver::User::default()
        })
    }
}

pub(crate) fn is_api_server(call: &Call, via: Option<&network::ServiceKey>) -> bool {
    let is_service =
        via.is_some_and(|(namespace, name)| namespace == "default" && name == "kubernetes");
    call.port == 443 && (is_service || call.to == API_SERVER)
        || call.port == 6443 && call.to == HOST_OF_API_SERVER
}

/// The API server indents its JSON for curl and wget.
pub(crate) fn pretty(http: &apiserver::http::HttpRequest, body: Vec<u8>) -> Vec<u8> {
    let agent = http.header("user-agent").unwrap_or_default();
    if !agent.starts_with("curl") && !agent.starts_with("Wget") {
        return body;
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    match Value::from_json(&text) {
        Ok(value) => value.to_pretty_json().into_bytes(),
        Err(_) => body,
    }
}

pub(crate) fn failure(status: &Status) -> Answer {
    Answer::page(
        status.0.code,
        "application/json",
        status.to_value().to_json() + "\n",
    )
}
