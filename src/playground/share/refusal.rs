//! Why a link or a file was not opened, in words, with what to do about it.

use crate::Text;

/// Why something is not opened. Nothing of it was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Empty,
    /// Its end is missing.
    CutOff,
    /// Something in it is not as it was written.
    Damaged,
    /// A later version wrote it.
    Newer {
        format: u8,
    },
    /// More than a cluster of this page can be, or made to look like it.
    TooLarge,
    /// A file that is something else.
    NotOurs,
}

impl Refusal {
    /// What is wrong.
    pub fn say(self) -> Text {
        match self {
            Refusal::Empty => Text::new(
                "リンクにクラスターが入っていません。",
                "The link holds no cluster.",
            ),
            Refusal::CutOff => Text::new(
                "リンクの終わりが欠けています。",
                "The end of the link is missing.",
            ),
            Refusal::Damaged => Text::new("リンクの中身が壊れています。", "The link is damaged."),
            Refusal::Newer { format } => Text::new(
                format!("このリンクは、より新しい Kubenkyo で作られています（形式 {format}）。"),
                format!("The link was made by a later Kubenkyo (format {format})."),
            ),
            Refusal::TooLarge => Text::new(
                "このページで開ける大きさを超えています。",
                "It is larger than what this page opens.",
            ),
            Refusal::NotOurs => Text::new(
                "Kubenkyo のクラスターのファイルではありません。",
                "This is no file of a Kubenkyo cluster.",
            ),
        }
    }

    /// What to do about it.
    pub fn hint(self) -> Text {
        match self {
            Refusal::Empty | Refusal::CutOff => Text::new(
                "チャットやメールは長いリンクを途中で切ることがあります。送った人に、もう一度リンク全体をコピーするか、ファイル（.kubenkyo）で渡すよう頼んでください。",
                "Chat and mail programs cut long links. Ask the sender to copy the whole link again, or to send the file (.kubenkyo) instead.",
            ),
            Refusal::Damaged => Text::new(
                "途中の文字が変わったか、改行が入ったようです。送った人に、もう一度コピーするか、ファイル（.kubenkyo）で渡すよう頼んでください。",
                "A letter in it changed, or a line break came in. Ask the sender to copy it again, or to send the file (.kubenkyo) instead.",
            ),
            Refusal::Newer { .. } => Text::new(
                "ページを再読み込みして最新版にするか、リンクを作ったページで開いてください。",
                "Reload this page to get its latest version, or open the link on the page that made it.",
            ),
            Refusal::TooLarge => Text::new(
                "Kubenkyo が作ったリンクがこの大きさになることはありません。出どころを確かめてください。",
                "No link made by Kubenkyo becomes so large. Check where it comes from.",
            ),
            Refusal::NotOurs => Text::new(
                "「共有」の「ファイルに保存」で作ったファイル（.kubenkyo）を選んでください。",
                "Choose a file (.kubenkyo) that “Save as a file” in “Share” made.",
            ),
        }
    }
}
