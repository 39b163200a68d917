//! The bundled deck: complete, alike in both languages, readable from the back row, safe to draw.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::model::walk;
use crate::{
    Apply, Block, BlockKind, Cell, Deck, Inline, Lang, Slide, bundled, figure, figure_names,
    lessons, plain,
};

const LANGS: [Lang; 2] = [Lang::Ja, Lang::En];

/// Every bundled deck of a language: the study group's and each lesson.
fn decks(lang: Lang) -> Vec<(String, Deck)> {
    let mut out = vec![(String::from("deck"), Deck::parse(bundled(lang)))];
    for file in lessons(lang) {
        out.push((String::from(file.0), Deck::parse(&[*file])));
    }
    out
}

fn applies(deck: &Deck) -> Vec<(&Slide, &Apply)> {
    let of = |slide| {
        Slide::cells(slide)
            .into_iter()
            .map(move |cell| (slide, cell))
    };
    deck.iter()
        .flat_map(of)
        .filter_map(|(slide, cell)| match cell {
            Cell::Apply(apply) => Some((slide, apply)),
            _ => None,
        })
        .collect()
}

fn place(slide: &Slide) -> String {
    format!("{}.{} {}", slide.column + 1, slide.row + 1, slide.title)
}

#[test]
fn every_slide_of_both_languages_parses_without_a_problem() {
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            assert!(!deck.is_empty(), "{name} is empty");
            let problems: Vec<String> = deck
                .problems
                .iter()
                .map(|p| {
                    format!(
                        "{}:{} {:?} {} ({})",
                        p.file_name, p.line, p.slide, p.message.en, p.hint.en
                    )
                })
                .collect();
            assert_eq!(problems, Vec::<String>::new(), "{} {name}", lang.tag());
        }
    }
}

#[test]
fn every_slide_has_a_title_an_own_id_and_notes() {
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            for slide in deck.iter() {
                assert!(!slide.title.is_empty(), "{name} {}", place(slide));
                assert!(
                    !slide.notes.is_empty(),
                    "{} {name} {} has no notes",
                    lang.tag(),
                    place(slide)
                );
                assert!(!slide.id.contains('.'), "{name} {} has no id", place(slide));
            }
        }
    }
}

#[test]
fn both_languages_have_the_same_structure_and_the_same_live_cells() {
    for ((name, ja), (_, en)) in decks(Lang::Ja).iter().zip(&decks(Lang::En)) {
        let shape = |deck: &Deck| -> Vec<Vec<(String, Vec<String>, u32)>> {
            deck.slides
                .iter()
                .map(|column| {
                    column
                        .iter()
                        .map(|s| (s.id.clone(), skeleton(&s.blocks), s.steps()))
                        .collect()
                })
                .collect()
        };
        for (a, b) in shape(ja).iter().flatten().zip(shape(en).iter().flatten()) {
            assert_eq!(a, b, "{name}");
        }
        assert_eq!(shape(ja), shape(en), "{name}");
        for (a, b) in ja.iter().zip(en.iter()) {
            assert_eq!(
                (&a.focus, a.view, &a.scene),
                (&b.focus, b.view, &b.scene),
                "{name} {}",
                a.id
            );
            for (x, y) in a.cells().into_iter().zip(b.cells()) {
                match (x, y) {
                    (Cell::Task(x), Cell::Task(y)) => {
                        assert_eq!(
                            (&x.id, &x.goals, &x.solution, &x.wrong),
                            (&y.id, &y.goals, &y.solution, &y.wrong)
                        );
                        assert_eq!(x.hints.len(), y.hints.len(), "{name} {}", a.id);
                        let when = |task: &crate::Task| {
                            task.mistakes
                                .iter()
                                .map(|m| m.when.clone())
                                .collect::<Vec<_>>()
                        };
                        assert_eq!(when(x), when(y), "{name} {}", a.id);
                        assert!(x.done.is_empty() == y.done.is_empty());
                    }
                    (x, y) => assert_eq!(x, y, "{name} {}", a.id),
                }
            }
        }
    }
    let names = |lang| {
        lessons(lang)
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(Lang::Ja), names(Lang::En));
}

