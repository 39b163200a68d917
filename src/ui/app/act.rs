//! What each action does. The one `match` over everything the user can do.

use std::rc::Rc;

use playground::deck::{Lang, Scene, View};
use playground::{
    Applied, Command, FileText, ObjectRef, Options, Playground, PromptState, TEXT_MAX,
};

use super::{App, is_dark};
use crate::action::{Action, Pane};
use crate::bars::Theme;
use crate::driver::wall_ms;
use crate::embed::params::lasting;
use crate::sharing::Words;
use crate::slides::Place;
use crate::slides::outcome::Cells;
use crate::stage::{VIEWS, refer};
use crate::terminal::TERMINAL;
use crate::workbench::{File, Outcome, Reveal};
use crate::world::World;
use crate::{dom, kept, storage};

/// How long after the last key the text is looked through.
const DIAGNOSE_MS: f64 = 250.0;
/// How often a slide's tasks are looked at.
const TASKS_MS: f64 = 200.0;
/// Lines that can be given to the terminal at once.
const LINES: usize = 2_000;
/// Machines that the scene of a deck may ask for; more take seconds to boot.
const NODES: u32 = playground::share::NODES_MAX;

/// Whether an action changes the cluster or what is to become of it. Time and sight do not.
fn changes(action: &Action) -> bool {
    matches!(
        action,
        Action::Apply
            | Action::Run(_)
            | Action::Interrupt
            | Action::SetScene
            | Action::Restart
            | Action::Edit(_)
            | Action::Mend(_)
            | Action::NewFile
            | Action::CloseFile(_)
            | Action::Open { apply: true, .. }
            | Action::ApplyCell { .. }
            | Action::RunCell { .. }
    )
}

