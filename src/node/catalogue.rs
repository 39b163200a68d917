//! Which images there are, how large they are and what runs in them.
//!
//! Official images exist with their real release lines; an image of a registry that is known to exist runs as a generic
//! long-running process; a misspelt official image is refused with a hint for our own tools.

use std::sync::Arc;

use crate::custom::Custom;
use crate::reference::Reference;

/// What the catalogue knows of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub bytes: u64,
    pub behaviour: Behaviour,
    /// Supplementary groups of the image's user.
    pub groups: &'static [i64],
    /// Ports on which its server listens when nothing else is said.
    pub ports: &'static [u16],
    /// What it writes when it starts, a line each.
    pub start_log: &'static [&'static str],
    /// Words before a container's `args`.
    pub entrypoint: &'static [&'static str],
    /// Words used when a container gives neither `command` nor `args`.
    pub cmd: &'static [&'static str],
    /// Further programs.
    pub programs: &'static [&'static str],
    /// Whether it has a shell and core tools at all.
    pub has_tools: bool,
    /// Files that people look at, with their content.
    pub files: &'static [(&'static str, &'static str)],
    /// Where a web server that only serves files has them.
    pub document_root: Option<&'static str>,
    /// True if nothing but the name is known.
    pub is_generic: bool,
    /// What its user says of it, if it is one of theirs.
    pub custom: Option<Arc<Custom>>,
}

/// What a container of the image does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Runs until it is stopped; ends with this status on SIGTERM.
    Server { exit_on_term: i32 },
    /// A small system whose commands really run.
    Shell,
    /// Never reacts to SIGTERM.
    Deaf,
    /// Takes memory until it is killed, if its arguments say so.
    Stress,
}

/// Why a pull fails: the runtime's words after `failed to resolve reference "…": `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    Tag,
    Repository,
    /// The registry's host does not exist.
    Host,
    /// It is for machines with another operating system.
    Platform,
}

/// For which operating systems an image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    Linux,
    Windows,
    Both,
}

/// Official images with Windows variants under the same tags.
const ON_BOTH: &[&str] = &["caddy", "golang", "mongo", "openjdk", "python"];

/// Images of Kubernetes itself with Windows variants, by the last part of their name.
const SYSTEM_ON_BOTH: &[&str] = &["agnhost", "pause", "kube-proxy"];

/// The operating systems of an image. Tags such as `1.26-nanoserver` say it, and so do Microsoft's repositories.
pub fn os_of(reference: &Reference) -> Os {
    let is_windows = |text: &str| {
        ["windows", "nanoserver", "servercore", "ltsc20"]
            .iter()
            .any(|word| text.contains(word))
    };
    let last = reference.repository.rsplit('/').next().unwrap_or_default();
    if is_windows(&reference.tag) || is_windows(&reference.repository) {
        return Os::Windows;
    }
    let is_plain = !reference.tag.contains("alpine") && !reference.tag.contains("slim");
    let is_both = if reference.is_official() {
        ON_BOTH.contains(&last) && is_plain
    } else {
        SYSTEM_ON_BOTH.contains(&last)
    };
    if is_both { Os::Both } else { Os::Linux }
}

/// What somebody who wrote this image's name probably wanted to write; `None` if it can be pulled, or nobody knows.
pub fn meant(image: &str) -> Option<String> {
    let reference = Reference::parse(image).ok()?;
    let found = match find(&reference) {
        Err(found) => found,
        Ok(_) => return None,
    };
    let named = |name: &str| OFFICIAL.iter().find(|known| known.name == name);
    match found {
        Missing::Repository => {
            let name = did_you_mean(reference.short())?;
            let has_tag = named(name).is_some_and(|known| known.has_tag(&reference.tag));
            let tag = image.rsplit_once(':').filter(|_| has_tag);
            Some(tag.map_or_else(|| name.to_owned(), |(_, tag)| format!("{name}:{tag}")))
        }
        Missing::Tag => {
            let known = named(reference.short())?;
            let newest = known.tags.iter().find(|line| line.2 > 0)?;
            Some(format!("{}:{}{}", known.name, newest.0, newest.2))
        }
        Missing::Host | Missing::Platform => None,
    }
}

struct Known {
    name: &'static str,
    megabytes: u64,
    tags: &'static [Line],
    behaviour: Behaviour,
    groups: &'static [i64],
    ports: &'static [u16],
    start_log: &'static [&'static str],
    entrypoint: &'static [&'static str],
    cmd: &'static [&'static str],
}

