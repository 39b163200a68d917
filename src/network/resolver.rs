//! What the C library knows of names: `/etc/hosts` and `/etc/resolv.conf`, read from the files as they are.

use std::net::Ipv4Addr;

/// The two files, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolver {
    hosts: Vec<(Ipv4Addr, String)>,
    pub(crate) servers: Vec<Ipv4Addr>,
    searches: Vec<String>,
    ndots: usize,
}

impl Resolver {
    pub fn read(hosts: &str, resolv: &str) -> Resolver {
        let mut resolver = Resolver {
            ndots: 1,
            ..Resolver::default()
        };
        for line in hosts.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse) else {
                continue;
            };
            resolver
                .hosts
                .extend(words.map(|name| (address, name.to_owned())));
        }
        for line in resolv.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                // The C library looks at three.
                Some("nameserver") if resolver.servers.len() < 3 => {
                    resolver
                        .servers
                        .extend(words.filter_map(|word| word.parse::<Ipv4Addr>().ok()));
                }
                Some("search") => resolver.searches = words.map(str::to_owned).collect(),
                Some("options") => {
                    let ndots = words.rev().find_map(|word| word.strip_prefix("ndots:"));
                    if let Some(ndots) = ndots.and_then(|n| n.parse::<usize>().ok()) {
                        resolver.ndots = ndots.min(15);
                    }
                }
                _ => {}
            }
        }
        resolver
    }

    /// The address that `/etc/hosts` gives a name.
    pub(crate) fn host(&self, name: &str) -> Option<Ipv4Addr> {
        let name = name.trim_end_matches('.');
        let found = self
            .hosts
            .iter()
            .find(|(_, own)| own.eq_ignore_ascii_case(name));
        found.map(|(address, _)| *address)
    }

    /// The full names that are asked for, in order.
    pub(crate) fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(absolute) = name.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let searched = self
            .searches
            .iter()
            .map(|domain| format!("{name}.{domain}"));
        let dots = name.matches('.').count();
        if dots >= self.ndots {
            std::iter::once(name.to_owned()).chain(searched).collect()
        } else {
            searched.chain(std::iter::once(name.to_owned())).collect()
        }
    }
}