impl App {
    pub(super) fn act(&mut self, action: Action) {
        if self.env.is_readonly && changes(&action) {
            return;
        }
        match action {
            Action::SetLang(lang) => self.set_lang(lang),
            Action::NextTheme => {
                let at = Theme::ALL
                    .iter()
                    .position(|theme| *theme == self.theme)
                    .unwrap_or(0);
                self.theme = Theme::ALL[(at + 1) % Theme::ALL.len()];
                storage::set("theme", self.theme.name());
                self.env.dark = is_dark(self.theme);
                self.paint_root();
            }
            Action::SystemColours => {
                self.env.dark = is_dark(self.theme);
                self.paint_root();
            }
            Action::ToggleProjector => self.toggle_projector(),
            Action::Show(view) => {
                if VIEWS.iter().any(|(known, _, _)| *known == view) {
                    self.view = view;
                    self.bring_into_sight(Pane::Stage);
                }
            }
            Action::ShowTab(pane) => self.bring_into_sight(pane),
            Action::Resize(pane, share) => self.resize(pane, share),
            Action::PutAway(pane) if self.params.is_embed => {
                self.panes.retain(|other| *other != pane);
                self.tab = self.panes.first().copied().unwrap_or(pane);
                if self.panes.is_empty() {
                    self.panes.push(pane);
                }
            }
            Action::PutAway(pane) => {
                if !self.without.contains(&pane) {
                    self.without.push(pane);
                    kept::keep_without(&self.without);
                }
            }
            Action::BringBack => {
                self.without.clear();
                self.alone = None;
                kept::keep_without(&self.without);
            }
            Action::Alone(pane) => {
                self.alone = if self.alone == Some(pane) {
                    None
                } else {
                    Some(pane)
                }
            }
            Action::Dragging(is_dragging) => self.is_dragging = is_dragging,
            Action::TogglePalette => self.has_palette = !self.has_palette,
            Action::ToggleHelp => self.has_help = !self.has_help,
            Action::ToggleTimeBar => self.shows_time = !self.shows_time,

            Action::Turn(turn) => self.turn(turn),
            Action::FollowAddress => self.follow_address(),
            Action::ToggleOverview => self.show.has_overview = !self.show.has_overview,
            Action::TogglePresenting => self.toggle_presenting(),
            Action::FollowFullScreen(is_full) => self.follow_full_screen(is_full),
            Action::ToggleBeside => self.toggle_beside(),
            Action::ToggleBlack => {
                self.show.is_black = self.show.is_presenting && !self.show.is_black
            }
            Action::CloseOver => self.close_over(),
            Action::Print => self.print(),
            Action::EndPrint => self.show.paper = None,
            Action::ToggleSpeaker => self.toggle_speaker(),
            Action::SpeakerGone => self.show.speaker = None,
            Action::ToggleLibrary => self.shelf.has_library = !self.shelf.has_library,
            Action::OpenDeck(source) => self.open_deck(source, true),
            Action::TakeDeck(name, came) => self.take_deck(&name, came),
            Action::SetScene => self.set_scene(),
            Action::ApplyCell { key, name, text } => {
                self.cells.begin(key, 0);
                self.open(&name, &text);
                self.apply();
            }
            Action::RunCell { key, lines } => {
                self.cells.begin(key, lines.len());
                self.run(lines);
            }
            Action::Open { name, text, apply } => {
                self.open(&name, &text);
                if apply {
                    self.apply();
                } else {
                    self.bring_into_sight(Pane::Work);
                }
            }

            Action::Select(object) => self.chosen = object,
            Action::SelectName(name) => self.select_name(&name),
            Action::ShowSystem(shows) => self.shows_system = shows,
            Action::FollowStep(step) => self.chain_step = step,

            Action::Edit(text) => self.edit(&text),
            Action::OpenFile(index) => {
                self.active = index.min(self.files.len().saturating_sub(1));
                self.file_changed();
            }
            Action::NewFile => {
                let name = (1..)
                    .map(|number| format!("file-{number}.yaml"))
                    .find(|name| !self.files.iter().any(|file| *file.name == **name));
                self.open(&name.unwrap_or_default(), "");
            }
            Action::CloseFile(index) => self.close_file(index),
            Action::Apply => self.apply(),
            Action::ToggleDiff => self.toggle_diff(),
            Action::Mend(index) => self.mend(index),
            Action::Reveal(index) => {
                if let Some(problem) = self.problems.get(index) {
                    let nonce = self.reveal.map_or(0, |reveal| reveal.nonce + 1);
                    self.reveal = Some(Reveal {
                        nonce,
                        from: problem.from,
                        to: problem.to,
                    });
                }
            }

            Action::Run(lines) => self.run(lines),
            Action::Interrupt => {
                self.terminal.queue.clear();
                self.cells.give_up();
                self.wake();
                self.command(Command::Interrupt { terminal: TERMINAL });
            }
            Action::ClearLog => self.terminal.pieces = Rc::default(),
            Action::ToggleWrap => self.wraps = !self.wraps,
            Action::FocusTerminal => {
                self.bring_into_sight(Pane::Term);
                dom::focus("[data-testid=terminal-input]");
            }

            Action::TogglePause => self.driver.is_paused = !self.driver.is_paused,
            Action::Step => {
                let mut playground = self.env.engine.0.borrow_mut();
                self.driver.step(&mut playground);
                drop(playground);
                self.take_updates();
            }
            Action::Speed(speed) => {
                self.driver.speed = speed;
                self.driver.is_paused = false;
                storage::set("speed", &speed.to_string());
            }
            Action::Seek(to) => {
                self.driver.rushes = false;
                self.env.engine.0.borrow_mut().seek(to);
                // What was written later is not there yet.
                self.saved = Rc::default();
                self.shelf.saved.clear();
                self.flights.clear();
                self.take_updates();
            }
            Action::Restart => self.begin_anew(),
            Action::ToggleGenerator => {
                self.has_generator = !self.has_generator;
                self.packed = self.has_generator.then(|| self.packed_run()).flatten();
            }
            Action::Hosted(heard) => self.hosted(heard),
            Action::GoOnFromHere => {
                let left = self.env.engine.0.borrow_mut().go_on_from_here();
                let before = self.other_run(left);
                self.world.forget_marks_after(self.now());
                self.offer_other(before, Words::Branched);
            }
            Action::BackToOther => self.back_to_other(),
            other => self.act_on_runs(other),
        }
    }

