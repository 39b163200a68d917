//! URLs, addresses and networks, as Kubernetes' `url`, `ip` and `cidr` libraries have them.

use std::net::IpAddr;

/// `url("https://example.com:80/a?b=c")`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub(crate) scheme: String,
    /// With the port.
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
}

pub(crate) type Ip = IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    pub(crate) address: IpAddr,
    pub(crate) prefix: u8,
}

impl Url {
    /// Reads an absolute URL or path (`url.ParseRequestURI`).
    pub(crate) fn parse(text: &str) -> Option<Url> {
        if text.is_empty() || text.contains(|c: char| c.is_control() || c == ' ') {
            return None;
        }
        let (before, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = match before.split_once("://") {
            Some((scheme, rest)) => (scheme, Some(rest)),
            None => ("", None),
        };
        let is_scheme = scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if !is_scheme || rest.is_none() && !before.starts_with('/') {
            return None;
        }
        let (host, path) = match rest {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", before),
        };
        if let Some((_, port)) = host.rsplit_once(':')
            && !port.ends_with(']')
            && !port.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        Some(Url {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            query: query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        })
    }

    pub(crate) fn hostname(&self) -> &str {
        if let Some(inner) = self.host.strip_prefix('[') {
            return inner.split(']').next().unwrap_or_default();
        }
        self.host.split(':').next().unwrap_or_default()
    }

    pub(crate) fn port(&self) -> &str {
        let after = self.host.rsplit(']').next().unwrap_or_default();
        after.rsplit_once(':').map_or("", |(_, port)| port)
    }
}

/// An address in its strict form: no zone, no IPv4 inside IPv6, no leading zeros.
pub(crate) fn ip(text: &str) -> Result<Ip, String> {
    let address: IpAddr = text
        .parse()
        .map_err(|_| format!("IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): unable to parse IP"))?;
    match address {
        IpAddr::V6(six) if six.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"))
        }
        address => Ok(address),
    }
}

impl Cidr {
    pub(crate) fn parse(text: &str) -> Result<Cidr, String> {
        let fail = || {
            format!(
                "network address parse error during conversion from string: netip.ParsePrefix({text:?}): no '/'"
            )
        };
        let (address, prefix) = text.split_once('/').ok_or_else(fail)?;
        let address = ip(address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix: u8 = prefix.parse().map_err(|_| fail())?;
        if prefix > most {
            return Err(format!(
                "network address parse error during conversion from string: netip.ParsePrefix({text:?}): prefix length out of range"
            ));
        }
        Ok(Cidr { address, prefix })
    }

    pub(crate) fn masked(self) -> Cidr {
        let address = match self.address {
            IpAddr::V4(four) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix))
                    .unwrap_or(0);
                IpAddr::V4((u32::from(four) & mask).into())
            }
            IpAddr::V6(six) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix))
                    .unwrap_or(0);
                IpAddr::V6((u128::from(six) & mask).into())
            }
        };
        Cidr { address, ..self }
    }

    pub(crate) fn contains(self, address: Ip) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Cidr { address, ..self }.masked() == self.masked()
    }
}
