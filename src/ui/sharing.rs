//! Dialogs about whole runs: the link of this one, the question before another one is opened, how far it is, and why it was not.

mod code;
mod words;

use std::rc::Rc;

use playground::{Micros, Text};
use yew::prelude::*;

use crate::action::Action;
use crate::env::{Env, use_env};
use crate::icons::{Icon, icon};
use crate::words::Msg;
use crate::world::clock;

pub(crate) use words::Words;

/// Links of more characters are cut by some programs that carry them.
const COMFORTABLE: usize = 2_000;
/// Links of more characters are not offered: there is the file.
const LONGEST: usize = 16_000;

/// What lies over the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Dialog {
    Share(Facts),
    /// Opening another run asks for a word first.
    Asked {
        /// The version that made it, if it is another one.
        theirs: Option<String>,
        commands: usize,
        nodes: u32,
        now: Micros,
        /// Whether the present cluster would go.
        replaces: bool,
    },
    Playing(Playing),
    Refused {
        say: Text,
        hint: Text,
    },
}

/// What is told about this run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) link: Rc<str>,
    pub(crate) reach: Reach,
    pub(crate) seed: u64,
    pub(crate) nodes: u32,
    pub(crate) now: Micros,
    pub(crate) commands: usize,
    pub(crate) files: Vec<String>,
    pub(crate) digest: u64,
    pub(crate) file_bytes: usize,
}

/// Who can open an address like this page's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Everybody,
    /// `localhost`: only this computer answers there.
    ThisComputer,
    /// The page was opened from a file.
    File,
}

/// How far a run is that is being played again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Playing {
    pub(crate) is_reload: bool,
    pub(crate) percent: u32,
    pub(crate) commands_left: usize,
    /// It takes long: shall it go on?
    pub(crate) asks: bool,
}

/// What the dialog is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct SharingProps {
    pub(crate) dialog: Rc<Dialog>,
}

#[component]
pub(crate) fn Sharing(props: &SharingProps) -> Html {
    let env = use_env();
    let t = |word: Words| word.text(env.lang);
    let (title, body, leave) = match &*props.dialog {
        Dialog::Share(facts) => (
            t(Words::Title),
            html! { <Share facts={facts.clone()} /> },
            Action::CloseDialog,
        ),
        Dialog::Asked {
            theirs,
            commands,
            nodes,
            now,
            replaces,
        } => (
            t(Words::OpenTitle),
            asked(
                &env,
                theirs.as_deref(),
                (*commands, *nodes, *now),
                *replaces,
            ),
            Action::LeaveRun,
        ),
        Dialog::Playing(playing) => (
            t(Words::PlayingTitle),
            progress(&env, playing),
            Action::StopPlaying,
        ),
        Dialog::Refused { say, hint } => (
            t(Words::RefusedTitle),
            html! {
                <>
                    <p key="say" class="strong" data-testid="refusal">{ env.said(say).to_string() }</p>
                    <p key="hint">{ env.said(hint).to_string() }</p>
                    <div key="row" class="row"><button class="btn" data-first="" onclick={env.on(Action::CloseDialog)}>{ env.t(Msg::Close) }</button></div>
                </>
            },
            Action::CloseDialog,
        ),
    };
    let is_playing = matches!(*props.dialog, Dialog::Playing(_));
    let is_asking = matches!(&*props.dialog, Dialog::Playing(playing) if playing.asks);
    let kind = (std::mem::discriminant(&*props.dialog), is_asking);
    use_effect_with(kind, |_| {
        crate::dom::focus(".sharing [data-first]");
    });
    let keys = {
        let (env, leave) = (env.clone(), leave.clone());
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Escape" => {
                event.stop_propagation();
                env.act(leave.clone());
            }
            "Tab" => crate::dom::keep_focus_within(".sharing", &event),
            _ => {}
        })
    };
    let close = (!is_playing).then(|| env.on::<MouseEvent>(leave));
    html! {
        <div class="veil" onclick={close.clone()}>
            <div class="palette sharing" role="dialog" aria-modal="true" aria-labelledby="sharing-title" data-testid="sharing" onkeydown={keys} onclick={Callback::from(|event: MouseEvent| event.stop_propagation())}>
                <div class="head">
                    <h2 id="sharing-title">{ title }</h2>
                    if let Some(close) = close {
                        <button class="tool icon" title={env.t(Msg::Close)} aria-label={env.t(Msg::Close)} onclick={close}>{ icon(Icon::Close) }</button>
                    }
                </div>
                { body }
            </div>
        </div>
    }
}

fn asked(
    env: &Env,
    theirs: Option<&str>,
    (commands, nodes, now): (usize, u32, Micros),
    replaces: bool,
) -> Html {
    let t = |word: Words| word.text(env.lang);
    html! {
        <>
            <p key="what" class="strong">{ Words::Contents.filled(env.lang, &[&commands.to_string(), &nodes.to_string(), &clock(now)]) }</p>
            if let Some(theirs) = theirs {
                <p key="version" class="mild" data-testid="other-version">{ Words::OtherVersion.filled(env.lang, &[theirs, playground::share::VERSION]) }</p>
            }
            if replaces {
                <p key="replaces">{ t(Words::Replaces) }</p>
            }
            <div key="row" class="row">
                <button class="btn" data-first="" data-testid="open-asked" onclick={env.on(Action::OpenAsked)}>{ t(Words::OpenIt) }</button>
                if replaces {
                    <button class="btn ghost" onclick={env.on(Action::SaveRun)}>{ t(Words::SaveFirst) }</button>
                }
                <button class="btn ghost" onclick={env.on(Action::LeaveRun)}>{ t(Words::LeaveIt) }</button>
            </div>
        </>
    }
}

