//! What a link or a file needs to reopen this exact cluster, and how it is written: small, bounded, and safe to read from anyone.
//!
//! A run is a function of version, seed, options and commands, so a link carries those and no object of the cluster. Nothing is sent
//! anywhere: the text stands in the fragment of an address, which browsers keep to themselves. What is read may come from anybody:
//! sizes, counts and times have limits, and whatever is wrong ends as a [`Refusal`] that says so. Start at [`Shared::pack`] and
//! [`Shared::unpack`]; [`Replay`](crate::Replay) plays what was unpacked.

mod deflate;
mod refusal;
mod wire;

pub use refusal::Refusal;

use crate::{Command, FileText, Micros, Options, Recording};

/// A run, where one stood in it, and what was written beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// The version of the page that made it.
    pub version: String,
    pub recording: Recording,
    /// Where one stood in virtual time.
    pub now: Micros,
    /// How far the run was known; later than `now` when one had gone back.
    pub horizon: Micros,
    /// The trace's digest at `now`: the same again if this version behaves as that one did. 0: not told.
    pub digest: u64,
    /// The editor's files and which of them was open.
    pub files: Vec<FileText>,
    pub open_file: usize,
    /// The slide that was open.
    pub slide: String,
}

/// This page's version, as links carry it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How a file of a cluster begins.
const MAGIC: &[u8] = b"kubenkyo\n";
/// The layout written here. Another layout, or another dictionary, is another number.
const FORMAT: u8 = 1;

/// Longest text of a link that is read, in characters: browsers carry no longer addresses.
pub const TEXT_MAX: usize = 2_000_000;
/// Largest file that is read.
pub const FILE_MAX: usize = 4 << 20;
/// What a link may inflate to.
const INFLATED_MAX: usize = 4 << 20;
const COMMANDS_MAX: usize = 20_000;
const FILES_MAX: usize = 200;
/// Machines of a cluster that came from someone else; more take seconds to boot.
pub const NODES_MAX: u32 = 300;
/// A year and a bit: nobody watches a cluster for longer.
const TIME_MAX: Micros = 400 * 24 * 3_600 * 1_000_000;
const NAME_MAX: usize = 200;

impl Shared {
    /// The bytes of it.
    pub fn pack(&self) -> Vec<u8> {
        let body = self.write();
        let mut out = vec![FORMAT];
        out.extend(checksum(&body).to_le_bytes());
        wire::number(&mut out, body.len() as u64);
        out.extend(deflate::deflate(&body));
        out
    }

    /// The text for an address's fragment.
    pub fn to_text(&self) -> String {
        api::base64::encode_url(&self.pack())
    }

    /// The bytes of a file.
    pub fn to_file(&self) -> Vec<u8> {
        [MAGIC, &self.pack()].concat()
    }

    /// Reads what [`to_text`](Shared::to_text) wrote, or what is left of it.
    pub fn from_text(text: &str) -> Result<Shared, Refusal> {
        // What surrounds a link in a sentence is not part of it.
        let text = text.trim_matches(|c: char| !is_digit(c));
        if text.is_empty() {
            return Err(Refusal::Empty);
        }
        if text.len() > TEXT_MAX {
            return Err(Refusal::TooLarge);
        }
        Shared::unpack(&decode(text).ok_or(Refusal::Damaged)?)
    }

