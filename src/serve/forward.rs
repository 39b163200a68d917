//! Port-forward: each connection of the client is a pair of SPDY streams, and each exchange on it a call into the pod.
//!
//! What is forwarded is seen as HTTP if it looks so, request by request, and as plain bytes otherwise. Models
//! `cri/streaming/portforward`.

use std::collections::BTreeMap;
use std::convert::Infallible;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use network::{Answer, Payload};
use posix::HttpRequest;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use crate::engine::{Asked, Reach};
use crate::spdy::{Connection, Event, Out};

/// Connections at a time through one port-forward.
const CONNECTIONS: usize = 256;
/// The largest request that is forwarded.
const LARGEST: usize = 1 << 20;

const METHODS: [&[u8]; 9] = [
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"PATCH ",
    b"DELETE ",
    b"OPTIONS ",
    b"TRACE ",
    b"CONNECT ",
];

/// Serves a client until it hangs up. `asked` keeps the way to the pod open.
pub(crate) async fn serve(mut connection: Connection, asked: Asked) {
    // What arrives on a data stream, and the error stream of each request.
    let mut inward: BTreeMap<u32, mpsc::Sender<Vec<u8>>> = BTreeMap::new();
    let mut errors: BTreeMap<String, u32> = BTreeMap::new();
    while let Some(event) = connection.events.recv().await {
        match event {
            Event::Open { id, headers } => {
                let value = |name: &str| {
                    let found = headers.iter().find(|(key, _)| key == name);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                let request = value("requestid");
                inward.retain(|_, sender| !sender.is_closed());
                match (value("streamtype").as_str(), value("port").parse::<u16>()) {
                    ("error", _) => {
                        errors.insert(request, id);
                    }
                    ("data", Ok(port)) if inward.len() < CONNECTIONS => {
                        let (sender, receiver) = mpsc::channel(64);
                        inward.insert(id, sender);
                        let line = Line {
                            data: id,
                            error: errors.remove(&request),
                            out: connection.out.clone(),
                            port,
                        };
                        tokio::spawn(line.run(receiver, asked.reach()));
                    }
                    _ => {}
                }
            }
            Event::Data { id, bytes, is_last } => {
                if let Some(sender) = inward.get(&id)
                    && !bytes.is_empty()
                {
                    // A connection that has ended takes nothing more.
                    let _ = sender.send(bytes).await;
                }
                if is_last {
                    inward.remove(&id);
                }
            }
            Event::Reset { id } => {
                inward.remove(&id);
            }
        }
    }
}

/// One connection through the forward.
struct Line {
    data: u32,
    error: Option<u32>,
    out: Out,
    port: u16,
}

impl Line {
    async fn run(self, mut receiver: mpsc::Receiver<Vec<u8>>, reach: Reach) {
        let (near, far) = tokio::io::duplex(64 << 10);
        let (mut from_pod, mut to_pod) = tokio::io::split(near);
        let out = self.out.clone();
        let inward = async move {
            while let Some(bytes) = receiver.recv().await {
                if to_pod.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            let _ = to_pod.shutdown().await;
        };
        let data = self.data;
        let outward = async move {
            let mut buffer = vec![0; 32 << 10];
            while let Ok(count) = from_pod.read(&mut buffer).await
                && count > 0
            {
                if !out.data(data, &buffer[..count], false).await {
                    break;
                }
            }
        };
        let work = converse(far, reach, self.port);
        // Once the pod's side has ended, nobody waits for more from the client.
        let answering = async { tokio::join!(outward, work) };
        let mut answering = std::pin::pin!(answering);
        let ((), outcome) = tokio::select! {
            done = &mut answering => done,
            () = inward => answering.await,
        };
        if let (Err(why), Some(error)) = (outcome, self.error) {
            self.out.data(error, why.as_bytes(), false).await;
        }
        self.out.data(self.data, &[], true).await;
        if let Some(error) = self.error {
            self.out.data(error, &[], true).await;
        }
    }
}

/// Talks to a port of the pod until the connection ends; the error is why it could not.
async fn converse(mut io: DuplexStream, reach: Reach, port: u16) -> Result<(), String> {
    let mut first = vec![0; 4096];
    let count = io.read(&mut first).await.unwrap_or_default();
    first.truncate(count);
    if first.is_empty() {
        return Ok(());
    }
    if METHODS.iter().any(|method| first.starts_with(method)) {
        return http(first, io, reach, port).await;
    }
    let mut bytes = first;
    loop {
        match reach.call(port, Payload::Bytes(bytes)).await {
            Answer::Bytes(answer) => {
                if io.write_all(&answer).await.is_err() {
                    return Ok(());
                }
            }
            // Who sends nonsense to a web server is told so and let go.
            Answer::Http { status, reason, .. } => {
                let answer = format!("HTTP/1.1 {status} {reason}\r\nConnection: close\r\n\r\n");
                let _ = io.write_all(answer.as_bytes()).await;
                return Ok(());
            }
            Answer::Refused => return Err(refused(port)),
            _ => return Ok(()),
        }
        bytes = vec![0; 32 << 10];
        let count = io.read(&mut bytes).await.unwrap_or_default();
        if count == 0 {
            return Ok(());
        }
        bytes.truncate(count);
    }
}

async fn http(first: Vec<u8>, io: DuplexStream, reach: Reach, port: u16) -> Result<(), String> {
    let (failed, mut failure) = mpsc::channel::<String>(1);
    let service = service_fn(move |request| {
        let (reach, failed) = (reach.clone(), failed.clone());
        async move { exchange(request, &reach, port, &failed).await }
    });
    let io = TokioIo::new(with_first(first, io));
    let server = hyper::server::conn::http1::Builder::new().serve_connection(io, service);
    tokio::select! {
        _ = server => Ok(()),
        Some(why) = failure.recv() => Err(why),
    }
}

/// The connection with what was read of it already.
fn with_first(first: Vec<u8>, io: DuplexStream) -> impl AsyncRead + AsyncWrite + Unpin {
    let (reading, writing) = tokio::io::split(io);
    tokio::io::join(std::io::Cursor::new(first).chain(reading), writing)
}

async fn exchange(
    request: Request<Incoming>,
    reach: &Reach,
    port: u16,
    failed: &mpsc::Sender<String>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let host = head
        .headers
        .get(hyper::header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost")
        .to_owned();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let body = Limited::new(body, LARGEST).collect().await;
    let request = HttpRequest {
        method: head.method.to_string(),
        url: format!("http://{host}{path}"),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: body
            .map(|body| body.to_bytes().to_vec())
            .unwrap_or_default(),
        insecure: false,
        timeout_micros: None,
        connect_timeout_micros: None,
        extra: Vec::new(),
    };
    let payload = Payload::Http {
        request,
        tls: false,
    };
    Ok(match reach.call(port, payload).await {
        Answer::Http {
            status,
            headers,
            body,
            ..
        } => {
            let mut response = Response::new(Full::new(Bytes::from(body)));
            if let Ok(status) = hyper::StatusCode::from_u16(status) {
                *response.status_mut() = status;
            }
            for (name, value) in headers {
                if let (Ok(name), Ok(value)) = (
                    HeaderName::from_bytes(name.as_bytes()),
                    HeaderValue::from_str(&value),
                ) && !matches!(name.as_str(), "content-length" | "transfer-encoding")
                {
                    response.headers_mut().append(name, value);
                }
            }
            response
        }
        other => {
            let why = match other {
                Answer::Refused => refused(port),
                other => format!("error forwarding port {port}: {}", other.word()),
            };
            let _ = failed.send(why).await;
            // Nothing is answered: the connection breaks off.
            std::future::pending().await
        }
    })
}

fn refused(port: u16) -> String {
    format!(
        "error forwarding port {port} to pod: failed to execute portforward in network namespace: failed to connect to localhost:{port} inside namespace, IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused IPv6 dial tcp6: address localhost: no suitable address found "
    )
}
