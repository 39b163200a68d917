use expect_test::{Expect, expect};

use super::*;

/// What an address is understood as, in the words of an address; refused pairs after a `!`.
fn understood(query: &str, fragment: &str) -> String {
    let params = Params::read(query, fragment);
    let mut out = params.fragment();
    for refused in &params.refused {
        out.push_str(&format!(" ! {refused}"));
    }
    out
}

#[test]
fn addresses_are_read_where_they_can_be_and_the_rest_is_named() {
    let rows: &[(&str, &str, Expect)] = &[
        ("", "", expect![[""]]),
        ("?embed", "", expect![["#?embed"]]),
        ("?embed=1&view=tree", "", expect![["#?embed&view=tree"]]),
        ("?embed=no&view=stage", "", expect![["#?view=stage"]]),
        // As the page's own address is: the slide first.
        (
            "",
            "#/3.2?lang=ja&editor=plain",
            expect![["#?slide=3.2&lang=ja&editor=plain"]],
        ),
        // The fragment wins over the query, the path over both.
        (
            "?lang=en&theme=dark&slide=a",
            "#/b?lang=ja-JP",
            expect![["#?slide=b&lang=ja&theme=dark"]],
        ),
        (
            "?embed&view=slide,architecture,terminal&controls=all&readonly",
            "",
            expect![["#?embed&view=slide,architecture,terminal&controls=all&readonly"]],
        ),
        // Other names of the same columns.
        (
            "?view=yaml,cluster,kubectl,yaml",
            "",
            expect![["#?view=editor,stage,terminal"]],
        ),
        (
            "?scene&autoplay=0",
            "",
            expect![["#?scene=slide&autoplay=0"]],
        ),
        (
            "?scene=rolling-update&autoplay=apply&speed=10x",
            "",
            expect![["#?scene=rolling-update&autoplay=apply&speed=10"]],
        ),
        (
            "?seed=18446744073709551615&nodes=5",
            "",
            expect![["#?seed=18446744073709551615&nodes=5"]],
        ),
        (
            "?run=kubectl+get+pods&run=kubectl%20get%20svc%20%7C%20wc",
            "",
            expect![["#?run=kubectl%20get%20pods&run=kubectl%20get%20svc%20%7C%20wc"]],
        ),
        (
            "?origin=https://a.example,http://localhost:8080&origin=null",
            "",
            expect![["#?origin=https://a.example,http://localhost:8080,null"]],
        ),
        (
            "?manifest=%E5%8B%89%E5%BC%B7%0A%25",
            "",
            expect![["#?manifest=%E5%8B%89%E5%BC%B7%0A%25"]],
        ),
        // Names of others are none of ours.
        (
            "?utm_source=x&t=1.abc",
            "#/a?s=2",
            expect![["#?slide=a&s=2"]],
        ),
        // Refused, and the rest still counts.
        (
            "?view=clock&lang=fr&theme=pink",
            "",
            expect![" ! view=clock ! lang=fr ! theme=pink"],
        ),
        (
            "?nodes=0&nodes=4000000000&nodes=3",
            "",
            expect![["#?nodes=3 ! nodes=0 ! nodes=4000000000"]],
        ),
        (
            "?seed=-1&speed=7&controls=&autoplay=later",
            "",
            expect![" ! seed=-1 ! speed=7 ! controls= ! autoplay=later"],
        ),
        (
            "?origin=javascript:alert(1)&origin=https://&origin=https://a b",
            "",
            expect![" ! origin=javascript:alert(1) ! origin=https:// ! origin=https://a b"],
        ),
        (
            "?run=%0a&run=a%0arm&slide=&manifest=",
            "",
            expect![[r#"
                #?run=a&run=rm ! run=
                 ! slide= ! manifest="#]],
        ),
        // Broken escapes stay what they are, broken letters become the sign for that; nothing panics.
        (
            "?slide=%&deck=%zz%4",
            "#?=&&&=x&%",
            expect![["#?slide=%25&deck=%25zz%254"]],
        ),
        ("?slide=%ff%C3", "", expect![["#?slide=%EF%BF%BD%EF%BF%BD"]]),
        ("?slide=%日", "", expect![["#?slide=%25%E6%97%A5"]]),
    ];
    for (query, fragment, expected) in rows {
        expected.assert_eq(&understood(query, fragment));
    }
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let params = Params {
        is_embed: true,
        panes: vec![Pane::Work, Pane::Stage, Pane::Term],
        view: Some(View::Tree),
        slide: Some("pods & more".into()),
        deck: Some("decks/mine.md".into()),
        prints: false,
        scene: Some(SceneOf::Here),
        seed: Some(1),
        nodes: Some(100),
        lang: Some(Lang::Ja),
        theme: Some(Theme::Auto),
        controls: Controls::None,
        manifest: Some("a: \"1+1 = 2\"\n# 勉強 #?&%\n".into()),
        runs: vec!["kubectl get po -l 'a in (b,c)'".into(), "echo +".into()],
        autoplay: Autoplay::Off,
        is_readonly: true,
        speed: Some(10),
        origins: vec!["*".into()],
        is_plain: true,
        run: Some("1.abc-_".into()),
        refused: Vec::new(),
    };
    assert_eq!(Params::read("", &params.fragment()), params);
    assert_eq!(Params::read(&params.fragment()[1..], ""), params);
}

#[test]
fn what_has_happened_once_leaves_the_address() {
    assert_eq!(
        lasting("lang=ja&manifest=a&run=ls&x=1&slide=b&seed=1"),
        "?lang=ja&x=1"
    );
    assert_eq!(lasting("run=ls&seed"), "");
}

#[test]
fn what_is_too_long_or_too_much_is_refused_whole() {
    let long = "a".repeat(MANIFEST + 1);
    let params = Params::read(&format!("?manifest={long}&deck={long}"), "");
    assert_eq!(
        (params.manifest, params.deck, params.refused.len()),
        (None, None, 2)
    );
    let many = "run=ls&".repeat(LINES + 2);
    let params = Params::read(&many, "");
    assert_eq!((params.runs.len(), params.refused.len()), (LINES, 2));
}

#[test]
fn an_embedded_page_shows_what_was_asked_for_or_what_fits() {
    let rows: &[(&str, &[Pane])] = &[
        ("embed", &[Pane::Stage]),
        ("embed&slide=pods", &[Pane::Slides]),
        ("embed&manifest=web.yaml", &[Pane::Work, Pane::Stage]),
        ("embed&view=tree", &[Pane::Stage]),
        ("embed&slide=pods&view=terminal", &[Pane::Term]),
    ];
    for (query, panes) in rows {
        assert_eq!(Params::read(query, "").shown(), *panes, "{query}");
    }
}

#[test]
fn the_full_page_is_the_same_cluster_without_the_frame() {
    let params = Params::read(
        "?embed&view=tree&seed=3&readonly&controls=none&origin=*&manifest=web.yaml",
        "",
    );
    assert_eq!(
        params.full().fragment(),
        "#?view=tree&seed=3&manifest=web.yaml"
    );
}
