//! Links: the same run comes out, small, and nothing that is written into one does harm.

use super::*;
use crate::{Playground, Replay, Update};

const SECOND: Micros = 1_000_000;

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: nginx:1.27
        ports:
        - containerPort: 80
";

fn line(line: &str) -> Command {
    Command::Terminal {
        terminal: 0,
        line: line.into(),
    }
}

/// A quarter of an hour of a lesson.
fn lesson() -> Playground {
    let mut playground = Playground::new(Options { seed: 11, nodes: 3 });
    let apply = Command::Apply {
        file: "web.yaml".into(),
        text: WEB.into(),
        terminal: 0,
    };
    for (at, command) in [
        (2 * SECOND, apply),
        (
            20 * SECOND,
            line("kubectl scale deployment/web --replicas=5"),
        ),
        (20 * SECOND + 1, line("kubectl get pods -w")),
        (41 * SECOND, Command::Interrupt { terminal: 0 }),
        (60 * SECOND, line("kubenkyo power-off node-3")),
        (400 * SECOND, line("kubectl get pods -o wide")),
        (
            900 * SECOND,
            line("kubectl set image deployment/web web=ngnix:1.28"),
        ),
    ] {
        while !playground.advance(at, 1_000).reached {}
        playground.command(command);
    }
    playground.advance(930 * SECOND + 17, u32::MAX);
    playground
}

fn lesson_link() -> Shared {
    Shared {
        files: vec![FileText {
            name: "web.yaml".into(),
            text: WEB.into(),
        }],
        slide: "self-healing".into(),
        ..lesson().shared()
    }
}

fn played(shared: &Shared, budget: u32) -> (Playground, Replay) {
    let (mut playground, mut replay) = Replay::new(shared);
    while !replay.play(&mut playground, budget) {}
    (playground, replay)
}

#[test]
fn a_link_gives_back_what_went_in_and_is_short() {
    let shared = lesson_link();
    let text = shared.to_text();
    assert_eq!(Shared::from_text(&text), Ok(shared.clone()));
    assert!(text.len() < 330, "{} characters: {text}", text.len());
    assert_eq!(Shared::from_file(&shared.to_file()), Ok(shared.clone()));
    let in_a_sentence = format!(" <{text}>.\n");
    assert_eq!(Shared::from_text(&in_a_sentence), Ok(shared));
}

#[test]
fn replaying_a_link_gives_the_same_digest_whatever_the_slices() {
    let shared = lesson_link();
    assert_ne!(shared.digest, 0);
    for budget in [1, 97, u32::MAX] {
        let (playground, replay) = played(&shared, budget);
        assert_eq!(playground.digest(), shared.digest, "slices of {budget}");
        assert_eq!(replay.is_same(), Some(true));
        assert_eq!(playground.now(), 930 * SECOND + 17);
        assert_eq!(playground.recording(), shared.recording);
    }
}

#[test]
fn what_is_opened_continues_as_the_original_would() {
    let mut original = lesson();
    let (mut copy, _) = played(&original.shared(), 500);
    for playground in [&mut original, &mut copy] {
        playground.command(line("kubectl rollout undo deployment/web"));
        playground.advance(1_000 * SECOND, u32::MAX);
    }
    assert_eq!(original.digest(), copy.digest());
}

#[test]
fn a_link_made_in_the_past_opens_there_with_its_future() {
    let mut original = lesson();
    original.seek(30 * SECOND);
    let shared = original.shared();
    assert_eq!(
        (shared.now, shared.horizon),
        (30 * SECOND, 930 * SECOND + 17)
    );
    let (mut copy, replay) = played(&shared, 5_000);
    assert_eq!(copy.now(), 30 * SECOND);
    assert_eq!(copy.horizon(), 930 * SECOND + 17);
    assert_eq!(copy.digest(), original.digest());
    assert_eq!(replay.is_same(), Some(true));
    copy.seek(copy.horizon());
    original.seek(original.horizon());
    assert_eq!(copy.digest(), original.digest());
}

#[test]
fn a_run_that_takes_another_course_is_noticed() {
    let mut shared = lesson_link();
    shared.digest ^= 1;
    let (_, replay) = played(&shared, u32::MAX);
    assert_eq!(replay.is_same(), Some(false));
}

#[test]
fn the_terminal_of_an_opened_link_shows_what_was_typed_and_printed() {
    let (mut playground, _) = played(&lesson_link(), 300);
    let said = format!("{:?}", playground.updates());
    for text in [
        "kubectl get pods -w",
        "deployment.apps/web scaled",
        "node-3",
    ] {
        assert!(said.contains(text), "{text}");
    }
}

