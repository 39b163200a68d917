//! Image references: what the tag says about pulling.

/// `imagePullPolicy` where none is given: `Always` for `:latest` (said or implied), else `IfNotPresent`.
///
/// A text that is no image reference has no tag, so it counts as having one other than `latest`.
pub(crate) fn default_pull_policy(image: &str) -> &'static str {
    if !is_reference(image) {
        return "IfNotPresent";
    }
    let (name, has_digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    // A colon before the last slash belongs to the registry's port.
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
        None if has_digest => "IfNotPresent",
        None => "Always",
    }
}

/// Whether the text is `[host[:port]/]path[:tag][@digest]` as `distribution/reference` reads it.
fn is_reference(image: &str) -> bool {
    let (name, digest) = image
        .split_once('@')
        .map_or((image, None), |(n, d)| (n, Some(d)));
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (name, None),
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let is_tag = |tag: &str| {
        !tag.is_empty()
            && tag.len() <= 128
            && tag.chars().all(is_word)
            && !tag.starts_with(['.', '-'])
    };
    let is_digest = |digest: &str| {
        digest.split_once(':').is_some_and(|(kind, hex)| {
            !kind.is_empty() && hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
        })
    };
    let mut parts = path.split('/').peekable();
    let first = parts.peek().copied().unwrap_or_default();
    let is_host = path.contains('/')
        && (first.contains(['.', ':'])
            || first == "localhost"
            || first != first.to_ascii_lowercase());
    if is_host {
        parts.next();
        if first.is_empty()
            || !first
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':'))
        {
            return false;
        }
    }
    let mut is_path = parts.peek().is_some();
    for part in parts {
        let ends =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        is_path &= ends(part.chars().next())
            && ends(part.chars().last())
            && part
                .chars()
                .all(|c| ends(Some(c)) || matches!(c, '_' | '.' | '-'));
    }
    is_path && tag.is_none_or(is_tag) && digest.is_none_or(is_digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_latest_is_pulled_always() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.14.2", "IfNotPresent"),
            ("registry:5000/nginx", "Always"),
            ("registry:5000/nginx:1", "IfNotPresent"),
            ("nginx@sha256:abc", "IfNotPresent"),
            ("<your image>", "IfNotPresent"),
            ("Upper", "IfNotPresent"),
        ] {
            assert_eq!(default_pull_policy(image), policy, "{image}");
        }
    }
}
