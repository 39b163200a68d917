//! Expressions and their values.

use api::Value;

use crate::{CALL_LIMIT, Nowhere, Program, Val, Variables};

fn object() -> Value {
    Value::from_json(
        r#"{"replicas":3,"ratio":2,"name":"web-1","tags":["a","b","b"],"labels":{"app":"web","a.b/c":"x"},
            "ports":[{"name":"http","port":80},{"name":"dns","port":53,"protocol":"UDP"}],"nothing":null,
            "when":"2026-01-02T03:04:05Z","namespace":"odd"}"#,
    )
    .expect("JSON")
}

fn value_of(text: &str) -> Result<Val, String> {
    let schema =
        Value::from_json(r#"{"type":"object","x-kubernetes-preserve-unknown-fields":true}"#)
            .expect("JSON");
    let program = Program::compile(text, &[("self", &schema), ("oldSelf", &Value::Null)])?;
    let mut variables = Variables::new();
    variables.insert("self".into(), Val::of(&object(), &Value::Null));
    let mut budget = CALL_LIMIT;
    program.evaluate(&variables, &Nowhere, &mut budget)
}

fn shown(text: &str) -> String {
    match value_of(text) {
        Ok(value) => value
            .to_value()
            .map_or_else(|| value.type_name().to_owned(), |value| value.to_json()),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn expressions_have_the_values_of_cel() {
    for (text, expected) in [
        ("1 + 2 * 3 == 7 && !(4 < 3)", "true"),
        ("-7 / 2", "-3"),
        ("-7 % 3", "-1"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775807 + 1", "error: integer overflow"),
        ("1 / 0", "error: division by zero"),
        ("1.5 * 2.0", "3.0"),
        ("1u + 2u == 3u", "true"),
        ("dyn(1) == 1.0", "true"),
        ("true || 1/0 == 0", "true"),
        ("1/0 == 0 || true", "true"),
        ("false && 1/0 == 0", "false"),
        ("1/0 == 0 && true", "error: division by zero"),
        ("self.replicas > 2 ? 'big' : 'small'", "\"big\""),
        ("self.labels.app", "\"web\""),
        ("self.labels.a__dot__b__slash__c", "\"x\""),
        ("self.labels['a.b/c']", "\"x\""),
        ("self.__namespace__", "\"odd\""),
        ("self.nosuch", "error: no such key: nosuch"),
        ("has(self.nosuch)", "false"),
        ("has(self.nothing)", "false"),
        ("has(self.labels) && has(self.labels.app)", "true"),
        ("self.tags[1]", "\"b\""),
        ("self.tags[9]", "error: index out of bounds: 9"),
        ("'b' in self.tags && !('c' in self.tags)", "true"),
        ("'app' in self.labels", "true"),
        ("self.tags.all(t, t != '')", "true"),
        ("self.ports.exists(p, p.port == 53)", "true"),
        ("self.ports.exists_one(p, p.port > 50)", "false"),
        ("self.ports.map(p, p.name)", "[\"http\",\"dns\"]"),
        ("self.ports.map(p, p.port > 60, p.name)", "[\"http\"]"),
        ("self.ports.filter(p, has(p.protocol)).size()", "1"),
        ("self.labels.all(k, k.size() > 2)", "true"),
        ("self.tags.all(i, t, i < 3)", "true"),
        ("{'a': 1, 'b': [2]}.b[0]", "2"),
        ("{1: 'x'}[1]", "\"x\""),
        ("cel.bind(n, self.replicas, n * n)", "9"),
        ("size('äö') + size([1]) + size({})", "3"),
        (
            "type(1) == int && type('') == string && type(null) == null_type",
            "true",
        ),
        ("int('42') + int(3.9)", "45"),
        ("string(42) + string(true) + string(1.5)", "\"42true1.5\""),
        (
            "int('x')",
            "error: type conversion error from 'string' to 'int'",
        ),
        ("self.name + 1", "error: no such overload"),
        ("self.?nosuch.orValue('none')", "\"none\""),
        ("self.?labels.?app.orValue('none')", "\"web\""),
        (
            "optional.of(1).hasValue() && !optional.none().hasValue()",
            "true",
        ),
        ("[1, ?self.?nosuch, 2]", "[1,2]"),
        (
            "Object{spec: Object.spec{replicas: 3}}",
            "{\"spec\":{\"replicas\":3}}",
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn libraries_do_what_kubernetes_says() {
    for (text, expected) in [
        (
            "'tacocat'.indexOf('cat', 2) + 'tacocat'.lastIndexOf('a')",
            "9",
        ),
        ("'a,b,c'.split(',', 2)", "[\"a\",\"b,c\"]"),
        ("'hello'.substring(1, 3) + 'hello'.charAt(4)", "\"elo\""),
        (
            "' x '.trim() + 'Ab'.lowerAscii() + 'Ab'.upperAscii()",
            "\"xabAB\"",
        ),
        ("'aaa'.replace('a', 'b', 2)", "\"bba\""),
        ("['a','b'].join('-')", "\"a-b\""),
        ("'web-12'.matches('^[a-z]+-[0-9]+$')", "true"),
        (
            "'a1b22'.find('[0-9]+') + '|' + 'a1b22'.findAll('[0-9]+').join(',')",
            "\"1|1,22\"",
        ),
        (
            "'%s has %d of %.1f %%'.format(['x', 3, 2.0])",
            "\"x has 3 of 2.0 %\"",
        ),
        ("'%s'.format([[1, 'a']])", "\"[1, a]\""),
        (
            "[3, 1, 2].isSorted() || [1, 2].sum() == 3 && [1, 5].max() == 5",
            "true",
        ),
        ("[].min()", "error: min called on empty list"),
        (
            "quantity('1.5Gi').isGreaterThan(quantity('1024Mi'))",
            "true",
        ),
        (
            "quantity('200m').add(quantity('300m')).compareTo(quantity('0.5'))",
            "0",
        ),
        (
            "isQuantity('1Q1') || quantity('2').asInteger() == 2",
            "true",
        ),
        (
            "url('https://example.com:80/a?b=1').getHost()",
            "\"example.com:80\"",
        ),
        (
            "url('https://example.com:80/a?b=1').getQuery()['b'][0]",
            "\"1\"",
        ),
        ("isURL('not a url')", "false"),
        (
            "ip('127.0.0.1').isLoopback() && ip('::1').family() == 6",
            "true",
        ),
        (
            "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsCIDR('11.0.0.0/24')",
            "true",
        ),
        ("isIP('010.0.0.1') || isCIDR('10.0.0.0/33')", "false"),
        (
            "semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
            "true",
        ),
        (
            "timestamp(self.when).getFullYear() + timestamp(self.when).getMonth()",
            "2026",
        ),
        (
            "timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') == duration('24h')",
            "true",
        ),
        (
            "sets.contains([1, 2, 3], [2]) && sets.equivalent([1, 1], [1])",
            "true",
        ),
        ("format.dns1123Label().validate('-bad').hasValue()", "true"),
        ("!format.dns1123Label().validate('good').hasValue()", "true"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn wrong_texts_are_refused_with_their_place() {
    let schema = Value::from_json(
        r#"{"type":"object","properties":{"replicas":{"type":"integer"},"name":{"type":"string"},"tags":{"type":"array","items":{"type":"object","properties":{"k":{"type":"string"}}}}}}"#,
    )
    .expect("JSON");
    let wrong = |text: &str| Program::compile(text, &[("self", &schema)]).expect_err(text);
    assert_eq!(
        wrong("self.nosuch > 1"),
        "ERROR: <input>:1:5: undefined field 'nosuch'\n | self.nosuch > 1\n | ....^"
    );
    assert_eq!(
        wrong("object.x"),
        "ERROR: <input>:1:1: undeclared reference to 'object' (in container '')\n | object.x\n | ^"
    );
    assert_eq!(
        wrong("self.name == 1"),
        "ERROR: <input>:1:11: found no matching overload for '_==_' applied to '(string, int)'\n | self.name == 1\n | ..........^"
    );
    assert!(wrong("self.tags.all(t, t.q == '')").contains("undefined field 'q'"));
    assert!(wrong("nosuch(1)").contains("undeclared reference to 'nosuch'"));
    assert!(wrong("self.").contains("Syntax error: mismatched input '<EOF>'"));
    assert!(wrong("self.name == 'open").contains("Syntax error: token recognition error"));
    assert!(wrong(&"(".repeat(5_000)).contains("recursion limit"));
    assert!(wrong(&"-".repeat(5_000)).contains("recursion limit"));
    assert!(wrong(&"[".repeat(5_000)).contains("recursion limit"));
}

#[test]
fn no_expression_runs_for_ever() {
    let text = "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, \
                [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, true))))))";
    assert_eq!(
        shown(text),
        "error: operation cancelled: actual cost limit exceeded"
    );
}

#[test]
fn schemas_tell_the_types_of_fields() {
    let schema = Value::from_json(
        r#"{"properties":{"when":{"type":"string","format":"date-time"},"ratio":{"type":"number"}}}"#,
    )
    .expect("JSON");
    let program = Program::compile(
        "self.when < timestamp('2027-01-01T00:00:00Z') && type(self.ratio) == double",
        &[("self", &Value::Null)],
    )
    .expect("an expression");
    let mut variables = Variables::new();
    variables.insert("self".into(), Val::of(&object(), &schema));
    let value = program
        .evaluate(&variables, &Nowhere, &mut 1000)
        .expect("a value");
    assert_eq!(value.to_value(), Some(true.into()));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~]{0,40}") {
        let _ = shown(&text);
    }

    #[test]
    fn no_heap_of_tokens_makes_the_reader_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "self", ".", "name", "(", ")", "[", "]", "{", "}", "?", ":", "1", "-", "'a'", "&&", "==", "in", "all", ",", "x",
        "has", "tags", "size", "format", "map", "%s", "9223372036854775808", "b'\\x41'", "true", "null", "+", "*",
    ]), 0..24)) {
        let _ = shown(&words.concat());
        let _ = shown(&words.join(" "));
    }
}
