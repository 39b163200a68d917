//! The application: holds the cluster and everything the page remembers, works off actions and frames, and draws the frame around the columns.

mod act;
mod decks;
mod embedded;
mod hosted;
mod reopen;
mod rest;
mod show;

use std::cell::RefCell;
use std::rc::Rc;

use playground::deck::{Deck, View};
use playground::{Micros, ObjectRef, Playground, Problem, PromptState, Update};
use wasm_bindgen::prelude::*;
use yew::prelude::*;

use rest::Rest;

use crate::action::{Action, Pane};
use crate::bars::{Theme, TimeBar, Top};
use crate::driver::{Driver, wall_ms};
use crate::embed::jobs::Jobs;
use crate::embed::params::Params;
use crate::env::{Engine, Env};
use crate::flights::Flights;
use crate::help::Help;
use crate::icons::{Icon, icon};
use crate::library::Library;
use crate::notices::NoticeList;
use crate::palette::Palette;
use crate::sharing::Sharing;
use crate::slides::outcome::Cells;
use crate::slides::overview::Overview;
use crate::slides::{Place, Slides, Tasks};
use crate::split::Split;
use crate::stage::Stage;
use crate::stage::inspector::Inspector;
use crate::terminal::{TERMINAL, Terminal, TerminalPane};
use crate::words::Msg;
use crate::workbench::{File, Outcome, Reveal, Workbench};
use crate::world::World;
use crate::{dom, files, kept, keys};

/// What the application is told.
#[derive(Debug)]
pub enum Told {
    /// The screen asks for its next picture, at this wall time in milliseconds.
    Frame(f64),
    /// The rest of the program has come.
    Rest,
    /// The user does something.
    #[allow(private_interfaces)]
    Act(Action),
}

/// The page.
pub struct App {
    env: Env,
    rest: Rest,
    driver: Driver,
    world: World,
    flights: Flights,
    terminal: Terminal,

    deck: Rc<Deck>,
    place: Place,
    show: show::Show,
    shelf: decks::Shelf,
    /// How the slides' cells that were pressed ended.
    cells: Cells,
    tasks: Rc<Tasks>,
    tasks_due_ms: f64,
    is_setting_scene: bool,

    view: View,
    chosen: Option<ObjectRef>,
    focus: Rc<Vec<String>>,
    shows_system: bool,
    chain_step: Option<usize>,

    files: Rc<Vec<File>>,
    /// The files as the terminal has them.
    saved: Rc<Vec<File>>,
    active: usize,
    problems: Rc<Vec<Problem>>,
    outcome: Outcome,
    reveal: Option<Reveal>,
    against: Option<Rc<str>>,
    /// When the text is looked through again, on the wall clock.
    diagnose_ms: Option<f64>,

    theme: Theme,
    is_large: bool,
    tab: Pane,
    side: Pane,
    without: Vec<Pane>,
    alone: Option<Pane>,
    shares: [Option<f64>; 3],
    is_dragging: bool,
    has_palette: bool,
    has_help: bool,
    shows_time: bool,
    wraps: bool,
    is_plain: bool,
    keep: reopen::Keep,

    /// What the address asks for.
    params: Rc<Params>,
    /// The columns of an embedded page: as asked, and those that were needed since.
    panes: Vec<Pane>,
    jobs: Jobs,
    audience: hosted::Audience,
    has_generator: bool,
    /// This run packed, as it was when the generator was opened.
    packed: Option<AttrValue>,

    _rest: Option<Closure<dyn FnMut()>>,
    _frames: Option<Frames>,
    _keys: Option<Closure<dyn FnMut(web_sys::KeyboardEvent)>>,
    _colours: Option<Closure<dyn FnMut()>>,
    _address: Option<Closure<dyn FnMut()>>,
    _full_screen: Option<Closure<dyn FnMut()>>,
    _given: Option<files::Listeners>,
    _after_print: Option<Closure<dyn FnMut()>>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("App")
            .field("place", &self.place)
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}

