//! One HTTP request: who asks, what is asked, and the answer on its way back.
//!
//! Models the filters around a real server's handlers: authentication, limits, compression, headers of every answer.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use api::{Arrival, Status, Verb};
use apiserver::User;
use apiserver::http::{self, HttpRequest, HttpResponse, Parsed};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use tokio::sync::Semaphore;

use crate::answer::{Answer, Piece, text_of};
use crate::engine::{Engine, Who};
use crate::gnostic;
use crate::identity::Identity;
use crate::protobuf;
use crate::remote::Wants;
use crate::upgrade::Upgrade;

/// One byte more than the largest body that is read: the API server refuses it with its own words.
const BODY: usize = 3 * 1024 * 1024 + 1;
/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(60);
/// Requests at a time besides watches and streams (`--max-requests-inflight` and its mutating sister), and how long
/// others wait for their turn.
const IN_FLIGHT: usize = 600;
const PATIENCE: Duration = Duration::from_secs(15);
/// Answers from this size on are compressed for those who understand it (`endpoints/handlers/responsewriters`).
const COMPRESSED: usize = 128 * 1024;

pub(crate) struct Front {
    engine: Engine,
    pub(crate) identity: Arc<Identity>,
    turns: Semaphore,
}

/// Who is at the other end of a connection.
pub(crate) struct Peer {
    /// By certificate: nobody in particular, somebody, or a certificate that proves nothing.
    pub(crate) user: Result<Option<User>, ()>,
}

impl Front {
    pub(crate) fn new(engine: Engine, identity: Arc<Identity>) -> Front {
        Front {
            engine,
            identity,
            turns: Semaphore::new(IN_FLIGHT),
        }
    }

    pub(crate) async fn answer(
        &self,
        peer: &Peer,
        mut request: Request<Incoming>,
    ) -> Result<Response<Answer>, Infallible> {
        let connection = request
            .headers()
            .contains_key(hyper::header::UPGRADE)
            .then(|| hyper::upgrade::on(&mut request));
        let (head, body) = request.into_parts();
        let mut http = HttpRequest {
            method: head.method.as_str().to_owned(),
            path_and_query: head
                .uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned()),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.as_str().to_owned(), value)
                })
                .collect(),
            body: Vec::new(),
        };
        let response = match who(peer, &http) {
            Err(status) => refusal(&status),
            Ok(who) => match read(body).await {
                Ok(bytes) => {
                    http.body = bytes;
                    match plain(&mut http) {
                        Ok(()) => self.ask(who, &http, connection).await,
                        Err(status) => refusal(&status),
                    }
                }
                Err(status) => refusal(&status),
            },
        };
        Ok(response)
    }

    async fn ask(
        &self,
        who: Who,
        http: &HttpRequest,
        connection: Option<OnUpgrade>,
    ) -> Response<Answer> {
        // One document that old clients take in no other form.
        let wants_gnostic = http.path_and_query.starts_with("/openapi/v2")
            && http.header("accept").is_some_and(gnostic::is_wanted);
        let mut plain = None;
        if wants_gnostic {
            let plain = plain.insert(http.clone());
            plain.headers.retain(|(name, _)| name != "accept");
        }
        let mut parsed = match http::parse(plain.as_ref().unwrap_or(http)) {
            Ok(parsed) => parsed,
            Err(status) => return refusal(&status),
        };
        let upgrade = match Upgrade::of(http, &parsed) {
            Ok(upgrade) => upgrade.zip(connection),
            Err(status) => return refusal(&status),
        };
        if upgrade.is_some() && Wants::of(&parsed.request).tty {
            // The terminal at the other end sends keys and wants to see them.
            let keys = ("keys".into(), "true".into());
            parsed.request.options.query.push(keys);
        }
        let is_long = parsed.request.verb == Verb::Watch || parsed.request.subresource == *"log";
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let Ok(Ok(turn)) = turn else {
            let busy = "Too many requests, please try again later.";
            return refusal(&Status::too_many_requests(busy, 1));
        };
        let mut asked = self.engine.ask(who, parsed.request.clone());
        let Some(first) = asked.answers.recv().await else {
            let gone = Status::new(503, "ServiceUnavailable", "the cluster has ended");
            return refusal(&gone);
        };
        if is_long {
            drop(turn);
        }
        match first {
            Arrival::Response(response) if wants_gnostic && response.code == 200 => {
                let document = response.body;
                // The document takes a moment; others need not wait for it.
                let body = tokio::task::spawn_blocking(move || gnostic::encode(&document)).await;
                let Ok(body) = body else {
                    let failed = "the document could not be encoded";
                    return refusal(&Status::new(500, "InternalError", failed));
                };
                let answer = HttpResponse {
                    status: 200,
                    headers: vec![("content-type".to_owned(), gnostic::MEDIA.to_owned())],
                    body,
                };
                whole(compressed(http, answer))
            }
            Arrival::Response(response) if !(response.code == 200 && response.body.is_null()) => {
                let answer = http::encode(&parsed.request, parsed.accept, &response);
                whole(compressed(http, answer))
            }
            first => match upgrade {
                Some((upgrade, connection)) => {
                    let mut response = Response::new(Answer::Whole(None));
                    set_head(&mut response, 101, upgrade.headers());
                    tokio::spawn(upgrade.serve(connection, parsed, asked, first));
                    response
                }
                None if is_command(&parsed) => {
                    refusal(&Status::bad_request("Upgrade request required"))
                }
                None => streamed(&parsed, text_of(first), asked),
            },
        }
    }
}