    /// Whether a file's bytes are those of a cluster.
    pub fn is_file(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads a file that [`to_file`](Shared::to_file) wrote. One that holds a link's text is read as well.
    pub fn from_file(bytes: &[u8]) -> Result<Shared, Refusal> {
        if bytes.len() > FILE_MAX {
            return Err(Refusal::TooLarge);
        }
        match bytes.strip_prefix(MAGIC) {
            Some(packed) => Shared::unpack(packed),
            None => Err(Refusal::NotOurs),
        }
    }

    /// Reads what [`pack`](Shared::pack) wrote.
    pub fn unpack(bytes: &[u8]) -> Result<Shared, Refusal> {
        let (format, rest) = bytes.split_first().ok_or(Refusal::Empty)?;
        match *format {
            FORMAT => {}
            0 => return Err(Refusal::Damaged),
            newer => return Err(Refusal::Newer { format: newer }),
        }
        let (sum, rest) = rest.split_first_chunk::<4>().ok_or(Refusal::CutOff)?;
        let mut reader = wire::Reader::new(rest);
        let length = reader.number().ok_or(Refusal::CutOff)?;
        if length > INFLATED_MAX as u64 {
            return Err(Refusal::TooLarge);
        }
        let body = deflate::inflate(reader.rest(), length as usize)?;
        if checksum(&body) != u32::from_le_bytes(*sum) {
            return Err(Refusal::Damaged);
        }
        Shared::read(&body)
    }

    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let text = |out: &mut Vec<u8>, field: Field, text: &str| {
            out.push(field as u8);
            wire::text(out, text);
        };
        let number = |out: &mut Vec<u8>, field: Field, number: u64| {
            if number != 0 {
                out.push(field as u8);
                wire::number(out, number);
            }
        };
        text(&mut out, Field::Version, &self.version);
        number(&mut out, Field::Seed, self.recording.options.seed);
        number(
            &mut out,
            Field::Nodes,
            u64::from(self.recording.options.nodes),
        );
        let mut before = 0;
        for (at, command) in &self.recording.commands {
            out.push(Field::Command as u8);
            // Times rise; a list that does not is written as if it did.
            wire::number(&mut out, at.saturating_sub(before));
            before = before.max(*at);
            write_command(&mut out, command);
        }
        number(&mut out, Field::Now, self.now);
        number(&mut out, Field::Horizon, self.horizon);
        if self.digest != 0 {
            out.push(Field::Digest as u8);
            out.extend(self.digest.to_le_bytes());
        }
        for file in &self.files {
            text(&mut out, Field::File, &file.name);
            wire::text(&mut out, &file.text);
        }
        number(&mut out, Field::OpenFile, self.open_file as u64);
        text(&mut out, Field::Slide, &self.slide);
        out
    }

    fn read(body: &[u8]) -> Result<Shared, Refusal> {
        let mut reader = wire::Reader::new(body);
        let mut shared = Shared {
            recording: Recording {
                options: Options { seed: 0, nodes: 0 },
                commands: Vec::new(),
            },
            ..Shared::default()
        };
        let mut at: Micros = 0;
        while let Some(tag) = reader.byte() {
            let field = Field::ALL.into_iter().find(|field| *field as u8 == tag);
            let Some(field) = field else {
                return Err(Refusal::Newer { format: FORMAT });
            };
            shared.read_field(field, &mut reader, &mut at)?;
        }
        let is_possible = shared.now <= TIME_MAX
            && shared.horizon <= TIME_MAX
            && at <= TIME_MAX
            && shared.recording.options.nodes <= NODES_MAX
            && shared.recording.commands.len() <= COMMANDS_MAX
            && shared.files.len() <= FILES_MAX
            && shared.texts().all(|text| text.len() <= crate::TEXT_MAX);
        if !is_possible {
            return Err(Refusal::TooLarge);
        }
        // Whoever wrote it, the run reaches where one stood.
        shared.horizon = shared.horizon.max(shared.now).max(at);
        shared.open_file = shared.open_file.min(shared.files.len().saturating_sub(1));
        Ok(shared)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let commands = self.recording.commands.iter();
        let commands = commands.filter_map(|(_, command)| match command {
            Command::Apply { text, .. } | Command::Save(FileText { text, .. }) => Some(text),
            Command::Terminal { line, .. } => Some(line),
            Command::Interrupt { .. } => None,
        });
        let files = self.files.iter().map(|file| &file.text);
        commands.chain(files).map(String::as_str)
    }