#[test]
fn a_replay_tells_how_far_it_is_and_can_be_left_anywhere() {
    let shared = lesson_link();
    let (mut playground, mut replay) = Replay::new(&shared);
    let mut last = 0.0;
    while !replay.play(&mut playground, 200) {
        let progress = replay.progress(&playground);
        assert!((last..1.0).contains(&progress), "{last} then {progress}");
        last = progress;
        if replay.commands_left() < 4 {
            break;
        }
    }
    // Whoever stops here has a cluster that goes on.
    drop(replay);
    playground.command(line("kubectl get nodes"));
    playground.advance(playground.now() + 5 * SECOND, u32::MAX);
    let printed = playground.updates();
    assert!(printed.iter().any(
        |update| matches!(update, Update::Terminal(output) if format!("{output:?}").contains("control-plane") || format!("{output:?}").contains("Ready"))
    ));
}

/// The dictionary is part of format 1: whoever changes it makes format 2.
#[test]
fn old_links_stay_readable() {
    assert_eq!(checksum(deflate::DICTIONARY), 1_392_254_954);
    let old = "AYEY2FX5Au2WqREAIAwEgfBkUFSSCQXQGAqBoSmG0ojBYLGIkyd21WrHlIlNALCrF1DphnBtVC9DPKdpfjS_RHME8boB";
    let shared = Shared::from_text(old).expect("it was good once");
    assert_eq!(
        shared.recording.commands,
        [(SECOND, line("kubectl get pods"))]
    );
}

#[test]
fn a_link_with_its_end_missing_is_refused_at_every_length() {
    let text = lesson_link().to_text();
    for end in 0..text.len() {
        let refusal = Shared::from_text(&text[..end]).expect_err("it is not whole");
        let is_told = matches!(refusal, Refusal::Empty | Refusal::CutOff | Refusal::Damaged);
        assert!(is_told, "{end}: {refusal:?}");
        // From the second dozen of characters on, it is known that only the end is missing.
        assert!(end < 12 || refusal == Refusal::CutOff, "{end}: {refusal:?}");
    }
}

#[test]
fn a_link_with_any_letter_changed_is_refused() {
    let shared = lesson_link();
    let text = shared.to_text();
    for at in 0..text.len() {
        for letter in ["A", "z", "9", "_", "%", "あ"] {
            if text[at..].starts_with(letter) {
                continue;
            }
            let changed = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
            // Some bits mean nothing (they pad a byte, or name one of two places that hold the same text), and then
            // the link is the same link.
            if let Ok(opened) = Shared::from_text(&changed) {
                assert_eq!(opened, shared, "{at} {letter}");
            }
        }
    }
}

#[test]
fn any_bytes_are_read_without_harm() {
    let mut state = 0x9e37_79b9_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..1_000 {
        let length = next() % 200;
        let mut body: Vec<u8> = (0..length).map(|_| (next() >> 24) as u8).collect();
        assert!(Shared::unpack(&body).is_err());
        // The same as what a correct frame holds.
        for byte in &mut body {
            *byte %= 12;
        }
        let framed = frame(&body, body.len());
        if let Ok(shared) = Shared::unpack(&framed) {
            assert!(shared.recording.options.nodes <= NODES_MAX);
            assert!(shared.horizon >= shared.now);
        }
    }
}

/// A well-formed link around any body.
fn frame(body: &[u8], says: usize) -> Vec<u8> {
    let mut out = vec![FORMAT];
    out.extend(checksum(body).to_le_bytes());
    wire::number(&mut out, says as u64);
    out.extend(deflate::deflate(body));
    out
}

#[test]
fn hostile_links_are_refused_with_a_reason() {
    let many = |field: Field, count: usize, rest: &[u8]| -> Vec<u8> {
        (0..count)
            .flat_map(|_| [&[field as u8], rest].concat())
            .collect()
    };
    let number = |field: Field, number: u64| {
        let mut out = vec![field as u8];
        wire::number(&mut out, number);
        out
    };
    let bomb = vec![0; 64 << 20];
    let cases: [(&str, Vec<u8>, Refusal); 13] = [
        (
            "64 MB of zeros in 64 KB",
            frame(&bomb, bomb.len()),
            Refusal::TooLarge,
        ),
        (
            "the same with a small length before it",
            frame(&bomb, 10),
            Refusal::Damaged,
        ),
        (
            "a length beyond every number",
            [&[FORMAT, 0, 0, 0, 0][..], &[0xff; 11]].concat(),
            Refusal::CutOff,
        ),
        (
            "a later format",
            vec![FORMAT + 1, 1, 2, 3],
            Refusal::Newer { format: FORMAT + 1 },
        ),
        (
            "a field of a later version",
            frame(&[77, 1], 2),
            Refusal::Newer { format: FORMAT },
        ),
        (
            "a million nodes",
            frame(&number(Field::Nodes, 1_000_000), 4),
            Refusal::TooLarge,
        ),
        (
            "a thousand years",
            {
                let body = number(Field::Now, 1_000 * 365 * 24 * 3_600 * SECOND);
                frame(&body, body.len())
            },
            Refusal::TooLarge,
        ),
        (
            "a hundred thousand commands",
            {
                let body = many(Field::Command, 100_000, &[0, INTERRUPT, 0]);
                frame(&body, body.len())
            },
            Refusal::Damaged,
        ),
        (
            "ten thousand files",
            {
                let body = many(Field::File, 10_000, &[1, b'a', 0]);
                frame(&body, body.len())
            },
            Refusal::Damaged,
        ),
        (
            "a text longer than the link",
            frame(&[Field::Slide as u8, 0xff, 0xff, 3], 4),
            Refusal::Damaged,
        ),
        (
            "a text that is none",
            frame(&[Field::Slide as u8, 1, 0xff], 3),
            Refusal::Damaged,
        ),
        (
            "a text that no cluster would take",
            {
                let mut body = vec![Field::Command as u8, 0, SAVE, 1, b'a'];
                wire::text(&mut body, &"x".repeat(crate::TEXT_MAX + 1));
                frame(&body, body.len())
            },
            Refusal::TooLarge,
        ),
        (
            "the thousandth terminal",
            frame(&[Field::Command as u8, 0, INTERRUPT, 0xe8, 7], 5),
            Refusal::Damaged,
        ),
    ];
    for (what, bytes, refusal) in cases {
        assert_eq!(Shared::unpack(&bytes), Err(refusal), "{what}");
        assert!(!refusal.say().ja.is_empty() && !refusal.hint().en.is_empty());
    }
    assert_eq!(
        Shared::from_text(&"A".repeat(TEXT_MAX + 1)),
        Err(Refusal::TooLarge)
    );
    assert_eq!(Shared::from_file(b"%PDF-1.7"), Err(Refusal::NotOurs));
}

