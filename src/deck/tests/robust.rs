//! No text makes the parser panic, hang or grow without bound.

use proptest::prelude::*;

use crate::{Deck, Lang, bundled};

/// Pieces that mean something to the parser, in any order and nesting.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("---\n"),
        Just("---?image=a.png&color=red\n"),
        Just("+++\n"),
        Just("\n--\n\n"),
        Just("----\n"),
        Just("\n"),
        Just("key: value\n"),
        Just("Note:\n"),
        Just("# 見出し\n"),
        Just("* a\n"),
        Just("- b\n  - c\n"),
        Just("1) x\n"),
        Just("> q\n"),
        Just("```yaml apply web.yaml\n"),
        Just("```yaml task\n"),
        Just("```yaml scene\n"),
        Just("```sh run\n"),
        Just("```sh solution\n"),
        Just("```\n"),
        Just("~~~\n"),
        Just("```js {1|2-3|all} [5: 2]\n"),
        Just("goal: {kind: Pod, ready: 3}\ntitle: t\n"),
        Just("goal: [[[["),
        Just("<div class=\"columns\">\n"),
        Just("<div>\n"),
        Just("</div>\n"),
        Just("<v-click>\n"),
        Just("</v-click>\n"),
        Just("<v-clicks>\n"),
        Just("</v-clicks>\n"),
        Just("::left::\n"),
        Just("::right::\n"),
        Just("<v-click>x</v-click>\n"),
        Just("<details>\n"),
        Just("<summary>s</summary>\n"),
        Just("</details>\n"),
        Just("<b>"),
        Just("</b>"),
        Just("<kbd>"),
        Just("<script>alert(1)</script>\n"),
        Just("<!--"),
        Just("-->\n"),
        Just("<!-- .slide: class=\"x\" -->\n"),
        Just("<!-- .element: class=\"fragment\" data-fragment-index=\"2\" -->\n"),
        Just("<!-- focus: etcd -->\n"),
        Just("<!--@lines 1-->\n"),
        Just("@[1-3](x)\n"),
        Just("@ul[x]\n"),
        Just("@ulend\n"),
        Just("@snap[north]\n"),
        Just("![bg](a.png)\n"),
        Just("![図](figure:loop)\n"),
        Just("[x](javascript:alert(1))"),
        Just("| a | b |\n|---|---|\n| **c** | <b>d |\n"),
        Just("**強調**"),
        Just("`code`"),
        Just("\\"),
        Just("\u{feff}"),
        Just("\r\n"),
        Just("\t"),
        Just("    "),
        Just("é"),
        Just("😀"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn total(deck: &Deck) -> usize {
    deck.iter()
        .map(|slide| slide.blocks.len() + slide.steps() as usize + slide.cells().len())
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        total(&Deck::parse(&[("a.md", &text)]));
    }

    #[test]
    fn arbitrary_mixtures_of_meaningful_pieces_never_panic(text in pieces(), more in pieces()) {
        let deck = Deck::parse(&[("a.md", &text), ("b.md", &more)]);
        total(&deck);
        prop_assert!(deck.problems.len() <= 200);
        prop_assert!(deck.slides.iter().all(|column| !column.is_empty()));
        // Every id leads to one slide.
        for slide in deck.iter() {
            prop_assert!(deck.iter().filter(|other| other.id == slide.id).count() == 1);
            // Lines lead into the file.
            let file = if slide.file == 0 { &text } else { &more };
            prop_assert!(slide.line as usize <= file.lines().count() + 1);
        }
    }
}

#[test]
fn every_prefix_of_the_real_decks_parses() {
    for lang in [Lang::Ja, Lang::En] {
        for (index, (name, text)) in bundled(lang).iter().enumerate() {
            // Every place at which something can begin or end, and a sample of all others.
            for (at, c) in text.char_indices() {
                let telling = c.is_ascii_punctuation() || c == '\n';
                if (telling && at % 3 == index % 3) || at % 41 == 0 {
                    Deck::parse(&[(name, &text[..at])]);
                }
            }
        }
    }
}

#[test]
fn deep_nesting_becomes_flat_instead_of_exhausting_the_stack() {
    for text in [
        "> ".repeat(20_000) + "x",
        (0..3_000)
            .map(|depth| format!("{}- x\n", "  ".repeat(depth % 400)))
            .collect::<String>(),
        "<div>\n\n".repeat(5_000),
        "<b>".repeat(20_000) + "x",
        "**a ".repeat(20_000),
        format!("<!-- {}: x -->", "a: {".repeat(500)),
        format!("```yaml task\ngoal: {}\n```", "[".repeat(5_000)),
        format!(
            "```yaml task\ntitle: t\ngoal: {}kind: Pod{}\n```",
            "{not: {".repeat(60),
            "}}".repeat(60)
        ),
    ] {
        let deck = Deck::parse(&[("deep.md", &text)]);
        let copy = deck.clone();
        assert_eq!(deck, copy);
    }
}

#[test]
fn hostile_sizes_end_with_a_problem_and_not_with_a_hang() {
    let bomb = |name: &str| {
        let mut yaml = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let last = level - 1;
            yaml.push_str(&format!(
                "a{level}: &a{level} [{}]\n",
                vec![format!("*a{last}"); 9].join(", ")
            ));
        }
        format!("```yaml {name}\n{yaml}```\n---\n{yaml}---\n")
    };
    for (what, text) in [
        ("a long file", "word ".repeat(2_000_000)),
        ("a long slide", "* a\n".repeat(400_000)),
        ("many slides", "a\n---\n".repeat(500_000)),
        ("many fences", "```yaml task\n```\n".repeat(100_000)),
        (
            "bombs",
            bomb("task").repeat(300) + &bomb("scene").repeat(300),
        ),
    ] {
        let deck = Deck::parse(&[("big.md", &text)]);
        assert!(!deck.problems.is_empty(), "{what}");
        assert!(deck.len() <= 2_000, "{what}");
    }
}

#[test]
fn sentences_hold_code_between_backticks() {
    use crate::{Inline, sentence};
    let text = |text: &str| Inline::Text(String::from(text));
    let code = |text: &str| Inline::Code(String::from(text));
    assert_eq!(
        sentence("run `kubectl get` now"),
        [text("run "), code("kubectl get"), text(" now")]
    );
    assert_eq!(sentence("`a`"), [code("a")]);
    assert_eq!(sentence("a ` b"), [text("a ` b")]);
}