impl Component for App {
    type Message = Told;
    type Properties = ();

    fn create(context: &Context<App>) -> App {
        let fragment = browser(dom::fragment).unwrap_or_default();
        let params = Params::read(&browser(dom::query).unwrap_or_default(), &fragment);
        if params.is_embed {
            crate::storage::stay_in_memory();
        }
        let lang = kept::lang(
            params.lang,
            &browser(dom::preferred_languages).unwrap_or_default(),
        );
        let theme = params.theme.unwrap_or_else(kept::theme);
        let env = Env {
            lang,
            dark: is_dark(theme),
            still: browser(|| dom::media("(prefers-reduced-motion: reduce)")).unwrap_or(false),
            is_embed: params.is_embed,
            is_readonly: params.is_readonly,
            act: context.link().callback(Told::Act),
            engine: Engine(Rc::new(RefCell::new(Playground::new(embedded::options(
                &params,
            ))))),
        };
        let rest = Rest::at_start();
        let deck = Rc::new(rest.beginning(lang, &params));
        let place = place_of(&deck, params.slide.as_deref(), "");
        let (opened, active) = kept::files("");
        let mut app = App {
            env,
            rest,
            cells: Cells::default(),
            driver: Driver::at(params.speed.unwrap_or_else(kept::speed)),
            world: World::default(),
            flights: Flights::default(),
            terminal: Terminal::with_history(kept::history()),
            deck,
            place,
            show: show::Show::default(),
            shelf: decks::Shelf {
                done: Rc::new(kept::done()),
                ..decks::Shelf::default()
            },
            tasks: Rc::default(),
            tasks_due_ms: 0.0,
            is_setting_scene: false,
            view: View::Architecture,
            chosen: None,
            focus: Rc::default(),
            shows_system: false,
            chain_step: None,
            files: Rc::new(opened),
            saved: Rc::default(),
            active,
            problems: Rc::default(),
            outcome: Outcome::None,
            reveal: None,
            against: None,
            diagnose_ms: None,
            theme,
            is_large: kept::is_large(),
            tab: Pane::Stage,
            side: Pane::Slides,
            without: kept::without(),
            alone: None,
            shares: [
                kept::share(Pane::Slides),
                kept::share(Pane::Work),
                kept::share(Pane::Term),
            ],
            is_dragging: false,
            has_palette: false,
            has_help: false,
            shows_time: false,
            wraps: false,
            is_plain: params.is_plain,
            keep: reopen::Keep::default(),
            jobs: Jobs::default(),
            audience: hosted::Audience::default(),
            has_generator: false,
            packed: None,
            panes: params.shown(),
            params: Rc::new(params),
            _rest: None,
            _frames: None,
            _keys: None,
            _colours: None,
            _address: None,
            _full_screen: None,
            _given: None,
            _after_print: None,
        };
        if app.rest.is_here() {
            app.begin_work(&fragment);
        }
        app.paint_root();
        app.take_updates();
        app
    }

    fn update(&mut self, _: &Context<App>, told: Told) -> bool {
        match told {
            Told::Frame(at) => self.frame(at),
            Told::Rest => {
                self.complete();
                true
            }
            Told::Act(action) => {
                let Some(action) = self.rest.hold(action) else {
                    return true;
                };
                self.act(action);
                true
            }
        }
    }

    fn rendered(&mut self, context: &Context<App>, is_first: bool) {
        if is_first {
            self._rest = browser(|| rest::listen(context)).flatten();
            self._frames = browser(|| Frames::start(context.link().callback(Told::Frame)));
            self._keys = browser(|| listen_to_keys(self.env.clone())).flatten();
            self._colours = browser(|| listen_to_colours(self.env.clone())).flatten();
            self._address = browser(|| listen_to_address(self.env.clone())).flatten();
            self._after_print = browser(|| listen_to_print(self.env.clone())).flatten();
            self._full_screen = browser(|| listen_to_full_screen(self.env.clone())).flatten();
            self._given = browser(|| files::listen(self.env.act.clone()));
        }
    }