    fn read_field(
        &mut self,
        field: Field,
        reader: &mut wire::Reader<'_>,
        at: &mut Micros,
    ) -> Result<(), Refusal> {
        let read = || {
            let options = &mut self.recording.options;
            match field {
                Field::Version => self.version = plain(reader.text()?),
                Field::Seed => options.seed = reader.number()?,
                Field::Nodes => options.nodes = u32::try_from(reader.number()?).ok()?,
                Field::Command => {
                    *at = at.saturating_add(reader.number()?);
                    let command = read_command(reader)?;
                    if self.recording.commands.len() > COMMANDS_MAX {
                        return None;
                    }
                    self.recording.commands.push((*at, command));
                }
                Field::Now => self.now = reader.number()?,
                Field::Horizon => self.horizon = reader.number()?,
                Field::Digest => self.digest = reader.fixed()?,
                Field::File => {
                    let name = plain(reader.text()?);
                    let text = reader.text()?.into();
                    if self.files.len() > FILES_MAX {
                        return None;
                    }
                    self.files.push(FileText { name, text });
                }
                Field::OpenFile => self.open_file = usize::try_from(reader.number()?).ok()?,
                Field::Slide => self.slide = plain(reader.text()?),
            }
            Some(())
        };
        let mut read = read;
        read().ok_or(Refusal::Damaged)
    }
}

/// What can stand in a link; each is announced by its number.
#[derive(Clone, Copy)]
enum Field {
    Version = 1,
    Seed = 2,
    Nodes = 3,
    Command = 4,
    Now = 5,
    Horizon = 6,
    Digest = 7,
    File = 8,
    OpenFile = 9,
    Slide = 10,
}

impl Field {
    const ALL: [Field; 10] = [
        Field::Version,
        Field::Seed,
        Field::Nodes,
        Field::Command,
        Field::Now,
        Field::Horizon,
        Field::Digest,
        Field::File,
        Field::OpenFile,
        Field::Slide,
    ];
}

const APPLY: u8 = 1;
const SAVE: u8 = 2;
const LINE: u8 = 3;
const INTERRUPT: u8 = 4;

fn write_command(out: &mut Vec<u8>, command: &Command) {
    match command {
        Command::Apply {
            file,
            text,
            terminal,
        } => {
            out.push(APPLY);
            wire::number(out, u64::from(*terminal));
            wire::text(out, file);
            wire::text(out, text);
        }
        Command::Save(file) => {
            out.push(SAVE);
            wire::text(out, &file.name);
            wire::text(out, &file.text);
        }
        Command::Terminal { terminal, line } => {
            out.push(LINE);
            wire::number(out, u64::from(*terminal));
            wire::text(out, line);
        }
        Command::Interrupt { terminal } => {
            out.push(INTERRUPT);
            wire::number(out, u64::from(*terminal));
        }
    }
}

fn read_command(reader: &mut wire::Reader<'_>) -> Option<Command> {
    let kind = reader.byte()?;
    if kind == SAVE {
        let name = reader.text()?.into();
        let text = reader.text()?.into();
        return Some(Command::Save(FileText { name, text }));
    }
    let terminal = terminal(reader.number()?)?;
    Some(match kind {
        APPLY => Command::Apply {
            terminal,
            file: reader.text()?.into(),
            text: reader.text()?.into(),
        },
        LINE => Command::Terminal {
            terminal,
            line: reader.text()?.into(),
        },
        INTERRUPT => Command::Interrupt { terminal },
        _ => return None,
    })
}

/// The page has a few terminals, not thousands.
fn terminal(number: u64) -> Option<crate::TerminalId> {
    u32::try_from(number).ok().filter(|number| *number < 16)
}

/// A name as it may stand in a list: one line, not too long.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_control());
    letters.take(NAME_MAX).collect()
}

/// Whether a character can stand in a link's text: no digit of base64url means anything to an address or to a chat program.
fn is_digit(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-' || letter == '_'
}

/// `None` if anything but digits stands in it.
fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.chars().all(is_digit) {
        return None;
    }
    // A single digit at the end is six bits that no byte needs: the rest was cut off, and the reader will say so.
    let whole = &text[..text.len() - usize::from(text.len() % 4 == 1)];
    api::base64::decode_url(whole).ok()
}

/// FNV-1a: tells a damaged link from a good one; it is no signature.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests;
