//! Runs that come back: after a reload, from a link, from a file. And the other way: what this tab leaves for its next reload.
//!
//! A run is played again in slices between two pictures of the screen, so that the page stays alive whatever the run does, and whoever
//! waits can stop. A run that was never finished being played is not played again by itself: it may be what ended the page.

use std::rc::Rc;

use playground::share::{Refusal, Shared, VERSION};
use playground::{FileText, Mark, Playground, Replay, TEXT_MAX, Text};

use super::App;
use crate::action::{Action, Pane, Taken, Turn};
use crate::driver::wall_ms;
use crate::notices::{Notice, Notices};
use crate::sharing::{Dialog, Facts, Playing, Reach, Words};
use crate::terminal::Terminal;
use crate::workbench::File;
use crate::world::clock;
use crate::{dom, files, kept, storage};

/// Work per picture while a run is played; the page may stutter a little, but never hangs.
const SLICE_MS: f64 = 24.0;
/// Events between two looks at the clock.
const EVENTS: u32 = 64;
/// A run that is there sooner is not worth a dialog.
const UNSEEN_MS: f64 = 350.0;
/// After so long the page asks whether to go on.
const PATIENCE_MS: f64 = 20_000.0;
/// Time between two notes of where the run stands.
const KEEP_MS: f64 = 1_500.0;
/// A run of more bytes is not kept beside another.
const OTHER_MAX: u64 = 32 << 20;

/// Where a run came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Reload,
    Link,
    File,
}

/// What the application holds of runs that come and go.
#[derive(Default)]
pub(super) struct Keep {
    /// The deck whose run was kept last.
    kept_deck: String,
    playing: Option<Play>,
    /// What waits for the user's word.
    asked: Option<(Origin, Box<Shared>)>,
    pub(super) dialog: Option<Rc<Dialog>>,
    pub(super) notices: Rc<Notices>,
    /// When the next note is due, on the wall clock.
    due_ms: f64,
    /// What the last note said, so that nothing is written twice.
    kept_commands: Option<(u64, u64)>,
    kept_at: String,
    /// Counts the clusters that this page has had.
    begun: u64,
    files_due_ms: Option<f64>,
    /// Whether what was kept has been looked at: before, nothing may be written over it.
    is_ready: bool,
    /// Whether the files came with someone else's run.
    is_foreign: bool,
    /// The run that was left for this one.
    other: Option<Box<OtherRun>>,
}

/// A run that was left, with what the page showed of it.
pub(super) struct OtherRun {
    playground: Playground,
    terminal: Terminal,
    marks: Rc<Vec<Mark>>,
    /// The editor's files, if others took their place.
    files: Option<(Rc<Vec<File>>, usize)>,
}

struct Play {
    replay: Replay,
    origin: Origin,
    begun_ms: f64,
    patience_ms: f64,
    is_paused: bool,
    asks: bool,
}

impl Keep {
    pub(super) fn is_playing(&self) -> bool {
        self.playing.is_some()
    }
}

impl App {
    /// Does what has to do with runs as a whole.
    pub(super) fn act_on_runs(&mut self, action: Action) {
        match action {
            Action::Share => self.share(),
            Action::SaveRun => self.save_run(),
            Action::ChooseFile => files::choose(self.env.act.clone()),
            Action::Take(files) => self.take_files(files),
            Action::TooMuch(bytes) => {
                let mb = bytes.div_ceil(100_000);
                let mb = format!("{}.{}", mb / 10, mb % 10);
                self.say(Words::TooMuch.both_filled(&mb), None);
            }
            Action::OpenAsked => self.open_asked(),
            Action::LeaveRun => self.leave_run(),
            Action::StopPlaying => self.stop_playing(),
            Action::BePatient => self.be_patient(),
            Action::CloseDialog => {
                self.keep.dialog = None;
                dom::focus("[data-testid=share]");
            }
            Action::KeepAll => self.keep_all(),
            Action::Dismiss(number) => self.notices().dismiss(number),
            Action::TakeOffer(number, action) => {
                self.notices().dismiss(number);
                self.act(*action);
            }
            Action::OfferUpdate => {
                let offer = (Words::Update.both(), Action::TakeUpdate);
                self.say(Words::NewVersion.both(), Some(offer));
            }
            Action::TakeUpdate => {
                self.keep_all();
                files::take_update();
            }
            // Everything else is worked off before.
            _ => {}
        }
    }

