//! Quiet messages at the foot of the page: what could not be kept, what was undone, a new version. They never take the focus.

use std::rc::Rc;

use playground::Text;
use yew::prelude::*;

use crate::action::Action;
use crate::env::use_env;
use crate::icons::{Icon, icon};
use crate::words::Msg;

/// One message, with what can be done about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice {
    pub(crate) say: Text,
    /// A word on a button, and what it does.
    pub(crate) offer: Option<(Text, Action)>,
}

/// More than this at a time would be read by nobody: the oldest makes room.
const MOST: usize = 3;

/// The messages that stand there, each with a number of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Notices {
    shown: Vec<(u32, Notice)>,
    next: u32,
}

impl Notices {
    /// Says something; what is said already is not said twice.
    pub(crate) fn say(&mut self, notice: Notice) {
        self.shown.retain(|(_, other)| *other != notice);
        if self.shown.len() >= MOST {
            self.shown.remove(0);
        }
        self.shown.push((self.next, notice));
        self.next += 1;
    }

    pub(crate) fn dismiss(&mut self, number: u32) {
        self.shown.retain(|(other, _)| *other != number);
    }

    /// Takes away what offers this: it has been done, or can no longer be.
    pub(crate) fn withdraw(&mut self, action: &Action) {
        self.shown.retain(|(_, notice)| {
            notice
                .offer
                .as_ref()
                .is_none_or(|(_, offer)| offer != action)
        });
    }
}

/// What is given to the list.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct NoticeListProps {
    pub(crate) notices: Rc<Notices>,
}

/// The list. It is always there, so that screen readers hear what comes.
#[component]
pub(crate) fn NoticeList(props: &NoticeListProps) -> Html {
    let env = use_env();
    html! {
        <div class="notices" role="status" data-testid="notices">
            { for props.notices.shown.iter().map(|(number, notice)| html! {
                <div key={*number} class="notice">
                    <p>{ env.said(&notice.say).to_string() }</p>
                    if let Some((word, action)) = &notice.offer {
                        <button key="do" class="btn ghost" onclick={env.on(Action::TakeOffer(*number, Box::new(action.clone())))}>{ env.said(word).to_string() }</button>
                    }
                    <button key="close" class="tool icon" title={env.t(Msg::Close)} aria-label={env.t(Msg::Close)} onclick={env.on(Action::Dismiss(*number))}>{ icon(Icon::Close) }</button>
                </div>
            }) }
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(say: &str, offer: Option<Action>) -> Notice {
        Notice {
            say: Text::same(say),
            offer: offer.map(|action| (Text::same("do"), action)),
        }
    }

    #[test]
    fn the_newest_three_stand_there_and_each_once() {
        let mut notices = Notices::default();
        for say in ["a", "b", "b", "c", "a", "d"] {
            notices.say(notice(say, None));
        }
        let said: Vec<&str> = notices
            .shown
            .iter()
            .map(|(_, n)| n.say.en.as_str())
            .collect();
        assert_eq!(said, ["c", "a", "d"]);
        notices.dismiss(notices.shown[1].0);
        notices.say(notice("undo", Some(Action::Restart)));
        notices.withdraw(&Action::Restart);
        assert_eq!(notices.shown.len(), 2);
    }
}