/// A line of releases: `prefix` and then a number in a range, then anything (`1.` and 14 to 29: `1.14`, `1.27.3-alpine`).
struct Line(&'static str, u32, u32);

const SERVER: Behaviour = Behaviour::Server { exit_on_term: 0 };
const SIGNALLED: Behaviour = Behaviour::Server { exit_on_term: 143 };
const SHELL: Behaviour = Behaviour::Shell;
const WHEEL: &[i64] = &[0, 10];
const ALPINE: &[i64] = &[0, 1, 2, 3, 4, 6, 10, 11, 20, 26, 27];
const ROOT: &[i64] = &[0];

const NGINX_LOG: &[&str] = &[
    "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
    "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/",
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
    "10-listen-on-ipv6-by-default.sh: info: Getting the checksum of /etc/nginx/conf.d/default.conf",
    "10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf",
    "/docker-entrypoint.sh: Sourcing /docker-entrypoint.d/15-local-resolvers.envsh",
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/20-envsubst-on-templates.sh",
    "/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker-processes.sh",
    "/docker-entrypoint.sh: Configuration complete; ready for start up",
];

const COREDNS_LOG: &[&str] = &[".:53", "CoreDNS-1.14.2"];

macro_rules! known {
    ($($name:literal $megabytes:literal $behaviour:ident $groups:ident [$($port:literal)*] [$($prefix:literal $low:literal - $high:literal),*] $log:expr, $entry:expr, $cmd:expr;)*) => {
        &[$(Known {
            name: $name, megabytes: $megabytes, behaviour: $behaviour, groups: $groups, ports: &[$($port),*],
            tags: &[$(Line($prefix, $low, $high)),*], start_log: $log, entrypoint: $entry, cmd: $cmd,
        }),*]
    };
}

/// Official images by name, sorted.
#[rustfmt::skip]
const OFFICIAL: &[Known] = known![
    "alpine" 4 SHELL ALPINE [] ["3." 1 - 23, "2" 0 - 0] &[], &[], &["/bin/sh"];
    "bash" 7 SHELL ROOT [] ["5." 0 - 3, "4." 0 - 4, "3." 0 - 2] &[], &["docker-entrypoint.sh"], &["bash"];
    "busybox" 2 SHELL WHEEL [] ["1." 21 - 37] &[], &[], &["sh"];
    "caddy" 21 SERVER ROOT [80 443] ["2." 0 - 10] &[], &["caddy"], &["run"];
    "cassandra" 165 SIGNALLED ROOT [9042] ["3." 0 - 11, "4." 0 - 1, "5." 0 - 0] &[], &["docker-entrypoint.sh"], &["cassandra", "-f"];
    "centos" 80 SHELL ROOT [] ["" 6 - 8] &[], &[], &["/bin/bash"];
    "debian" 47 SHELL ROOT [] ["" 8 - 13, "bookworm" 0 - 0, "trixie" 0 - 0, "bullseye" 0 - 0, "stable" 0 - 0, "sid" 0 - 0] &[], &[], &["bash"];
    "elasticsearch" 620 SIGNALLED ROOT [9200] ["7." 0 - 17, "8." 0 - 19, "9." 0 - 2] &[], &[], &["eswrapper"];
    "fedora" 58 SHELL ROOT [] ["" 24 - 43, "rawhide" 0 - 0] &[], &[], &["/bin/bash"];
    "ghost" 180 SERVER ROOT [2368] ["" 1 - 6, "0." 7 - 11] &[], &["docker-entrypoint.sh"], &["node", "current/index.js"];
    "golang" 300 SHELL ROOT [] ["1." 5 - 26] &[], &[], &["bash"];
    "haproxy" 40 SERVER ROOT [80] ["1." 5 - 9, "2." 0 - 9, "3." 0 - 3] &[], &["docker-entrypoint.sh"], &["haproxy"];
    "httpd" 58 SERVER ROOT [80] ["2." 2 - 4, "2" 0 - 0] &[], &[], &["httpd-foreground"];
    "mariadb" 120 SERVER ROOT [3306] ["5." 5 - 5, "10." 0 - 11, "11." 0 - 8, "12." 0 - 1] &[], &["docker-entrypoint.sh"], &["mariadbd"];
    "memcached" 32 SERVER ROOT [11211] ["1." 4 - 6] &[], &["docker-entrypoint.sh"], &["memcached"];
    "mongo" 270 SERVER ROOT [27017] ["" 3 - 8] &[], &["docker-entrypoint.sh"], &["mongod"];
    "mysql" 230 SERVER ROOT [3306] ["5." 5 - 7, "8." 0 - 4, "9." 0 - 5] &[], &["docker-entrypoint.sh"], &["mysqld"];
    "nginx" 69 SERVER ROOT [80] ["1." 7 - 29, "1" 0 - 0, "mainline" 0 - 0, "stable" 0 - 0, "alpine" 0 - 0, "perl" 0 - 0] NGINX_LOG, &["/docker-entrypoint.sh"], &["nginx", "-g", "daemon off;"];
    "node" 370 SHELL ROOT [] ["0." 8 - 12, "" 4 - 25, "lts" 0 - 0, "alpine" 0 - 0] &[], &["docker-entrypoint.sh"], &["node"];
    "openjdk" 230 SHELL ROOT [] ["" 6 - 26] &[], &[], &["jshell"];
    "perl" 330 SHELL ROOT [] ["5." 18 - 42, "5" 0 - 0] &[], &[], &["perl", "-de0"];
    "php" 160 SERVER ROOT [80] ["5." 3 - 6, "7." 0 - 4, "8." 0 - 5, "5" 0 - 0, "7" 0 - 0, "8" 0 - 0, "apache" 0 - 0, "fpm" 0 - 0] &[], &["docker-php-entrypoint"], &["php", "-a"];
    "postgres" 150 SERVER ROOT [5432] ["9." 0 - 6, "" 10 - 18, "alpine" 0 - 0] &[], &["docker-entrypoint.sh"], &["postgres"];
    "python" 360 SHELL ROOT [] ["2." 6 - 7, "3." 2 - 14, "2" 0 - 0, "3" 0 - 0, "slim" 0 - 0, "alpine" 0 - 0] &[], &[], &["python3"];
    "rabbitmq" 105 SERVER ROOT [5672] ["3." 6 - 13, "4." 0 - 2, "3" 0 - 0, "4" 0 - 0, "management" 0 - 0] &[], &["docker-entrypoint.sh"], &["rabbitmq-server"];
    "redis" 49 SERVER ROOT [6379] ["2." 6 - 8, "3." 0 - 2, "4." 0 - 0, "5." 0 - 0, "6." 0 - 2, "7." 0 - 4, "8." 0 - 4, "" 2 - 8, "alpine" 0 - 0] &[], &["docker-entrypoint.sh"], &["redis-server"];
    "registry" 9 SERVER ROOT [5000] ["2." 0 - 8, "" 2 - 3] &[], &["/entrypoint.sh"], &["/etc/docker/registry/config.yml"];
    "ruby" 330 SHELL ROOT [] ["2." 0 - 7, "3." 0 - 4] &[], &[], &["irb"];
    "tomcat" 180 SIGNALLED ROOT [8080] ["7" 0 - 0, "8" 0 - 0, "8." 0 - 5, "9" 0 - 0, "9." 0 - 0, "10." 0 - 1, "11." 0 - 0] &[], &[], &["catalina.sh", "run"];
    "traefik" 50 SERVER ROOT [80] ["v1." 0 - 7, "v2." 0 - 11, "v3." 0 - 5, "1." 0 - 7, "2." 0 - 11, "3." 0 - 5] &[], &["/entrypoint.sh"], &["traefik"];
    "ubuntu" 29 SHELL ROOT [] ["" 12 - 25, "jammy" 0 - 0, "noble" 0 - 0, "focal" 0 - 0, "xenial" 0 - 0, "bionic" 0 - 0] &[], &[], &["/bin/bash"];
    "wordpress" 240 SERVER ROOT [80] ["4." 0 - 9, "5." 0 - 9, "6." 0 - 8, "php" 0 - 0, "apache" 0 - 0] &[], &["docker-entrypoint.sh"], &["apache2-foreground"];
    "zookeeper" 110 SIGNALLED ROOT [2181] ["3." 4 - 9] &[], &["/docker-entrypoint.sh"], &["zkServer.sh", "start-foreground"];
];

/// Images of other repositories whose behaviour is known, by the last part of their name.
#[rustfmt::skip]
const OTHERS: &[Known] = known![
    "agnhost" 51 SERVER ROOT [8080] [] &[], &["/agnhost"], &["pause"];
    "busybox" 1 SHELL WHEEL [] [] &[], &[], &["sh"];
    "busyboxplus" 5 SHELL ROOT [] [] &[], &[], &["sh"];
    "curl" 9 SHELL ROOT [] [] &[], &["/entrypoint.sh"], &["curl"];
    "dnsutils" 18 SHELL ROOT [] [] &[], &[], &["sh"];
    "e2e-test-images/busybox" 1 SHELL WHEEL [] [] &[], &[], &["sh"];
    "jessie-dnsutils" 90 SHELL ROOT [] [] &[], &[], &["sh"];
    "coredns" 24 SERVER ROOT [53 8080 8181 9153] [] COREDNS_LOG, &["/coredns"], &[];
    "kube-apiserver" 30 SERVER ROOT [6443] [] &[], &[], &["kube-apiserver"];
    "kube-controller-manager" 26 SERVER ROOT [10257] [] &[], &[], &["kube-controller-manager"];
    "kube-proxy" 29 SERVER ROOT [10249 10256] [] &[], &[], &["kube-proxy"];
    "kube-scheduler" 20 SERVER ROOT [10259] [] &[], &[], &["kube-scheduler"];
    "echoserver" 46 SERVER ROOT [8080] [] &[], &[], &["/usr/local/bin/run.sh"];
    "gb-frontend" 330 SERVER ROOT [80] [] &[], &["docker-php-entrypoint"], &["apache2-foreground"];
    "hello-app" 12 SIGNALLED ROOT [8080] [] &["Server listening on port 8080"], &[], &["./hello-app"];
    "hpa-example" 160 SERVER ROOT [80] [] &[], &[], &["apache2-foreground"];
    "http-echo" 3 SERVER ROOT [5678] [] &["Server is listening on :5678"], &["/http-echo"], &[];
    "kubernetes-bootcamp" 80 SIGNALLED ROOT [8080] [] &["Kubernetes Bootcamp App Started"], &[], &["/bin/sh", "-c", "node server.js"];
    "nginx" 69 SERVER ROOT [80] [] NGINX_LOG, &["/docker-entrypoint.sh"], &["nginx", "-g", "daemon off;"];
    "nginx-slim" 40 SERVER ROOT [80] [] &[], &[], &["nginx", "-g", "daemon off;"];
    "nginxhttps" 60 SERVER ROOT [80 443] [] &[], &[], &["nginx", "-g", "daemon off;"];
    "pause" 1 SERVER ROOT [] [] &[], &["/pause"], &[];
    "stress" 4 STRESS ROOT [] [] &[], &["stress"], &["--help"];
];

const STRESS: Behaviour = Behaviour::Stress;

/// Images that are one program and nothing else.
const WITHOUT_TOOLS: &[&str] = &[
    "pause",
    "http-echo",
    "hello-app",
    "traefik",
    "coredns",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
];

/// Programs beyond the family's tools and the server itself.
fn programs(name: &str) -> &'static [&'static str] {
    match name {
        "agnhost" | "busyboxplus" | "dnsutils" | "jessie-dnsutils" | "tomcat" => {
            &["curl", "wget", "nslookup", "dig"]
        }
        "bash" => &["bash"],
        "curl" => &["curl"],
        "golang" => &["go", "curl", "wget"],
        "mariadb" => &["mariadb", "mysql"],
        "mongo" => &["mongo", "mongosh"],
        "mysql" => &["mysql", "mysqladmin"],
        "nginx" | "nginx-slim" | "nginxhttps" | "httpd" | "php" | "wordpress" | "hpa-example"
        | "gb-frontend" => &["curl", "nginx", "httpd"],
        "kubernetes-bootcamp" => &["node", "npm", "curl", "wget"],
        "node" => &["node", "npm", "curl", "wget"],
        "openjdk" => &["java"],
        "perl" => &["perl", "curl"],
        "postgres" => &["psql", "pg_isready"],
        "python" => &["python", "python3", "pip", "curl", "wget"],
        "rabbitmq" => &["rabbitmqctl"],
        "redis" => &["redis-cli", "redis-sentinel"],
        "ruby" => &["ruby", "curl"],
        _ => &[],
    }
}

