//! The terminal: what was printed, and a native text field to type into. Not an emulation: kubectl needs lines, and a native field brings
//! input methods, selection and screen readers along.

mod paint;

use std::collections::VecDeque;
use std::rc::Rc;

use playground::{Completion, Output, PromptState, TerminalId, TerminalUpdate};
use wasm_bindgen::JsCast;
use yew::prelude::*;

use crate::action::{Action, Pane};
use crate::env::{Env, use_env};
use crate::parts::PaneTools;
use crate::words::Msg;

/// The terminal that the page shows.
pub(crate) const TERMINAL: TerminalId = 0;

/// A piece of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A typed line, and whether it continued the one before.
    Line(String, bool),
    Out(String),
    Err(String),
}

/// What a terminal shows and waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Terminal {
    pub(crate) pieces: Rc<Vec<(u64, Rc<Piece>)>>,
    pub(crate) prompt: PromptState,
    pub(crate) history: Rc<Vec<String>>,
    /// Lines that wait for the prompt.
    pub(crate) queue: VecDeque<String>,
    next: u64,
}

/// Pieces and characters of one piece that are kept.
const PIECES: usize = 600;
const LETTERS: usize = 200_000;
const HISTORY: usize = 200;

impl Terminal {
    /// A terminal that remembers earlier lines.
    pub(crate) fn with_history(history: Vec<String>) -> Terminal {
        Terminal {
            history: Rc::new(history),
            ..Terminal::default()
        }
    }

    /// Takes in what is printed.
    pub(crate) fn take(&mut self, update: &TerminalUpdate) {
        match &update.output {
            Output::Line(line) => {
                let continues = self.prompt == PromptState::Continue;
                self.push(Piece::Line(line.clone(), continues));
            }
            Output::Stdout(text) => self.print(text, false),
            Output::Stderr(text) => self.print(text, true),
            Output::Clear => self.pieces = Rc::default(),
            Output::Prompt(state) => self.prompt = *state,
        }
    }

    /// The next queued line, if the prompt can take one.
    pub(crate) fn due(&mut self) -> Option<String> {
        if self.prompt == PromptState::Busy {
            return None;
        }
        self.queue.pop_front()
    }

    /// Remembers a typed line.
    pub(crate) fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || self.history.last().is_some_and(|last| last == line) {
            return;
        }
        let history = Rc::make_mut(&mut self.history);
        history.push(String::from(line));
        if history.len() > HISTORY {
            history.remove(0);
        }
    }

    fn print(&mut self, text: &str, is_error: bool) {
        let pieces = Rc::make_mut(&mut self.pieces);
        if let Some((_, last)) = pieces.last_mut() {
            let same = matches!(
                (&**last, is_error),
                (Piece::Out(_), false) | (Piece::Err(_), true)
            );
            if same && let Piece::Out(so_far) | Piece::Err(so_far) = Rc::make_mut(last) {
                so_far.push_str(text);
                if so_far.len() > LETTERS {
                    let cut = so_far.len() - LETTERS / 2;
                    let cut = so_far[cut..]
                        .find('\n')
                        .map_or(cut, |newline| cut + newline + 1);
                    so_far.drain(..so_far.ceil_char_boundary(cut));
                }
                return;
            }
        }
        self.push(if is_error {
            Piece::Err(String::from(text))
        } else {
            Piece::Out(String::from(text))
        });
    }

    fn push(&mut self, piece: Piece) {
        let pieces = Rc::make_mut(&mut self.pieces);
        pieces.push((self.next, Rc::new(piece)));
        self.next += 1;
        if pieces.len() > PIECES {
            pieces.drain(..PIECES / 4);
        }
    }
}

/// What the terminal is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct TerminalProps {
    pub(crate) pieces: Rc<Vec<(u64, Rc<Piece>)>>,
    pub(crate) prompt: PromptState,
    pub(crate) history: Rc<Vec<String>>,
    pub(crate) wraps: bool,
    pub(crate) is_alone: bool,
}

