//! Everything the user can do, as data: one enum, worked off in one place (`app`).

use playground::deck::{Lang, View};
use playground::{Micros, ObjectRef, Text};

use crate::library::Source;

use crate::embed::host::Heard;

/// A column, or the terminal beneath.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pane {
    Slides,
    Stage,
    Work,
    Term,
}

impl Pane {
    pub(crate) const ALL: [Pane; 4] = [Pane::Slides, Pane::Stage, Pane::Work, Pane::Term];

    /// How the style sheet and the storage call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Pane::Slides => "slides",
            Pane::Stage => "stage",
            Pane::Work => "work",
            Pane::Term => "term",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Pane> {
        Pane::ALL.into_iter().find(|pane| pane.name() == name)
    }
}

/// A movement in the deck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The next fragment, else the next slide in reading order.
    Next,
    Previous,
    Left,
    Right,
    Up,
    Down,
    First,
    Last,
    To(usize, usize),
}

/// Something the user does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    SetLang(Lang),
    NextTheme,
    /// The system switched between light and dark.
    SystemColours,
    ToggleProjector,
    Show(View),
    ShowTab(Pane),
    Resize(Pane, f64),
    PutAway(Pane),
    BringBack,
    Alone(Pane),
    Dragging(bool),
    TogglePalette,
    ToggleHelp,
    ToggleTimeBar,

    Turn(Turn),
    /// The fragment of the address names another slide.
    FollowAddress,
    ToggleOverview,
    /// The slides take the whole screen, or give it back.
    TogglePresenting,
    /// The browser ended or began the full screen by itself.
    FollowFullScreen(bool),
    /// Shows the cluster beside the slide that is presented, or hides it.
    ToggleBeside,
    /// Hides the presented slide behind black.
    ToggleBlack,
    /// Closes what lies over the page.
    CloseOver,
    /// Draws every slide with its cluster for paper, and asks the browser to print.
    Print,
    EndPrint,
    /// Opens the second window with the notes, or closes it.
    ToggleSpeaker,
    /// That window was closed by hand.
    SpeakerGone,

    /// Shows which decks and lessons there are.
    ToggleLibrary,
    OpenDeck(Source),
    /// A deck that was fetched: its name, and its address with its text or why there is none.
    TakeDeck(String, Result<(String, String), Text>),
    SetScene,
    /// A manifest of a slide or of the examples, into the editor and perhaps to the cluster.
    Open {
        name: String,
        text: String,
        apply: bool,
    },

    /// Applies the manifest of a slide's cell, of this key.
    ApplyCell {
        key: String,
        name: String,
        text: String,
    },
    /// Runs the lines of a slide's cell, of this key.
    RunCell {
        key: String,
        lines: Vec<String>,
    },

    Select(Option<ObjectRef>),
    /// Whatever bears this name; a Pod rather than anything else.
    SelectName(String),
    ShowSystem(bool),
    /// Shows a step of the chain of causes; `None` follows the latest.
    FollowStep(Option<usize>),

    Edit(String),
    OpenFile(usize),
    NewFile,
    CloseFile(usize),
    Apply,
    ToggleDiff,
    /// Mends the problem of this index.
    Mend(usize),
    /// Shows the place of this problem.
    Reveal(usize),

    /// Command lines for the terminal, one after another.
    Run(Vec<String>),
    Interrupt,
    ClearLog,
    ToggleWrap,
    /// Puts a line into the terminal's input without running it.
    FocusTerminal,

    TogglePause,
    Step,
    Speed(u32),
    Seek(Micros),
    /// In the past: what came after is left, and another future begins here.
    GoOnFromHere,
    /// Back to the run that `GoOnFromHere` left.
    BackToOther,
    Restart,

    /// Shows the link of this run.
    Share,
    SaveRun,
    /// Shows the browser's dialog for a file to open.
    ChooseFile,
    /// Files were dropped onto the page, or chosen.
    Take(Vec<Taken>),
    /// More text was given at once than the page takes, in bytes.
    TooMuch(usize),
    /// What the dialog asks about is opened.
    OpenAsked,
    /// It is not.
    LeaveRun,
    /// The run that is being played is left where it is, and lives on.
    StopPlaying,
    BePatient,
    CloseDialog,
    /// The page is being left.
    KeepAll,
    Dismiss(u32),
    TakeOffer(u32, Box<Action>),
    /// A newer version of the page takes over.
    TakeUpdate,
    OfferUpdate,

    /// The dialog that makes something to paste into other pages.
    ToggleGenerator,
    /// The page that holds this one says something.
    Hosted(Heard),
}

/// A file that the user gave to the page.
#[derive(Clone, PartialEq)]
pub(crate) struct Taken {
    pub(crate) name: String,
    /// `None`: larger than the page takes, or not readable.
    pub(crate) bytes: Option<std::rc::Rc<[u8]>>,
}

impl std::fmt::Debug for Taken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "Taken({:?}, {:?})",
            self.name,
            self.bytes.as_ref().map(|bytes| bytes.len())
        )
    }
}
