//! The same request, answered in process and over HTTP, gives the same bytes.

use crate::client::Server;
use api::{Arrival, Value};
use apiserver::http::{self, HttpRequest};
use cluster::{Cluster, Options};

/// Virtual time hardly moves, so that both see the same moment.
const SPEED: f64 = 0.05;

const CONFIG: &str =
    r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1"}}"#;

#[tokio::test]
async fn answers_in_process_and_over_http_are_the_same_bytes() {
    let options = Options::default();
    let server = Server::start(options.clone(), SPEED);
    let mut cluster = Cluster::new(options);
    cluster.run_for(12 * sim::SECOND);
    for (head, body) in [
        ("GET /version", ""),
        ("GET /api", ""),
        ("GET /apis", ""),
        ("GET /apis/apps/v1", ""),
        (
            "GET /apis\naccept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            "",
        ),
        ("GET /api/v1/namespaces", ""),
        ("GET /api/v1/namespaces\naccept: application/yaml", ""),
        (
            "GET /apis/rbac.authorization.k8s.io/v1/clusterroles?limit=3",
            "",
        ),
        ("GET /api/v1/nodes/nowhere", ""),
        (
            "GET /api/v1/namespaces/default/pods?fieldSelector=nonsense",
            "",
        ),
        (
            "POST /api/v1/namespaces/default/configmaps\ncontent-type: application/json",
            CONFIG,
        ),
        (
            "POST /api/v1/namespaces/default/configmaps\ncontent-type: application/json",
            CONFIG,
        ),
        (
            "GET /api/v1/namespaces/default/configmaps/c\naccept: application/json;as=Table;v=v1;g=meta.k8s.io",
            "",
        ),
        (
            "POST /api/v1/namespaces/default/pods?fieldValidation=Warn\ncontent-type: application/json",
            r#"{"kind":"Pod","spec":{"nope":1}}"#,
        ),
        (
            "PATCH /api/v1/namespaces/default/configmaps/c\ncontent-type: application/merge-patch+json",
            r#"{"data":{"b":"2"}}"#,
        ),
        ("DELETE /api/v1/namespaces/default/configmaps/c", ""),
        ("GET /no/such/path", ""),
    ] {
        let over_http = server.ask(head, body.as_bytes()).await;
        let in_process = ask(&mut cluster, head, body);
        assert_eq!(over_http.code, in_process.status, "{head} {body}");
        assert_eq!(
            over_http.text(),
            String::from_utf8_lossy(&in_process.body),
            "{head} {body}"
        );
        for (name, value) in &in_process.headers {
            let line = format!("{name}: {value}");
            assert!(over_http.head.contains(&line), "{head}: no {line:?}");
        }
    }
}

fn ask(cluster: &mut Cluster, head: &str, body: &str) -> http::HttpResponse {
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let (method, path) = line.split_once(' ').expect("a request line");
    let headers = headers.lines().filter_map(|line| line.split_once(": "));
    let request = HttpRequest {
        method: method.to_owned(),
        path_and_query: path.to_owned(),
        headers: headers.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    };
    let refused = |status: api::Status| {
        let response = status.into_response();
        http::encode(&api::Request::default(), http::Media::Json, &response)
    };
    let parsed = match http::parse(&request) {
        Ok(parsed) => parsed,
        Err(status) => return refused(status),
    };
    let admin = apiserver::User {
        name: "kubernetes-admin".into(),
        groups: vec![
            "kubeadm:cluster-admins".into(),
            "system:authenticated".into(),
        ],
        ..apiserver::User::default()
    };
    let id = cluster.submit_as(6_443, admin, parsed.request.clone());
    loop {
        assert!(cluster.step(), "a cluster never runs dry");
        for (_, found, arrival) in cluster.receive(6_443) {
            if let Arrival::Response(response) = arrival
                && found == id
            {
                assert_ne!(response.body, Value::Null, "{head}");
                return http::encode(&parsed.request, parsed.accept, &response);
            }
        }
    }
}
