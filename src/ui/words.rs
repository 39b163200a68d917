//! Every word of the page in both languages. A missing translation does not compile.
//!
//! What kubectl and the API server say is not here: it stays English, as with the real ones.

use playground::Text;
use playground::deck::Lang;

macro_rules! words {
    ($words:ident: $($name:ident: $ja:literal | $en:literal;)*) => {
        /// Fixed texts of the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $words { $($name),* }

        impl $words {
            /// The text in `lang`.
            pub(crate) fn text(self, lang: Lang) -> &'static str {
                match (lang, self) {
                    $((Lang::Ja, $words::$name) => $ja, (Lang::En, $words::$name) => $en,)*
                }
            }
        }
    };
}

pub(crate) use words;

words! { Msg:
    Search: "検索・コマンド" | "Search or run a command";
    SearchHint: "画面・スライド・リソース・操作を検索" | "Find a view, a slide, a resource or an action";
    NothingFound: "見つかりません。Enter でそのままターミナルに送ります" | "Nothing found. Enter sends it to the terminal as it is";
    Theme: "配色" | "Theme";
    ThemeAuto: "配色：システムに合わせる" | "Theme: as the system";
    ThemeLight: "配色：ライト" | "Theme: light";
    ThemeDark: "配色：ダーク" | "Theme: dark";
    Language: "言語" | "Language";
    Projector: "大きく表示（プロジェクター）" | "Large display (projector)";
    Help: "キー操作" | "Keys";
    Share: "共有" | "Share";
    Embed: "埋め込み…" | "Embed…";
    Close: "閉じる" | "Close";
    Columns: "表示する列" | "Which column to show";
    Slides: "スライド" | "Slides";
    SlideText: "スライドの内容" | "The slide";
    Stage: "クラスター" | "Cluster";
    Workbench: "マニフェスト" | "Manifest";
    Terminal: "ターミナル" | "Terminal";
    PutAway: "しまう" | "Put away";
    BringBack: "列を元に戻す" | "Bring the columns back";
    Alone: "これだけを表示" | "Show this alone";
    Together: "元の大きさに戻す" | "Back beside the others";
    ResizeSlides: "スライドの幅" | "Width of the slides";
    ResizeWork: "エディターの幅" | "Width of the editor";
    ResizeTerm: "ターミナルの高さ" | "Height of the terminal";

    Architecture: "アーキテクチャ" | "Architecture";
    Tree: "リソースツリー" | "Resource tree";
    Views: "クラスターの見方" | "Views of the cluster";
    ControlPlane: "コントロールプレーン" | "Control plane";
    Starting: "クラスターを起動しています…" | "The cluster is starting…";
    Queue: "キュー" | "queue";
    Watches: "watch" | "watches";
    Memory: "メモリ" | "Mem";
    ReadyWord: "Ready" | "Ready";
    NotReady: "NotReady" | "NotReady";
    NodeUnknown: "応答なし" | "no answer";
    Cordoned: "スケジュール停止" | "cordoned";
    PoweredOff: "電源オフ" | "powered off";
    CutOff: "切断" | "cut off";
    Stopped: "停止中" | "stopped";
    PodsOfNode: "ノード上の Pod" | "Pods on this node";
    Restarts: "再起動" | "restarts";
    Waiting: "割り当て待ち" | "waiting for a node";
    ShowSystem: "システムも表示" | "Show system objects";

    FollowEmpty: "適用や kubectl で何かを変えると、その結果までの道すじがここに出ます" | "Apply something or run kubectl: what follows from it is told here, step by step";
    FollowStep: "ステップ" | "Step";
    FollowLive: "最新を追う" | "Follow the latest";
    WhyHere: "なぜ？" | "Why?";

    EmptyTree: "まだリソースがありません。" | "Nothing here yet.";
    EmptyTreeHint: "例を適用するか、次のように入力します：" | "Apply the example, or type:";
    CatDiscovery: "Discovery & LB" | "Discovery & LB";
    CatWorkloads: "Workloads" | "Workloads";
    CatConfig: "Config & Storage" | "Config & Storage";
    CatCluster: "Cluster" | "Cluster";
    CatMetadata: "Metadata" | "Metadata";
    MoreNodes: "ノード" | "more nodes";
    More: "件を表示" | "more";
    Fewer: "たたむ" | "Show fewer";

    Summary: "概要" | "Summary";
    Yaml: "YAML" | "YAML";
    Events: "イベント" | "Events";
    Why: "なぜ？" | "Why?";
    Gone: "このリソースはもうありません。" | "This object no longer exists.";
    NoEvents: "イベントはありません。イベントは 1 時間で消えます。" | "No events. Events are kept for an hour.";
    WouldFit: "どうすればよいか" | "What would help";
    HowCame: "ここまでの経緯" | "How it came to this";
    Run: "実行" | "Run";
    OldSuffix: "作成から" | "old";
    Doings: "できること" | "What you can do";
    Describe: "詳しく見る" | "Describe it";
    Logs: "ログを見る" | "Read its logs";
    Delete: "削除する" | "Delete it";
    ScaleUp: "1 つ増やす" | "One more";
    ScaleDown: "1 つ減らす" | "One fewer";
    RestartAll: "順に入れ替える" | "Replace its Pods one by one";
    History: "変更の履歴" | "Its history";
    ShowYaml: "YAML を見る" | "Its YAML";
    BreakIt: "壊してみる" | "Break it";
    PowerOff: "電源を切る" | "power it off";
    PowerOn: "電源を入れる" | "power it on";
    CutItOff: "ネットワークから切り離す" | "cut it off from the network";
    Reconnect: "ネットワークに戻す" | "connect it again";
    StopPart: "止める" | "stop it";
    StartPart: "動かす" | "start it again";
    FillMemory: "メモリを使い切らせる" | "Fill its memory";
    FreeMemory: "メモリを空ける" | "Free its memory";
    FillDisk: "ディスクを満杯にする" | "Fill its disk";
    FreeDisk: "ディスクを空ける" | "Free its disk";
    KillProcess: "プロセスを止める" | "Kill its process";
    PauseIt: "休ませる" | "pause it";
    ResumeIt: "再開する" | "resume it";
    NoCloud: "このクラスターでは使いません" | "not used by this cluster";

    Apply: "適用" | "Apply";
    Applying: "適用中…" | "Applying…";
    Applied: "適用しました" | "Applied";
    ApplyRefused: "適用できませんでした" | "Not applied";
    Diff: "差分" | "Diff";
    DiffEnd: "差分を閉じる" | "Close diff";
    Problems: "問題" | "Problems";
    NoProblems: "問題なし" | "No problems";
    Line: "行" | "Line";
    ReplaceIt: "置き換える" | "Replace";
    Examples: "例" | "Examples";
    NewFile: "新しいファイル" | "New file";
    CloseFile: "ファイルを閉じる" | "Close file";
    EditorLabel: "マニフェスト" | "Manifest";

    TerminalLog: "ターミナルの出力" | "Terminal output";
    TerminalInput: "コマンド" | "Command";
    TerminalHint: "kubectl や簡単なシェルが使えます。Tab で補完、↑ と Ctrl+R で履歴、Ctrl+C で中断。まず：" | "kubectl and a small shell. Tab completes, ↑ and Ctrl+R recall, Ctrl+C interrupts. To begin:";
    Copy: "コピー" | "Copy";
    Candidates: "候補" | "Candidates";
    WrapLines: "行を折り返す" | "Wrap lines";
    ClearLog: "消去" | "Clear";

    Pause: "一時停止" | "Pause";
    Play: "再生" | "Play";
    Step: "イベントを 1 つ進める" | "One event on";
    Speed: "速さ" | "Speed";
    Slow: "スロー" | "slow";
    Clock: "仮想時刻" | "Virtual time";
    Seek: "時刻を移動" | "Move in time";
    Restart: "同じ seed でやり直す" | "Start over with the same seed";
    GoOnHere: "ここから続ける" | "Go on from here";
    GoOnHereHint: "この先の記録を離れ、この時刻から別の未来を始めます" | "Leaves what came after, and begins another future at this time";
    Behind: "描画が追いつかないため遅れています" | "Running behind: this device is slower than asked for";
    TimeControls: "時間" | "Time";

    Next: "次へ" | "Next";
    Previous: "前へ" | "Previous";
    Up: "上へ" | "Up";
    Down: "下へ" | "Down";
    Overview: "一覧" | "Overview";
    FullScreen: "全画面" | "Full screen";
    SetScene: "この場面を用意する" | "Set this scene";
    SceneRunning: "場面を用意しています…" | "Setting the scene…";
    Hint: "ヒント" | "Hint";
    Done: "達成" | "Done";
    MeantToFail: "わざと失敗します" | "meant to be refused";
    CellRuns: "実行中…" | "Running…";
    CellDone: "終わりました。出力はターミナルに出ています" | "Done: what it printed is in the terminal";
    CellApplied: "適用しました" | "Applied";
    CellRefused: "失敗しました" | "It failed";
    CellAsMeant: "予定どおり断られました" | "Refused, as it should be";
    CellNotRefused: "失敗するはずでしたが、通りました" | "It should have been refused, and was not";
    NotActedOn: "このクラスターはまだ動かしません（保存と表示だけ）" | "this cluster does not act on it yet: it is stored and shown, no more";
    AllLines: "行をすべて表示" | "lines: show them all";
    FewerLines: "たたむ" | "Fold";
    ToEditor: "エディターで開く" | "Open in the editor";
    NoFigure: "この図はまだありません" | "This picture does not exist yet";
    ShowStage: "クラスターで見る" | "Show on the stage";

    Decks: "デッキ" | "Decks";
    NextLesson: "次のレッスンへ" | "On to the next lesson";
    AllLessons: "レッスンの一覧" | "All lessons";
    DeckProblems: "このデッキの直すところ" | "To correct in this deck";
    SlideWord: "スライド" | "Slide";
    Beside: "クラスターを並べる" | "Cluster beside";
    EndBlack: "スライドに戻る" | "Back to the slide";

    KeySlides: "スライドを進める・戻す" | "Slides: on and back";
    KeyNext: "次へ・前へ（縦も横も順に）" | "Next and previous, in reading order";
    KeyEnds: "最初・最後のスライド" | "First and last slide";
    KeyOverview: "スライド一覧" | "Overview of the slides";
    KeyFull: "スライドを全画面に" | "Slides on the full screen";
    KeyBlack: "全画面のとき：画面を黒くする・戻す" | "On the full screen: black, and back";
    KeyBeside: "全画面のとき：クラスターを並べる・隠す" | "On the full screen: the cluster beside, or not";
    KeySpeaker: "発表者の画面（別のウィンドウ）" | "Speaker's view, in a second window";
    KeyProjector: "大きく表示（プロジェクター）" | "Large display (projector)";
    KeyPrint: "印刷・PDF（1 枚に 1 ページ、クラスターの図つき）" | "Print or PDF: a page for each slide, with its cluster";
    KeysOfSlides: "スライド" | "Slides";
    KeysOfPage: "クラスターと画面" | "Cluster and page";
    KeyApply: "マニフェストを適用" | "Apply the manifest";
    KeyTerminal: "ターミナルへ" | "To the terminal";
    KeyPalette: "検索・コマンド" | "Search or run a command";
    KeyPause: "一時停止・再生" | "Pause and play";
    KeyStep: "1 イベント進める" | "One event on";
    KeyLang: "言語を切り替える" | "Switch the language";
    KeyRegions: "領域を順に移動" | "Move from region to region";
    KeyLeaveEditor: "エディターから出る" | "Leave the editor";
    KeyBreaks: "ターミナルで：壊すコマンドと直すコマンド" | "in the terminal: what breaks the cluster, and mends it";
    KeyHelp: "この一覧" | "This list";
}

/// The sentence in `lang`.
pub(crate) fn said(text: &Text, lang: Lang) -> &str {
    match lang {
        Lang::Ja => &text.ja,
        Lang::En => &text.en,
    }
}
