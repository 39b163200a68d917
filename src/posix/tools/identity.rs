//! Who and where: `id`, `whoami`, `groups`, `hostname`, `uname`, `arch`, `nproc`, `uptime`, `free`, `tty`,
//! `printenv`, `logname`.

use super::{Context, Options};

/// A field of a line of `/etc/passwd` or `/etc/group`.
fn lookup(
    c: &mut Context<'_, '_>,
    file: &str,
    by: usize,
    key: &str,
    want: usize,
) -> Option<String> {
    let text = c.files().read(file).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines()
        .map(|l| l.split(':').collect::<Vec<_>>())
        .find(|f| f.get(by) == Some(&key))
        .and_then(|f| f.get(want).map(|s| s.to_string()))
}

pub(crate) fn user_name(c: &mut Context<'_, '_>, uid: u32) -> String {
    let id = uid.to_string();
    lookup(c, "/etc/passwd", 2, &id, 0).unwrap_or(id)
}

pub(crate) fn group_name(c: &mut Context<'_, '_>, gid: u32) -> String {
    let id = gid.to_string();
    lookup(c, "/etc/group", 2, &id, 0).unwrap_or(id)
}

pub(crate) fn uid_of(c: &mut Context<'_, '_>, user: &str) -> Option<u32> {
    lookup(c, "/etc/passwd", 0, user, 2)
        .and_then(|t| t.parse().ok())
        .or_else(|| user.parse().ok())
}

pub(crate) fn gid_of(c: &mut Context<'_, '_>, group: &str) -> Option<u32> {
    lookup(c, "/etc/group", 0, group, 2)
        .and_then(|t| t.parse().ok())
        .or_else(|| group.parse().ok())
}

pub(super) fn id(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("user", 'u'),
        ("group", 'g'),
        ("groups", 'G'),
        ("name", 'n'),
    ];
    let o = match Options::parse(c, "ugGnr", "", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let (mut uid, mut gid, mut groups) = (c.p.user.uid, c.p.user.gid, c.p.user.groups.clone());
    if let Some(user) = o.operands.first().cloned() {
        let Some(found) = uid_of(c, &user) else {
            return c.fail_as(
                1,
                format!("unknown user {user}"),
                format!("'{user}': no such user"),
            );
        };
        uid = found;
        gid = lookup(c, "/etc/passwd", 0, &user, 3)
            .and_then(|t| t.parse().ok())
            .unwrap_or(found);
        groups = Vec::new();
    }
    groups.retain(|g| *g != gid);
    groups.insert(0, gid);
    let named = |c: &mut Context<'_, '_>, id: u32, group: bool| {
        let name = if group {
            group_name(c, id)
        } else {
            user_name(c, id)
        };
        if name == id.to_string() {
            name
        } else {
            format!("{id}({name})")
        }
    };
    let text = if o.has('u') {
        if o.has('n') {
            user_name(c, uid)
        } else {
            uid.to_string()
        }
    } else if o.has('g') {
        if o.has('n') {
            group_name(c, gid)
        } else {
            gid.to_string()
        }
    } else if o.has('G') {
        let names: Vec<String> = groups
            .iter()
            .map(|g| {
                if o.has('n') {
                    group_name(c, *g)
                } else {
                    g.to_string()
                }
            })
            .collect();
        names.join(" ")
    } else {
        let list: Vec<String> = groups.iter().map(|g| named(c, *g, true)).collect();
        let user = named(c, uid, false);
        let group = named(c, gid, true);
        // busybox leaves out a list that says nothing new.
        let groups = format!(" groups={}", list.join(","));
        format!("uid={user} gid={group}{groups}")
    };
    c.line(&text);
    0
}

pub(super) fn whoami(c: &mut Context<'_, '_>) -> i32 {
    let uid = c.p.user.uid;
    let name = user_name(c, uid);
    if name == uid.to_string() {
        return c.fail_as(
            1,
            format!("unknown uid {uid}"),
            format!("cannot find name for user ID {uid}"),
        );
    }
    c.line(&name);
    0
}

pub(super) fn groups(c: &mut Context<'_, '_>) -> i32 {
    let mut all = vec![c.p.user.gid];
    all.extend(c.p.user.groups.clone());
    all.dedup();
    let names: Vec<String> = all.iter().map(|g| group_name(c, *g)).collect();
    c.line(&names.join(" "));
    0
}