    fn set_lang(&mut self, lang: Lang) {
        if self.env.lang == lang {
            return;
        }
        self.env.lang = lang;
        storage::set("lang", lang.tag());
        // Both decks have the same slides in the same places; if they ever differ, the id decides.
        let id = self
            .deck
            .slide(self.place.column, self.place.row)
            .map(|slide| slide.id.clone());
        self.deck = Rc::new(self.shelf.source.deck(lang));
        let found = id.and_then(|id| self.deck.find(&id).map(|slide| (slide.column, slide.row)));
        if let Some((column, row)) = found {
            self.place = Place {
                column,
                row,
                ..self.place
            };
        }
        self.paint_root();
    }

    pub(super) fn bring_into_sight(&mut self, pane: Pane) {
        self.tab = pane;
        if !self.has(pane) {
            self.panes.push(pane);
        }
        if matches!(pane, Pane::Slides | Pane::Work) {
            self.side = pane;
        }
        if self.alone.is_some_and(|alone| alone != pane) {
            self.alone = None;
        }
        if self.without.contains(&pane) {
            self.without.retain(|other| *other != pane);
            kept::keep_without(&self.without);
        }
    }

    fn resize(&mut self, pane: Pane, share: f64) {
        let share = share.clamp(12.0, 70.0);
        let index = match pane {
            Pane::Slides => 0,
            Pane::Work => 1,
            _ => 2,
        };
        // The stage keeps a fifth for itself.
        let other = match index {
            0 => self.shares[1].unwrap_or(28.0),
            1 => self.shares[0].unwrap_or(28.0),
            _ => 0.0,
        };
        self.shares[index] = Some(share.min(80.0 - other).max(12.0));
        kept::keep_share(pane, share);
    }

    /// A slide was opened: the stage shows what it speaks of.
    pub(super) fn arrive(&mut self) {
        let Some(slide) = self.deck.slide(self.place.column, self.place.row) else {
            return;
        };
        let id = slide.id.clone();
        kept::keep_slide(&self.deck_key(), &id);
        self.focus = Rc::new(slide.focus.clone());
        // Until there is a view of the nodes alone, the architecture shows them.
        let view = slide.view.map(|view| {
            if view == View::Nodes {
                View::Architecture
            } else {
                view
            }
        });
        if let Some(view) = view.filter(|view| VIEWS.iter().any(|(known, _, _)| known == view)) {
            self.view = view;
        }
        self.tasks_due_ms = 0.0;
        if cfg!(target_arch = "wasm32") {
            // What else the address says (language, plain editor) stays.
            let query = match (dom::fragment().split_once('?'), self.params.is_embed) {
                (Some((_, query)), true) => format!("?{query}"),
                (Some((_, query)), false) => {
                    super::reopen::with_deck(&lasting(query), self.deck_address())
                }
                (None, _) => super::reopen::with_deck("", self.deck_address()),
            };
            dom::replace_fragment(&format!("#/{id}{query}"));
        }
    }

    pub(super) fn set_scene(&mut self) {
        let Some(scene) = self
            .deck
            .slide(self.place.column, self.place.row)
            .and_then(|slide| slide.scene.clone())
        else {
            return;
        };
        self.stage_scene(scene);
    }

    /// A new cluster with what the scene says, as fast as the device can.
    pub(super) fn stage_scene(&mut self, scene: Scene) {
        let standard = Options::default();
        let options = Options {
            seed: scene.seed.unwrap_or(standard.seed),
            nodes: scene.nodes.unwrap_or(standard.nodes).clamp(1, NODES),
        };
        self.begin(options);
        self.shelf.scene_of = self.slide().map(|slide| slide.id.clone());
        if !scene.commands.is_empty() {
            self.terminal.queue.extend(scene.commands);
            self.driver.rushes = true;
            self.is_setting_scene = true;
        }
    }

    /// The same cluster from its beginning; an embedded page does again what its address asks for.
    pub(super) fn begin_anew(&mut self) {
        let options = self.env.engine.0.borrow().options().clone();
        let before = self.other_run(self.env.engine.0.borrow().clone());
        self.begin(options);
        if self.params.is_embed {
            self.begin_as_asked();
            self.reopen_at_start(&dom::fragment());
        } else {
            self.offer_other(before, Words::Restarted);
        }
    }