fn files(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "nginx" | "nginx-slim" | "nginxhttps" => NGINX_FILES,
        "kubernetes-bootcamp" => &[("/server.js", BOOTCAMP)],
        "httpd" => &[(
            "/usr/local/apache2/htdocs/index.html",
            "<html><body><h1>It works!</h1></body></html>\n",
        )],
        _ => &[],
    }
}

const BOOTCAMP: &str = "var http = require('http');\nvar requests = 0;\nvar podname = process.env.HOSTNAME;\nvar host;\nvar handleRequest = function (request, response) {\n  response.setHeader('Content-Type', 'text/plain');\n  response.writeHead(200);\n  response.write('Hello Kubernetes bootcamp! | Running on: ');\n  response.write(host);\n  response.end(' | v=1\\n');\n  console.log('Running On:', host, '| Total Requests:', ++requests);\n};\nhttp.createServer(handleRequest).listen(8080, function () {\n  host = podname;\n  console.log('Kubernetes Bootcamp App Started At:', new Date());\n});\n";

const NGINX_FILES: &[(&str, &str)] = &[
    (
        "/usr/share/nginx/html/index.html",
        "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n<p>If you see this page, nginx is successfully installed and working.\nFurther configuration is required.</p>\n</body>\n</html>\n",
    ),
    (
        "/etc/nginx/nginx.conf",
        "user  nginx;\nworker_processes  auto;\n\nerror_log  /var/log/nginx/error.log notice;\npid        /run/nginx.pid;\n\nevents {\n    worker_connections  1024;\n}\n\nhttp {\n    include       /etc/nginx/mime.types;\n    include /etc/nginx/conf.d/*.conf;\n}\n",
    ),
    (
        "/etc/nginx/conf.d/default.conf",
        "server {\n    listen       80;\n    server_name  localhost;\n\n    location / {\n        root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n}\n",
    ),
];

