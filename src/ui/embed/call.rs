//! The messages of a host page as plain data: what they may say, and why one is refused. `EMBEDDING.md` is the protocol for authors.
//!
//! A message is an object with `kubenkyo: 1`, a `type`, perhaps an `id` that its answer carries, and the fields of its type. It comes from
//! another page, so nothing in it is trusted: every field is checked here, whoever sent it. Who may send is decided in `host`.

use playground::Micros;
use playground::deck::{Lang, View};

use super::jobs::{Id, Work};
use crate::bars::Theme;
use crate::driver::SPEEDS;

/// The version of the protocol that this page speaks.
pub(crate) const VERSION: u32 = 1;

/// The longest text of one field, in bytes, and the most entries of a list.
pub(crate) const TEXT: usize = 256 * 1024;
const ENTRIES: usize = 100;
/// The furthest a host may seek: a day of virtual time, in seconds.
const DAY: f64 = 86_400.0;

/// What a host may ask for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    /// Says that the host listens: from now on it hears of the state.
    Hello,
    Work(Work),
    Seek(Micros),
    /// What the stage points at: names of parts and objects; none for nothing.
    Focus(Vec<String>),
    Play,
    Pause,
    Speed(u32),
    Slide(String),
    View(View),
    Lang(Lang),
    Theme(Theme),
    Restart,
    State,
}

/// Why a message is not done: a word for programs and a sentence for people who write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// A refusal.
pub(crate) fn refuse(reason: &'static str, message: impl Into<String>) -> Refusal {
    Refusal {
        reason,
        message: message.into(),
    }
}

/// The fields of a message, from JavaScript or from a test.
pub(crate) trait Fields {
    fn text(&self, name: &str) -> Option<String>;
    fn number(&self, name: &str) -> Option<f64>;
    /// A list of texts; `None` if it is no list or holds anything else.
    fn texts(&self, name: &str) -> Option<Vec<String>>;
    fn has(&self, name: &str) -> bool;
}

/// Whether a message is meant for this page at all. Everything else on the wire belongs to others and is passed over in silence.
pub(crate) fn is_ours(fields: &dyn Fields) -> bool {
    fields.has("kubenkyo") && !fields.text("type").is_some_and(|kind| is_answer(&kind))
}

/// The types of our own messages: a page that hears them is a host, or looks at itself.
fn is_answer(kind: &str) -> bool {
    matches!(kind, "reply" | "ready" | "state")
}

/// What the sender calls the message.
pub(crate) fn id(fields: &dyn Fields) -> Option<Id> {
    let number = fields
        .number("id")
        .filter(|number| number.is_finite())
        .map(Id::Number);
    number.or_else(|| {
        fields
            .text("id")
            .filter(|text| text.len() <= 200)
            .map(Id::Text)
    })
}