    fn share(&mut self) {
        if self.keep.is_playing() {
            return;
        }
        let shared = self.shared();
        let slide = &shared.slide;
        let query = with_deck(&format!("?s={}", shared.to_text()), self.deck_address());
        let address = dom::address();
        let host = address.split("://").nth(1).unwrap_or_default();
        let is_here = ["localhost", "127.", "[::1]"]
            .iter()
            .any(|here| host.starts_with(here));
        self.keep.dialog = Some(Rc::new(Dialog::Share(Facts {
            link: format!("{address}#/{slide}{query}").into(),
            reach: if address.starts_with("file:") {
                Reach::File
            } else if is_here {
                Reach::ThisComputer
            } else {
                Reach::Everybody
            },
            seed: shared.recording.options.seed,
            nodes: shared.recording.options.nodes,
            now: shared.now,
            commands: shared.recording.commands.len(),
            files: shared.files.iter().map(|file| file.name.clone()).collect(),
            digest: shared.digest,
            file_bytes: shared.to_file().len(),
        })));
    }

    /// This run as a link carries it, if anything was done and it is not too long for an address.
    pub(super) fn packed_run(&self) -> Option<yew::AttrValue> {
        const LONGEST: usize = 8_000;
        let shared = self.shared();
        let has_commands = !shared.recording.commands.is_empty() && !self.keep.is_playing();
        has_commands
            .then(|| shared.to_text())
            .filter(|text| text.len() <= LONGEST)
            .map(yew::AttrValue::from)
    }

    /// This run with what stands beside it.
    fn shared(&self) -> Shared {
        let slide = self.deck.slide(self.place.column, self.place.row);
        Shared {
            files: self
                .files
                .iter()
                .map(|file| FileText {
                    name: file.name.to_string(),
                    text: file.text.to_string(),
                })
                .collect(),
            open_file: self.active,
            slide: slide.map(|slide| slide.id.clone()).unwrap_or_default(),
            ..self.env.engine.0.borrow_mut().shared()
        }
    }

    fn save_run(&mut self) {
        let shared = self.shared();
        let clock = clock(shared.now).replace(':', "-");
        files::save(&format!("cluster-{clock}.kubenkyo"), &shared.to_file());
    }

    /// Files that were dropped or chosen: what each holds decides where it goes.
    fn take_files(&mut self, taken: Vec<Taken>) {
        for Taken { name, bytes } in taken {
            let Some(bytes) = bytes else {
                self.refuse_file(Words::NotReadable, &name);
                continue;
            };
            if !Shared::is_file(&bytes) && bytes.len() > TEXT_MAX {
                self.act(Action::TooMuch(bytes.len()));
                continue;
            }
            let is = |ends: &[&str]| {
                ends.iter()
                    .any(|end| name.to_ascii_lowercase().ends_with(end))
            };
            if Shared::is_file(&bytes) || is(&[".kubenkyo"]) {
                self.open_run_file(&bytes);
            } else if is(&[".yaml", ".yml", ".json"]) {
                let name = self.free_name(&name);
                self.open(&name, &String::from_utf8_lossy(&bytes));
                self.bring_into_sight(Pane::Work);
            } else if is(&[".md", ".markdown"]) {
                self.open_deck_file(&name, String::from_utf8_lossy(&bytes).into_owned());
            } else {
                self.refuse_file(Words::UnknownFile, &name);
            }
        }
    }

    fn refuse_file(&mut self, why: Words, name: &str) {
        let name: String = name.chars().take(80).collect();
        let Text { ja, en } = why.both();
        let hint = Words::KnownFiles.both();
        self.say(
            Text::new(
                format!("{ja}{name}。{}", hint.ja),
                format!("{en}{name}. {}", hint.en),
            ),
            None,
        );
    }

    /// The name, or one like it that no open file with other contents has.
    fn free_name(&self, name: &str) -> String {
        let name: String = name
            .chars()
            .filter(|letter| !letter.is_control())
            .take(120)
            .collect();
        let (stem, end) = name.rsplit_once('.').unwrap_or((&name, "yaml"));
        let mut free = name.clone();
        let mut number = 2;
        while self.files.iter().any(|file| *file.name == *free) {
            free = format!("{stem}-{number}.{end}");
            number += 1;
        }
        free
    }

    /// A run to come back to, unless it is too heavy to be kept beside another.
    pub(super) fn other_run(&self, playground: Playground) -> Option<OtherRun> {
        let is_worth_it = playground.commands_given() > 0 && playground.weight() < OTHER_MAX;
        is_worth_it.then(|| OtherRun {
            playground,
            terminal: self.terminal.clone(),
            marks: self.world.marks.clone(),
            files: None,
        })
    }