#[component]
pub(crate) fn TerminalPane(props: &TerminalProps) -> Html {
    let env = use_env();
    let log = use_node_ref();
    let input = use_node_ref();
    {
        let log = log.clone();
        use_effect_with((props.pieces.clone(), props.prompt), move |_| {
            if let Some(log) = log.cast::<web_sys::Element>() {
                log.set_scroll_top(log.scroll_height());
            }
        });
    }
    let to_input = {
        let input = input.clone();
        Callback::from(move |event: MouseEvent| {
            let is_selecting = crate::dom::has_selection();
            let is_button = event
                .target_dyn_into::<web_sys::Element>()
                .is_some_and(|element| element.closest("button").ok().flatten().is_some());
            if !is_selecting
                && !is_button
                && let Some(input) = input.cast::<web_sys::HtmlElement>()
            {
                // A text area always takes the focus.
                let _ = input.focus();
            }
        })
    };
    html! {
        <>
            <div class="tabs" key="tabs">
                <div role="tablist"><button role="tab" aria-selected="true">{ env.t(Msg::Terminal) }</button></div>
                <span class="sp"></span>
                <button class="tool" aria-pressed={props.wraps.to_string()} onclick={env.on(Action::ToggleWrap)}>{ env.t(Msg::WrapLines) }</button>
                <button class="tool" onclick={env.on(Action::ClearLog)}>{ env.t(Msg::ClearLog) }</button>
                <PaneTools pane={Pane::Term} is_alone={props.is_alone} />
            </div>
            <div class="log" key="log" ref={log} onclick={to_input}>
                <div key="said" role="log" aria-live="polite" aria-label={env.t(Msg::TerminalLog)} data-testid="terminal-log" class={classes!(props.wraps.then_some("wrap"))} lang="en">
                    if props.pieces.is_empty() {
                        <p class="hint" key="hint" lang={env.lang.tag()}>{ env.t(Msg::TerminalHint) }{ " " }
                            <button class="lk mono" onclick={env.on(Action::Run(vec!["kubectl get nodes".into()]))}>{ "kubectl get nodes" }</button></p>
                    }
                    { for props.pieces.iter().map(|(id, piece)| html! { <PieceView key={*id} piece={piece.clone()} /> }) }
                </div>
                <Prompt key="prompt" input={input} prompt={props.prompt} history={props.history.clone()} />
            </div>
        </>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct PieceProps {
    piece: Rc<Piece>,
}

#[component]
fn PieceView(props: &PieceProps) -> Html {
    let env = use_env();
    match &*props.piece {
        Piece::Line(line, continues) => html! {
            <div class="line"><span class="ps" aria-hidden="true">{ if *continues { ">" } else { "$" } }</span><span class="typed">{ line.clone() }</span></div>
        },
        Piece::Err(text) => {
            html! { <div class="block err"><pre>{ text.trim_end_matches('\n').to_string() }</pre></div> }
        }
        Piece::Out(text) => {
            let copied = text.clone();
            html! {
                <div class="block">
                    <pre>{ paint::painted(&env, text.trim_end_matches('\n')) }</pre>
                    if text.matches('\n').count() > 1 {
                        <button class="copy" tabindex="-1" onclick={Callback::from(move |_: MouseEvent| crate::dom::copy(&copied))}>{ env.t(Msg::Copy) }</button>
                    }
                </div>
            }
        }
    }
}

#[derive(Clone, PartialEq, Properties)]
struct PromptProps {
    input: NodeRef,
    prompt: PromptState,
    history: Rc<Vec<String>>,
}

/// The newest line before `before` that holds `query`.
fn earlier_line(history: &[String], query: &str, before: usize) -> Option<usize> {
    let earlier = &history[..before.min(history.len())];
    earlier.iter().rposition(|line| line.contains(query))
}

/// What Tab offered last.
#[derive(Clone, Debug, Default, PartialEq)]
struct Offer {
    completion: Completion,
    chosen: Option<usize>,
    /// The line before anything was put in.
    line: String,
    cursor: usize,
}

#[component]
fn Prompt(props: &PromptProps) -> Html {
    let env = use_env();
    let offer = use_state_eq(|| None::<Offer>);
    // Where the arrows are in the history, and what was typed before they were used.
    let recall = use_mut_ref(|| (None::<usize>, String::new()));
    // What Ctrl+R looks for, and where it found it last.
    let search = use_mut_ref(|| None::<(String, usize)>);
    let keys = {
        let (env, input, offer, recall, search, history, prompt) = (
            env.clone(),
            props.input.clone(),
            offer.clone(),
            recall.clone(),
            search.clone(),
            props.history.clone(),
            props.prompt,
        );
        Callback::from(move |event: KeyboardEvent| {
            // While an input method composes, Enter and Tab are its own. Safari sends Enter after the composition, as key code 229.
            if event.is_composing() || event.key_code() == 229 {
                return;
            }
            let Some(field) = input.cast::<web_sys::HtmlTextAreaElement>() else {
                return;
            };
            let control = event.ctrl_key() && !event.meta_key() && !event.alt_key();
            let line = field.value();
            let sought = search.borrow_mut().take();
            match event.key().as_str() {
                "r" if control => {
                    event.prevent_default();
                    let (query, before) = sought.unwrap_or_else(|| (line, history.len()));
                    let earlier = earlier_line(&history, &query, before);
                    if let Some(at) = earlier {
                        field.set_value(&history[at]);
                    }
                    *search.borrow_mut() = Some((query, earlier.unwrap_or(before)));
                }
                "Escape" if sought.is_some() => {
                    event.stop_propagation();
                    field.set_value(&sought.map(|(query, _)| query).unwrap_or_default());
                }
                // The key itself is no other key.
                "Control" => *search.borrow_mut() = sought,
                "Enter" if !event.shift_key() => {
                    event.prevent_default();
                    field.set_value("");
                    offer.set(None);
                    *recall.borrow_mut() = (None, String::new());
                    env.act(Action::Run(line.split('\n').map(String::from).collect()));
                }
                // What completes a line comes with the rest of the program.
                "Tab" if !event.shift_key() && !line.is_empty() && crate::dom::has_rest() => {
                    event.prevent_default();
                    offer.set(complete(&env, &field, (*offer).as_ref()));
                }
                "Escape" if offer.is_some() => {
                    event.stop_propagation();
                    offer.set(None);
                }
                "ArrowUp" | "ArrowDown" if !line.contains('\n') => {
                    event.prevent_default();
                    let mut recall = recall.borrow_mut();
                    let count = history.len();
                    let at = match (recall.0, event.key() == "ArrowUp") {
                        (None, true) => count.checked_sub(1),
                        (Some(at), true) => Some(at.saturating_sub(1)),
                        (Some(at), false) if at + 1 < count => Some(at + 1),
                        (_, false) => None,
                    };
                    if recall.0.is_none() {
                        recall.1 = line;
                    }
                    recall.0 = at;
                    let text = at
                        .and_then(|at| history.get(at))
                        .cloned()
                        .unwrap_or_else(|| recall.1.clone());
                    field.set_value(&text);
                }
                "c" if control && !crate::dom::has_selection() => {
                    event.prevent_default();
                    field.set_value("");
                    offer.set(None);
                    env.act(Action::Interrupt);
                }
                "l" if control => {
                    event.prevent_default();
                    env.act(Action::ClearLog);
                }
                "u" if control => {
                    event.prevent_default();
                    field.set_value("");
                }
                "d" if control && line.is_empty() && prompt == PromptState::Busy => {
                    event.prevent_default();
                    env.act(Action::Interrupt);
                }
                _ => {
                    if offer.is_some() {
                        offer.set(None);
                    }
                }
            }
        })
    };
    let paste = {
        let env = env.clone();
        let input = props.input.clone();
        Callback::from(move |event: Event| {
            let Some(event) = event.dyn_ref::<web_sys::ClipboardEvent>() else {
                return;
            };
            let text = event
                .clipboard_data()
                .and_then(|data| data.get_data("text").ok())
                .unwrap_or_default();
            let text = text.replace("\r\n", "\n");
            let Some((whole, rest)) = text.rsplit_once('\n') else {
                return;
            };
            // Several lines run as if typed one after another; what follows the last line end stays to be edited.
            event.prevent_default();
            let Some(field) = input.cast::<web_sys::HtmlTextAreaElement>() else {
                return;
            };
            let whole = format!("{}{whole}", field.value());
            field.set_value(rest);
            env.act(Action::Run(whole.split('\n').map(String::from).collect()));
        })
    };
    let sign = match props.prompt {
        PromptState::Ready { .. } => "$",
        PromptState::Continue => ">",
        PromptState::Busy => "",
    };
    let list = offer
        .as_ref()
        .filter(|offer| offer.completion.candidates.len() > 1);
    html! {
        <div class="prompt" data-state={format!("{:?}", props.prompt)}>
            if let Some(offer) = list {
                <ul class="candidates" key="candidates" role="listbox" id="candidates" aria-label={env.t(Msg::Candidates)}>
                    { for offer.completion.candidates.iter().take(60).enumerate().map(|(index, candidate)| html! {
                        <li key={index} role="option" id={format!("candidate-{index}")} aria-selected={(offer.chosen == Some(index)).to_string()}>{ candidate.text.clone() }</li>
                    }) }
                </ul>
            }
            <span class="ps" key="sign" aria-hidden="true">{ sign }</span>
            <textarea key="input" ref={props.input.clone()} rows="1" data-testid="terminal-input" aria-label={env.t(Msg::TerminalInput)} lang="en" enterkeyhint="send"
                spellcheck="false" autocapitalize="off" autocomplete="off" autocorrect="off" onkeydown={keys} onpaste={paste}
                aria-controls={list.map(|_| "candidates")} aria-activedescendant={list.and_then(|offer| offer.chosen).map(|index| format!("candidate-{index}"))} />
        </div>
    }
}

/// One Tab: the common beginning of all candidates, then one after another.
fn complete(
    env: &Env,
    field: &web_sys::HtmlTextAreaElement,
    before: Option<&Offer>,
) -> Option<Offer> {
    let put = |offer: &Offer, text: &str, is_final: bool| {
        let mut line = String::from(&offer.line[..offer.completion.from]);
        line.push_str(text);
        if is_final && !text.ends_with(['/', '=']) {
            line.push(' ');
        }
        let cursor = line.encode_utf16().count() as u32;
        line.push_str(&offer.line[offer.cursor..]);
        field.set_value(&line);
        // The cursor lies within the line just set.
        let _ = field.set_selection_range(cursor, cursor);
    };
    if let Some(before) = before.filter(|before| before.completion.candidates.len() > 1) {
        let next = before.chosen.map_or(0, |chosen| {
            (chosen + 1) % before.completion.candidates.len()
        });
        let offer = Offer {
            chosen: Some(next),
            ..before.clone()
        };
        put(
            &offer,
            &offer.completion.candidates[next].text.clone(),
            false,
        );
        return Some(offer);
    }
    let line = field.value();
    let units = field.selection_start().ok().flatten().unwrap_or(0);
    let cursor = line
        .char_indices()
        .scan(0, |sum, (at, letter)| {
            let here = (*sum, at);
            *sum += letter.len_utf16() as u32;
            Some(here)
        })
        .find(|(sum, _)| *sum >= units)
        .map_or(line.len(), |(_, at)| at);
    let completion = env
        .engine
        .0
        .try_borrow()
        .ok()?
        .complete_line(TERMINAL, &line, cursor);
    if completion.from > cursor || !line.is_char_boundary(completion.from) {
        return None;
    }
    let offer = Offer {
        completion,
        chosen: None,
        line,
        cursor,
    };
    match offer.completion.candidates.as_slice() {
        [] => None,
        [only] => {
            put(&offer, &only.text.clone(), true);
            None
        }
        several => {
            let common = common_prefix(several.iter().map(|candidate| candidate.text.as_str()));
            if common.len() > offer.cursor - offer.completion.from {
                put(&offer, &common, false);
                let cursor = offer.completion.from + common.len();
                let line = field.value();
                return Some(Offer {
                    line,
                    cursor,
                    ..offer
                });
            }
            Some(offer)
        }
    }
}

fn common_prefix<'a>(mut texts: impl Iterator<Item = &'a str>) -> String {
    let first = texts.next().unwrap_or_default();
    let mut length = first.len();
    for text in texts {
        let same = first
            .char_indices()
            .zip(text.chars())
            .take_while(|((_, one), other)| one == other)
            .last();
        length = length.min(same.map_or(0, |((at, letter), _)| at + letter.len_utf8()));
    }
    String::from(&first[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_r_goes_to_ever_earlier_lines_that_hold_what_was_typed() {
        let history: Vec<String> = [
            "kubectl get pods",
            "ls",
            "kubectl apply -f a.yaml",
            "kubectl get nodes",
        ]
        .map(String::from)
        .to_vec();
        let first = earlier_line(&history, "get", history.len());
        assert_eq!(first, Some(3));
        assert_eq!(earlier_line(&history, "get", 3), Some(0));
        assert_eq!(earlier_line(&history, "get", 0), None);
        assert_eq!(earlier_line(&history, "", 99), Some(3));
    }

    fn take(terminal: &mut Terminal, output: Output) {
        terminal.take(&TerminalUpdate {
            terminal: TERMINAL,
            output,
        });
    }

    #[test]
    fn what_one_command_prints_is_one_piece_even_if_it_comes_in_parts() {
        let mut terminal = Terminal::default();
        take(&mut terminal, Output::Line("kubectl get pods -w".into()));
        take(&mut terminal, Output::Stdout("NAME\n".into()));
        take(&mut terminal, Output::Stdout("web\n".into()));
        take(&mut terminal, Output::Stderr("^C\n".into()));
        let pieces: Vec<&Piece> = terminal.pieces.iter().map(|(_, piece)| &**piece).collect();
        assert_eq!(
            pieces,
            [
                &Piece::Line("kubectl get pods -w".into(), false),
                &Piece::Out("NAME\nweb\n".into()),
                &Piece::Err("^C\n".into())
            ]
        );
    }

    #[test]
    fn queued_lines_wait_while_a_command_runs() {
        let mut terminal = Terminal::default();
        terminal.queue.extend(["one".into(), "two".into()]);
        assert_eq!(terminal.due(), None, "busy until the first prompt");
        take(&mut terminal, Output::Prompt(PromptState::Ready { rc: 0 }));
        assert_eq!(terminal.due().as_deref(), Some("one"));
        take(&mut terminal, Output::Prompt(PromptState::Busy));
        assert_eq!(terminal.due(), None);
    }

    #[test]
    fn a_log_without_end_keeps_its_newest_lines() {
        let mut terminal = Terminal::default();
        for index in 0..40_000 {
            take(&mut terminal, Output::Stdout(format!("ログ {index}\n")));
        }
        let Piece::Out(text) = &*terminal.pieces[0].1 else {
            panic!("one piece of output")
        };
        assert!(text.len() <= LETTERS && text.ends_with("ログ 39999\n"));
        assert_eq!(
            common_prefix(["deployment", "describe", "delete"].into_iter()),
            "de"
        );
    }
}