    /// A new cluster takes the place of the old one.
    pub(super) fn begin(&mut self, options: Options) {
        self.begin_with(Playground::new(options));
    }

    /// This cluster takes the place of the old one.
    pub(super) fn begin_with(&mut self, playground: Playground) {
        *self.env.engine.0.borrow_mut() = playground;
        self.note_beginning();
        self.world = World::default();
        self.flights.clear();
        self.terminal.queue.clear();
        self.terminal.pieces = Rc::default();
        self.terminal.prompt = PromptState::Busy;
        self.saved = Rc::default();
        self.shelf.saved.clear();
        self.chosen = None;
        self.chain_step = None;
        self.tasks = Rc::default();
        for id in self.jobs.give_up() {
            self.audience.host.dropped(&id);
        }
        self.cells = Cells::default();
        self.outcome = Outcome::None;
        self.driver.rushes = false;
        self.driver.is_paused = false;
        self.is_setting_scene = false;
        self.take_updates();
    }

    fn select_name(&mut self, name: &str) {
        let bearers = || self.world.objects.values().filter(|row| row.name == name);
        let found = bearers()
            .find(|row| row.kind == "Pod")
            .or_else(|| bearers().next());
        match found {
            Some(row) => self.chosen = Some(refer(row)),
            // Nodes may be known only as machines.
            None if self
                .world
                .machines
                .iter()
                .any(|machine| machine.node.name == name) =>
            {
                self.chosen = Some(ObjectRef {
                    kind: "Node".into(),
                    namespace: String::new(),
                    name: String::from(name),
                });
            }
            None => {}
        }
    }

    fn edit(&mut self, text: &str) {
        let active = self.active;
        let Some(file) = Rc::make_mut(&mut self.files).get_mut(active) else {
            return;
        };
        if *file.text == *text {
            return;
        }
        file.text = Rc::from(text);
        self.keep_files_soon();
        self.outcome = Outcome::None;
        self.diagnose_ms = Some(wall_ms() + DIAGNOSE_MS);
    }

    /// Shows a file under this name; its text replaces what the name had before.
    pub(super) fn open(&mut self, name: &str, text: &str) {
        let file = File {
            name: Rc::from(name),
            text: Rc::from(text),
        };
        let files = Rc::make_mut(&mut self.files);
        self.active = match files.iter().position(|other| other.name == file.name) {
            Some(index) => {
                files[index] = file;
                index
            }
            None => {
                files.push(file);
                files.len() - 1
            }
        };
        self.save_files();
        self.file_changed();
    }

    fn close_file(&mut self, index: usize) {
        if self.files.len() > 1 && index < self.files.len() {
            Rc::make_mut(&mut self.files).remove(index);
            if self.active > index || self.active >= self.files.len() {
                self.active = self.active.saturating_sub(1);
            }
            self.save_files();
            self.file_changed();
        }
    }

    pub(super) fn file_changed(&mut self) {
        self.outcome = Outcome::None;
        self.against = None;
        self.diagnose();
    }

    pub(super) fn diagnose(&mut self) {
        self.diagnose_ms = None;
        let text = self
            .files
            .get(self.active)
            .map(|file| file.text.clone())
            .unwrap_or_default();
        let problems = self.env.engine.0.borrow().diagnose(&text);
        if problems != *self.problems {
            self.problems = Rc::new(problems);
        }
    }

    pub(super) fn apply(&mut self) {
        let Some(file) = self.files.get(self.active) else {
            return;
        };
        let (name, text) = (file.name.to_string(), file.text.to_string());
        if text.trim().is_empty() {
            return;
        }
        self.diagnose();
        if text.len() > TEXT_MAX {
            self.outcome = Outcome::Refused;
            return;
        }
        self.outcome = Outcome::Running;
        self.chain_step = None;
        self.wake();
        self.command(Command::Apply {
            file: name,
            text,
            terminal: TERMINAL,
        });
    }