    fn view(&self, _: &Context<App>) -> Html {
        let env = &self.env;
        let without: Vec<&str> = self.without.iter().map(|pane| pane.name()).collect();
        let is_embed = self.params.is_embed;
        html! {
            <ContextProvider<Env> context={env.clone()}>
                <div class={classes!("app", self.is_dragging.then_some("dragging"))} data-tab={self.tab.name()} data-side={(!is_embed).then(|| self.side.name())}
                    data-without={(!without.is_empty()).then(|| without.join(" "))} data-alone={self.alone.map(Pane::name)}
                    data-embed={is_embed.then(|| self.params.controls.name())} data-readonly={env.is_readonly.then_some("true")}
                    data-present={self.presents()} data-paused={self.driver.is_paused.then_some("true")} data-time={self.shows_time.then_some("open")} aria-busy={(!self.rest.is_here()).then_some("true")}>
                    if is_embed {
                        { self.embedded_board() }
                        { self.embedded_bar() }
                    } else {
                        <Top key="top" title={AttrValue::from(self.deck.title.clone())} theme={self.theme} is_changed={!without.is_empty() || self.alone.is_some()} />
                        <main key="board" class="board" style={self.shares_style()}>
                            <nav key="side" class="side-tabs tabs"><div role="tablist" aria-label={env.t(Msg::Columns)}>
                                { self.side_tab(Pane::Slides, Msg::Slides) }
                                { self.side_tab(Pane::Work, Msg::Workbench) }
                            </div></nav>
                            { self.section(Pane::Slides) }
                            <Split key="split-slides" pane={Pane::Slides} share={self.shares[0]} />
                            { self.section(Pane::Stage) }
                            <Split key="split-work" pane={Pane::Work} share={self.shares[1]} />
                            { self.section(Pane::Work) }
                            <Split key="split-term" pane={Pane::Term} share={self.shares[2]} />
                            { self.section(Pane::Term) }
                            { self.inspector(self.now()) }
                        </main>
                        { self.time_bar(self.now()) }
                    }
                    { self.phone_tabs() }
                    <div key="over">
                        if self.show.has_overview { <Overview key="overview" deck={self.deck.clone()} place={self.place} /> }
                        if self.show.is_black { <button key="black" class="black" aria-label={env.t(Msg::EndBlack)} onclick={env.on(Action::ToggleBlack)}></button> }
                        if self.shelf.has_library { <Library key="library" source={self.shelf.source.clone()} done={self.shelf.done.clone()} /> }
                        if self.has_palette { <Palette key="palette" deck={self.deck.clone()} objects={self.world.objects.clone()} /> }
                        if self.has_help { <Help key="help" /> }
                        if let Some(dialog) = &self.keep.dialog { <Sharing key="sharing" dialog={dialog.clone()} /> }
                        if self.has_generator { { self.generator() } }
                        <NoticeList key="notices" notices={self.keep.notices.clone()} />
                    </div>
                    { self.speaker() }
                    { self.paper() }
                </div>
            </ContextProvider<Env>>
        }
    }
}

impl App {
    fn now(&self) -> Micros {
        self.env.engine.0.borrow().now()
    }

    fn side_tab(&self, pane: Pane, msg: Msg) -> Html {
        html! {
            <button key={pane.name()} role="tab" aria-selected={(self.side == pane).to_string()} onclick={self.env.on(Action::ShowTab(pane))}>{ self.env.t(msg) }</button>
        }
    }