    /// Says that another run has begun, with the way back.
    pub(super) fn offer_other(&mut self, other: Option<OtherRun>, say: Words) {
        self.notices().withdraw(&Action::BackToOther);
        self.keep.other = other.map(Box::new);
        if self.keep.other.is_some() {
            let offer = (Words::BackToOther.both(), Action::BackToOther);
            self.say(say.both(), Some(offer));
        }
    }

    pub(super) fn back_to_other(&mut self) {
        let Some(other) = self.keep.other.take() else {
            return;
        };
        let OtherRun {
            mut playground,
            terminal,
            marks,
            files,
        } = *other;
        if let Some((files, active)) = files {
            (self.files, self.active) = (files, active);
            self.set_foreign(false);
            self.save_files();
            self.file_changed();
        }
        playground.tell_all();
        self.begin_with(playground);
        self.terminal = terminal;
        self.world.marks = marks;
        self.driver.is_paused = true;
    }

    /// What tells this deck from others in what is kept; empty for the page's own.
    pub(super) fn deck_key(&self) -> String {
        self.shelf.source.key()
    }

    /// The deck as an address names it, if it does.
    pub(super) fn deck_address(&self) -> Option<String> {
        let name = self.shelf.source.address()?;
        // Letters of paths stay readable.
        let encoded = String::from(js_sys::encode_uri_component(&name));
        Some(encoded.replace("%2F", "/"))
    }

    fn notices(&mut self) -> &mut Notices {
        Rc::make_mut(&mut self.keep.notices)
    }

    /// What the address or the last load of this tab has left, if anything.
    pub(super) fn reopen_at_start(&mut self, fragment: &str) {
        self.keep.is_ready = true;
        self.keep.is_foreign = kept::is_foreign(&self.deck_key());
        if let Some(text) = link_of(fragment) {
            self.follow_link(text);
            return;
        }
        let Some((packed, at)) = kept::run(&self.deck_key()) else {
            return;
        };
        let Ok(mut shared) = Shared::from_text(&packed) else {
            kept::forget_run(&self.deck_key());
            return;
        };
        let mut parts = at.split(' ');
        let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
        if let (Some(now), Some(horizon), Some(digest)) = (number(), number(), number()) {
            let last = shared.recording.commands.last().map_or(0, |(at, _)| *at);
            (shared.now, shared.digest) = (now, digest);
            shared.horizon = horizon.max(now).max(last);
        }
        let is_paused = parts.next() == Some("paused");
        if kept::is_unfinished(&self.deck_key()) {
            kept::set_unfinished(&self.deck_key(), false);
            self.keep.asked = Some((Origin::Reload, Box::new(shared)));
            self.say(
                Words::Unfinished.both(),
                Some((Words::TryAgain.both(), Action::OpenAsked)),
            );
            return;
        }
        self.play(Origin::Reload, &shared, is_paused);
    }

    /// A link of a run: opened at once where nothing is lost by it, else after a word.
    pub(super) fn follow_link(&mut self, text: &str) {
        let opened = Shared::from_text(text);
        self.offer(Origin::Link, opened);
    }

    /// A file of a run.
    pub(super) fn open_run_file(&mut self, bytes: &[u8]) {
        self.offer(Origin::File, Shared::from_file(bytes));
    }

    fn offer(&mut self, origin: Origin, opened: Result<Shared, Refusal>) {
        match opened {
            Err(refusal) => {
                self.keep.dialog = Some(Rc::new(Dialog::Refused {
                    say: refusal.say(),
                    hint: refusal.hint(),
                }));
            }
            Ok(shared) => {
                let is_other_version = shared.version != VERSION;
                let replaces = self.commands_given() > 0;
                if is_other_version || replaces {
                    self.keep.dialog = Some(Rc::new(Dialog::Asked {
                        theirs: is_other_version.then(|| shared.version.clone()),
                        commands: shared.recording.commands.len(),
                        nodes: shared.recording.options.nodes,
                        now: shared.now,
                        replaces,
                    }));
                    self.keep.asked = Some((origin, Box::new(shared)));
                } else {
                    self.open_run(origin, &shared);
                }
            }
        }
    }

    /// The user's word: what was asked for is opened.
    pub(super) fn open_asked(&mut self) {
        self.keep.dialog = None;
        if let Some((origin, shared)) = self.keep.asked.take() {
            self.open_run(origin, &shared);
        }
    }