/// The kinds of the blocks, without their words.
fn skeleton(blocks: &[Block]) -> Vec<String> {
    let mut out = Vec::new();
    walk(blocks, &mut |block| {
        out.push(match &block.kind {
            BlockKind::Heading { level, .. } => format!("h{level}"),
            BlockKind::Paragraph(_) => String::from("p"),
            BlockKind::List { start, items } => format!("list {start:?} {}", items.len()),
            BlockKind::Code {
                lang, highlight, ..
            } => format!("code {lang} {highlight:?}"),
            BlockKind::Table { head, rows, .. } => format!("table {}x{}", head.len(), rows.len()),
            BlockKind::Image { src, .. } => format!("image {src}"),
            BlockKind::Figure { name, .. } => format!("figure {name}"),
            BlockKind::Columns(columns) => format!("columns {}", columns.len()),
            BlockKind::Quote(_) => String::from("quote"),
            BlockKind::Group { class, .. } => format!("group {class}"),
            BlockKind::Details { .. } => String::from("details"),
            BlockKind::Rule => String::from("rule"),
            BlockKind::Live(Cell::Task(task)) => format!("task {}", task.id),
            BlockKind::Live(cell) => format!("{cell:?}"),
        });
    });
    out
}

#[test]
fn every_manifest_is_yaml_with_version_kind_and_name() {
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            for (slide, apply) in applies(&deck) {
                let mut documents = 0;
                for document in apply.yaml.split("\n---\n") {
                    let value: serde_yaml::Value =
                        serde_yaml::from_str(document).unwrap_or_else(|error| {
                            panic!("{name} {} {}: {error}", place(slide), apply.name)
                        });
                    for path in [&["apiVersion"][..], &["kind"], &["metadata", "name"]] {
                        let found = path.iter().try_fold(&value, |value, key| value.get(*key));
                        let text = found.and_then(|value| value.as_str());
                        assert!(
                            text.is_some(),
                            "{name} {} {}: no {path:?}",
                            place(slide),
                            apply.name
                        );
                    }
                    documents += 1;
                }
                assert_eq!(
                    apply.kinds.len(),
                    documents,
                    "{name} {} {}",
                    place(slide),
                    apply.name
                );
                assert!(apply.name.ends_with(".yaml"), "{}", apply.name);
            }
        }
    }
}

#[test]
fn no_manifest_uses_a_version_that_v1_36_does_not_serve() {
    let gone = [
        "extensions/v1beta1",
        "apps/v1beta1",
        "apps/v1beta2",
        "batch/v1beta1",
        "policy/v1beta1",
        "autoscaling/v2beta2",
        "networking.k8s.io/v1beta1",
    ];
    for (slide, apply) in applies(&Deck::parse(bundled(Lang::En))) {
        for (version, kind) in &apply.kinds {
            assert!(
                !gone.contains(&version.as_str()),
                "{}: {version} {kind}",
                place(slide)
            );
        }
    }
}

#[test]
fn manifests_of_one_file_name_are_the_same_manifest() {
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
            for (slide, apply) in applies(&deck) {
                let first = seen.entry(&apply.name).or_insert(&apply.yaml);
                assert_eq!(
                    *first,
                    apply.yaml,
                    "{name} {}: {} differs",
                    place(slide),
                    apply.name
                );
            }
        }
    }
}

#[test]
fn files_that_commands_apply_are_in_the_deck() {
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            let files = deck.files();
            for slide in deck.iter() {
                let scene = slide.scene.iter().flat_map(|scene| scene.commands.iter());
                let runs = slide.cells().into_iter().flat_map(|cell| match cell {
                    Cell::Run(run) => run.lines.iter(),
                    _ => [].iter(),
                });
                for line in scene.chain(runs) {
                    let file = line
                        .split_once("-f ")
                        .and_then(|(_, rest)| rest.split_whitespace().next());
                    if let Some(file) = file.filter(|file| *file != "-") {
                        assert!(
                            files.contains_key(file),
                            "{name} {}: no {file}",
                            place(slide)
                        );
                    }
                }
            }
        }
    }
}

