use super::*;

/// A field with bytes.
fn bytes(number: u8, inner: &[u8]) -> Vec<u8> {
    let key = u16::from(number) << 3 | 2;
    let mut out = match u8::try_from(key) {
        Ok(key) if key < 0x80 => vec![key],
        _ => vec![key as u8 & 0x7f | 0x80, (key >> 7) as u8],
    };
    out.push(u8::try_from(inner.len()).expect("short"));
    out.extend_from_slice(inner);
    out
}

fn enveloped(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), bytes(1, &meta), bytes(2, raw)].concat()
}

#[test]
fn every_field_that_has_a_number_has_a_type() {
    for (name, numbers) in NUMBERS.iter() {
        let of = schema::named(name).unwrap_or_else(|| panic!("{name} is no type"));
        for field in numbers.values() {
            assert!(of.field(field).is_some(), "{name}.{field}");
        }
    }
}

#[test]
fn every_kind_that_is_served_can_be_read() {
    for kind in api::kinds::all() {
        let of = schema::of_kind(&kind.group, &kind.version, &kind.kind).expect("a type");
        assert!(NUMBERS.contains_key(of.name()), "{}", of.name());
    }
}

#[test]
fn a_pod_is_read_with_its_embedded_volume_sources() {
    let meta = [
        bytes(1, b"web"),
        bytes(11, &[bytes(1, b"app"), bytes(2, b"web")].concat()),
        bytes(8, &[]),
    ]
    .concat();
    let config = bytes(19, &bytes(1, &bytes(1, b"settings")));
    let volume = [bytes(1, b"v"), bytes(2, &config)].concat();
    let quantity = bytes(2, &bytes(1, b"100m"));
    let limit = bytes(1, &[bytes(1, b"cpu"), quantity].concat());
    let port = [bytes(1, b""), vec![3 << 3, 80]].concat();
    let container = [
        bytes(1, b"c"),
        bytes(2, b"nginx"),
        bytes(6, &port),
        bytes(8, &limit),
    ]
    .concat();
    let spec = [bytes(1, &volume), bytes(2, &container), bytes(3, b"")].concat();
    let pod = decode(&enveloped(
        "v1",
        "Pod",
        &[bytes(1, &meta), bytes(2, &spec)].concat(),
    ));
    assert_eq!(
        pod.expect("a pod").to_json(),
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"app":"web"},"name":"web"},"spec":{"containers":[{"image":"nginx","name":"c","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"100m"}}}],"volumes":[{"configMap":{"name":"settings"},"name":"v"}]}}"#
    );
}

#[test]
fn broken_messages_are_refused_and_never_panic() {
    let good = enveloped("v1", "Pod", &bytes(1, &bytes(1, b"web")));
    assert!(decode(&good).is_ok());
    for end in 0..good.len() {
        let _ = decode(&good[..end]);
    }
    for at in 0..good.len() {
        for byte in [0, 7, 0x7f, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] = byte;
            let _ = decode(&bad);
        }
    }
    assert_eq!(
        decode(b"{}").unwrap_err().0.split(',').next(),
        Some("provided data does not appear to be a protobuf message")
    );
    assert_eq!(
        decode(&enveloped("v1", "Nothing", b"")),
        Err(Unreadable("the kind of the message is not known"))
    );
}