pub(super) fn hostname(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(
        c,
        "sfdiIA",
        "F",
        &[("fqdn", 'f'), ("short", 's'), ("all-ip-addresses", 'I')],
    ) {
        Ok(o) => o,
        Err(status) => return status,
    };
    if !o.operands.is_empty() {
        return c.fail(1, "you must be root to change the host name");
    }
    let name = c.k.host.hostname();
    let text = if o.has('i') {
        c.k.host.machine().ip
    } else if o.has('I') {
        format!("{} ", c.k.host.machine().ip)
    } else if o.has('s') {
        name.split('.').next().unwrap_or("").to_string()
    } else if o.has('d') {
        name.split_once('.')
            .map_or(String::new(), |(_, d)| d.to_string())
    } else {
        name
    };
    c.line(&text);
    0
}

pub(super) fn uname(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("all", 'a'),
        ("kernel-name", 's'),
        ("nodename", 'n'),
        ("kernel-release", 'r'),
        ("kernel-version", 'v'),
        ("machine", 'm'),
        ("operating-system", 'o'),
    ];
    let o = match Options::parse(c, "asnrvmpio", "", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let machine = c.k.host.machine();
    let fields = [
        ('s', "Linux".to_string()),
        ('n', c.k.host.hostname()),
        ('r', machine.kernel.clone()),
        ('v', "#1 SMP PREEMPT_DYNAMIC".to_string()),
        ('m', machine.arch.clone()),
        (
            'o',
            if c.busybox() {
                "Linux".to_string()
            } else {
                "GNU/Linux".to_string()
            },
        ),
    ];
    let none = o.letters().next().is_none();
    let chosen: Vec<String> = fields
        .into_iter()
        .filter(|(letter, _)| o.has('a') || o.has(*letter) || none && *letter == 's')
        .map(|(_, text)| text)
        .collect();
    c.line(&chosen.join(" "));
    0
}

pub(super) fn arch(c: &mut Context<'_, '_>) -> i32 {
    let arch = c.k.host.machine().arch;
    c.line(&arch);
    0
}

pub(super) fn nproc(c: &mut Context<'_, '_>) -> i32 {
    let cpus = c.k.host.machine().cpus;
    c.line(&cpus.to_string());
    0
}

pub(super) fn uptime(c: &mut Context<'_, '_>) -> i32 {
    let up = (c.now() - c.k.host.machine().booted).max(0) / 1_000_000;
    let clock = super::date::format("%H:%M:%S", c.now());
    let days = match up / 86_400 {
        0 => String::new(),
        1 => "1 day, ".into(),
        n => format!("{n} days, "),
    };
    let time = match up % 86_400 / 60 {
        m if m < 60 => format!("{m} min"),
        m => format!("{:>2}:{:02}", m / 60, m % 60),
    };
    c.line(&format!(
        " {clock} up {days}{time},  0 users,  load average: 0.00, 0.00, 0.00"
    ));
    0
}

pub(super) fn free(c: &mut Context<'_, '_>) -> i32 {
    let o = match Options::parse(c, "bkmgh", "", &[("human", 'h')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let machine = c.k.host.machine();
    let (total, used) = (machine.memory_bytes, machine.memory_used_bytes);
    let show = |n: u64| {
        if o.has('h') {
            super::usage::human(n)
        } else {
            let shift = if o.has('b') {
                0
            } else if o.has('m') {
                20
            } else if o.has('g') {
                30
            } else {
                10
            };
            (n >> shift).to_string()
        }
    };
    let free = total.saturating_sub(used);
    c.line("               total        used        free      shared  buff/cache   available");
    c.line(&format!(
        "Mem:    {:>12}{:>12}{:>12}{:>12}{:>12}{:>12}",
        show(total),
        show(used),
        show(free),
        show(0),
        show(0),
        show(free)
    ));
    c.line(&format!(
        "Swap:   {:>12}{:>12}{:>12}",
        show(0),
        show(0),
        show(0)
    ));
    0
}

pub(super) fn tty(c: &mut Context<'_, '_>) -> i32 {
    let is_tty = c.p.fd(0).is_some_and(|open| c.k.sys.is_tty(open));
    c.line(if is_tty { "/dev/pts/0" } else { "not a tty" });
    !is_tty as i32
}

pub(super) fn printenv(c: &mut Context<'_, '_>) -> i32 {
    let args = c.args();
    let env = c.env.clone();
    if args.is_empty() {
        for (name, value) in env.iter() {
            c.line(&format!("{name}={value}"));
        }
        return 0;
    }
    let mut status = 0;
    for name in &args {
        match env.get(name) {
            Some(value) => c.line(value),
            None => status = 1,
        }
    }
    status
}