    /// A column with what is in it.
    fn section(&self, pane: Pane) -> Html {
        let env = &self.env;
        let is_alone = self.alone == Some(pane);
        match pane {
            Pane::Slides => html! {
                <section key="slides" class="pane slides" aria-label={env.t(Msg::Slides)}>
                    <Slides deck={self.deck.clone()} place={self.place} tasks={self.tasks.clone()} is_setting_scene={self.is_setting_scene} {is_alone}
                        is_presented={self.show.is_presenting} has_overview={self.show.has_overview} source={self.shelf.source.clone()} refusal={self.shelf.refusal.clone()} cells={self.cells.shown()} />
                </section>
            },
            Pane::Stage => html! {
                <section key="stage" class="pane stage" aria-label={env.t(Msg::Stage)}>
                    <Stage view={self.view} control={self.world.control.clone()} machines={self.world.machines.clone()} waiting={self.world.waiting.clone()}
                        objects={self.world.objects.clone()} flights={self.flights.active()} chain={self.world.chain.clone()} chain_step={self.chain_step}
                        chosen={self.chosen.clone()} focus={self.focus.clone()} shows_system={self.shows_system} {is_alone} />
                </section>
            },
            Pane::Work => html! {
                <section key="work" class="pane work" aria-label={env.t(Msg::Workbench)}>
                    <Workbench files={self.files.clone()} active={self.active} problems={self.problems.clone()} outcome={self.outcome}
                        reveal={self.reveal} against={self.against.clone()} {is_alone} is_plain={self.is_plain || !self.rest.is_here()} />
                </section>
            },
            Pane::Term => html! {
                <section key="term" class="pane term" aria-label={env.t(Msg::Terminal)}>
                    <TerminalPane pieces={self.terminal.pieces.clone()} prompt={self.terminal.prompt} history={self.terminal.history.clone()}
                        wraps={self.wraps} {is_alone} />
                </section>
            },
        }
    }

    fn time_bar(&self, now: Micros) -> Html {
        let engine = self.env.engine.0.borrow();
        html! {
            <TimeBar key="time" {now} end={engine.horizon().max(now)} is_paused={self.driver.is_paused} speed={self.driver.speed} is_behind={self.driver.is_behind}
                marks={self.world.marks.clone()} seed={engine.options().seed} />
        }
    }

    /// The columns as tabs, for narrow screens. One column needs none.
    fn phone_tabs(&self) -> Html {
        let tabs = [
            (Pane::Slides, Msg::Slides, Icon::Slides),
            (Pane::Stage, Msg::Stage, Icon::Stage),
            (Pane::Work, Msg::Yaml, Icon::Work),
            (Pane::Term, Msg::Terminal, Icon::Term),
        ];
        let tabs: Vec<Html> = tabs
            .into_iter()
            .filter(|(pane, _, _)| self.has(*pane))
            .map(|(pane, msg, sign)| self.phone_tab(pane, msg, sign))
            .collect();
        if tabs.len() < 2 {
            return html! { <nav key="phone" hidden={true}></nav> };
        }
        html! {
            <nav key="phone" class="phone-tabs" aria-label={self.env.t(Msg::Columns)}><div role="tablist">{ for tabs }</div></nav>
        }
    }

    fn phone_tab(&self, pane: Pane, msg: Msg, sign: Icon) -> Html {
        html! {
            <button key={pane.name()} role="tab" data-testid={format!("tab-{}", pane.name())} aria-selected={(self.tab == pane).to_string()} onclick={self.env.on(Action::ShowTab(pane))}>
                { icon(sign) }<span>{ self.env.t(msg) }</span>
            </button>
        }
    }

    fn inspector(&self, now: Micros) -> Html {
        let Some(object) = &self.chosen else {
            return html! { <div key="inspector" hidden={true}></div> };
        };
        let row = self.world.find(object).cloned();
        let machine = self
            .world
            .machines
            .iter()
            .find(|machine| object.kind == "Node" && machine.node.name == object.name)
            .cloned();
        html! {
            <div key="inspector" style="display:contents">
                <Inspector object={object.clone()} {row} {machine} revision={self.world.control.revision} second={now / 1_000_000} />
            </div>
        }
    }

    fn shares_style(&self) -> String {
        let mut style = String::new();
        for (share, name) in self
            .shares
            .iter()
            .zip(["--slides-w", "--work-w", "--term-h"])
        {
            if let Some(share) = share {
                style.push_str(&format!("{name}:{share:.1}%;"));
            }
        }
        style
    }

