//! The dialog that makes something to paste: what to show, a live preview of it, and the text to copy.

use playground::deck::{Lang, View};
use yew::prelude::*;

use super::params::{Autoplay, Controls, Params, SceneOf};
use super::snippet::{Way, snippet};
use crate::action::{Action, Pane};
use crate::bars::Theme;
use crate::dom;
use crate::env::use_env;
use crate::icons::{Icon, icon};
use crate::words::{Msg, words};

words! { Words:
    Title: "埋め込み" | "Embed";
    Lead: "記事やスライドに貼ると、動くクラスターがそこに現れます。" | "Paste it into an article or a slide deck: a running cluster appears there.";
    Show: "表示するもの" | "What to show";
    Begin: "はじまり" | "How it begins";
    Look: "見た目" | "How it looks";
    ThisSlide: "いまのスライドから" | "At this slide";
    SlideScene: "スライドの場面を用意する" | "Set the slide's scene";
    TheManifest: "エディターのマニフェスト入り" | "With the editor's manifest";
    TheRun: "いまのクラスターの続き" | "This cluster as it is now";
    Architecture: "アーキテクチャ" | "Architecture";
    Tree: "リソースツリー" | "Resource tree";
    View: "見方" | "View";
    Language: "言語" | "Language";
    Japanese: "日本語" | "日本語";
    English: "English" | "English";
    Colours: "配色" | "Theme";
    Time: "時間" | "Time";
    Runs: "見えたら動く" | "Runs when seen";
    Applies: "見えたら適用する" | "Applies when seen";
    Waits: "再生を待つ" | "Waits for play";
    Reader: "読む人に合わせる" | "As the reader's";
    Light: "ライト" | "Light";
    Dark: "ダーク" | "Dark";
    Frame: "操作部品" | "Controls";
    FrameNone: "なし" | "None";
    FrameSome: "最小限" | "A few";
    FrameAll: "時間の操作もすべて" | "With the time bar";
    LookOnly: "見るだけにする" | "Read-only";
    Height: "高さ (px)" | "Height (px)";
    Preview: "プレビュー" | "Preview";
    NoPreview: "プレビューは、サーバーに置いたページでご覧になれます。" | "The preview needs the page on a server.";
    WayFrame: "iframe" | "iframe";
    WayElement: "カスタム要素" | "Custom element";
    WayLink: "リンク" | "Link";
    Text: "貼り付けるテキスト" | "Text to paste";
    Copied: "コピーしました" | "Copied";
    FileNote: "このページはファイルから開かれています。貼り付け先からも同じ場所に見えるか確かめてください。" | "This page was opened from a file: see that the pasted address leads there from where you paste it.";
}

/// What the dialog begins with.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct GeneratorProps {
    /// The slide that is shown: its id, its title, and whether it has a scene.
    pub(crate) slide: (AttrValue, AttrValue, bool),
    pub(crate) view: View,
    /// The editor's file: its name and text.
    pub(crate) manifest: (AttrValue, AttrValue),
    /// This run as a link carries it, unless it is too long or nothing was done.
    pub(crate) run: Option<AttrValue>,
    /// The deck, if it is another than the page's own.
    pub(crate) deck: Option<AttrValue>,
}

/// What a choice does to the parameters.
type Check = Box<dyn Fn(&mut Params, bool)>;
type Pick = Box<dyn Fn(&mut Params, &str)>;

