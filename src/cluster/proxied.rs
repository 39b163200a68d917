//! The API server asks in a client's place: the `proxy` of pods and services.
//!
//! By `kubectl proxy` and curl, or as a request of its own ([`Cluster::lead_on`]), whose answer is what came back over the
//! pod network. Links in pages are not rewritten, and bytes that are no text do not survive. Models
//! `registry/core/{pod,service}/rest` and `apimachinery/pkg/util/proxy` at v1.36.

use std::net::Ipv4Addr;

use api::note::Key;
use api::{Arrival, Body, Part, Request, RequestId, Response, Status, Str, Value};
use apiserver::Place;
use network::{Answer, Call, Payload, Protocol};
use sim::{MILLI, NoteId, SECOND};

use crate::Cluster;
use crate::api_calls::failure;
use crate::traffic::{Asker, GATEWAY, Source};

/// A server that says nothing for so long is given up.
const PATIENCE: u64 = 30 * SECOND;

/// A path of the API server that leads on to a pod or service.
pub(crate) struct Proxied<'a> {
    namespace: &'a str,
    is_pod: bool,
    place: Place<'a>,
    path: String,
}

/// `/api/v1/namespaces/NS/pods/[https:]NAME[:PORT]/proxy/PATH`
pub(crate) fn proxied(path: &str) -> Option<Proxied<'_>> {
    let rest = path.strip_prefix("/api/v1/namespaces/")?;
    let mut parts = rest.splitn(5, '/');
    let (namespace, kind, named) = (parts.next()?, parts.next()?, parts.next()?);
    let is_pod = match kind {
        "pods" => true,
        "services" => false,
        _ => return None,
    };
    if parts.next()? != "proxy" {
        return None;
    }
    let place = Place::of(named)?;
    let path = format!("/{}", parts.next().unwrap_or_default());
    Some(Proxied {
        namespace,
        is_pod,
        place,
        path,
    })
}

impl Cluster {
    /// A request that the API server has let pass, for a pod or service.
    pub(crate) fn lead_on(&mut self, from: Part, id: RequestId, request: &Request, cause: NoteId) {
        let path = request.options.query.iter().find(|(key, _)| key == "path");
        let Some(place) = Place::of(&request.name) else {
            return;
        };
        let to = Proxied {
            namespace: &request.namespace,
            is_pod: request.resource.plural == *"pods",
            place,
            path: path.map_or("/", |(_, path)| path.as_str()).to_owned(),
        };
        let (body, media) = match &request.body {
            Body::Raw(bytes, media) => (bytes.to_vec(), media.as_str()),
            _ => (Vec::new(), ""),
        };
        let agent = ("User-Agent", request.options.user_agent.as_str());
        let mut headers = vec![agent, ("Content-Type", media), ("Accept", "*/*")];
        headers.retain(|(_, value)| !value.is_empty());
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let http = posix::HttpRequest {
            method: request.method().to_owned(),
            url: String::new(),
            headers: headers.into_iter().map(owned).collect(),
            body,
            insecure: true,
            timeout_micros: None,
            connect_timeout_micros: None,
            extra: Vec::new(),
        };
        let call = Call {
            to: Ipv4Addr::UNSPECIFIED,
            port: 80,
            protocol: Protocol::Tcp,
            payload: Payload::Bytes(Vec::new()),
            patience: PATIENCE,
        };
        self.call_proxied(Asker::Request { from, id }, &to, &http, &call, cause);
    }

    /// What came back goes to who asked.
    pub(crate) fn lead_back(&mut self, from: Part, id: RequestId, answer: Answer, cause: NoteId) {
        let unreachable = |why: &str| {
            let why = format!("error trying to reach service: {why}");
            Status::new(503, "ServiceUnavailable", why).into_response()
        };
        let response = match answer {
            Answer::Http {
                status,
                headers,
                body,
                ..
            } => {
                let is_type =
                    |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
                let media = headers.iter().find(is_type);
                let text = String::from_utf8_lossy(&body).into_owned();
                Response {
                    code: status,
                    body: Value::from(text),
                    media: media.map_or(Str::EMPTY, |(_, media)| Str::new(media)),
                    ..Response::ok(Value::Null)
                }
            }
            Answer::Refused => unreachable("connect: connection refused"),
            Answer::Dropped => unreachable("i/o timeout"),
            Answer::Unreachable => unreachable("connect: no route to host"),
            Answer::Tls(why) => unreachable(&why),
            _ => unreachable("EOF"),
        };
        self.answer(from, id, Arrival::Response(response), 0, cause);
    }

    /// `…/pods/NAME:PORT/proxy/PATH` and `…/services/…`: the API server asks in the client's place.
    pub(crate) fn call_proxied(
        &mut self,
        asker: Asker,
        to: &Proxied<'_>,
        request: &posix::HttpRequest,
        call: &Call,
        cause: NoteId,
    ) {
        let mut request = request.clone();
        request.url = format!("http://{}{}", to.place.name, to.path);
        let call = Call {
            payload: Payload::Http {
                request,
                tls: to.place.is_tls,
            },
            ..call.clone()
        };
        if to.is_pod {
            let declared = self.kubelets.iter().find_map(|host| {
                let pod = host.component.pod(to.namespace, to.place.name)?;
                let ports = pod
                    .spec()
                    .get("containers")
                    .items()
                    .iter()
                    .flat_map(|c| c.get("ports").items());
                let mut numbers = ports
                    .filter(|p| to.place.port.is_empty() || p.str("name") == to.place.port)
                    .filter_map(|p| p.int("containerPort"));
                numbers.next().and_then(|n| u16::try_from(n).ok())
            });
            let port = to.place.port.parse().ok().or(declared).unwrap_or(80);
            return self.call_pod_for(
                asker,
                to.namespace,
                to.place.name,
                Call { port, ..call },
                cause,
            );
        }
        let tables = self.network.proxy.component.tables();
        let key = (Str::new(to.namespace), Str::new(to.place.name));
        let ports = tables
            .service(to.namespace, to.place.name)
            .map_or(Value::Null, |s| s.path("spec.ports").clone());
        let wanted = ports.items().iter().find(|port| {
            to.place.port.is_empty()
                || port.str("name") == to.place.port
                || to.place.port.parse() == Ok(port.int("port").unwrap_or(0))
        });
        let rows = tables.endpoints(&key);
        let ready: Vec<_> = rows
            .iter()
            .filter(|row| {
                row.is_ready && wanted.is_some_and(|p| p.str("name") == row.port_name.as_str())
            })
            .collect();
        if ready.is_empty() {
            let (code, reason, why) = match wanted {
                None => (
                    404,
                    "NotFound",
                    format!("services \"{}\" not found", to.place.name),
                ),
                Some(_) => (
                    503,
                    "ServiceUnavailable",
                    format!("no endpoints available for service \"{}\"", to.place.name),
                ),
            };
            let ticket = self.open_ticket(
                asker,
                Key::new("services", Str::new(to.namespace), Str::new(to.place.name)),
                None,
                &call,
                cause,
            );
            return self.answered(ticket, failure(&Status::new(code, reason, why)), MILLI);
        }
        let chosen = ready[self.network.rng.below(ready.len() as u64) as usize];
        let call = Call {
            to: chosen.address,
            port: chosen.port,
            ..call
        };
        let source = Source {
            asker,
            address: GATEWAY,
            node: 0,
            pod: None,
            cause,
        };
        self.launch(source, call);
    }
}