/// Registries that answer and hold what they are asked for.
const REGISTRIES: &[&str] = &[
    "docker.io",
    "registry.k8s.io",
    "k8s.gcr.io",
    "gcr.io",
    "us.gcr.io",
    "eu.gcr.io",
    "asia.gcr.io",
    "ghcr.io",
    "quay.io",
    "mcr.microsoft.com",
    "public.ecr.aws",
    "docker.elastic.co",
    "registry.gitlab.com",
    "nvcr.io",
    "icr.io",
    "registry.access.redhat.com",
    "registry.redhat.io",
    "container-registry.oracle.com",
    "localhost",
];

/// Looks an image up as a pull would.
pub fn find(reference: &Reference) -> Result<Image, Missing> {
    let host = reference.registry.split(':').next().unwrap_or_default();
    let is_registry = REGISTRIES.contains(&host) || host.ends_with(".pkg.dev");
    if !is_registry {
        return Err(Missing::Host);
    }
    if reference.is_official() {
        let known = OFFICIAL
            .iter()
            .find(|known| known.name == reference.short());
        let Some(known) = known else {
            return Err(Missing::Repository);
        };
        if !known.has_tag(&reference.tag) {
            return Err(Missing::Tag);
        }
        return Ok(known.image());
    }
    let last = reference.repository.rsplit('/').next().unwrap_or_default();
    Ok(match OTHERS.iter().find(|known| known.name == last) {
        Some(known) => known.image(),
        None => Image {
            bytes: 20_000_000 + stable(&reference.full()) % 160_000_000,
            behaviour: SERVER,
            groups: ROOT,
            ports: &[],
            start_log: &[],
            entrypoint: &["/entrypoint"],
            cmd: &[],
            programs: &[],
            has_tools: true,
            files: &[],
            document_root: None,
            is_generic: true,
            custom: None,
        },
    })
}