    pub(super) fn take_applied(&mut self, applied: &Applied) {
        self.outcome = if applied.rc == 0 {
            Outcome::Applied
        } else {
            Outcome::Refused
        };
        let is_shown = self
            .files
            .get(self.active)
            .is_some_and(|file| *file.name == *applied.file);
        if is_shown && self.problems.is_empty() && !applied.problems.is_empty() {
            self.problems = Rc::new(applied.problems.clone());
        }
    }

    /// A command wrote a file: an open one is shown as it is now.
    pub(super) fn take_file(&mut self, name: &str, text: &str) {
        let Some(index) = self.files.iter().position(|file| *file.name == *name) else {
            return;
        };
        let files = Rc::make_mut(&mut self.files);
        if *files[index].text != *text {
            files[index].text = Rc::from(text);
            self.keep_files_soon();
            if index == self.active {
                self.diagnose();
            }
        }
    }

    fn toggle_diff(&mut self) {
        if self.against.take().is_some() {
            return;
        }
        let text = self
            .files
            .get(self.active)
            .map(|file| file.text.clone())
            .unwrap_or_default();
        self.against = self.env.engine.0.borrow().live(&text).map(Rc::from);
    }

    fn mend(&mut self, index: usize) {
        let Some(problem) = self.problems.get(index).cloned() else {
            return;
        };
        let Some(replacement) = problem.replacement else {
            return;
        };
        let text = self
            .files
            .get(self.active)
            .map(|file| file.text.to_string())
            .unwrap_or_default();
        // The problems may be those of an older text.
        let (Some(before), Some(after)) = (text.get(..problem.from), text.get(problem.to..)) else {
            return;
        };
        self.edit(&format!("{before}{replacement}{after}"));
        self.diagnose();
    }

    pub(super) fn run(&mut self, lines: Vec<String>) {
        if lines.len() > LINES {
            self.say(Words::TooManyLines.both(), None);
            return;
        }
        for line in &lines {
            self.terminal.remember(line);
        }
        kept::keep_history(&self.terminal.history);
        self.wake();
        self.chain_step = None;
        // A running command reads what is typed; everything else waits for the prompt.
        let is_input = self.terminal.prompt == PromptState::Busy
            && self.terminal.queue.is_empty()
            && lines.len() == 1;
        if is_input {
            for line in lines {
                self.command(Command::Terminal {
                    terminal: TERMINAL,
                    line,
                });
            }
        } else {
            // What the editor shows is what a typed `kubectl apply -f` finds.
            self.save_for_terminal();
            self.terminal.queue.extend(lines);
        }
        self.feed_terminal();
        self.take_updates();
    }

    /// Writes the editor's files that changed since the terminal got them last.
    fn save_for_terminal(&mut self) {
        let takes = |file: &&File| file.text.len() <= TEXT_MAX && !self.saved.contains(file);
        for file in self.files.iter().filter(takes) {
            let file = FileText {
                name: file.name.to_string(),
                text: file.text.to_string(),
            };
            self.env.engine.0.borrow_mut().command(Command::Save(file));
        }
        self.saved = self.files.clone();
    }

    fn command(&mut self, command: Command) {
        // A command given in the past begins another future.
        let now = self.now();
        if now < self.env.engine.0.borrow().horizon() {
            self.world.forget_marks_after(now);
        }
        self.env.engine.0.borrow_mut().command(command);
        self.take_updates();
    }

    /// Time runs again, because something was asked for that takes some.
    fn wake(&mut self) {
        self.driver.is_paused = false;
    }

    pub(super) fn look_at_tasks(&mut self) -> bool {
        let at = wall_ms();
        if at < self.tasks_due_ms {
            return false;
        }
        self.tasks_due_ms = at + TASKS_MS;
        let mut tasks = (*self.tasks).clone();
        for task in self.tasks_in_hand() {
            let progress = self.env.engine.0.borrow_mut().progress(task);
            tasks.insert(task.id.clone(), progress);
        }
        let is_changed = tasks != *self.tasks;
        if is_changed {
            self.tasks = Rc::new(tasks);
            self.note_reached();
        }
        is_changed
    }
}
