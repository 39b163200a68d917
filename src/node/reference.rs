//! The name of an image: `registry/repository:tag@digest`, with what Docker's rules fill in.
//!
//! Models `distribution/reference`; the wording of its errors is what the kubelet reports as `InvalidImageName`.

/// A parsed and completed image name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `docker.io` where none is given.
    pub registry: String,
    /// `library/nginx`.
    pub repository: String,
    /// `latest` where neither tag nor digest is given.
    pub tag: String,
    pub digest: String,
}

const DEFAULT_REGISTRY: &str = "docker.io";
const OFFICIAL: &str = "library/";

impl Reference {
    /// Reads a name as it stands in a pod; the error is the text after `couldn't parse image name "…": `.
    pub fn parse(image: &str) -> Result<Reference, String> {
        const INVALID: &str = "invalid reference format";
        let (rest, digest) = match image.split_once('@') {
            Some((rest, digest)) => (rest, digest),
            None => (image, ""),
        };
        let name_end = rest.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match rest[name_end..].find(':') {
            Some(at) => (&rest[..name_end + at], Some(&rest[name_end + at + 1..])),
            None => (rest, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, path))
                if first.contains(['.', ':']) || first == "localhost" || has_upper(first) =>
            {
                (first, path.to_owned())
            }
            _ => (DEFAULT_REGISTRY, name.to_owned()),
        };
        let registry = if registry == "index.docker.io" {
            DEFAULT_REGISTRY
        } else {
            registry
        };
        let repository = if registry == DEFAULT_REGISTRY && !path.contains('/') {
            format!("{OFFICIAL}{path}")
        } else {
            path
        };
        if has_upper(&repository) {
            return Err(format!(
                "{INVALID}: repository name ({repository}) must be lowercase"
            ));
        }
        let good_tag = |tag: &str| {
            let mut bytes = tag.bytes();
            bytes
                .next()
                .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
                && tag.len() <= 128
                && bytes.all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        let good_digest = |digest: &str| {
            digest.strip_prefix("sha256:").is_some_and(|hex| {
                hex.len() == 64
                    && hex
                        .bytes()
                        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            })
        };
        let is_good = good_registry(registry)
            && repository.split('/').all(good_component)
            && tag.is_none_or(good_tag)
            && (digest.is_empty() && !image.contains('@') || good_digest(digest));
        if !is_good {
            return Err(INVALID.to_owned());
        }
        let tag = match tag {
            Some(tag) => tag,
            None if digest.is_empty() => "latest",
            None => "",
        };
        Ok(Reference {
            registry: registry.to_owned(),
            repository,
            tag: tag.to_owned(),
            digest: digest.to_owned(),
        })
    }

    /// `docker.io/library/nginx`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// `docker.io/library/nginx:latest`; how containerd names it.
    pub fn full(&self) -> String {
        let mut full = self.name();
        if !self.tag.is_empty() {
            full = format!("{full}:{}", self.tag);
        }
        if !self.digest.is_empty() {
            full = format!("{full}@{}", self.digest);
        }
        full
    }

    /// The repository's name without registry and `library/`: `nginx`, `bitnami/redis`.
    pub fn short(&self) -> &str {
        self.repository
            .strip_prefix(OFFICIAL)
            .unwrap_or(&self.repository)
    }

    pub fn is_official(&self) -> bool {
        self.registry == DEFAULT_REGISTRY && self.repository.starts_with(OFFICIAL)
    }

    /// The host that a pull talks to.
    pub fn host(&self) -> &str {
        if self.registry == DEFAULT_REGISTRY {
            "registry-1.docker.io"
        } else {
            &self.registry
        }
    }
}

fn has_upper(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_uppercase())
}

fn good_registry(registry: &str) -> bool {
    let (host, port) = registry
        .split_once(':')
        .map_or((registry, None), |(h, p)| (h, Some(p)));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(label)
        && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// Letters and digits, joined by `.`, `_`, `__` or dashes.
fn good_component(component: &str) -> bool {
    let bytes = component.as_bytes();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !plain(*first) || !plain(*last) {
        return false;
    }
    bytes.split(|b| plain(*b)).all(|joint| match joint {
        [] | b"." | b"_" | b"__" => true,
        dashes => dashes.iter().all(|b| *b == b'-'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed() {
        for (image, full) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("bitnami/redis", "docker.io/bitnami/redis:latest"),
            ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
        ] {
            assert_eq!(
                Reference::parse(image).map(|r| r.full()).as_deref(),
                Ok(full)
            );
        }
    }

    #[test]
    fn bad_names_say_why() {
        for (image, why) in [
            (
                "Nginx:1",
                "invalid reference format: repository name (library/Nginx) must be lowercase",
            ),
            (
                "<YOUR-CONTAINER>",
                "invalid reference format: repository name (library/<YOUR-CONTAINER>) must be lowercase",
            ),
            ("gcr.io/<project>/job-wq-1", "invalid reference format"),
            ("nginx:", "invalid reference format"),
            ("", "invalid reference format"),
            ("nginx@sha256:12", "invalid reference format"),
        ] {
            assert_eq!(Reference::parse(image), Err(why.to_owned()), "{image}");
        }
    }
}
