//! Decks as other tools' users write them, whole: they drop in.

use expect_test::{Expect, expect};

use super::format::outline;
use crate::Deck;

fn check(name: &str, text: &str, expected: &Expect) {
    expected.assert_eq(&outline(&Deck::parse(&[(name, text)])));
}

#[test]
fn a_deck_for_reveal_js_drops_in() {
    check(
        "reveal.md",
        include_str!("decks/reveal.md"),
        &expect![[r#"
            1.1 line 1, class=title, data-background-color=#223344
              h1 Containers in an hour
              p Ada, at a meetup
              notes
                p Wait for the projector.
            2.1 line 9, 2 steps
              h2 Why
              list None
                -
                  p It runs here
                - [2]
                  p It runs there
                - [1]
                  p It runs anywhere
            2.2 line 17
              h3 A picture
              Image { src: "ship.png", alt: "A ship", title: "" }
            3.1 line 23, 1 steps
              h2 Some code
              code js [[(1, 1)], [(3, 4)]] from 1 "const http = require(\"http\");\n\nhttp.createServer((request, response) => response.end(\"hello\"))\n  .listen(8080);\n"
              quote
                p Keep it simple.
            4.1 line 36, id=end
              h2 Thank you
              p <script>Reveal.initialize()</script>
              notes
                p Questions.
            ! 4.1 line 41: this HTML is shown as text and never executed (usable: br, b, i, kbd, sub, sup, img, details, summary, div class="columns")
        "#]],
    );
}

#[test]
fn a_deck_for_gitpitch_drops_in() {
    check(
        "gitpitch.md",
        include_str!("decks/gitpitch.md"),
        &expect![[r#"
            1.1 line 1
              h1 Kubernetes 入門
              p 勉強会 第 1 回
            2.1 line 8, 2 steps, color=linear-gradient(to right, #c02425, #f0cb35)
              h2 なぜ使うのか
              list None
                - [1]
                  p 自動で直る
                - [2]
                  p 速く出せる
            2.2 line 18, 2 steps, image=assets/pods.png
              h3 Pod
              code yaml [[], [(2, 2)], [(3, 4)]] from 1 "apiVersion: v1\nkind: Pod\nmetadata:\n  name: hello\n"
              p 種類
              p 名前
            3.1 line 32
              table リソース | 役割 / Pod | 動かす / Service | 公開する
        "#]],
    );
}

#[test]
fn a_deck_for_marp_drops_in() {
    check(
        "marp.md",
        include_str!("decks/marp.md"),
        &expect![[r#"
        1.1 line 11, paginate=true
          h1 Service のはなし
        2.1 line 14, 3 steps
          h2 三つの種類
          list None
            - [1]
              p ClusterIP
            - [2]
              p NodePort
            - [3]
              p LoadBalancer
          notes
            p ここはノートです
        3.1 line 22, backgroundColor=
          h2 図
          p link(https://example.com/cluster.png: bg right:40%) / image(lb.svg: w:300)
        4.1 line 29
          h2 試す
          Live(Run(Run { lines: ["kubectl get services"], fails: false }))
        ! 3.1 line 24: an image of another host is not shown: no request leaves the page (put it beside the deck, or embed it as data:)
    "#]],
    );
}

#[test]
fn a_deck_for_slidev_drops_in() {
    check(
        "slidev.md",
        include_str!("decks/slidev.md"),
        &expect![[r#"
        1.1 line 7, class=text-center, mdc=true
          h1 Probes
          p Three questions to a container
        2.1 line 15, 4 steps, layout=two-cols
          h2 Liveness
          columns
            column
              list None
                - [1]
                  p Does it still live?
                - [2]
                  p If not: start it again
            column
              code yaml [[(2, 2)], [(3, 5)], []] from 3 "livenessProbe:\n  httpGet:\n    path: /healthz\n    port: 8080\n"
          notes
            p Tell the story of the deadlock.
        3.1 line 39, 1 steps
          h2 Readiness
          [1] group 
            p It may take traffic.
          p <Counter :count="10" />
        ! 3.1 line 44: this HTML is shown as text and never executed (usable: br, b, i, kbd, sub, sup, img, details, summary, div class="columns")
    "#]],
    );
}