/// The official image that a name was probably meant to be.
pub fn did_you_mean(name: &str) -> Option<&'static str> {
    OFFICIAL
        .iter()
        .map(|known| (distance(known.name, name), known.name))
        .filter(|(d, _)| *d <= 2)
        .min()
        .map(|(_, n)| n)
}

/// A number that depends on nothing but the text.
pub fn stable(text: &str) -> u64 {
    sim::Rng::stream(0, text).next_u64()
}

impl Known {
    fn image(&self) -> Image {
        // Sizes of real images are not round.
        let odd = stable(self.name) % 900_000;
        Image {
            bytes: self.megabytes * 1_000_000 + odd,
            behaviour: self.behaviour,
            groups: self.groups,
            ports: self.ports,
            start_log: self.start_log,
            entrypoint: self.entrypoint,
            cmd: self.cmd,
            programs: programs(self.name),
            has_tools: !WITHOUT_TOOLS.contains(&self.name),
            files: files(self.name),
            document_root: match self.name {
                "nginx" | "nginx-slim" | "nginxhttps" => Some("/usr/share/nginx/html"),
                "httpd" => Some("/usr/local/apache2/htdocs"),
                _ => None,
            },
            is_generic: false,
            custom: None,
        }
    }

    fn has_tag(&self, tag: &str) -> bool {
        let is_plain = tag.is_empty() || tag == "latest";
        is_plain || self.tags.iter().any(|line| line.has(tag))
    }
}