    fn open_run(&mut self, origin: Origin, shared: &Shared) {
        let mut before = self.other_run(self.env.engine.0.borrow().clone());
        if origin != Origin::Reload {
            if !shared.files.is_empty() {
                if let Some(before) = &mut before {
                    before.files = Some((self.files.clone(), self.active));
                }
                self.set_foreign(true);
                let files = shared.files.iter().map(|file| File {
                    name: Rc::from(file.name.as_str()),
                    text: Rc::from(file.text.as_str()),
                });
                self.files = Rc::new(files.collect());
                self.active = shared.open_file;
                self.save_files();
                self.file_changed();
            }
            let found = self.deck.find(&shared.slide);
            if let Some((column, row)) = found.map(|slide| (slide.column, slide.row)) {
                self.turn(Turn::To(column, row));
            }
        }
        self.play(origin, shared, false);
        self.offer_other(before, Words::Opened);
    }

    fn set_foreign(&mut self, is_foreign: bool) {
        self.keep.is_foreign = is_foreign;
        kept::set_foreign(&self.deck_key(), is_foreign);
    }

    fn play(&mut self, origin: Origin, shared: &Shared, is_paused: bool) {
        kept::set_unfinished(&self.deck_key(), true);
        let (playground, replay) = Replay::new(shared);
        self.begin_with(playground);
        let begun_ms = wall_ms();
        self.keep.playing = Some(Play {
            replay,
            origin,
            begun_ms,
            patience_ms: begun_ms + PATIENCE_MS,
            is_paused,
            asks: false,
        });
        // Short runs are there before the first picture.
        self.play_on(origin == Origin::Reload);
    }

    /// Plays for a while, or until the end.
    pub(super) fn play_on(&mut self, is_first: bool) {
        let Some(mut play) = self.keep.playing.take() else {
            return;
        };
        let begun = wall_ms();
        let slice = if is_first { 4.0 * SLICE_MS } else { SLICE_MS };
        let is_there = {
            let mut playground = self.env.engine.0.borrow_mut();
            loop {
                if play.asks {
                    break false;
                }
                if play.replay.play(&mut playground, EVENTS) {
                    break true;
                }
                if wall_ms() - begun > slice {
                    break false;
                }
            }
        };
        self.keep.playing = Some(play);
        self.take_updates();
        if is_there {
            self.stop_playing();
        } else {
            self.show_playing();
        }
    }

    fn show_playing(&mut self) {
        let Some(play) = &mut self.keep.playing else {
            return;
        };
        let now = wall_ms();
        play.asks |= now > play.patience_ms;
        if now - play.begun_ms < UNSEEN_MS {
            return;
        }
        let playground = self.env.engine.0.borrow();
        self.keep.dialog = Some(Rc::new(Dialog::Playing(Playing {
            is_reload: play.origin == Origin::Reload,
            percent: (play.replay.progress(&playground) * 100.0) as u32,
            commands_left: play.replay.commands_left(),
            asks: play.asks,
        })));
    }

    /// The user waits on.
    pub(super) fn be_patient(&mut self) {
        if let Some(play) = &mut self.keep.playing {
            play.patience_ms = wall_ms() + PATIENCE_MS;
            play.asks = false;
        }
    }

    /// The run is there, or the user has seen enough of it: from here on it lives.
    pub(super) fn stop_playing(&mut self) {
        let Some(play) = self.keep.playing.take() else {
            return;
        };
        self.keep.dialog = None;
        self.driver.is_paused = play.is_paused;
        self.flights.clear();
        self.saved = self.files.clone();
        kept::set_unfinished(&self.deck_key(), false);
        match (play.replay.is_same(), play.origin) {
            (Some(false), Origin::Reload) => self.say(Words::OtherAfterReload.both(), None),
            (Some(false), _) => self.say(Words::OtherCourse.both(), None),
            _ => {}
        }
        self.keep.due_ms = 0.0;
    }

    /// The user wants none of it: a new cluster.
    pub(super) fn leave_run(&mut self) {
        let was_playing = self.keep.playing.take().is_some();
        self.keep.asked = None;
        self.keep.dialog = None;
        kept::set_unfinished(&self.deck_key(), false);
        if was_playing {
            self.begin(playground::Options::default());
        }
    }

    /// A new cluster stands there: what was kept of the old one is not its.
    pub(super) fn note_beginning(&mut self) {
        self.keep.begun += 1;
        self.keep.playing = None;
        self.keep.due_ms = 0.0;
    }

