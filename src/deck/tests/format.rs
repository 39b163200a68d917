//! The format, convention by convention.

use std::fmt::Write;

use expect_test::{Expect, expect};

use crate::{Block, BlockKind, Cell, Deck, Goal, Inline, Lang, View};

/// Draws a deck as an indented outline: places, steps and words.
pub(super) fn outline(deck: &Deck) -> String {
    let mut out = String::new();
    for slide in deck.iter() {
        let _ = write!(
            out,
            "{}.{} line {}",
            slide.column + 1,
            slide.row + 1,
            slide.line
        );
        if slide.steps() > 0 {
            let _ = write!(out, ", {} steps", slide.steps());
        }
        for (key, value) in &slide.options {
            let _ = write!(out, ", {key}={value}");
        }
        out.push('\n');
        blocks(&slide.blocks, 1, &mut out);
        if !slide.notes.is_empty() {
            out.push_str("  notes\n");
            blocks(&slide.notes, 2, &mut out);
        }
    }
    for problem in &deck.problems {
        let place = problem
            .slide
            .map_or(String::from("front"), |(column, row)| {
                format!("{column}.{row}")
            });
        let _ = writeln!(
            out,
            "! {place} line {}: {} ({})",
            problem.line, problem.message.en, problem.hint.en
        );
    }
    out
}

fn blocks(list: &[Block], depth: usize, out: &mut String) {
    for block in list {
        let step = if block.step > 0 {
            format!("[{}] ", block.step)
        } else {
            String::new()
        };
        let _ = write!(out, "{}{step}", "  ".repeat(depth));
        let children: &[Block] = match &block.kind {
            BlockKind::Heading { level, text } => {
                let _ = writeln!(out, "h{level} {}", inlines(text));
                &[]
            }
            BlockKind::Paragraph(text) => {
                let _ = writeln!(out, "p {}", inlines(text));
                &[]
            }
            BlockKind::List { start, items } => {
                let _ = writeln!(out, "list {start:?}");
                for item in items {
                    let mark = match item.checked {
                        None => "-",
                        Some(true) => "x",
                        Some(false) => "o",
                    };
                    let step = if item.step > 0 {
                        format!(" [{}]", item.step)
                    } else {
                        String::new()
                    };
                    let _ = writeln!(out, "{}{mark}{step}", "  ".repeat(depth + 1));
                    blocks(&item.blocks, depth + 2, out);
                }
                &[]
            }
            BlockKind::Code {
                lang,
                text,
                highlight,
            } => {
                let _ = writeln!(
                    out,
                    "code {lang} {:?} from {} {text:?}",
                    highlight.stops, highlight.first_step
                );
                &[]
            }
            BlockKind::Table { head, rows, .. } => {
                let row = |row: &Vec<Vec<Inline>>| {
                    row.iter()
                        .map(|cell| inlines(cell))
                        .collect::<Vec<_>>()
                        .join(" | ")
                };
                let _ = writeln!(
                    out,
                    "table {} / {}",
                    row(head),
                    rows.iter().map(row).collect::<Vec<_>>().join(" / ")
                );
                &[]
            }
            BlockKind::Columns(columns) => {
                out.push_str("columns\n");
                for column in columns {
                    let _ = writeln!(out, "{}column", "  ".repeat(depth + 1));
                    blocks(column, depth + 2, out);
                }
                &[]
            }
            BlockKind::Quote(inner) => {
                out.push_str("quote\n");
                inner
            }
            BlockKind::Group { class, blocks } => {
                let _ = writeln!(out, "group {class}");
                blocks
            }
            BlockKind::Details { summary, blocks } => {
                let _ = writeln!(out, "details {}", inlines(summary));
                blocks
            }
            other => {
                let _ = writeln!(out, "{other:?}");
                &[]
            }
        };
        blocks(children, depth + 1, out);
    }
}

