//! Fuzz targets: bytes of anyone go in, and nothing may panic or run away.
//!
//! `cargo +nightly fuzz run decode --features libfuzzer` runs one under libFuzzer; `cargo run --release -- 10 7`
//! (the `drive` binary) mutates a corpus on stable for ten minutes with seed 7.

use std::sync::OnceLock;

use api::patch::apply::{self, Manager};
use api::patch::{json, merge, strategic};
use api::selector::{FieldSelector, LabelSelector};
use api::{Part, RequestId, Value, kinds, quantity, schema};
use apiserver::http::{self, HttpRequest};
use apiserver::{ApiServer, Caller};
use sim::Time;

/// A request as a stranger sends it: path, content type and body, parsed, decoded, validated, answered.
pub fn decode(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let all = kinds::all();
    let kind = &all[usize::from(choice) % all.len()];
    if let Some(of) = schema::of_kind(&kind.group, &kind.version, &kind.kind)
        && let Ok(value) = Value::from_json(&String::from_utf8_lossy(rest))
        && let Ok(decoded) = api::decode::decode(of, &value)
    {
        // What was decoded once is normal.
        let again = api::decode::decode(of, &decoded.value).expect("decoded is decodable");
        assert_eq!(again.value, decoded.value);
    }
    let _ = api::yaml::load_documents(&String::from_utf8_lossy(rest));
    let is_yaml = choice % 2 == 1;
    let path = if kind.namespaced {
        format!("{}/namespaces/default/{}", base(kind), kind.plural)
    } else {
        format!("{}/{}", base(kind), kind.plural)
    };
    answer(&HttpRequest {
        method: "POST".into(),
        path_and_query: format!("{path}?fieldValidation=Strict"),
        headers: vec![
            ("accept".into(), "application/json".into()),
            (
                "content-type".into(),
                if is_yaml { "application/yaml" } else { "application/json" }.into(),
            ),
        ],
        body: rest.to_vec(),
    });
}

fn base(kind: &kinds::Kind) -> String {
    if kind.group.is_empty() {
        format!("/api/{}", kind.version)
    } else {
        format!("/apis/{}/{}", kind.group, kind.version)
    }
}

/// A patch of each kind on an object: two JSON texts with a zero byte between them.
pub fn patch(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let mut parts = rest.splitn(2, |byte| *byte == 0);
    let mut read = || {
        let text = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
        Value::from_json(&text).ok()
    };
    let (Some(object), Some(patch)) = (read(), read()) else {
        return;
    };
    let all = kinds::all();
    let kind = &all[usize::from(choice) % all.len()];
    let of = schema::of_kind(&kind.group, &kind.version, &kind.kind);
    let _ = json::apply(&object, &patch);
    let _ = merge::apply(&object, &patch);
    if let Some(of) = of {
        let _ = strategic::apply(of, &object, &patch);
    }
    let manager = Manager {
        name: "fuzz",
        api_version: "v1",
        ..Manager::default()
    };
    let _ = apply::apply(of, &object, &patch, &manager, choice % 2 == 0);
    let mut tracked = patch.clone();
    apply::track(of, &object, &mut tracked, &manager);
}

/// Texts in small languages: selectors, quantities, durations, expressions, paths.
pub fn selectors(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(selector) = LabelSelector::parse(&text) {
        let shown = selector.to_string();
        let again = LabelSelector::parse(&shown).expect("what is shown can be read");
        assert_eq!(again.to_string(), shown);
    }
    let _ = FieldSelector::parse(&text);
    if let Ok(amount) = quantity::Quantity::parse(&text) {
        let shown = amount.to_string();
        let again = quantity::Quantity::parse(&shown).expect("what is shown can be read");
        assert!(again == amount, "{text} {shown}");
    }
    let _ = api::duration::parse(&text);
    let object = Value::from_json(r#"{"a":[1,"x",null],"b":{"c":2.5}}"#).expect("JSON");
    if let Ok(program) = cel::Program::compile(&text, &[("self", &Value::Null)]) {
        let mut variables = cel::Variables::new();
        variables.insert("self".into(), cel::Val::of(&object, &Value::Null));
        let _ = program.evaluate(&variables, &cel::Nowhere, &mut 100_000);
    }
    let cut = (0..=text.len().min(200)).rev().find(|at| text.is_char_boundary(*at));
    answer(&HttpRequest {
        method: ["GET", "DELETE", "PATCH", "PUT"][data.len() % 4].into(),
        path_and_query: format!("/{}", &text[..cut.unwrap_or(0)]),
        headers: vec![("accept".into(), text.chars().take(60).collect())],
        body: Vec::new(),
    });
}

/// Asks a server that has what a fresh cluster has.
fn answer(request: &HttpRequest) {
    static SERVER: OnceLock<ApiServer> = OnceLock::new();
    let fresh = SERVER.get_or_init(|| ApiServer::new(1, Time::from_secs(1_800_000_000)));
    let Ok(parsed) = http::parse(request) else {
        return;
    };
    let mut server = fresh.clone();
    let caller = Caller::component(Part::Client(0));
    let now = Time::from_secs(1_800_000_001);
    let reply = server.handle(now, &caller, RequestId(1), &parsed.request);
    if let apiserver::Reply::Done(response) = reply {
        http::encode(&parsed.request, parsed.accept, &response);
    }
}