    /// One frame of the screen: lets time pass, takes in what happened. Answers whether anything is drawn differently.
    fn frame(&mut self, at: f64) -> bool {
        if self.is_away() || !self.can_run() {
            return false;
        }
        if self.keep.is_playing() {
            self.play_on(false);
            return true;
        }
        let before = self.now();
        let passed = {
            let mut playground = self.env.engine.0.borrow_mut();
            self.driver.frame(at, &mut playground, wall_ms)
        };
        let mut is_changed = self.take_updates();
        self.feed_terminal();
        self.work_off();
        // A scene is set as fast as the device can, but looked at often, so that it stops at its last prompt.
        let begun = wall_ms();
        while self.driver.rushes && wall_ms() - begun < 8.0 {
            self.env
                .engine
                .0
                .borrow_mut()
                .advance(self.now() + 100_000, 4_096);
            is_changed |= self.take_updates();
            self.feed_terminal();
        }
        let is_still = self.driver.is_paused && !self.driver.rushes;
        if !is_still {
            is_changed |= self.flights.pass(passed);
        }
        if self.rest.is_here() {
            if self.diagnose_ms.is_some_and(|due| due <= wall_ms()) {
                self.diagnose();
                is_changed = true;
            }
            is_changed |= self.look_at_tasks();
            is_changed |= self.keep_now_and_then();
            is_changed |= self.work_on_paper();
            self.tell_host();
        }
        is_changed || self.now() != before
    }

    /// Folds what the cluster tells. Answers whether there was anything.
    fn take_updates(&mut self) -> bool {
        let updates = self.env.engine.0.borrow_mut().updates();
        if updates.is_empty() {
            return false;
        }
        if updates.contains(&Update::Reset) {
            self.flights.clear();
            self.chain_step = None;
        }
        self.world.fold(&updates);
        let speed = if self.driver.rushes {
            u32::MAX
        } else {
            self.driver.speed
        };
        let messages = updates.iter().filter_map(|update| match update {
            Update::Message(message) => Some(message),
            _ => None,
        });
        if !self.driver.rushes && !self.keep.is_playing() {
            self.flights.send(messages, speed);
        }
        for update in &updates {
            match update {
                Update::Terminal(output) if output.terminal == TERMINAL => {
                    self.terminal.take(output);
                    self.cells.hear(&output.output);
                    self.jobs.hear(&output.output);
                }
                Update::File(file) if !self.keep.is_playing() => {
                    self.take_file(&file.name, &file.text)
                }
                Update::Applied(applied) => {
                    self.cells.applied(applied.rc);
                    self.take_applied(applied);
                    self.jobs.applied(&self.problems);
                }
                _ => {}
            }
        }
        true
    }

    /// Gives the terminal its next line once the prompt is there.
    fn feed_terminal(&mut self) {
        while let Some(line) = self.terminal.due() {
            self.save_deck_files(&line);
            self.terminal.prompt = PromptState::Busy;
            self.env
                .engine
                .0
                .borrow_mut()
                .command(playground::Command::Terminal {
                    terminal: TERMINAL,
                    line,
                });
            self.take_updates();
        }
        let is_idle = self.terminal.queue.is_empty() && self.terminal.prompt != PromptState::Busy;
        if self.driver.rushes && is_idle {
            self.driver.rushes = false;
            self.is_setting_scene = false;
        }
    }

    fn paint_root(&self) {
        let lang = self.env.lang.tag();
        let theme = if self.env.dark { "dark" } else { "light" };
        let size = if self.is_large { "projector" } else { "normal" };
        browser(|| {
            dom::set_root("lang", lang);
            dom::set_root("data-theme", theme);
            dom::set_root("data-size", size);
            if let Some(speaker) = &self.show.speaker {
                speaker.paint(lang, theme);
            }
        });
    }
}