    /// Looks now and then whether there is something to keep. Answers whether something is to be seen of it.
    pub(super) fn keep_now_and_then(&mut self) -> bool {
        let at = wall_ms();
        if self.keep.files_due_ms.is_some_and(|due| due <= at) {
            self.save_files();
        }
        if at >= self.keep.due_ms {
            self.keep_run();
        }
        let trouble = storage::trouble();
        if let Some(trouble) = trouble {
            let say = match trouble {
                storage::Trouble::Full => Words::StorageFull,
                storage::Trouble::Refused => Words::StorageRefused,
            };
            self.say(say.both(), Some((Words::ShareIt.both(), Action::Share)));
        }
        trouble.is_some()
    }

    /// The page is being left: everything is kept now.
    pub(super) fn keep_all(&mut self) {
        if self.keep.files_due_ms.is_some() {
            self.save_files();
        }
        self.keep_run();
    }

    /// Files are kept a moment after the last key.
    pub(super) fn keep_files_soon(&mut self) {
        self.keep.files_due_ms = Some(wall_ms() + 300.0);
    }

    pub(super) fn save_files(&mut self) {
        self.keep.files_due_ms = None;
        kept::keep_files(
            &self.deck_key(),
            &self.files,
            self.active,
            !self.keep.is_foreign,
        );
    }

    fn keep_run(&mut self) {
        if self.keep.playing.is_some() || !self.keep.is_ready {
            return;
        }
        self.keep.due_ms = wall_ms() + KEEP_MS;
        let deck = self.deck_key();
        let mark = (self.keep.begun, self.commands_given());
        let is_new = self.keep.kept_commands != Some(mark) || self.keep.kept_deck != deck;
        let mut playground = self.env.engine.0.borrow_mut();
        let word = if self.driver.is_paused {
            "paused"
        } else {
            "runs"
        };
        let place = format!("{} {}", playground.now(), playground.horizon());
        if is_new {
            let shared = playground.shared();
            kept::keep_run(&deck, &shared.to_text());
            self.keep.kept_deck.clone_from(&deck);
            self.keep.kept_commands = Some(mark);
        } else if self.keep.kept_at == format!("{place} {word}") {
            return;
        }
        let digest = playground.digest_here();
        kept::keep_at(&deck, &format!("{place} {digest} {word}"));
        self.keep.kept_at = format!("{place} {word}");
    }

    fn commands_given(&self) -> u64 {
        self.env.engine.0.borrow().commands_given()
    }

    /// Puts a quiet message to the foot of the page.
    pub(super) fn say(&mut self, say: Text, offer: Option<(Text, Action)>) {
        self.notices().say(Notice { say, offer });
    }
}

/// The run in an address's fragment: `#/slide?s=…`.
pub(super) fn link_of(fragment: &str) -> Option<&str> {
    fragment
        .split(['?', '&', '#'])
        .find_map(|part| part.strip_prefix("s="))
}

/// The parameters with the deck's name in front of them, in the place of another one.
pub(super) fn with_deck(query: &str, deck: Option<String>) -> String {
    let deck = deck.map(|deck| format!("deck={deck}"));
    let rest = query.trim_start_matches('?').split('&');
    let rest = rest.filter(|part| !part.is_empty() && !part.starts_with("deck="));
    let parts: Vec<&str> = deck.as_deref().into_iter().chain(rest).collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("?{}", parts.join("&"))
    }
}

/// The fragment without its run: once opened, the tab keeps the run itself.
pub(super) fn without_link(fragment: &str) -> String {
    let (path, query) = fragment.split_once('?').unwrap_or((fragment, ""));
    let rest: Vec<&str> = query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("s="))
        .collect();
    if rest.is_empty() {
        path.into()
    } else {
        format!("{path}?{}", rest.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_deck_once_and_its_run_until_it_is_open() {
        let deck = || Some(String::from("lessons/02.md"));
        assert_eq!(with_deck("", None), "");
        assert_eq!(with_deck("?deck=old.md", None), "");
        assert_eq!(with_deck("", deck()), "?deck=lessons/02.md");
        let query = with_deck("?lang=ja&deck=old.md&s=Abc", deck());
        assert_eq!(query, "?deck=lessons/02.md&lang=ja&s=Abc");
        assert_eq!(link_of(&format!("#/pod{query}")), Some("Abc"));
        assert_eq!(
            without_link(&format!("#/pod{query}")),
            "#/pod?deck=lessons/02.md&lang=ja"
        );
        assert_eq!(without_link("#/pod?s=Abc"), "#/pod");
        assert_eq!(link_of("#/pods"), None);
    }
}
