//! One spelling for each word, in the slides, the notes and the tasks of both languages.

use crate::model::walk;
use crate::{BlockKind, Deck, Inline, Lang, Slide, bundled, lessons};

/// What is not written, and what is instead. Long vowels follow the interface: コントローラー, サーバー, but メモリ.
const JAPANESE: &[(&str, &str)] = &[
    ("メモリー", "メモリ"),
    ("セキュリティー", "セキュリティ"),
    ("バイナリー", "バイナリ"),
    ("コンテナー", "コンテナ"),
    ("クバネティス", "Kubernetes (said once, as a reading)"),
    ("レプリカセット", "ReplicaSet"),
    ("デプロイメント", "Deployment"),
    ("ネームスペース", "Namespace"),
    ("名前空間", "Namespace"),
    ("マスターノード", "コントロールプレーン"),
    ("出来る", "できる"),
    ("下さい", "ください"),
    ("全て", "すべて"),
    ("ｋ", "k"),
    ("，", "、"),
    ("．", "。"),
];

/// These end in a long vowel mark; without it is the other spelling.
const LONG: &[&str] = &[
    "サーバ",
    "コントローラ",
    "ユーザ",
    "コンピュータ",
    "クラスタ",
    "フォルダ",
    "スケジューラ",
    "オペレータ",
    "ロードバランサ",
    "マネージャ",
];

const ENGLISH: &[(&str, &str)] = &[
    ("color", "colour"),
    ("behavior", "behaviour"),
    ("containeriz", "containeris"),
    ("authoriz", "authoris"),
    ("kubernets", "Kubernetes"),
    ("replica set", "ReplicaSet"),
    ("config map", "ConfigMap"),
    ("load-balancer", "load balancer"),
    ("master node", "control plane"),
    ("teh ", "the"),
];

fn sentences(deck: &Deck) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for slide in deck.iter() {
        let mut say =
            |text: String| out.push((format!("{}.{}", slide.column + 1, slide.row + 1), text));
        for blocks in [&slide.blocks, &slide.notes] {
            walk(blocks, &mut |block| match &block.kind {
                BlockKind::Heading { text, .. } | BlockKind::Paragraph(text) => say(words(text)),
                BlockKind::Table { head, rows, .. } => {
                    for row in rows.iter().chain([head]) {
                        row.iter().for_each(|cell| say(words(cell)));
                    }
                }
                BlockKind::Figure { alt, .. } => say(alt.clone()),
                _ => {}
            });
        }
        for task in Slide::tasks(slide) {
            let said = task.mistakes.iter().map(|mistake| &mistake.say);
            for text in [&task.title, &task.done]
                .into_iter()
                .chain(&task.hints)
                .chain(said)
            {
                say(text.get(Lang::Ja).to_string());
            }
        }
    }
    out
}

/// The words, without code.
fn words(text: &[Inline]) -> String {
    let prose: Vec<Inline> = text
        .iter()
        .filter(|inline| !matches!(inline, Inline::Code(_)))
        .cloned()
        .collect();
    crate::plain(&prose)
}

fn decks(lang: Lang) -> Vec<Deck> {
    let lessons = lessons(lang).iter().map(|file| Deck::parse(&[*file]));
    lessons.chain([Deck::parse(bundled(lang))]).collect()
}

#[test]
fn japanese_words_have_one_spelling() {
    let mut wrong = Vec::new();
    for deck in decks(Lang::Ja) {
        for (place, sentence) in sentences(&deck) {
            for (bad, good) in JAPANESE {
                let reading = *bad == "クバネティス" && sentence.contains("読み方");
                if sentence.contains(bad) && !reading {
                    wrong.push(format!("{place} {bad}, not {good}: {sentence}"));
                }
            }
            for stem in LONG {
                for (at, _) in sentence.match_indices(stem) {
                    if !sentence[at + stem.len()..].starts_with('ー') {
                        wrong.push(format!("{place} {stem}ー without its end: {sentence}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn english_words_have_one_spelling() {
    let mut wrong = Vec::new();
    for deck in decks(Lang::En) {
        for (place, sentence) in sentences(&deck) {
            let lower = sentence.to_lowercase();
            for (bad, good) in ENGLISH {
                if lower.contains(bad) {
                    wrong.push(format!("{place} {bad}, not {good}: {sentence}"));
                }
            }
            if sentence
                .chars()
                .any(|c| ('\u{3040}'..='\u{30ff}').contains(&c))
            {
                wrong.push(format!("{place} Japanese in the English deck: {sentence}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
