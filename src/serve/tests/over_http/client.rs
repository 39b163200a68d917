//! A server for a test, and a client that writes any bytes to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serve::{ClusterOptions, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it ends with its handle.
pub(crate) struct Server {
    pub(crate) address: String,
    admin: TlsConnector,
    stranger: TlsConnector,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<(), String>>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Server {
    pub(crate) fn start(cluster: ClusterOptions, speed: f64) -> Server {
        let (end, ended) = oneshot::channel::<()>();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let options = Options {
            cluster,
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 0,
            speed,
            kubeconfig: None,
            field_texts: None,
        };
        let thread = std::thread::spawn(move || {
            let tell = move |path: &Path| {
                let text = std::fs::read_to_string(path).expect("the kubeconfig is there");
                ready.send(text).expect("the test waits");
            };
            serve::run_until(options, tell, async {
                let _ = ended.await;
            })
        });
        let kubeconfig = is_ready
            .recv_timeout(PATIENCE)
            .expect("the server is ready soon");
        let field = |name: &str| {
            let (_, rest) = kubeconfig.split_once(name).expect("the field is there");
            rest.lines().next().unwrap_or_default().trim().to_owned()
        };
        let pem = |name: &str| api::base64::decode(&field(name)).expect("it is base64");
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(&pem("certificate-authority-data:"));
        roots
            .add(authority.expect("a certificate"))
            .expect("a root");
        let own = CertificateDer::from_pem_slice(&pem("client-certificate-data:")).expect("one");
        let key = PrivateKeyDer::from_pem_slice(&pem("client-key-data:")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = || {
            ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_root_certificates(roots.clone())
        };
        let admin = config()
            .with_client_auth_cert(vec![own], key)
            .expect("a pair");
        Server {
            address: field("server: https://"),
            admin: Arc::new(admin).into(),
            stranger: Arc::new(config().with_no_client_auth()).into(),
            end: Some(end),
            thread: Some(thread),
        }
    }

    pub(crate) async fn connect(&self, is_admin: bool) -> TlsStream<TcpStream> {
        let tcp = TcpStream::connect(&self.address).await.expect("it listens");
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = if is_admin {
            &self.admin
        } else {
            &self.stranger
        };
        connector.connect(name, tcp).await.expect("a handshake")
    }

    /// Sends a request as the administrator; `head` is the request line and headers without the usual ones.
    pub(crate) async fn ask(&self, head: &str, body: &[u8]) -> Answer {
        self.ask_as(true, head, body).await
    }

    pub(crate) async fn ask_as(&self, is_admin: bool, head: &str, body: &[u8]) -> Answer {
        let mut stream = self.connect(is_admin).await;
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let headers: String = headers.lines().map(|line| format!("{line}\r\n")).collect();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}{headers}\r\n"
        );
        // A server that has seen enough may answer before everything is sent.
        let (mut reading, mut writing) = tokio::io::split(&mut stream);
        let send = async {
            let _ = writing.write_all(head.as_bytes()).await;
            let _ = writing.write_all(body).await;
            let _ = writing.flush().await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = send => unreachable!("sending waits for the answer"),
            bytes = read_to_end(&mut reading) => answer(&bytes),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take()
            && !std::thread::panicking()
        {
            thread.join().expect("no panic").expect("an orderly end");
        }
    }
}

async fn read_to_end(reading: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let all = async {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count) = reading.read(&mut buffer).await
            && count > 0
        {
            bytes.extend_from_slice(&buffer[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .expect("an answer in time");
    bytes
}

fn answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = &bytes[end + 4..];
    let is_chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    Answer {
        code: code.expect("a status line"),
        body: if is_chunked {
            unchunk(body)
        } else {
            body.to_vec()
        },
        head,
    }
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&bytes[..end]).unwrap_or_default();
        let length = usize::from_str_radix(length, 16).unwrap_or_default();
        let from = end + 2;
        if length == 0 || from + length > bytes.len() {
            break;
        }
        out.extend_from_slice(&bytes[from..from + length]);
        bytes = bytes.get(from + length + 2..).unwrap_or_default();
    }
    out
}
