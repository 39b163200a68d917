//! Colour in printed tables, only where the cluster says something: the words of a STATUS column, and names that lead to their object.
//!
//! The text itself is never changed, so that columns stay in line and a copy is what kubectl printed.

use yew::prelude::*;

use crate::action::Action;
use crate::env::Env;

/// A printed text, with the words of its tables coloured.
pub(super) fn painted(env: &Env, text: &str) -> Html {
    let mut table: Option<Table> = None;
    let mut out = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push(html! { { "\n" } });
        }
        if let Some(header) = Table::of(line) {
            table = Some(header);
            out.push(html! { { line.to_string() } });
            continue;
        }
        match &table {
            Some(columns) if !line.trim().is_empty() => out.push(row(env, columns, line)),
            _ => {
                table = None;
                out.push(html! { { line.to_string() } });
            }
        }
    }
    html! { <>{ for out }</> }
}

/// Where the columns of a printed table begin, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Table {
    name: usize,
    status: Option<usize>,
}

impl Table {
    fn of(line: &str) -> Option<Table> {
        let is_header = line.starts_with("NAME ") || line.starts_with("NAMESPACE ");
        if !is_header || line.chars().any(|letter| letter.is_ascii_lowercase()) {
            return None;
        }
        // Header words are ASCII, so bytes are characters here.
        let column = |word: &str| {
            let at = format!(" {line} ").find(&format!(" {word} "))?;
            Some(at)
        };
        Some(Table {
            name: column("NAME")?,
            status: column("STATUS"),
        })
    }
}

fn row(env: &Env, table: &Table, line: &str) -> Html {
    let letters: Vec<char> = line.chars().collect();
    let word = |from: usize| -> Option<(usize, String)> {
        if from >= letters.len() || letters[from] == ' ' || (from > 0 && letters[from - 1] != ' ') {
            return None;
        }
        let end = letters[from..]
            .iter()
            .position(|letter| *letter == ' ')
            .map_or(letters.len(), |length| from + length);
        Some((end, letters[from..end].iter().collect()))
    };
    let text = |from: usize, to: usize| -> String { letters[from..to].iter().collect() };
    let mut out = Vec::new();
    let mut at = 0;
    if let Some((end, name)) = word(table.name) {
        out.push(html! { { text(0, table.name) } });
        // `deployment.apps/web` names its kind too.
        let plain = String::from(name.rsplit('/').next().unwrap_or(&name));
        out.push(html! { <button class="lk" tabindex="-1" onclick={env.on(Action::SelectName(plain))}>{ name }</button> });
        at = end;
    }
    if let Some(status) = table.status.filter(|status| *status >= at)
        && let Some((end, says)) = word(status)
        && let Some(class) = tone(&says)
    {
        out.push(html! { { text(at, status) } });
        out.push(html! { <span {class}>{ says }</span> });
        at = end;
    }
    out.push(html! { { text(at, letters.len()) } });
    html! { <>{ for out }</> }
}

/// The colour of a status word.
fn tone(word: &str) -> Option<&'static str> {
    let first = word.split(',').next().unwrap_or(word);
    Some(match first {
        "Running" | "Ready" | "Completed" | "Succeeded" | "Active" | "Bound" | "Available"
        | "Complete" => "ok",
        "Pending" | "ContainerCreating" | "PodInitializing" | "SchedulingGated" | "Suspended"
        | "Released" => "wa",
        "Terminating" | "Unknown" => "go",
        _ if first.starts_with("Init:") && !first.contains("Err") && !first.contains("BackOff") => {
            "wa"
        }
        _ if first.ends_with("Error") || first.ends_with("BackOff") || first.starts_with("Err") => {
            "ba"
        }
        "OOMKilled"
        | "Failed"
        | "Evicted"
        | "NotReady"
        | "Lost"
        | "NodeLost"
        | "InvalidImageName"
        | "ContainerStatusUnknown" => "ba",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_where_its_columns_begin() {
        assert_eq!(
            Table::of("NAME      READY   STATUS    RESTARTS   AGE"),
            Some(Table {
                name: 0,
                status: Some(18)
            })
        );
        assert_eq!(
            Table::of("NAMESPACE   NAME   DATA   AGE"),
            Some(Table {
                name: 12,
                status: None
            })
        );
        assert_eq!(Table::of("NAME of the thing"), None);
        assert_eq!(Table::of("Name:             web"), None);
    }

    #[test]
    fn status_words_have_the_tone_of_their_state() {
        for (word, expected) in [
            ("Running", Some("ok")),
            ("Ready,SchedulingDisabled", Some("ok")),
            ("CrashLoopBackOff", Some("ba")),
            ("ErrImagePull", Some("ba")),
            ("Init:0/1", Some("wa")),
            ("Terminating", Some("go")),
            ("<none>", None),
        ] {
            assert_eq!(tone(word), expected, "{word}");
        }
    }
}
