//! `mkdir`, `touch`, `mktemp`, `truncate`, `dd`.

use super::super::{Context, Options, date, usage};
use super::{changed_mode, parsed};

pub(in super::super) fn mkdir(c: &mut Context<'_, '_>) -> i32 {
    let o = match parsed(
        c,
        "pv",
        "m",
        &[("parents", 'p'), ("mode=", 'm'), ("verbose", 'v')],
    ) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut status = 0;
    for path in &o.operands {
        let result = if o.has('p') {
            c.files().make_dirs(path)
        } else {
            c.files().make_dir(path.trim_end_matches('/'), 0o777)
        };
        if let Err(errno) = result {
            status = c.fail_as(
                1,
                format!("can't create directory '{path}': {errno}"),
                format!("cannot create directory '{path}': {errno}"),
            );
            continue;
        }
        if let Some(mode) = o.value('m').and_then(|m| changed_mode(m, 0o777, true)) {
            // The directory was just made by this user.
            let _ = c.files().chmod(path, mode);
        }
        if o.has('v') {
            c.line(&format!("mkdir: created directory '{path}'"));
        }
    }
    status
}

pub(in super::super) fn touch(c: &mut Context<'_, '_>) -> i32 {
    let long = [("no-create", 'c'), ("date=", 'd'), ("reference=", 'r')];
    let o = match parsed(c, "cam", "dtr", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let mut time = c.now();
    if let Some(text) = o.value('d').map(String::from) {
        match date::parse(&text, time) {
            Some(t) => time = t,
            None => return c.fail(1, &format!("invalid date format '{text}'")),
        }
    }
    if let Some(other) = o.value('r').map(String::from) {
        match c.files().stat(&other, true) {
            Ok(stat) => time = stat.meta.modified,
            Err(errno) => {
                return c.fail(
                    1,
                    &format!("failed to get attributes of '{other}': {errno}"),
                );
            }
        }
    }
    let mut status = 0;
    for path in &o.operands {
        let exists = c.files().exists(path);
        if !exists && o.has('c') {
            continue;
        }
        let result = if exists {
            c.files().touch(path, time)
        } else {
            c.files()
                .create(path)
                .and_then(|_| c.files().touch(path, time))
        };
        if let Err(errno) = result {
            status = c.fail_as(
                1,
                format!("{path}: {errno}"),
                format!("cannot touch '{path}': {errno}"),
            );
        }
    }
    status
}

pub(in super::super) fn mktemp(c: &mut Context<'_, '_>) -> i32 {
    let long = [
        ("directory", 'd'),
        ("tmpdir=", 'p'),
        ("dry-run", 'u'),
        ("quiet", 'q'),
    ];
    let o = match Options::parse(c, "duqt", "p", &long) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let dir = o
        .value('p')
        .or(c.var("TMPDIR"))
        .unwrap_or("/tmp")
        .to_string();
    let template = match o.operands.first() {
        Some(t) if o.has('t') || o.has('p') => format!("{dir}/{t}"),
        Some(t) => t.to_string(),
        None => format!("{dir}/tmp.XXXXXXXXXX"),
    };
    let count = template.len() - template.trim_end_matches('X').len();
    if count < 3 {
        return c.fail(1, &format!("too few X's in template '{template}'"));
    }
    let stem = &template[..template.len() - count];
    for _ in 0..20 {
        let mut random = c.k.host.random();
        let suffix: String = (0..count)
            .map(|_| {
                let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
                let letter = letters[(random % 62) as usize] as char;
                random = (random / 62) ^ random.rotate_left(17);
                letter
            })
            .collect();
        let path = format!("{stem}{suffix}");
        if c.files().exists(&path) {
            continue;
        }
        let result = if o.has('u') {
            Ok(())
        } else if o.has('d') {
            c.files().make_dir(&path, 0o700)
        } else {
            c.files()
                .create(&path)
                .and_then(|_| c.files().chmod(&path, 0o600))
        };
        return match result {
            Ok(()) => {
                c.line(&path);
                0
            }
            Err(errno) => {
                let what = if o.has('d') { "directory" } else { "file" };
                c.fail(
                    1,
                    &format!("failed to create {what} via template '{template}': {errno}"),
                )
            }
        };
    }
    1
}

pub(in super::super) fn truncate(c: &mut Context<'_, '_>) -> i32 {
    let o = match parsed(c, "c", "s", &[("size=", 's'), ("no-create", 'c')]) {
        Ok(o) => o,
        Err(status) => return status,
    };
    let Some(size) = o.value('s').and_then(usage::number_with_suffix) else {
        return c.fail(1, "you must specify either '--size' or '--reference'");
    };
    let mut status = 0;
    for path in &o.operands {
        let mut bytes = c.input(path).unwrap_or_default();
        // Larger than any file may be: the write below says so.
        bytes.resize(size.min(1 << 25) as usize, 0);
        if let Err(errno) = c.files().write(path, &bytes) {
            status = c.fail(1, &format!("cannot open '{path}' for writing: {errno}"));
        }
    }
    status
}

pub(in super::super) fn dd(c: &mut Context<'_, '_>) -> i32 {
    let (mut from, mut to) = ("-".to_string(), None);
    let (mut size, mut count, mut skip, mut quiet) = (512u64, None, 0u64, false);
    for arg in c.args() {
        let Some((key, value)) = arg.split_once('=') else {
            return c.fail(1, &format!("unrecognized operand '{arg}'"));
        };
        let number = usage::number_with_suffix(value);
        match (key, number) {
            ("if", _) => from = value.to_string(),
            ("of", _) => to = Some(value.to_string()),
            ("bs" | "ibs" | "obs", Some(n)) => size = n.max(1),
            ("count", Some(n)) => count = Some(n),
            ("skip", Some(n)) => skip = n,
            ("status", _) => quiet = value == "none",
            ("seek" | "conv" | "oflag" | "iflag", _) => {}
            _ => return c.fail(1, &format!("invalid number: '{value}'")),
        }
    }
    let endless = matches!(from.as_str(), "/dev/zero" | "/dev/urandom" | "/dev/random");
    let want = count.map(|n| n.saturating_mul(size));
    let bytes = if endless {
        // What does not fit into a file is not made.
        let total = want.unwrap_or(64 << 20).min(64 << 20) as usize;
        let mut bytes = vec![0; total];
        if from != "/dev/zero" {
            for chunk in bytes.chunks_mut(8) {
                let random = c.k.host.random().to_le_bytes();
                chunk.copy_from_slice(&random[..chunk.len()]);
            }
        }
        bytes
    } else {
        let all = match c.input(&from) {
            Ok(all) => all,
            Err(errno) => {
                return c.fail_as(
                    1,
                    format!("can't open '{from}': {errno}"),
                    format!("failed to open '{from}': {errno}"),
                );
            }
        };
        let start = (skip.saturating_mul(size) as usize).min(all.len());
        let end = want.map_or(all.len(), |n| {
            start.saturating_add(n as usize).min(all.len())
        });
        all[start..end].to_vec()
    };
    if c.wants_input {
        return 0;
    }
    let result = match &to {
        Some(path) => c.files().write(path, &bytes),
        None => {
            c.out.extend_from_slice(&bytes);
            Ok(())
        }
    };
    if let Err(errno) = result {
        let path = to.unwrap_or_default();
        return c.fail(1, &format!("error writing '{path}': {errno}"));
    }
    if !quiet {
        c.flush();
        let (whole, part) = (
            bytes.len() as u64 / size,
            !(bytes.len() as u64).is_multiple_of(size) as u64,
        );
        let text = format!(
            "{whole}+{part} records in\n{whole}+{part} records out\n{} bytes copied\n",
            bytes.len()
        );
        c.err.extend_from_slice(text.as_bytes());
    }
    0
}
