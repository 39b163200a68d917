//! What an author pastes: a link, a frame, or the element, for the same parameters.

use super::params::Params;

/// The three ways to embed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    #[default]
    Frame,
    Element,
    Link,
}

impl Way {
    pub(crate) const ALL: [Way; 3] = [Way::Frame, Way::Element, Way::Link];
}

/// The text for the page at `address` (without query and fragment), so many pixels high.
pub(crate) fn snippet(way: Way, params: &Params, address: &str, height: u32) -> String {
    match way {
        Way::Link => format!("{address}{}", params.fragment()),
        Way::Frame => format!(
            "<iframe src=\"{}{}\" title=\"Kubenkyo\" width=\"100%\" height=\"{height}\" style=\"border:1px solid #ccd\" loading=\"lazy\"\n  \
             sandbox=\"allow-scripts allow-popups allow-popups-to-escape-sandbox\" allow=\"clipboard-write; fullscreen\"></iframe>",
            attribute(address),
            attribute(&params.fragment()),
        ),
        Way::Element => {
            let (folder, file) = address.rsplit_once('/').unwrap_or(("", address));
            let mut element = format!(
                "<script src=\"{}/embed.js\" defer></script>\n<kubenkyo-cluster style=\"height:{height}px\"",
                attribute(folder)
            );
            if !file.is_empty() {
                element.push_str(&format!(" src=\"{}\"", attribute(file)));
            }
            let mut lines = Vec::new();
            for (name, value) in params.pairs() {
                match name {
                    // The element says these itself, and hands lines over together.
                    "embed" | "origin" => {}
                    "run" => lines.push(value),
                    _ if value.is_empty() => element.push_str(&format!(" {name}")),
                    _ => element.push_str(&format!(" {name}=\"{}\"", attribute(&value))),
                }
            }
            if !lines.is_empty() {
                element.push_str(&format!(" run=\"{}\"", attribute(&lines.join("\n"))));
            }
            element.push_str("></kubenkyo-cluster>");
            element
        }
    }
}

/// A text within double quotes of HTML, on one line.
fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '\n' => out.push_str("&#10;"),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_three_ways_say_the_same() {
        let params = Params::read(
            "?embed&view=tree,terminal&lang=ja&run=kubectl get po&run=echo \"a\" <b&manifest=a: 1%0Ab: \"%26\"",
            "",
        );
        let address = "https://example.org/k/index.html";
        expect![[r##"https://example.org/k/index.html#?embed&view=tree,terminal&lang=ja&run=kubectl%20get%20po&run=echo%20%22a%22%20%3Cb&manifest=a:%201%0Ab:%20%22%26%22"##]]
            .assert_eq(&snippet(Way::Link, &params, address, 480));
        expect![[r#"
            <iframe src="https://example.org/k/index.html#?embed&amp;view=tree,terminal&amp;lang=ja&amp;run=kubectl%20get%20po&amp;run=echo%20%22a%22%20%3Cb&amp;manifest=a:%201%0Ab:%20%22%26%22" title="Kubenkyo" width="100%" height="480" style="border:1px solid #ccd" loading="lazy"
              sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox" allow="clipboard-write; fullscreen"></iframe>"#]].assert_eq(&snippet(Way::Frame, &params, address, 480));
        expect![[r#"
            <script src="https://example.org/k/embed.js" defer></script>
            <kubenkyo-cluster style="height:360px" view="tree,terminal" lang="ja" manifest="a: 1&#10;b: &quot;&amp;&quot;" run="kubectl get po&#10;echo &quot;a&quot; &lt;b"></kubenkyo-cluster>"#]].assert_eq(&snippet(
            Way::Element,
            &params,
            "https://example.org/k/",
            360,
        ));
    }
}
