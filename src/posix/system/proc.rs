//! `/proc`: what the kernel tells of processes and of the machine, made when it is read.

use super::kernel::Kernel;
use super::process::Process;
use crate::files::Mount;
use crate::host::Pid;

impl Kernel<'_> {
    /// The content of a file under `/proc` that we know.
    pub(crate) fn proc_file(&mut self, p: &Process, path: &str) -> Option<String> {
        let rest = path.strip_prefix("/proc/")?;
        if self.files(p).exists(path) {
            return None;
        }
        let machine = self.host.machine();
        let (first, file) = rest.split_once('/').unwrap_or((rest, ""));
        let pid: Option<Pid> = match first {
            "self" | "thread-self" => Some(p.pid),
            other => other.parse().ok(),
        };
        // Every process of a container has the same view; its first one may be outside of this system.
        if pid.is_some() && file == "mounts" {
            return Some(self.mounts_text());
        }
        if pid == Some(1) && file == "maps" && self.sys.process_mut(1).is_none() {
            return Some(maps(""));
        }
        if let Some(pid) = pid {
            let (argv, parent, uid) = if pid == p.pid {
                (p.argv.clone(), p.parent, p.user.uid)
            } else {
                let other = self.sys.process_mut(pid)?;
                (other.argv.clone(), other.parent, other.user.uid)
            };
            let name = argv
                .first()
                .map_or("", |a| a.rsplit('/').next().unwrap_or(a));
            return Some(match file {
                "cmdline" => argv.iter().map(|a| format!("{a}\0")).collect(),
                "comm" => format!("{name}\n"),
                "status" => format!(
                    "Name:\t{name}\nState:\tS (sleeping)\nPid:\t{pid}\nPPid:\t{parent}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
                ),
                "cgroup" => "0::/\n".into(),
                "maps" => maps(argv.first().map_or("", |program| program)),
                _ => return None,
            });
        }
        Some(match rest {
            "uptime" => {
                let up = (self.now - machine.booted).max(0) / 10_000;
                format!(
                    "{}.{:02} {}.{:02}\n",
                    up / 100,
                    up % 100,
                    up / 100,
                    up % 100
                )
            }
            "loadavg" => format!(
                "0.00 0.00 0.00 1/{} {}\n",
                self.sys.processes.len() + 1,
                p.pid
            ),
            "meminfo" => {
                let (total, used) = (
                    machine.memory_bytes / 1024,
                    machine.memory_used_bytes / 1024,
                );
                format!(
                    "MemTotal:       {total:>8} kB\nMemFree:        {:>8} kB\nMemAvailable:   {:>8} kB\n",
                    total.saturating_sub(used),
                    total.saturating_sub(used)
                )
            }
            "cpuinfo" => (0..machine.cpus)
                .map(|i| format!("processor\t: {i}\nmodel name\t: Simulated CPU\n\n"))
                .collect(),
            "version" => format!("Linux version {} (simulated)\n", machine.kernel),
            "mounts" => self.mounts_text(),
            "sys/kernel/hostname" => format!("{}\n", self.host.hostname()),
            _ => return None,
        })
    }

    fn mounts_text(&self) -> String {
        let line = |m: &Mount| {
            let how = if m.read_only { "ro" } else { "rw" };
            format!("overlay {} overlay {how},relatime 0 0\n", m.at)
        };
        self.sys.mounts.iter().map(line).collect()
    }
}

/// The parts of memory that every process has.
fn maps(program: &str) -> String {
    let parts = [
        ("555555554000-55555557c000", "r-xp", program),
        ("55555557c000-55555559d000", "rw-p", "[heap]"),
        ("7ffffffde000-7ffffffff000", "rw-p", "[stack]"),
        ("7ffff7fc1000-7ffff7fc5000", "r--p", "[vvar]"),
        ("7ffff7fc5000-7ffff7fc7000", "r-xp", "[vdso]"),
    ];
    let shown = parts.iter().filter(|(_, _, what)| !what.is_empty());
    shown
        .map(|(range, rights, what)| format!("{range} {rights} 00000000 00:00 0    {what}\n"))
        .collect()
}