/// The slide that the address names, else the one of the last visit, else the first.
fn place_of(deck: &Deck, named: Option<&str>, key: &str) -> Place {
    let kept = kept::slide(key).unwrap_or_default();
    let slide = named
        .and_then(|named| embedded::slide_named(deck, named))
        .or_else(|| deck.find(&kept));
    slide.map_or_else(Place::default, |slide| Place {
        column: slide.column,
        row: slide.row,
        step: 0,
    })
}

fn is_dark(theme: Theme) -> bool {
    match theme {
        Theme::Auto => browser(|| dom::media("(prefers-color-scheme: dark)")).unwrap_or(false),
        Theme::Light => false,
        Theme::Dark => true,
    }
}

/// Does what needs a browser; nothing where there is none (a native test that draws the page as text).
fn browser<T>(ask: impl FnOnce() -> T) -> Option<T> {
    cfg!(target_arch = "wasm32").then(ask)
}

type FrameClosure = Closure<dyn FnMut(f64)>;

/// Calls back for every frame of the screen. A hidden tab gets none.
struct Frames {
    _again: Rc<RefCell<Option<FrameClosure>>>,
}

impl Frames {
    fn start(tell: Callback<f64>) -> Frames {
        let again: Rc<RefCell<Option<FrameClosure>>> = Rc::default();
        let held = Rc::clone(&again);
        *again.borrow_mut() = Some(Closure::new(move |at: f64| {
            // Asked for first: if this frame panics, no further one follows anyway, because the page is gone.
            if let Some(closure) = &*held.borrow() {
                request_frame(closure);
            }
            tell.emit(at);
        }));
        if let Some(closure) = &*again.borrow() {
            request_frame(closure);
        }
        Frames { _again: again }
    }
}

fn request_frame(closure: &FrameClosure) {
    if let Some(window) = web_sys::window() {
        // Refused only by a window that is going away.
        let _ = window.request_animation_frame(closure.as_ref().unchecked_ref());
    }
}

fn listen_to_keys(env: Env) -> Option<Closure<dyn FnMut(web_sys::KeyboardEvent)>> {
    let heard =
        Closure::<dyn FnMut(web_sys::KeyboardEvent)>::new(move |event: web_sys::KeyboardEvent| {
            let lang = dom::root_lang();
            if let Some(action) = keys::action(&event, lang) {
                event.prevent_default();
                env.act.emit(action);
            }
        });
    dom::document()?
        .add_event_listener_with_callback("keydown", heard.as_ref().unchecked_ref())
        .ok()?;
    Some(heard)
}

/// Follows the system's colours while the user leaves the choice to it.
fn listen_to_colours(env: Env) -> Option<Closure<dyn FnMut()>> {
    let heard = Closure::<dyn FnMut()>::new(move || env.act.emit(Action::SystemColours));
    let query = web_sys::window()?
        .match_media("(prefers-color-scheme: dark)")
        .ok()??;
    query
        .add_event_listener_with_callback("change", heard.as_ref().unchecked_ref())
        .ok()?;
    Some(heard)
}

fn listen_to_address(env: Env) -> Option<Closure<dyn FnMut()>> {
    let heard = Closure::<dyn FnMut()>::new(move || env.act.emit(Action::FollowAddress));
    web_sys::window()?
        .add_event_listener_with_callback("hashchange", heard.as_ref().unchecked_ref())
        .ok()?;
    Some(heard)
}

fn listen_to_full_screen(env: Env) -> Option<Closure<dyn FnMut()>> {
    let heard = Closure::<dyn FnMut()>::new(move || {
        env.act
            .emit(Action::FollowFullScreen(dom::is_full_screen()))
    });
    dom::document()?
        .add_event_listener_with_callback("fullscreenchange", heard.as_ref().unchecked_ref())
        .ok()?;
    Some(heard)
}

fn listen_to_print(env: Env) -> Option<Closure<dyn FnMut()>> {
    let heard = Closure::<dyn FnMut()>::new(move || env.act.emit(Action::EndPrint));
    web_sys::window()?
        .add_event_listener_with_callback("afterprint", heard.as_ref().unchecked_ref())
        .ok()?;
    Some(heard)
}