fn progress(env: &Env, playing: &Playing) -> Html {
    let t = |word: Words| word.text(env.lang);
    let say = match (playing.asks, playing.is_reload) {
        (true, _) => t(Words::TakesLong),
        (false, true) => t(Words::PlayingReload),
        (false, false) => t(Words::PlayingLink),
    };
    html! {
        <>
            <p key="say">{ say }</p>
            <progress key="bar" max="100" value={playing.percent.to_string()} aria-label={t(Words::PlayingTitle)}></progress>
            <p key="left" class="mild mono">{ Words::Left.filled(env.lang, &[&playing.percent.to_string(), &playing.commands_left.to_string()]) }</p>
            <div key="row" class="row">
                if playing.asks {
                    <button key="on" class="btn" data-first="" onclick={env.on(Action::BePatient)}>{ t(Words::WaitOn) }</button>
                }
                <button key="stop" class="btn ghost" data-first={(!playing.asks).then_some("")} data-testid="stop-playing" onclick={env.on(Action::StopPlaying)}>{ t(Words::StopHere) }</button>
                <button key="new" class="btn ghost" onclick={env.on(Action::LeaveRun)}>{ t(Words::NewCluster) }</button>
            </div>
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct ShareProps {
    facts: Facts,
}

/// The link of this run, what is in it, and its picture for cameras.
#[component]
fn Share(props: &ShareProps) -> Html {
    let env = use_env();
    let facts = &props.facts;
    let is_copied = use_state_eq(|| false);
    let is_large = use_state_eq(|| false);
    let t = |word: Words| word.text(env.lang);
    let length = facts.link.chars().count();
    let fits = length <= LONGEST;
    let copy = {
        let (link, is_copied) = (facts.link.clone(), is_copied.clone());
        Callback::from(move |_: MouseEvent| {
            crate::dom::select("#share-link");
            crate::dom::copy(&link);
            is_copied.set(true);
        })
    };
    let code = use_memo(facts.link.clone(), |link| code::drawn(link));
    let enlarge = {
        let is_large = is_large.clone();
        Callback::from(move |_: MouseEvent| is_large.set(!*is_large))
    };
    let reach = match facts.reach {
        Reach::Everybody => None,
        Reach::ThisComputer => Some(t(Words::ReachComputer)),
        Reach::File => Some(t(Words::ReachFile)),
    };
    let about = [
        (t(Words::FactTime), clock(facts.now)),
        (t(Words::FactCommands), facts.commands.to_string()),
        (
            t(Words::FactBegin),
            format!(
                "seed {} · {}",
                facts.seed,
                Words::Nodes.filled(env.lang, &[&facts.nodes.to_string()])
            ),
        ),
        (t(Words::FactFiles), facts.files.join(", ")),
        (t(Words::FactDigest), format!("{:016x}", facts.digest)),
    ];
    html! {
        <div class={classes!("share-body", is_large.then_some("large"))}>
            <div class="link-part">
                <p key="intro">{ t(Words::Intro) }</p>
                if fits {
                    <div key="link" class="link-row">
                        <input id="share-link" type="text" readonly=true value={facts.link.to_string()} aria-label={t(Words::Link)} data-testid="share-link" />
                        <button class="btn" data-first="" data-testid="copy-link" onclick={copy}>{ if *is_copied { t(Words::Copied) } else { t(Words::CopyLink) } }</button>
                    </div>
                    <p key="length" class="mild" role="status">{ Words::Length.filled(env.lang, &[&length.to_string()]) }{ if length > COMFORTABLE { t(Words::LengthLong) } else { "" } }</p>
                } else {
                    <p key="too-long" class="warn" data-testid="too-long">{ Words::TooLong.filled(env.lang, &[&length.to_string()]) }</p>
                }
                if let Some(reach) = reach { <p key="reach" class="mild">{ reach }</p> }
                <dl key="facts" class="facts">
                    { for about.iter().map(|(name, value)| html! { <div key={*name}><dt>{ *name }</dt><dd class="mono" data-testid={(*name == t(Words::FactDigest)).then_some("digest")}>{ value.clone() }</dd></div> }) }
                </dl>
                <div key="row" class="row">
                    <button class={if fits { "btn ghost" } else { "btn" }} data-testid="save-run" onclick={env.on(Action::SaveRun)}>{ Words::SaveFile.filled(env.lang, &[&size(facts.file_bytes)]) }</button>
                    <button class="btn ghost" data-testid="choose-file" onclick={env.on(Action::ChooseFile)}>{ t(Words::OpenFile) }</button>
                </div>
            </div>
            if let Some(code) = &*code {
                <figure class="code-part">
                    <button class="code" data-testid="qr" aria-pressed={is_large.to_string()} title={t(Words::Enlarge)} aria-label={t(Words::Enlarge)} onclick={enlarge}>
                        <svg viewBox={format!("0 0 {0} {0}", code.size)} shape-rendering="crispEdges" aria-hidden="true"><path fill="#fff" d={format!("M0 0h{0}v{0}H0z", code.size)} /><path fill="#000" d={code.path.clone()} /></svg>
                    </button>
                    <figcaption>{ t(if *is_large { Words::QrShown } else { Words::QrCaption }) }</figcaption>
                </figure>
            } else {
                <p class="code-part mild">{ t(Words::QrTooLong) }</p>
            }
        </div>
    }
}

/// `812 B`, `3.4 KB`.
fn size(bytes: usize) -> String {
    if bytes < 1_000 {
        format!("{bytes} B")
    } else {
        format!("{}.{} KB", bytes / 1_000, bytes % 1_000 / 100)
    }
}