#[component]
pub(crate) fn Generator(props: &GeneratorProps) -> Html {
    let env = use_env();
    let t = |words: Words| words.text(env.lang);
    let params = use_state(|| Params {
        is_embed: true,
        panes: vec![Pane::Stage],
        view: Some(props.view),
        deck: props.deck.as_ref().map(|deck| deck.to_string()),
        ..Params::default()
    });
    let height = use_state_eq(|| 480_u32);
    let way = use_state_eq(Way::default);
    let has_copied = use_state_eq(|| false);
    let change = {
        let (params, has_copied) = (params.clone(), has_copied.clone());
        move |change: &dyn Fn(&mut Params)| {
            let mut changed = (*params).clone();
            change(&mut changed);
            params.set(changed);
            has_copied.set(false);
        }
    };
    use_effect_with((), |()| dom::focus(".generator [data-first]"));

    let check = |name: &'static str, label: Html, is_on: bool, set: Check| {
        let change = change.clone();
        let toggle =
            Callback::from(move |_: Event| change(&|params: &mut Params| set(params, !is_on)));
        html! { <label key={name} class="check"><input type="checkbox" data-testid={format!("embed-{name}")} data-first={(name == "slides").then_some("")} checked={is_on} onchange={toggle} /><span>{ label }</span></label> }
    };
    let pick = |name: &'static str,
                label: Words,
                options: Vec<(&'static str, Words)>,
                chosen: &'static str,
                set: Pick| {
        let change = change.clone();
        let picked = Callback::from(move |event: Event| {
            let value = dom::value_of(&event);
            change(&|params: &mut Params| set(params, &value));
        });
        html! {
            <label key={name} class="pick"><span>{ t(label) }</span>
                <select data-testid={format!("embed-{name}")} onchange={picked}>
                    { for options.into_iter().map(|(value, words)| html! { <option key={value} {value} selected={value == chosen}>{ t(words) }</option> }) }
                </select>
            </label>
        }
    };
    let pane = |pane: Pane, name: &'static str, label: Msg| {
        let is_on = params.panes.contains(&pane);
        check(
            name,
            html! { { env.t(label) } },
            is_on,
            Box::new(move |params, is_on| {
                // In the order of the page; and one column there is always.
                let panes = Pane::ALL.into_iter().filter(|one| {
                    if *one == pane {
                        is_on
                    } else {
                        params.panes.contains(one)
                    }
                });
                params.panes = panes.collect();
                if params.panes.is_empty() {
                    params.panes = vec![Pane::Stage];
                }
            }),
        )
    };

    let (slide, title, has_scene) = props.slide.clone();
    let (file, text) = props.manifest.clone();
    let (id, id_of_scene, run) = (slide.to_string(), slide.to_string(), props.run.clone());
    let lang = params.lang.map_or("", Lang::tag);
    let theme = params.theme.map_or("", Theme::name);
    let autoplay = match params.autoplay {
        Autoplay::Off => "0",
        Autoplay::Runs => "1",
        Autoplay::Applies => "apply",
    };
    let tall = {
        let (height, has_copied) = (height.clone(), has_copied.clone());
        Callback::from(move |event: Event| {
            if let Ok(pixels) = dom::value_of(&event).parse::<u32>() {
                height.set(pixels.clamp(160, 2000));
                has_copied.set(false);
            }
        })
    };
    let address = dom::address();
    let is_file = address.starts_with("file:");
    let pasted = snippet(*way, &params, &address, *height);
    let copy = {
        let (pasted, has_copied) = (pasted.clone(), has_copied.clone());
        Callback::from(move |_: MouseEvent| {
            dom::copy(&pasted);
            has_copied.set(true);
        })
    };
    let close = env.on::<MouseEvent>(Action::ToggleGenerator);
    let keys = {
        let env = env.clone();
        Callback::from(move |event: KeyboardEvent| match event.key().as_str() {
            "Escape" => {
                event.stop_propagation();
                env.act(Action::ToggleGenerator);
            }
            "Tab" => dom::keep_focus_within(".generator", &event),
            _ => {}
        })
    };
    // A frame whose address changed only in its fragment would go on as it was: another address is another frame.
    let shown = format!("{address}{}", params.fragment());
    html! {
        <div class="veil" onclick={close.clone()}>
            <div class="palette generator" role="dialog" aria-modal="true" aria-labelledby="generator-title" data-testid="generator" onkeydown={keys} onclick={Callback::from(|event: MouseEvent| event.stop_propagation())}>
                <div key="head" class="head">
                    <h2 id="generator-title">{ t(Words::Title) }</h2><p>{ t(Words::Lead) }</p>
                    <button class="tool icon" title={env.t(Msg::Close)} aria-label={env.t(Msg::Close)} onclick={close}>{ icon(Icon::Close) }</button>
                </div>
                <form key="form" onsubmit={Callback::from(|event: SubmitEvent| event.prevent_default())}>
                    <fieldset key="show"><legend>{ t(Words::Show) }</legend>
                        { pane(Pane::Slides, "slides", Msg::Slides) }
                        { pane(Pane::Stage, "stage", Msg::Stage) }
                        if params.panes.contains(&Pane::Stage) {
                            { pick("view", Words::View, vec![("architecture", Words::Architecture), ("tree", Words::Tree)], params.view.map_or("architecture", View::name), Box::new(|params, value| params.view = View::named(value))) }
                        }
                        { pane(Pane::Work, "work", Msg::Workbench) }
                        { pane(Pane::Term, "term", Msg::Terminal) }
                    </fieldset>
                    <fieldset key="begin"><legend>{ t(Words::Begin) }</legend>
                        { check("slide", html! { <>{ t(Words::ThisSlide) }<small>{ title }</small></> }, params.slide.is_some(), Box::new(move |params, is_on| params.slide = is_on.then(|| id.clone()))) }
                        if has_scene {
                            { check("scene", html! { { t(Words::SlideScene) } }, params.scene.is_some(), Box::new(move |params, is_on| params.scene = is_on.then(|| SceneOf::Slide(id_of_scene.clone())))) }
                        }
                        { check("manifest", html! { <>{ t(Words::TheManifest) }<small>{ file }</small></> }, params.manifest.is_some(), Box::new(move |params, is_on| params.manifest = is_on.then(|| text.to_string()))) }
                        if let Some(run) = run {
                            { check("run", html! { { t(Words::TheRun) } }, params.run.is_some(), Box::new(move |params, is_on| params.run = is_on.then(|| run.to_string()))) }
                        }
                        { pick("autoplay", Words::Time, vec![("1", Words::Runs), ("apply", Words::Applies), ("0", Words::Waits)], autoplay, Box::new(|params, value| params.autoplay = match value {
                            "0" => Autoplay::Off,
                            "apply" => Autoplay::Applies,
                            _ => Autoplay::Runs,
                        })) }
                    </fieldset>
                    <fieldset key="look"><legend>{ t(Words::Look) }</legend>
                        { pick("lang", Words::Language, vec![("", Words::Reader), ("ja", Words::Japanese), ("en", Words::English)], lang, Box::new(|params, value| params.lang = Lang::named(value))) }
                        { pick("theme", Words::Colours, vec![("", Words::Reader), ("light", Words::Light), ("dark", Words::Dark)], theme, Box::new(|params, value| params.theme = Theme::ALL.into_iter().find(|theme| theme.name() == value))) }
                        { pick("controls", Words::Frame, vec![("none", Words::FrameNone), ("some", Words::FrameSome), ("all", Words::FrameAll)], params.controls.name(), Box::new(|params, value| params.controls = Controls::ALL.into_iter().find(|one| one.name() == value).unwrap_or_default())) }
                        { check("readonly", html! { { t(Words::LookOnly) } }, params.is_readonly, Box::new(|params, is_on| params.is_readonly = is_on)) }
                        <label key="height" class="pick"><span>{ t(Words::Height) }</span><input type="number" min="160" max="2000" step="20" value={height.to_string()} onchange={tall} /></label>
                    </fieldset>
                </form>
                <div key="result" class="result">
                    <div key="preview" class="preview" role="group" aria-label={t(Words::Preview)}>
                        if is_file {
                            <p>{ t(Words::NoPreview) }</p>
                        } else {
                            <iframe key={shown.clone()} data-testid="embed-preview" src={shown} title={t(Words::Preview)}></iframe>
                        }
                    </div>
                    <div key="ways" class="ways">
                        <div class="seg" role="group" aria-label={t(Words::Text)}>
                            { for Way::ALL.into_iter().map(|one| {
                                let (way, has_copied) = (way.clone(), has_copied.clone());
                                let words = match one { Way::Frame => Words::WayFrame, Way::Element => Words::WayElement, Way::Link => Words::WayLink };
                                let is_chosen = *way == one;
                                html! { <button key={t(words)} data-testid={format!("embed-way-{one:?}")} aria-pressed={is_chosen.to_string()} onclick={Callback::from(move |_: MouseEvent| { way.set(one); has_copied.set(false); })}>{ t(words) }</button> }
                            }) }
                        </div>
                        <span class="sp"></span>
                        <span role="status" class="good">{ if *has_copied { t(Words::Copied) } else { "" } }</span>
                        <button class="btn" data-testid="embed-copy" onclick={copy}>{ env.t(Msg::Copy) }</button>
                    </div>
                    <textarea key="text" readonly={true} rows="4" spellcheck="false" lang="en" data-testid="embed-text" aria-label={t(Words::Text)} value={pasted} />
                    if is_file { <p key="note" class="note">{ t(Words::FileNote) }</p> }
                </div>
            </div>
        </div>
    }
}