fn inlines(list: &[Inline]) -> String {
    let mut out = String::new();
    for inline in list {
        match inline {
            Inline::Text(text) => out.push_str(text),
            Inline::Code(text) => {
                let _ = write!(out, "code({text})");
            }
            Inline::Strong(inner) => {
                let _ = write!(out, "b({})", inlines(inner));
            }
            Inline::Emphasis(inner) => {
                let _ = write!(out, "i({})", inlines(inner));
            }
            Inline::Strike(inner) => {
                let _ = write!(out, "s({})", inlines(inner));
            }
            Inline::Kbd(inner) => {
                let _ = write!(out, "kbd({})", inlines(inner));
            }
            Inline::Sub(inner) => {
                let _ = write!(out, "sub({})", inlines(inner));
            }
            Inline::Sup(inner) => {
                let _ = write!(out, "sup({})", inlines(inner));
            }
            Inline::Link { href, text, .. } => {
                let _ = write!(out, "link({href}: {})", inlines(text));
            }
            Inline::Image { src, alt, .. } => {
                let _ = write!(out, "image({src}: {alt})");
            }
            Inline::Break => out.push_str(" // "),
            Inline::SoftBreak => out.push_str(" / "),
        }
    }
    out
}

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&outline(&Deck::parse(&[("deck.md", text)])));
}

#[test]
fn an_empty_file_is_an_empty_deck() {
    for text in ["", "\n\n", "\u{feff}", "---\n---\n"] {
        let deck = Deck::parse(&[("a.md", text)]);
        assert!(deck.is_empty() && deck.problems.is_empty(), "{text:?}");
    }
}

