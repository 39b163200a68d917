//! `apt-get`, `apk` and their like: they put the tools that we have into a container, and say of others that there are none.

use posix::{Done, External, Files};

/// Packages that bring tools of ours.
const PACKAGES: &[(&str, &[&str])] = &[
    ("curl", &["curl"]),
    ("wget", &["wget"]),
    ("jq", &["jq"]),
    ("procps", &["ps", "free", "pgrep", "pkill", "top", "uptime"]),
    ("iputils-ping", &["ping"]),
    ("iputils", &["ping"]),
    ("inetutils-ping", &["ping"]),
    ("dnsutils", &["nslookup", "dig", "host"]),
    ("bind9-dnsutils", &["nslookup", "dig", "host"]),
    ("bind-tools", &["nslookup", "dig", "host"]),
    ("bind-utils", &["nslookup", "dig", "host"]),
    ("netcat", &["nc"]),
    ("netcat-openbsd", &["nc"]),
    ("netcat-traditional", &["nc"]),
    ("bc", &["bc"]),
    ("bash", &["bash"]),
    ("coreutils", &[]),
    ("ca-certificates", &[]),
];

pub(crate) fn run(name: &str, arguments: &[&str], files: &mut Files<'_>) -> External {
    let mut words = arguments.iter().filter(|word| !word.starts_with('-'));
    let is_debian = name.starts_with("apt");
    match words.next().copied() {
        Some("update" | "upgrade" | "makecache") => {
            let said = if is_debian {
                "Reading package lists... Done\n"
            } else {
                "OK: simulated package index\n"
            };
            crate::inside::done(said, 0)
        }
        Some("install" | "add") => install(is_debian, &words.copied().collect::<Vec<_>>(), files),
        Some("remove" | "purge" | "del" | "clean" | "autoremove") => crate::inside::done("", 0),
        _ => crate::inside::done(format!("{name} (simulated): update, install\n"), 1),
    }
}

fn install(is_debian: bool, wanted: &[&str], files: &mut Files<'_>) -> External {
    let mut said = String::new();
    if is_debian {
        said += "Reading package lists... Done\nBuilding dependency tree... Done\n";
    }
    for package in wanted {
        let known = PACKAGES.iter().find(|(name, _)| name == package);
        let tools: Vec<&str> = match known {
            Some((_, tools)) => tools.to_vec(),
            None if posix::tool_names().any(|tool| tool == *package) => vec![package],
            None => {
                let stderr = if is_debian {
                    format!("E: Unable to locate package {package}\n")
                } else {
                    format!("ERROR: unable to select packages:\n  {package} (no such package)\n")
                };
                return External::Done(Done {
                    stdout: said.into_bytes(),
                    stderr: stderr.into_bytes(),
                    status: if is_debian { 100 } else { 1 },
                });
            }
        };
        for tool in tools {
            if files
                .install_program(&format!("/usr/bin/{tool}"), tool)
                .is_err()
            {
                return External::Done(Done {
                    stdout: said.into_bytes(),
                    stderr: b"E: Could not open lock file - open (13: Permission denied)\n"
                        .to_vec(),
                    status: 100,
                });
            }
        }
        said += &if is_debian {
            format!("Setting up {package} ...\n")
        } else {
            format!("Installing {package}\n")
        };
    }
    if !is_debian {
        said += "OK: simulated\n";
    }
    crate::inside::done(said, 0)
}