/// Reads a message.
pub(crate) fn read(fields: &dyn Fields) -> Result<Call, Refusal> {
    if fields.number("kubenkyo") != Some(f64::from(VERSION)) {
        return Err(refuse(
            "version",
            format!(
                "this page speaks version {VERSION} of the protocol: {{ kubenkyo: {VERSION}, type: … }}"
            ),
        ));
    }
    let kind = fields
        .text("type")
        .ok_or_else(|| refuse("field", "`type` must be a text"))?;
    Ok(match kind.as_str() {
        "hello" => Call::Hello,
        "apply" => {
            let text = long(fields, "manifest")?;
            if text.trim().is_empty() {
                return Err(refuse("field", "`manifest` is empty"));
            }
            let file = if fields.has("file") {
                short(fields, "file")?
            } else {
                String::from("host.yaml")
            };
            if file.contains(['/', '\\'])
                || file.starts_with('.')
                || file.chars().any(char::is_control)
            {
                return Err(refuse(
                    "field",
                    "`file` must be a plain name, such as web.yaml",
                ));
            }
            Call::Work(Work::Apply { file, text })
        }
        "run" => {
            let lines = match fields.texts("lines") {
                Some(lines) => lines,
                None => vec![long(fields, "line")?],
            };
            let fits = (1..=ENTRIES).contains(&lines.len())
                && lines.iter().map(String::len).sum::<usize>() <= TEXT;
            if !fits {
                return Err(refuse(
                    "too-large",
                    format!("1 to {ENTRIES} lines, together at most {TEXT} bytes"),
                ));
            }
            if lines
                .iter()
                .any(|line| line.trim().is_empty() || line.contains(['\n', '\r', '\0']))
            {
                return Err(refuse("field", "each line must be one command line"));
            }
            Call::Work(Work::Run(lines))
        }
        "seek" => {
            let to = number(fields, "to")?;
            if !(0.0..=DAY).contains(&to) {
                return Err(refuse(
                    "field",
                    "`to` must be a time in seconds, from 0 to 86400",
                ));
            }
            Call::Seek((to * 1e6) as Micros)
        }
        "focus" | "highlight" => {
            let names = fields
                .texts("names")
                .ok_or_else(|| refuse("field", "`names` must be a list of texts"))?;
            if names.len() > ENTRIES || names.iter().any(|name| name.len() > 300) {
                return Err(refuse(
                    "too-large",
                    format!("at most {ENTRIES} names of 300 bytes"),
                ));
            }
            Call::Focus(names)
        }
        "play" => Call::Play,
        "pause" => Call::Pause,
        "speed" => {
            let speed = number(fields, "speed")? * 1000.0;
            let known = SPEEDS
                .into_iter()
                .find(|known| (f64::from(*known) - speed).abs() < 0.5);
            Call::Speed(
                known.ok_or_else(|| refuse("field", "`speed` must be 0.01, 1, 10, 100 or 1000"))?,
            )
        }
        "slide" => Call::Slide(short(fields, "slide")?),
        "view" => {
            let view = View::named(&short(fields, "view")?);
            Call::View(view.ok_or_else(|| refuse("field", "`view` must be architecture or tree"))?)
        }
        "lang" => {
            let lang = Lang::named(&short(fields, "lang")?);
            Call::Lang(lang.ok_or_else(|| refuse("field", "`lang` must be ja or en"))?)
        }
        "theme" => {
            let name = short(fields, "theme")?;
            let theme = Theme::ALL.into_iter().find(|theme| theme.name() == name);
            Call::Theme(
                theme.ok_or_else(|| refuse("field", "`theme` must be auto, light or dark"))?,
            )
        }
        "restart" => Call::Restart,
        "get" => Call::State,
        other => {
            let shown: String = other.chars().take(40).collect();
            return Err(refuse(
                "type",
                format!("there is no message of type `{shown}`"),
            ));
        }
    })
}

fn number(fields: &dyn Fields, name: &str) -> Result<f64, Refusal> {
    let number = fields.number(name).filter(|number| number.is_finite());
    number.ok_or_else(|| refuse("field", format!("`{name}` must be a number")))
}

fn long(fields: &dyn Fields, name: &str) -> Result<String, Refusal> {
    let text = fields
        .text(name)
        .ok_or_else(|| refuse("field", format!("`{name}` must be a text")))?;
    if text.len() > TEXT {
        return Err(refuse(
            "too-large",
            format!(
                "`{name}` has {} bytes; at most {TEXT} are taken",
                text.len()
            ),
        ));
    }
    Ok(text)
}

fn short(fields: &dyn Fields, name: &str) -> Result<String, Refusal> {
    let text = long(fields, name)?;
    if text.is_empty() || text.len() > 300 {
        return Err(refuse(
            "field",
            format!("`{name}` must have 1 to 300 bytes"),
        ));
    }
    Ok(text)
}

/// Whether a message from `origin` is heard by a page whose own origin is `own` and whose address allows `allowed`. A page without an
/// origin (a file, a sandboxed frame) calls itself `null`, and so does every other one: only being named in the address lets it in.
pub(crate) fn is_heard(origin: &str, own: &str, allowed: &[String]) -> bool {
    allowed
        .iter()
        .any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))
        || (origin == own && origin != "null")
}

#[cfg(test)]
mod tests;