#[test]
fn a_cluster_without_machines_is_one_too() {
    let mut playground = Playground::new(Options { seed: 0, nodes: 0 });
    playground.command(line("kubectl run a --image=nginx"));
    playground.advance(5 * SECOND, u32::MAX);
    assert!(format!("{:?}", playground.updates()).contains("pod/a created"));
}

#[test]
fn names_in_a_link_are_single_short_lines() {
    let mut shared = lesson_link();
    shared.files[0].name = format!("a\nb\u{1b}[31m{}", "c".repeat(10_000));
    shared.slide = "x\r\ny".into();
    shared.open_file = 99;
    let read = Shared::from_text(&shared.to_text()).expect("it is whole");
    assert!(read.files[0].name.starts_with("ab[31mccc"));
    assert_eq!(read.files[0].name.chars().count(), NAME_MAX);
    assert_eq!((read.slide.as_str(), read.open_file), ("xy", 0));
}
/// What a link makes the page do comes in small pieces, whatever it asks for: between two of them the page draws and can be stopped.
#[test]
fn hostile_commands_are_played_in_small_pieces() {
    let deep = format!("{}x", "- ".repeat(10_000));
    let flow = format!("{}1{}", "{a: ".repeat(10_000), "}".repeat(10_000));
    let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let ten = vec![format!("*a{}", level - 1); 10].join(",");
        laughs.push_str(&format!("a{level}: &a{level} [{ten}]\n"));
    }
    let nested = format!("echo {}x{}", "$(echo ".repeat(5_000), ")".repeat(5_000));
    let apply = |text: String| Command::Apply {
        file: "x.yaml".into(),
        text,
        terminal: 0,
    };
    let cases = [
        ("YAML 10,000 deep", apply(deep), ""),
        ("flow YAML 10,000 deep", apply(flow), ""),
        ("aliases of aliases", apply(laughs), ""),
        ("an endless loop", line("while true; do :; done"), ""),
        (
            "an endless text",
            line("x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done"),
            "",
        ),
        ("endless output", line("yes"), ""),
        (
            "a file that doubles",
            line("echo a > x; while cat x x > y; do cat y y > x; done"),
            "File too large",
        ),
        ("a bomb of processes", line("f() { f | f & }; f"), ""),
        ("endless recursion", line("f() { f; }; f"), ""),
        ("a hundred million words", line("echo {1..100000000}"), ""),
        ("substitutions 5,000 deep", line(&nested), ""),
        (
            "a hundred thousand replicas",
            line("kubectl create deployment x --image=nginx --replicas=100000"),
            "",
        ),
    ];
    for (what, command, says) in cases {
        let mut playground = Playground::new(Options::default());
        playground.command(command);
        let mut printed = String::new();
        let mut pieces = 0;
        while pieces < 16 && playground.now() < 10 * SECOND {
            let before = playground.now();
            let steps = playground.advance(10 * SECOND, 64);
            assert!(steps.events <= 64, "{what}: {steps:?}");
            assert!(playground.now() >= before);
            pieces += 1;
            for update in playground.updates() {
                if let Update::Terminal(output) = update {
                    let text = format!("{:?}", output.output);
                    assert!(text.len() < 8 << 20, "{what}: {} bytes at once", text.len());
                    printed.push_str(&text);
                }
            }
        }
        assert!(
            playground.weight() < 128 << 20,
            "{what}: {} bytes",
            playground.weight()
        );
        assert!(
            printed.contains(says),
            "{what}: {}",
            &printed[..printed.len().min(400)]
        );
        // And the terminal can be had back.
        playground.command(Command::Interrupt { terminal: 0 });
        playground.command(line("echo still here"));
    }
}
