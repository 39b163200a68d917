//! The listening socket and its connections: TLS, HTTP/1.1 and HTTP/2, an orderly end.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cluster::Cluster;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::Options;
use crate::engine::Engine;
use crate::front::{Front, Peer};
use crate::identity::Identity;
use crate::kubeconfig::Kubeconfig;

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 4_096;
/// How long a client may take to shake hands, and to send a request's head.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(32);
/// The cluster has come up when the first client connects.
const BOOT: sim::Micros = 12 * sim::SECOND;

pub(crate) async fn serve(
    options: Options,
    ready: impl FnOnce(&Path),
    end: impl Future<Output = ()>,
) -> Result<(), String> {
    let mut end = std::pin::pin!(end);
    let mut terminate = signal(SignalKind::terminate()).map_err(|why| why.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|why| why.to_string())?;
    let wanted = SocketAddr::new(options.address, options.port);
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|why| format!("cannot listen on {wanted}: {why}"))?;
    let address = listener.local_addr().map_err(|why| why.to_string())?;
    let identity = Arc::new(Identity::new(address.ip())?);
    let kubeconfig = Kubeconfig::write(options.kubeconfig.as_deref(), address, &identity)?;
    let mut cluster = Cluster::new(options.cluster);
    if let Some(texts) = options.field_texts {
        cluster.set_field_texts(texts);
    }
    cluster.run_for(BOOT);
    let engine = Engine::start(cluster, options.speed)?;
    let front = Arc::new(Front::new(engine, identity.clone()));
    ready(&kubeconfig.path);
    let acceptor = TlsAcceptor::from(identity.tls.clone());
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let seat = tokio::select! {
            seat = room.clone().acquire_owned() => seat.expect("nobody closes the semaphore"),
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Too many open files, most likely: those that are open may end.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            () = &mut end => return Ok(()),
        };
        let (acceptor, front) = (acceptor.clone(), front.clone());
        tokio::spawn(async move {
            connection(stream, &acceptor, front).await;
            drop(seat);
        });
    }
}

async fn connection(stream: TcpStream, acceptor: &TlsAcceptor, front: Arc<Front>) {
    // Small events should not wait for more.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        return;
    };
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let peer = Arc::new(Peer {
        user: front.identity.user(chain),
    });
    let service = service_fn(move |request| {
        let (front, peer) = (front.clone(), peer.clone());
        async move { front.answer(&peer, request).await }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(1 << 20);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(1_000)
        .max_header_list_size(1 << 20)
        .keep_alive_interval(Duration::from_secs(30));
    // A connection that breaks off is its client's affair.
    let _ = builder
        .serve_connection_with_upgrades(TokioIo::new(stream), service)
        .await;
}