impl Line {
    fn has(&self, tag: &str) -> bool {
        // `5` stands for the newest release of the line `5.`.
        let major = self.0.strip_suffix('.').filter(|major| !major.is_empty());
        if major.is_some_and(|major| tag.split('-').next() == Some(major)) {
            return true;
        }
        let Some(rest) = tag.strip_prefix(self.0) else {
            return false;
        };
        if self.1 == 0 && self.2 == 0 && !self.0.ends_with('.') {
            return rest.is_empty()
                || rest.starts_with('-')
                || rest.starts_with('.') && self.0.len() > 1;
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &rest[digits..];
        let in_line = rest[..digits]
            .parse::<u32>()
            .is_ok_and(|n| (self.1..=self.2).contains(&n));
        // Then may come a patch number of a plausible size, and variants.
        let patch = after
            .strip_prefix('.')
            .map(|p| p.split(['-', '.']).next().unwrap_or_default());
        let good_patch = patch.is_none_or(|p| p.parse::<u32>().is_ok_and(|n| n < 100));
        in_line && good_patch && (after.is_empty() || after.starts_with(['.', '-']))
    }
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exists(image: &str) -> Result<(), Missing> {
        find(&Reference::parse(image).expect("a good name")).map(|_| ())
    }

    #[test]
    fn images_are_made_for_one_system_or_both() {
        let os = |image: &str| os_of(&Reference::parse(image).expect("a good name"));
        for (image, expected) in [
            ("nginx", Os::Linux),
            ("mcr.microsoft.com/windows/servercore:ltsc2022", Os::Windows),
            ("mcr.microsoft.com/windows/servercore/iis", Os::Windows),
            ("golang:1.26-nanoserver", Os::Windows),
            ("golang:1.26", Os::Both),
            ("python:3.12-slim", Os::Linux),
            ("registry.k8s.io/pause:3.10", Os::Both),
        ] {
            assert_eq!(os(image), expected, "{image}");
        }
    }

    #[test]
    fn release_lines_are_the_real_ones() {
        for image in [
            "nginx",
            "nginx:1.14.2",
            "nginx:1.27-alpine",
            "nginx:stable",
            "redis:6.0.5",
            "redis:7",
            "mysql:5.7",
            "mysql:8.0",
            "busybox:1.28",
            "alpine:3.19",
            "postgres:16",
            "perl:5.34.0",
            "httpd:2.4",
            "debian:12-slim",
            "ubuntu:22.04",
            "python:3.12",
            "node:18-alpine",
            "bash:5",
            "registry.k8s.io/anything:v1",
            "bitnami/redis",
        ] {
            assert_eq!(exists(image), Ok(()), "{image}");
        }
        for image in [
            "nginx:1.161",
            "nginx:1.999",
            "nginx:1.27.1000",
            "nginx:nonsense",
            "alpine:9.9",
        ] {
            assert_eq!(exists(image), Err(Missing::Tag), "{image}");
        }
        assert_eq!(exists("ngnix"), Err(Missing::Repository));
        assert_eq!(did_you_mean("ngnix"), Some("nginx"));
        assert_eq!(meant("ngnix:1.27"), Some("nginx:1.27".into()));
        assert_eq!(meant("ngnix:1.161"), Some("nginx".into()));
        assert_eq!(meant("nginx:1.161"), Some("nginx:1.29".into()));
        assert_eq!(meant("nginx:1.27"), None);
        assert_eq!(meant("something-else"), None);
        assert_eq!(exists("my.image.registry/nginx:1.4.0"), Err(Missing::Host));
    }
}