/// Who asks: a token comes before the connection's certificate, as in a real server's union of authenticators only if
/// the certificate names nobody.
fn who(peer: &Peer, http: &HttpRequest) -> Result<Who, Status> {
    if let Ok(Some(user)) = &peer.user {
        return Ok(Who::User(user.clone()));
    }
    let bearer = http
        .header("authorization")
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    match bearer {
        Some(token) if !token.is_empty() => Ok(Who::Token(token.to_owned())),
        _ if peer.user.is_err() => Err(Status::new(401, "Unauthorized", "Unauthorized")),
        _ => Ok(Who::User(User::anonymous())),
    }
}

/// Makes JSON of a body in protobuf.
fn plain(http: &mut HttpRequest) -> Result<(), Status> {
    let is_protobuf = http
        .header("content-type")
        .is_some_and(|text| text.starts_with("application/vnd.kubernetes.protobuf"));
    if !is_protobuf {
        return Ok(());
    }
    if !http.body.is_empty() {
        let object =
            protobuf::decode(&http.body).map_err(|why| Status::bad_request(why.to_string()))?;
        http.body = object.to_json().into_bytes();
    }
    for (name, value) in &mut http.headers {
        if name.eq_ignore_ascii_case("content-type") {
            "application/json".clone_into(value);
        }
    }
    Ok(())
}

/// The body, or as much of it as it takes to see that it is too large.
async fn read(body: Incoming) -> Result<Vec<u8>, Status> {
    let collected = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(why)) if why.is::<http_body_util::LengthLimitError>() => Err(Status::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: limit is {}", BODY - 1),
        )),
        Ok(Err(_)) => Err(Status::bad_request("unexpected EOF")),
        Err(_) => Err(Status::new(
            408,
            "Timeout",
            "the body did not arrive in time",
        )),
    }
}

fn refusal(status: &Status) -> Response<Answer> {
    let response = status.clone().into_response();
    whole(http::encode(
        &api::Request::default(),
        http::Media::Json,
        &response,
    ))
}

fn whole(answer: HttpResponse) -> Response<Answer> {
    let mut response = Response::new(Answer::of(answer.body));
    set_head(&mut response, answer.status, answer.headers);
    response
}

/// Whether only an upgraded connection makes sense of the answer.
fn is_command(parsed: &Parsed) -> bool {
    matches!(
        parsed.request.subresource.as_str(),
        "exec" | "attach" | "portforward"
    )
}

fn streamed(parsed: &Parsed, first: Piece, asked: crate::engine::Asked) -> Response<Answer> {
    let body = match first {
        Piece::More(bytes) => Answer::stream(asked, Some(bytes)),
        Piece::Nothing => Answer::stream(asked, None),
        Piece::Last(bytes) => Answer::Whole(bytes),
    };
    let content_type = if parsed.request.verb == Verb::Watch {
        "application/json"
    } else {
        "text/plain"
    };
    let mut response = Response::new(body);
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    set_head(&mut response, 200, headers);
    response
}

fn set_head(response: &mut Response<Answer>, code: u16, headers: Vec<(String, String)>) {
    *response.status_mut() = hyper::StatusCode::from_u16(code)
        .expect("the API server answers with codes between 100 and 599");
    let map = response.headers_mut();
    for (name, value) in headers {
        // A warning may quote what no header can carry; then it is better left out than the answer.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            map.append(name, value);
        }
    }
    map.entry(hyper::header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache, private"));
}

fn compressed(http: &HttpRequest, mut answer: HttpResponse) -> HttpResponse {
    let accepts = http
        .header("accept-encoding")
        .is_some_and(|list| list.split(',').any(|name| name.trim() == "gzip"));
    if !accepts || answer.body.len() < COMPRESSED {
        return answer;
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let packed = encoder
        .write_all(&answer.body)
        .and_then(|()| encoder.finish());
    if let Ok(packed) = packed {
        answer.body = packed;
        for (name, value) in [("content-encoding", "gzip"), ("vary", "Accept-Encoding")] {
            answer.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    answer
}