#[test]
fn separators_of_every_convention_make_columns_and_rows() {
    check(
        "# a\n---\n# b\n\n--\n\n# b2\n+++\n# b3\n----\n# b4\n\n---\n\n# c\n\n***\n\nstill c\n---?image=x.png&color=red\n# d\n",
        &expect![[r#"
            1.1 line 1
              h1 a
            2.1 line 3
              h1 b
            2.2 line 6
              h1 b2
            2.3 line 9
              h1 b3
            2.4 line 11
              h1 b4
            3.1 line 14
              h1 c
              Rule
              p still c
            4.1 line 21, color=red, image=x.png
              h1 d
        "#]],
    );
}

#[test]
fn fences_and_comments_never_cut_a_slide() {
    check(
        "# a\n```yaml\na: 1\n---\nb: 2\n```\n<!--\n---\n-->\ntext\n~~~\n+++\n~~~\n",
        &expect![[r#"
            1.1 line 1
              h1 a
              code yaml [] from 0 "a: 1\n---\nb: 2\n"
              p text
              code  [] from 0 "+++\n"
        "#]],
    );
}

#[test]
fn two_dashes_cut_only_between_blank_lines() {
    check(
        "a\n--\nb\n",
        &expect![[r#"
        1.1 line 1
          h2 a
          p b
    "#]],
    );
}

#[test]
fn front_matter_describes_the_deck() {
    let deck = Deck::parse(&[(
        "a.md",
        "---\ntitle: T\nlang: ja-JP\nauthor: me\naspectRatio: 4/3\nmarp: true\nunknown: x\n---\n# one\n",
    )]);
    assert_eq!(
        (deck.title.as_str(), deck.lang, deck.len()),
        ("T", Some(Lang::Ja), 1)
    );
    assert_eq!(
        (deck.front.author.as_str(), deck.front.aspect.as_str()),
        ("me", "4/3")
    );
    assert!(deck.front.marp && deck.front.fragments);
    assert_eq!(
        deck.front.other.get("unknown").map(String::as_str),
        Some("x")
    );
    assert_eq!(deck.problems, []);
}

#[test]
fn front_matter_that_is_no_yaml_is_reported_at_its_line() {
    check(
        "---\ntitle: a: b\n---\n# one\n",
        &expect![[r#"
            1.1 line 4
              h1 one
            ! front line 2: this front matter is no valid YAML: mapping values are not allowed in this context (write one "key: value" a line, and quote values that contain : or #)
        "#]],
    );
}

#[test]
fn slidev_front_matter_belongs_to_its_slide() {
    check(
        "# a\n\n---\nlayout: center\nclass: dark\n---\n\n# b\n\n---\n# c, and no front matter\n\n---\nNote: d is only a note\n",
        &expect![[r#"
            1.1 line 1
              h1 a
            2.1 line 7, class=dark, layout=center
              h1 b
            3.1 line 11
              h1 c, and no front matter
            4.1 line 14
              notes
                p d is only a note
        "#]],
    );
}

#[test]
fn heading_divider_cuts_at_headings() {
    check(
        "---\nheadingDivider: 2\n---\n# a\ntext\n## b\n### still b\n# c\n",
        &expect![[r#"
            1.1 line 4
              h1 a
              p text
            2.1 line 6
              h2 b
              h3 still b
            3.1 line 8
              h1 c
        "#]],
    );
}

#[test]
fn notes_of_every_convention_leave_the_slide() {
    check(
        "# reveal\n\nNote:\nsay *this*\n- and that\n---\n# slidev\n\ntext\n\n<!-- say that -->\n---\n# a comment\n\n<!-- not a note -->\n\nin the middle\n",
        &expect![[r#"
            1.1 line 1
              h1 reveal
              notes
                p say i(this)
                list None
                  -
                    p and that
            2.1 line 7
              h1 slidev
              p text
              notes
                p say that
            3.1 line 13
              h1 a comment
              p in the middle
        "#]],
    );
    check(
        "---\nmarp: true\n---\n# marp\n<!-- first -->\ntext\n<!-- second -->\nmore\n<!-- _class: lead -->\n",
        &expect![[r#"
            1.1 line 4, class=lead
              h1 marp
              p text
              p more
              notes
                p first
                p second
        "#]],
    );
}

#[test]
fn fragments_are_counted_in_order_and_by_index() {
    check(
        "- a <!-- .element: class=\"fragment\" -->\n- b\n- c <!-- .element: class=\"fragment\" data-fragment-index=\"2\" -->\n\npara\n<!-- .element: class=\"fragment\" data-fragment-index=\"1\" -->\n\n```js {1|2-3|all}\nx\n```\n",
        &expect![[r#"
            1.1 line 1, 5 steps
              list None
                - [3]
                  p a
                -
                  p b
                - [2]
                  p c
              [1] p para
              code js [[(1, 1)], [(2, 3)], []] from 4 "x\n"
        "#]],
    );
}

#[test]
fn star_lists_are_fragments_where_the_deck_says_so() {
    check(
        "* a\n* b\n",
        &expect![[r#"
        1.1 line 1
          list None
            -
              p a
            -
              p b
    "#]],
    );
    check(
        "---\nfragments: true\n---\n* a\n  * b\n\n- c\n\n1) d\n2) e\n\n1. f\n",
        &expect![[r#"
            1.1 line 4, 4 steps
              list None
                - [1]
                  p a
                  list None
                    - [2]
                      p b
              list None
                -
                  p c
              list Some(1)
                - [3]
                  p d
                - [4]
                  p e
              list Some(1)
                -
                  p f
        "#]],
    );
}

#[test]
fn clicks_of_slidev_are_fragments() {
    check(
        "<v-click>\n\nshown later\n\n</v-click>\n\n<v-clicks>\n\n- a\n- b\n\n</v-clicks>\n",
        &expect![[r#"
            1.1 line 1, 3 steps
              [1] group 
                p shown later
              list None
                - [2]
                  p a
                - [3]
                  p b
        "#]],
    );
}

#[test]
fn marp_directives_hold_on_or_for_one_slide() {
    check(
        "<!-- class: blue -->\n<!-- _paginate: false -->\n# a\n---\n# b\n---\n<!-- class: red -->\n# c\n---\n<!-- .slide: data-background-color=\"#fff\" class='x y' -->\n# d\n![bg left](photo.png)\n",
        &expect![[r#"
            1.1 line 1, class=blue, paginate=false
              h1 a
            2.1 line 5, class=blue
              h1 b
            3.1 line 7, class=red
              h1 c
            4.1 line 10, backgroundFit=left, backgroundImage=photo.png, class=x y, data-background-color=#fff
              h1 d
        "#]],
    );
}

#[test]
fn gitpitch_marks_are_stripped_and_their_text_kept() {
    check(
        "@title[Hidden]\n# @color[red](Shown) @fa[rocket]\n@snap[north]\ntext, mail me@example.com\n@snapend\n@ul[spaced]\n- a\n- b\n@ulend\n\n```js\nlet x\nlet y\n```\n@[1](first)\n@[2]\n",
        &expect![[r#"
            1.1 line 1, 4 steps
              h1 Shown
              p text, mail me@example.com
              list None
                - [1]
                  p a
                - [2]
                  p b
              code js [[], [(1, 1)], [(2, 2)]] from 3 "let x\nlet y\n"
              p first
        "#]],
    );
}

#[test]
fn columns_details_and_inline_tags_are_understood() {
    check(
        "<div class=\"columns\">\n<div>\n\n# left\n\n</div>\n<div>\n- right\n</div>\n</div>\n\n<details>\n<summary>more <b>bold</b></summary>\ninner **text**\n</details>\n\npress <kbd>Ctrl</kbd>, H<sub>2</sub>O<br>x<sup>2</sup>\n",
        &expect![[r#"
            1.1 line 1
              columns
                column
                  h1 left
                column
                  list None
                    -
                      p right
              details more b(bold)
                p inner b(text)
              p press kbd(Ctrl), Hsub(2)O // xsup(2)
        "#]],
    );
}

#[test]
fn slots_of_slidev_are_columns() {
    check(
        "# t\n\nleft\n\n::right::\n\nright\n",
        &expect![[r#"
            1.1 line 1
              h1 t
              columns
                column
                  p left
                column
                  p right
        "#]],
    );
    check(
        "# t\n::left::\na\n\nb\n::right::\n- c\n- d <v-click>e</v-click>\n\n<v-click>later</v-click>\n",
        &expect![[r#"
            1.1 line 1, 1 steps
              h1 t
              columns
                column
                  p a
                  p b
                column
                  list None
                    -
                      p c
                    -
                      p d e
                  [1] group 
                    p later
        "#]],
    );
}

#[test]
fn html_of_a_user_is_text_and_never_more() {
    check(
        "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n<a href=\"javascript:alert(1)\">x</a>\n\n[y](javascript:alert(1)) [z](JaVa\tScript:alert(1)) [ok](https://example.com) <b onclick=alert(1)>bold</b>\n\n<iframe src=\"//evil\"></iframe>\n\n<style>h1 { color: red }</style>\n\n![p](https://evil.example/track.png)\n",
        &expect![[r#"
            1.1 line 1
              p <script>alert(1)</script>
              Image { src: "x", alt: "", title: "" }
              p <a href="javascript:alert(1)">x</a>
              p y [z](JaVa	Script:alert(1)) link(https://example.com: ok) b(bold)
              p <iframe src="//evil"></iframe>
              p link(https://evil.example/track.png: p)
            ! 1.1 line 1: this HTML is shown as text and never executed (usable: br, b, i, kbd, sub, sup, img, details, summary, div class="columns")
            ! 1.1 line 7: this link leads nowhere that a deck may lead (use http(s), mailto or a relative address)
            ! 1.1 line 13: an image of another host is not shown: no request leaves the page (put it beside the deck, or embed it as data:)
        "#]],
    );
}

#[test]
fn unclosed_things_are_reported_and_closed() {
    check(
        "<div class=\"columns\">\n\na\n---\n</div>\n\nb\n---\n```yaml apply\nkind: Pod\n",
        &expect![[r#"
            1.1 line 1
              columns
                column
                  p a
            2.1 line 5
              p b
            3.1 line 9
              Live(Apply(Apply { name: "slide-3-1.yaml", yaml: "kind: Pod\n", highlight: Highlight { stops: [], first_step: 0 }, kinds: [("", "Pod")], fails: false }))
            ! 1.1 line 1: <div> is never closed (close it with </div>)
            ! 2.1 line 5: nothing is open that </div> could close (match it with an opening tag)
            ! 3.1 line 9: this code block is never closed (close it with a line of as many backticks)
        "#]],
    );
}

#[test]
fn live_cells_carry_what_the_page_needs() {
    let deck = Deck::parse(&[(
        "a.md",
        "# a\n```yaml apply web.yaml {1|2}\napiVersion: v1\nkind: Pod # one\n---\napiVersion: apps/v1\nkind: \"Deployment\"\n```\n```sh run fails\n# a comment\n$ kubectl get pods \\\n  -o wide\ncat <<EOF > x\na\n\nEOF\n```\n```playground view=tree focus=deployment/web height=40%\n```\n```kubectl\nkubectl version\n```\n",
    )]);
    assert_eq!(deck.problems, []);
    let cells = deck.slides[0][0].cells();
    let Cell::Apply(apply) = cells[0] else {
        panic!("{cells:?}")
    };
    assert_eq!((apply.name.as_str(), apply.fails), ("web.yaml", false));
    assert_eq!(
        apply.kinds,
        [
            ("v1".into(), "Pod".into()),
            ("apps/v1".into(), "Deployment".into())
        ]
    );
    assert_eq!(apply.highlight.at(0), [(1, 1)]);
    assert_eq!(apply.highlight.at(1), [(2, 2)]);
    assert_eq!(deck.slides[0][0].steps(), 1);
    let Cell::Run(run) = cells[1] else {
        panic!("{cells:?}")
    };
    assert_eq!(
        run.lines,
        ["kubectl get pods \\\n  -o wide", "cat <<EOF > x\na\n\nEOF"]
    );
    assert!(run.fails);
    let Cell::Stage(stage) = cells[2] else {
        panic!("{cells:?}")
    };
    assert_eq!((stage.view, stage.height), (View::Tree, Some(40)));
    assert_eq!(stage.focus, ["deployment/web"]);
    assert!(matches!(cells[3], Cell::Run(_)));
    assert_eq!(
        deck.files().keys().copied().collect::<Vec<_>>(),
        ["web.yaml"]
    );
}

#[test]
fn names_of_manifests_never_leave_their_folder() {
    let deck = Deck::parse(&[(
        "a.md",
        "```yaml apply name=../../etc/passwd\na: 1\n```\n```yaml apply\nb: 1\n```\n",
    )]);
    assert_eq!(
        deck.files().keys().copied().collect::<Vec<_>>(),
        ["passwd", "slide-1-1-2.yaml"]
    );
}

#[test]
fn a_scene_comes_from_a_fence_or_from_front_matter() {
    let deck = Deck::parse(&[(
        "a.md",
        "```yaml scene\nseed: 7\nnodes: 4\noptions: {imagePull: slow}\ncommands:\n- kubectl apply -f web.yaml\n- sleep 30s\n```\n---\nscene: {seed: 1, commands: \"a\\nb\"}\nfocus: [etcd, kubelet]\nview: nodes\n---\n# b\n",
    )]);
    assert_eq!(deck.problems, []);
    let first = deck.slides[0][0].scene.as_ref().expect("a scene");
    assert_eq!(
        (first.seed, first.nodes, first.commands.len()),
        (Some(7), Some(4), 2)
    );
    assert_eq!(
        first.options.get("imagePull").map(String::as_str),
        Some("slow")
    );
    let second = &deck.slides[1][0];
    assert_eq!(
        second.scene.as_ref().map(|scene| scene.commands.clone()),
        Some(vec!["a".into(), "b".into()])
    );
    assert_eq!(
        (second.focus.clone(), second.view),
        (vec!["etcd".into(), "kubelet".into()], Some(View::Nodes))
    );
}

#[test]
fn a_task_reads_goals_hints_mistakes_and_answers() {
    let deck = Deck::parse(&[(
        "a.md",
        "```yaml task\nid: t\ntitle: {ja: 題, en: title}\ngoal:\n- {kind: Pod, selector: \"app=web,tier in (a,b),!old\", ready: 3}\n- any:\n  - {ran: kubectl get pods}\n  - not: {kind: Node, namespace: \"*\", where: {\"status.conditions[*].type\": {in: [A, B]}}, exists: false}\nhint: one\nmistakes:\n- when: {kind: Pod, count: \">3\"}\n  say: too many\ndone: well done\n```\n```sh solution\nkubectl scale --replicas=3 deployment/web\n```\n```sh wrong\nkubectl get pods\n```\n",
    )]);
    assert_eq!(deck.problems, []);
    let task = deck.slides[0][0].tasks().next().expect("a task");
    assert_eq!(
        (task.id.as_str(), task.title(Lang::Ja), task.title(Lang::En)),
        ("t", "題", "title")
    );
    assert!(matches!(&task.goals[..], [Goal::All(parts)] if parts.len() == 2));
    assert_eq!((task.hints.len(), task.mistakes.len()), (1, 1));
    assert_eq!(task.solution, ["kubectl scale --replicas=3 deployment/web"]);
    assert_eq!(task.wrong, ["kubectl get pods"]);
}

#[test]
fn mistakes_of_authors_are_explained_where_they_are() {
    check(
        "# a\n\n```yaml aply\na: 1\n```\n```sh apply\nx\n```\n```yaml task\ntitle: t\ngoal: {knd: Pod}\n```\n```yaml task\nid: x\n```\n```sh run\n# nothing\n```\n---\n```sh solution\nx\n```\n```playground view=tre\n```\n```yaml scene\nsed: 1\nnodes: many\n```\n<!-- view: nods -->\n![x](figure:lop)\n---\n<!-- id: one -->\n# b\n---\n<!-- id: one -->\n# c\n```yaml scene\na: [\n```\n",
        &expect![[r#"
            1.1 line 1
              h1 a
              code yaml [] from 0 "a: 1\n"
              code sh [] from 0 "x\n"
            2.1 line 20
              Live(Stage(Stage { view: Architecture, focus: [], height: None }))
              Figure { name: "lop", alt: "x" }
            3.1 line 32
              h1 b
            4.1 line 35
              h1 c
            ! 1.1 line 3: there is no kind of block "aply" (did you mean "apply"?)
            ! 1.1 line 6: "apply" belongs to a block of yaml (```yaml apply)
            ! 1.1 line 10: there is no key "knd" here (did you mean "kind"?)
            ! 1.1 line 10: the goal names no kind (for example: goal: {kind: Pod, selector: app=web, ready: 3})
            ! 1.1 line 14: the task has no goal (for example: goal: {kind: Pod, selector: app=web, ready: 3})
            ! 1.1 line 16: there is no line to run (for example: kubectl get pods)
            ! 2.1 line 20: there is no task before this (write it right after ```yaml task)
            ! 2.1 line 23: there is no view "tre" (did you mean "tree"?)
            ! 2.1 line 26: there is no key "sed" here (did you mean "seed"?)
            ! 2.1 line 26: nodes is a whole number (for example: nodes: 3)
            ! 2.1 line 30: there is no figure "lop" (did you mean "loop"?)
            ! 2.1 line 29: there is no view "nods" (did you mean "nodes"?)
            ! 4.1 line 39: scene is no valid YAML: did not find expected node content (indent with spaces, and quote values that contain : or #)
            ! 4.1 line 35: the id "one" is that of an earlier slide (choose another id)
        "#]],
    );
}

#[test]
fn notes_hold_no_live_cells() {
    let deck = Deck::parse(&[(
        "a.md",
        "# a\nNote:\n```sh run\nkubectl delete all --all\n```\n",
    )]);
    assert!(deck.slides[0][0].cells().is_empty());
    assert!(matches!(
        deck.slides[0][0].notes[0].kind,
        BlockKind::Code { .. }
    ));
}

#[test]
fn each_file_begins_a_column() {
    let deck = Deck::parse(&[
        ("a.md", "# a\n+++\n# a2\n"),
        ("b.md", "+++\n# b\n---\n# c\n"),
    ]);
    let places: Vec<(usize, usize, &str)> = deck
        .iter()
        .map(|s| (s.column, s.row, s.title.as_str()))
        .collect();
    assert_eq!(
        places,
        [(0, 0, "a"), (0, 1, "a2"), (1, 0, "b"), (2, 0, "c")]
    );
    assert_eq!(deck.find("2.1").map(|slide| slide.file), Some(1));
}

#[test]
fn the_examples_of_the_format_pages_parse() {
    for page in [
        include_str!("../../../slides/README.md"),
        include_str!("../../../slides/README.ja.md"),
    ] {
        let mut example = String::new();
        let mut examples = 0;
        for line in page.lines().chain(["the end"]) {
            if let Some(inside) = line.strip_prefix("    ") {
                example.push_str(inside);
                example.push('\n');
            } else if line.is_empty() {
                example.push('\n');
            } else {
                let deck = Deck::parse(&[("README.md", &std::mem::take(&mut example))]);
                assert_eq!(deck.problems, []);
                examples += deck.iter().flat_map(|slide| slide.cells()).count();
                examples += deck
                    .iter()
                    .filter(|slide| slide.scene.is_some() || !slide.focus.is_empty())
                    .count();
            }
        }
        assert_eq!(
            examples, 6,
            "apply, run, playground, scene, focus and a task"
        );
    }
}
