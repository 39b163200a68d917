//! What the dialogs about whole runs say.

use playground::Text;
use playground::deck::Lang;

use crate::words::words;

words! { Words:
    Title: "このクラスターを共有" | "Share this cluster";
    Intro: "このリンクは、いまのクラスターをそのまま開き直します。中身は # の後ろに入っていて、どこにも送信されません。" | "This link reopens the cluster just as it is. All of it stands after the #, which is never sent anywhere.";
    Link: "リンク" | "Link";
    CopyLink: "リンクをコピー" | "Copy link";
    Copied: "コピーしました" | "Copied";
    Length: "{} 文字。" | "{} characters. ";
    LengthLong: "チャットやメールによっては途中で切れます。届いたか確かめるか、ファイルで渡してください。" | "Some chat and mail programs cut links this long: check that it arrives, or hand over the file.";
    TooLong: "操作が多く、リンクには長すぎます（{} 文字）。ファイルに保存して渡してください。" | "Much has been done: too long for a link ({} characters). Save it as a file and hand that over.";
    ReachComputer: "このアドレスはこのコンピューターでしか開けません。ほかの人には、公開したページのリンクかファイルで渡してください。" | "Only this computer answers at this address. For others, share from a published page or hand over the file.";
    ReachFile: "このページはファイルから開かれています。リンクは同じファイルがある場所で使えます。ほかの人にはファイルで渡すのが確実です。" | "This page was opened from a file, and the link works where that file is. For others, the file below is the safe way.";
    FactTime: "仮想時刻" | "Virtual time";
    FactCommands: "操作" | "Commands";
    FactBegin: "始まり" | "Begins with";
    FactFiles: "エディター" | "Editor";
    FactDigest: "指紋" | "Fingerprint";
    Nodes: "ノード {}" | "{} nodes";
    SaveFile: "ファイルに保存（{}）" | "Save as a file ({})";
    OpenFile: "ファイルを開く…" | "Open a file…";
    Enlarge: "QR コードを大きく表示" | "Show the QR code large";
    QrCaption: "カメラで読み取ると開きます。押すと大きくなります。" | "Opens from a camera. Press to enlarge.";
    QrShown: "もう一度押すと元に戻ります。" | "Press again to make it small.";
    QrTooLong: "この長さのリンクは QR コードにできません。" | "A link of this length does not fit a QR code.";

    OpenTitle: "共有されたクラスターを開く" | "Open a shared cluster";
    Contents: "操作 {} 件、ノード {} 台、仮想時刻 {} まで。" | "Commands: {}. Nodes: {}. Virtual time: up to {}.";
    OtherVersion: "Kubenkyo {} で作られています（このページは {}）。同じ操作を再現しますが、動きが異なるところがあるかもしれません。" | "It was made with Kubenkyo {}; this page is {}. The same commands are played again, but some of what follows may differ.";
    Replaces: "いまのクラスターは、開いたクラスターに置き換わります。" | "It takes the place of the present cluster.";
    OpenIt: "開く" | "Open it";
    SaveFirst: "いまのものを保存" | "Save the present one";
    LeaveIt: "やめる" | "Leave it";

    PlayingTitle: "クラスターを再現しています" | "Bringing the cluster back";
    PlayingLink: "共有された操作を、最初から順に再現しています。" | "What was done is done again, from the beginning.";
    PlayingReload: "再読み込みの前の状態に戻しています。" | "Back to where it was before the reload.";
    TakesLong: "長い記録です。まだ時間がかかります。このまま待ちますか。" | "It is a long run and takes more time. Wait for it?";
    Left: "{} %・残りの操作 {}" | "{} % · {} commands left";
    WaitOn: "待つ" | "Wait";
    StopHere: "ここで止めて使う" | "Stop here and use it";
    NewCluster: "新しいクラスター" | "New cluster";

    RefusedTitle: "開けませんでした" | "Not opened";
    NotReadable: "読み込めないか、大きすぎるファイルです（上限 4 MB）：" | "Not readable, or too large (4 MB at most): ";
    UnknownFile: "このページで開けるファイルではありません：" | "No file that this page opens: ";
    TooMuch: "長すぎるテキスト（{} MB）は受け取れません。1.5 MB までに分けてください。" | "That is too much text at once ({} MB): 1.5 MB at most. Split it.";
    TooManyLines: "一度に実行できるのは 2,000 行までです。" | "2,000 lines at a time at most.";
    KnownFiles: "マニフェスト（.yaml、.yml、.json）、スライド（.md）、クラスター（.kubenkyo）を開けます。" | "It opens manifests (.yaml, .yml, .json), slides (.md) and clusters (.kubenkyo).";

    Unfinished: "前回のクラスターの再現が終わりませんでした。新しいクラスターで始めています。" | "Bringing the last cluster back did not finish. This is a new one.";
    TryAgain: "もう一度試す" | "Try again";
    OtherAfterReload: "このページの版が変わり、クラスターは再読み込みの前と少し違う道をたどりました。" | "This page is another version now: the cluster took a slightly different course than before the reload.";
    OtherCourse: "作られたときとは違う道をたどりました。作った版とこの版では動きが異なります。" | "It took another course than the original: that version and this one behave differently.";
    StorageFull: "ブラウザーの保存領域がいっぱいです。ここからの変更は、再読み込みで失われます。" | "The browser's storage is full: what changes from here on will not survive a reload.";
    StorageRefused: "このブラウザーでは保存が許可されていません。再読み込みすると最初からになります。" | "This browser allows no storage here: a reload begins anew.";
    ShareIt: "リンクかファイルに残す" | "Keep it as a link or file";
    Restarted: "最初からやり直しました。" | "Started over.";
    Opened: "共有されたクラスターを開きました。" | "The shared cluster is open.";
    Branched: "ここから新しい未来です。" | "Another future begins here.";
    BackToOther: "元の記録に戻る" | "Back to the run before";
    NewVersion: "新しい版があります。いまの状態のまま切り替えられます。" | "A new version is ready. Nothing is lost by changing over.";
    Update: "切り替える" | "Change over";
}

impl Words {
    /// The text in both languages.
    pub(crate) fn both(self) -> Text {
        Text::new(self.text(Lang::Ja), self.text(Lang::En))
    }

    /// The text in both languages with its gap filled.
    pub(crate) fn both_filled(self, gap: &str) -> Text {
        Text::new(self.filled(Lang::Ja, &[gap]), self.filled(Lang::En, &[gap]))
    }

    /// The text in `lang` with its gaps filled in their order.
    pub(crate) fn filled(self, lang: Lang, gaps: &[&str]) -> String {
        let mut parts = self.text(lang).split("{}");
        let mut out = String::from(parts.next().unwrap_or_default());
        for (part, gap) in parts.zip(gaps) {
            out.push_str(gap);
            out.push_str(part);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_in_both_languages() {
        let filled = |lang| Words::OtherVersion.filled(lang, &["0.2.0", "0.1.0"]);
        assert!(filled(Lang::Ja).starts_with("Kubenkyo 0.2.0 で"));
        assert!(filled(Lang::En).contains("this page is 0.1.0."));
    }
}