/// Columns of a terminal: a full-width character takes two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| {
            if c as u32 >= 0x1100 && !matches!(c, '\u{2010}'..='\u{2027}') {
                2
            } else {
                1
            }
        })
        .sum()
}

/// Lines that stand below one another; columns stand side by side.
fn lines(blocks: &[Block]) -> usize {
    let of = |block: &Block| match &block.kind {
        BlockKind::Paragraph(_) => 1,
        BlockKind::Table { rows, .. } => 1 + rows.len(),
        BlockKind::List { items, .. } => items.iter().map(|item| lines(&item.blocks)).sum(),
        BlockKind::Columns(columns) => columns
            .iter()
            .map(|column| lines(column))
            .max()
            .unwrap_or(0),
        BlockKind::Quote(blocks)
        | BlockKind::Group { blocks, .. }
        | BlockKind::Details { blocks, .. } => lines(blocks),
        _ => 0,
    };
    blocks.iter().map(of).sum()
}

#[test]
fn slides_are_short_enough_for_the_back_row() {
    let mut bad = Vec::new();
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            for slide in deck.iter() {
                let mut say = |what: String| {
                    bad.push(format!("{} {name} {}: {what}", lang.tag(), place(slide)))
                };
                if lines(&slide.blocks) > 9 {
                    say(format!("{} lines", lines(&slide.blocks)));
                }
                let mut texts = vec![slide.title.clone()];
                walk(&slide.blocks, &mut |block| match &block.kind {
                    BlockKind::Heading { text, .. } | BlockKind::Paragraph(text) => {
                        texts.push(plain(text))
                    }
                    BlockKind::Table { head, rows, .. } => {
                        let row = |row: &Vec<Vec<Inline>>| {
                            plain(&row.join(&Inline::Text(String::from("  "))))
                        };
                        texts.extend(rows.iter().chain([head]).map(row));
                    }
                    _ => {}
                });
                for text in texts.iter().filter(|text| width(text) > 90) {
                    say(format!("{} wide: {text}", width(text)));
                }
                for cell in slide.cells() {
                    match cell {
                        Cell::Apply(apply) if apply.yaml.lines().count() > 36 => {
                            say(format!("{} is long", apply.name))
                        }
                        Cell::Apply(apply) if apply.yaml.lines().any(|line| width(line) > 80) => {
                            say(format!("{} is wide", apply.name));
                        }
                        Cell::Run(run) if run.lines.iter().any(|line| width(line) > 100) => {
                            say(format!("{run:?}"))
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn no_markup_is_left_in_the_words() {
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            for slide in deck.iter() {
                let mut words = Vec::new();
                let mut collect = |block: &Block| collect_words(block, &mut words);
                walk(&slide.blocks, &mut collect);
                walk(&slide.notes, &mut collect);
                for word in words {
                    for mark in ["**", "__", "](", "<b", "<!--", "`"] {
                        assert!(
                            !word.contains(mark),
                            "{} {name} {}: {word}",
                            lang.tag(),
                            place(slide)
                        );
                    }
                }
            }
        }
    }
}

fn collect_words(block: &Block, out: &mut Vec<String>) {
    let mut texts: Vec<&[Inline]> = Vec::new();
    match &block.kind {
        BlockKind::Heading { text, .. } | BlockKind::Paragraph(text) => texts.push(text),
        BlockKind::Table { head, rows, .. } => {
            texts.extend(rows.iter().chain([head]).flatten().map(Vec::as_slice))
        }
        _ => {}
    }
    for text in texts {
        for inline in text {
            if let Inline::Text(text) = inline {
                out.push(text.clone());
            }
        }
    }
}

#[test]
fn what_slides_highlight_exists_in_the_diagram() {
    let parts: BTreeSet<&str> = [
        "kube-apiserver",
        "etcd",
        "kube-scheduler",
        "kube-controller-manager",
        "cloud-controller-manager",
        "kubelet",
        "kube-proxy",
        "container-runtime",
    ]
    .into();
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            for slide in deck.iter() {
                for focus in &slide.focus {
                    let known = parts.contains(focus.as_str()) || focus.contains('/');
                    assert!(known, "{name} {}: {focus}", place(slide));
                }
            }
        }
    }
}

#[test]
fn every_picture_is_used_described_and_free_of_scripts() {
    let mut used = BTreeSet::new();
    for lang in LANGS {
        for (name, deck) in decks(lang) {
            for slide in deck.iter() {
                walk(&slide.blocks, &mut |block| {
                    if let BlockKind::Figure { name: figure, alt } = &block.kind {
                        assert!(
                            alt.chars().count() >= 8,
                            "{name} {}: {figure} is not described",
                            place(slide)
                        );
                        used.insert(figure.clone());
                    }
                });
            }
        }
    }
    for name in figure_names() {
        assert!(used.contains(name), "no slide shows the figure {name}");
        let svg = figure(name).expect("a listed figure is there");
        let lower = svg.to_ascii_lowercase();
        for bad in [
            "<script",
            "href",
            "<style",
            "<foreignobject",
            "<image",
            "onload",
            "onclick",
            "url(",
            "&#",
            "<!",
        ] {
            assert!(!lower.contains(bad), "{name} holds {bad}");
        }
        // Both themes draw it: no colour of its own but the fallbacks of the page's tokens.
        for attribute in ["fill=\"#", "stroke=\"#"] {
            assert!(!lower.contains(attribute), "{name} has a colour of its own");
        }
        assert!(well_formed(svg), "{name} is not well-formed");
        assert!(svg.len() < 12_000, "{name} takes {} bytes", svg.len());
    }
}

fn well_formed(svg: &str) -> bool {
    let mut open = Vec::new();
    for piece in crate::html::pieces(svg) {
        if let crate::html::Piece::Tag(tag) = piece {
            if tag.closing {
                if open.pop() != Some(tag.name) {
                    return false;
                }
            } else if !tag.source.ends_with("/>") {
                open.push(tag.name);
            }
        }
    }
    open.is_empty()
}

#[test]
fn the_lists_in_the_source_are_the_folders_contents() {
    let slides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../slides");
    let names = |folder: &str, ending: &str| -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(slides.join(folder)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("a readable folder")
                    .file_name()
                    .into_string()
                    .expect("a UTF-8 name")
            })
            .filter(|name| name.ends_with(ending))
            .collect();
        names.sort();
        names
    };
    let listed = |files: &[crate::File]| {
        files
            .iter()
            .map(|(name, _)| String::from(*name))
            .collect::<Vec<_>>()
    };
    for lang in LANGS {
        assert_eq!(listed(bundled(lang)), names(lang.tag(), ".md"));
        assert_eq!(
            listed(lessons(lang)),
            names(&format!("{}/lessons", lang.tag()), ".md")
        );
    }
    let figures: Vec<String> = figure_names()
        .iter()
        .map(|name| format!("{name}.svg"))
        .collect();
    assert_eq!(figures, names("figures", ".svg"));
}

#[test]
fn a_task_that_has_a_solution_names_a_wrong_answer_too() {
    for lang in LANGS {
        for (name, _) in lessons(lang) {
            let deck = Deck::parse(&[*lessons(lang)
                .iter()
                .find(|file| file.0 == *name)
                .expect("it is listed")]);
            let tasks: Vec<_> = deck.iter().flat_map(Slide::tasks).collect();
            assert!(!tasks.is_empty(), "{name} has no task");
            for task in tasks {
                assert!(
                    !task.solution.is_empty(),
                    "{name} {} has no solution",
                    task.id
                );
                assert!(
                    !task.wrong.is_empty(),
                    "{name} {} has no wrong answer",
                    task.id
                );
                assert!(
                    task.hints.len() >= 2,
                    "{name} {} has too few hints",
                    task.id
                );
                assert!(
                    !task.done.is_empty(),
                    "{name} {} does not say what was learnt",
                    task.id
                );
            }
        }
    }
}
