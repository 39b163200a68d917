//! Hostile input over HTTP: clear errors, bounded memory, no panic, and the server goes on.

use std::time::{Duration, Instant};

use crate::client::Server;
use cluster::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn server() -> Server {
    Server::start(Options::default(), 1.0)
}

const CREATE: &str = "POST /api/v1/namespaces/default/configmaps\ncontent-type: ";

#[tokio::test]
async fn every_nonsense_has_its_answer_and_the_server_goes_on() {
    let server = server();
    let deep_json = "[".repeat(100_000);
    let deep_object = r#"{"a":"#.repeat(5_000);
    let deep_yaml = "- ".repeat(20_000) + "x";
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, of) in ('b'..='j').zip('a'..='i') {
        let items = vec![format!("*{of}"); 10].join(",");
        bomb += &format!("{name}: &{name} [{items}]\n");
    }
    let huge = vec![b' '; 3 * 1024 * 1024 + 10];
    let big_field = format!(
        r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{"name":"x"}},"data":{{"a":"{}"}}}}"#,
        "x".repeat(2 << 20)
    );
    let long_path = format!("GET /api/v1/namespaces/{}/pods", "x".repeat(60_000));
    let json = || format!("{CREATE}application/json");
    let cases: Vec<(String, Vec<u8>, &[u16])> = vec![
        (json(), b"{".to_vec(), &[400]),
        (json(), b"{\"a\":}".to_vec(), &[400]),
        (json(), b"nul".to_vec(), &[400]),
        (json(), b"\xff\xfe\x00{".to_vec(), &[400]),
        (
            json(),
            b"{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"\xff\"}}"
                .to_vec(),
            &[400],
        ),
        (json(), deep_json.clone().into_bytes(), &[400]),
        (json(), deep_object.into_bytes(), &[400]),
        (json(), b"[1,2,3]".to_vec(), &[400]),
        (
            json(),
            b"{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}".to_vec(),
            &[400],
        ),
        (json(), b"{\"kind\":5}".to_vec(), &[400]),
        (json(), big_field.into_bytes(), &[422]),
        (json(), huge.clone(), &[413]),
        (
            format!("{CREATE}application/yaml"),
            deep_yaml.into_bytes(),
            &[400],
        ),
        (
            format!("{CREATE}application/yaml"),
            bomb.into_bytes(),
            &[400],
        ),
        (
            format!("{CREATE}application/yaml"),
            b"a: b: c: d\n\t- x".to_vec(),
            &[400],
        ),
        (format!("{CREATE}text/html"), b"<p>".to_vec(), &[415]),
        (
            format!("{CREATE}application/cbor"),
            b"\xd9\xd9\xf7\xa0".to_vec(),
            &[415],
        ),
        (
            format!("{CREATE}application/vnd.kubernetes.protobuf"),
            b"k8s\0\xff\xff\xff\xff\xff".to_vec(),
            &[400],
        ),
        (
            format!("{CREATE}application/vnd.kubernetes.protobuf"),
            deep_json.into_bytes(),
            &[400],
        ),
        (
            "PATCH /api/v1/namespaces/default\ncontent-type: application/json".into(),
            b"{}".to_vec(),
            &[415],
        ),
        (
            "PATCH /api/v1/namespaces/default\ncontent-type: application/json-patch+json".into(),
            b"{}".to_vec(),
            &[400],
        ),
        (
            "PATCH /api/v1/namespaces/default\ncontent-type: application/json-patch+json".into(),
            b"[{\"op\":\"copy\"}]".to_vec(),
            &[400, 422],
        ),
        (
            "PATCH /api/v1/namespaces/default\ncontent-type: application/apply-patch+yaml".into(),
            b"{}".to_vec(),
            &[400, 422],
        ),
        (
            "GET /api/v1/../../../etc/passwd".into(),
            vec![],
            &[403, 404],
        ),
        (
            "GET /api/v1/namespaces/..%2f..%2fsecrets/pods".into(),
            vec![],
            &[200, 400, 404],
        ),
        ("GET //api//v1//pods//".into(), vec![], &[200, 404]),
        (
            "GET /api/v1/namespaces/%00/pods/%ff%fe".into(),
            vec![],
            &[400, 404],
        ),
        ("GET /api/v1/pods?limit=-1".into(), vec![], &[200, 400]),
        (
            "GET /api/v1/pods?limit=99999999999999999999".into(),
            vec![],
            &[400],
        ),
        ("GET /api/v1/pods?continue=!!!".into(), vec![], &[400]),
        (
            "GET /api/v1/pods?resourceVersion=abc".into(),
            vec![],
            &[400],
        ),
        ("GET /api/v1/pods?labelSelector=((((".into(), vec![], &[400]),
        (
            "GET /api/v1/pods?watch=1&timeoutSeconds=abc".into(),
            vec![],
            &[400],
        ),
        (long_path, vec![], &[200, 400, 404, 414]),
        ("BREW /api/v1/pods".into(), vec![], &[405]),
        ("GET /api/v1/pods\naccept: image/png".into(), vec![], &[406]),
        (
            "GET /api/v1/pods\naccept: application/vnd.kubernetes.protobuf".into(),
            vec![],
            &[406],
        ),
        (
            "GET /api/v1/namespaces/default/pods/x/exec?command=ls".into(),
            vec![],
            &[400, 404],
        ),
        (
            "GET /api/v1/pods\nauthorization: Bearer x.y.z".into(),
            vec![],
            &[200],
        ),
        (
            "GET /api/v1/pods\nimpersonate-group: system:masters".into(),
            vec![],
            &[500],
        ),
    ];
    let mut wrong = Vec::new();
    for (head, body, codes) in &cases {
        let answer = server.ask(head, body).await;
        let is_status = answer.code < 400 || answer.text().contains("\"kind\":\"Status\"");
        if !codes.contains(&answer.code) || !is_status {
            let cut = |text: &str| text.chars().take(160).collect::<String>();
            let body = String::from_utf8_lossy(body);
            let (head, body, text) = (cut(head), cut(&body), cut(&answer.text()));
            wrong.push(format!(
                "{head}\n{body}\n{}, not {codes:?}: {text}",
                answer.code
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    // Who shows nothing, or a token that is none, is told so.
    let stranger = server.ask_as(false, "GET /api/v1/pods", b"").await;
    assert_eq!(stranger.code, 403);
    assert!(
        stranger.text().contains("system:anonymous"),
        "{}",
        stranger.text()
    );
    let liar = server
        .ask_as(false, "GET /api\nauthorization: Bearer x.y.z", b"")
        .await;
    assert_eq!(liar.code, 401);
    let healthy = server.ask("GET /healthz", b"").await;
    assert_eq!((healthy.code, healthy.text().as_str()), (200, "ok"));
}

#[tokio::test]
async fn those_who_send_nothing_or_rubbish_hold_nobody_up() {
    let server = server();
    let mut idle = Vec::new();
    for _ in 0..100 {
        let mut stream = server.connect(true).await;
        stream
            .write_all(b"GET /api/v1/po")
            .await
            .expect("it is read");
        idle.push(stream);
    }
    // No TLS at all.
    let mut plain = tokio::net::TcpStream::connect(&server.address)
        .await
        .expect("it listens");
    plain
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .expect("sent");
    let mut rubbish = server.connect(true).await;
    rubbish
        .write_all(b"\x00\x01\x02 rubbish\r\n\r\n")
        .await
        .expect("sent");
    let mut heard = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), rubbish.read_to_end(&mut heard)).await;
    let began = Instant::now();
    let answer = server.ask("GET /api/v1/namespaces/default", b"").await;
    assert_eq!(answer.code, 200);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_thousand_watches_all_hear_of_a_change() {
    let server = server();
    let before = resident();
    let mut watches = Vec::new();
    for _ in 0..1_000 {
        let mut stream = server.connect(true).await;
        stream
            .write_all(b"GET /api/v1/namespaces/default/configmaps?watch=1&resourceVersion=0 HTTP/1.1\r\nHost: l\r\n\r\n")
            .await
            .expect("sent");
        watches.push(stream);
    }
    let body = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"told-to-all"}}"#;
    let made = server
        .ask(&format!("{CREATE}application/json"), body.as_bytes())
        .await;
    assert_eq!(made.code, 201, "{}", made.text());
    for stream in &mut watches {
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&heard).contains("told-to-all") {
            let read = tokio::time::timeout(Duration::from_secs(60), stream.read(&mut buffer));
            let count = read.await.expect("the event comes").expect("it is open");
            assert!(
                count > 0,
                "the watch ended: {:?}",
                String::from_utf8_lossy(&heard)
            );
            heard.extend_from_slice(&buffer[..count]);
        }
    }
    let grown = resident().saturating_sub(before);
    println!("1,000 watches (both ends): {} MiB", grown >> 20);
    assert!(grown < 400 << 20, "{} MiB", grown >> 20);
}

/// Memory of this process, client and server.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
