use api::{Value, map};

use crate::{ChangeKind, Compacted, Key, Store};

fn object(name: &str, n: i64) -> Value {
    map! { "metadata": map! { "name": name.to_owned() }, "n": n }
}

fn names(list: Vec<(Key, Value)>) -> Vec<(String, i64)> {
    list.into_iter()
        .map(|(key, value)| (key.name.to_string(), value.int("n").unwrap_or(-1)))
        .collect()
}

#[test]
fn a_write_gets_the_next_revision_and_carries_it() {
    let mut store = Store::new();
    let pods = store.collection("pods");
    let entry = store.put(pods, Key::new("default", "a"), object("a", 1));
    assert_eq!(
        entry.object.path("metadata.resourceVersion").as_str(),
        Some("2")
    );
    let entry = store.put(pods, Key::new("default", "a"), object("a", 2));
    assert_eq!((entry.created, entry.modified), (2, 3));
    let gone = store
        .remove(pods, &Key::new("default", "a"))
        .expect("it was there");
    assert_eq!(gone.path("metadata.resourceVersion").as_str(), Some("4"));
    assert!(store.remove(pods, &Key::new("default", "a")).is_none());
    assert_eq!(store.revision(), 4, "removing nothing is no write");
}

#[test]
fn the_past_can_be_listed_until_it_is_compacted() {
    let mut store = Store::new();
    let pods = store.collection("pods");
    store.put(pods, Key::new("x", "a"), object("a", 1));
    store.put(pods, Key::new("x", "b"), object("b", 1));
    let then = store.revision();
    store.put(pods, Key::new("x", "a"), object("a", 2));
    store.remove(pods, &Key::new("x", "b"));
    store.put(pods, Key::new("x", "c"), object("c", 1));
    let list = store
        .list_at(pods, "x", then)
        .expect("still in the history");
    assert_eq!(names(list), [("a".into(), 1), ("b".into(), 1)]);
    store.compact(then + 1);
    assert_eq!(
        store.list_at(pods, "x", then),
        Err(Compacted {
            asked: 3,
            oldest: 4
        })
    );
}

#[test]
fn changes_are_told_in_order_and_only_newer_ones() {
    let mut store = Store::new();
    let pods = store.collection("pods");
    store.put(pods, Key::new("x", "a"), object("a", 1));
    store.put(pods, Key::new("x", "a"), object("a", 2));
    store.remove(pods, &Key::new("x", "a"));
    let kinds: Vec<_> = store.since(2).expect("kept").map(|c| c.kind).collect();
    assert_eq!(kinds, [ChangeKind::Modified, ChangeKind::Deleted]);
}

#[test]
fn namespaces_order_as_paths() {
    let mut store = Store::new();
    let pods = store.collection("pods");
    for namespace in ["team", "team-a", "a"] {
        store.put(pods, Key::new(namespace, "p"), object("p", 1));
    }
    let order: Vec<_> = store
        .list(pods, "", None)
        .map(|(key, _)| key.namespace.to_string())
        .collect();
    assert_eq!(order, ["a", "team-a", "team"]);
    assert_eq!(store.list(pods, "team", None).count(), 1);
    let after = Key::new("team-a", "p");
    assert_eq!(store.list(pods, "", Some(&after)).count(), 1);
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut store = Store::new();
    let pods = store.collection("pods");
    store.put(pods, Key::new("x", "a"), object("a", 1));
    let mut fork = store.clone();
    fork.put(pods, Key::new("x", "a"), object("a", 2));
    assert_eq!(
        store
            .get(pods, &Key::new("x", "a"))
            .expect("kept")
            .object
            .int("n"),
        Some(1)
    );
}

#[test]
fn the_history_is_bounded() {
    let mut store = Store::new();
    let pods = store.collection("pods");
    for n in 0..crate::HISTORY_LEN as i64 + 10 {
        store.put(pods, Key::new("x", "a"), object("a", n));
    }
    assert!(store.since(2).is_err());
    assert!(store.compacted() > 1);
}
