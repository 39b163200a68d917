//! The files every Linux image has, so that a container is made in one call.

use crate::files::{Body, Device, Meta, Volume};
use crate::system::Flavour;
use crate::tools;

/// What to put into an image's root.
#[derive(Clone, Copy, Debug)]
pub struct ImageFiles<'a> {
    pub flavour: Flavour,
    /// Contents of `/etc/os-release`.
    pub os_release: &'a str,
    /// Tools and host programs for `/bin` beyond those every image of the flavour has.
    pub programs: &'a [&'a str],
    /// The image has a shell and core tools at all (not distroless).
    pub has_tools: bool,
}

/// Tools that a GNU image does not bring along.
const NOT_IN_GNU: [&str; 10] = [
    "ash", "busybox", "curl", "dig", "jq", "nc", "nslookup", "ping", "wget", "bc",
];

/// Tools that busybox does not have.
const NOT_IN_BUSYBOX: [&str; 6] = ["bash", "curl", "dash", "dig", "jq", "bc"];

/// A root file system with devices, accounts, temporary directories and tools.
pub fn standard_root(image: &ImageFiles<'_>) -> Volume {
    let mut root = Volume::new();
    let dir = |mode| Meta {
        mode,
        ..Meta::default()
    };
    let never = "a fresh volume has room and no clashes";
    for path in [
        "bin",
        "dev",
        "etc",
        "home",
        "lib",
        "mnt",
        "opt",
        "proc",
        "run",
        "sbin",
        "srv",
        "sys",
        "usr/bin",
        "usr/local/bin",
        "usr/sbin",
        "var/lib",
        "var/log",
    ] {
        root.make_dirs(path, dir(0o755)).expect(never);
    }
    root.make_dirs("root", dir(0o700)).expect(never);
    root.make_dirs("tmp", dir(0o1777)).expect(never);
    root.make_dirs("var/tmp", dir(0o1777)).expect(never);
    root.symlink("var/run", "/run", dir(0o777)).expect(never);
    let devices = [
        ("null", Device::Null),
        ("zero", Device::Zero),
        ("full", Device::Full),
        ("random", Device::Random),
        ("urandom", Device::Random),
        ("stdin", Device::Descriptor(0)),
        ("stdout", Device::Descriptor(1)),
        ("stderr", Device::Descriptor(2)),
        ("tty", Device::Descriptor(0)),
    ];
    for (name, device) in devices {
        root.put(&format!("dev/{name}"), Body::Device(device), dir(0o666))
            .expect(never);
    }
    root.make_dirs("dev/shm", dir(0o1777)).expect(never);
    let shell = match image.flavour {
        Flavour::Busybox => "/bin/sh",
        Flavour::Gnu => "/bin/bash",
    };
    let passwd = format!(
        "root:x:0:0:root:/root:{shell}\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
         www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    );
    let group = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n";
    for (path, text) in [
        ("etc/passwd", passwd.as_str()),
        ("etc/group", group),
        ("etc/os-release", image.os_release),
    ] {
        root.write(path, text, Meta::default()).expect(never);
    }
    if image.has_tools {
        for name in tools::names().chain(["sh", "bash", "ash", "dash", "busybox"]) {
            let missing = match image.flavour {
                Flavour::Busybox => NOT_IN_BUSYBOX.contains(&name),
                Flavour::Gnu => NOT_IN_GNU.contains(&name),
            };
            if !missing {
                add_program(&mut root, image.flavour, name);
            }
        }
    }
    for name in image.programs {
        add_program(&mut root, image.flavour, name);
    }
    root
}

fn add_program(root: &mut Volume, flavour: Flavour, name: &str) {
    let dir = match flavour {
        Flavour::Busybox => "bin",
        Flavour::Gnu if matches!(name, "sh" | "bash" | "dash") => "bin",
        Flavour::Gnu => "usr/bin",
    };
    let path = if name.contains('/') {
        name.to_string()
    } else {
        format!("{dir}/{name}")
    };
    let program = name.rsplit('/').next().unwrap_or(name);
    root.program(&path, program)
        .expect("a fresh volume has room and no clashes");
    if flavour == Flavour::Gnu && dir == "usr/bin" && !name.contains('/') {
        // Merged /usr: scripts say /bin/cat and /usr/bin/env alike.
        let link = format!("bin/{name}");
        root.symlink(&link, &format!("/usr/bin/{name}"), Meta::default())
            .expect("a fresh volume has room and no clashes");
    } else if flavour == Flavour::Busybox && matches!(name, "env" | "printf" | "tail" | "bash") {
        let link = format!("usr/bin/{name}");
        root.symlink(&link, &format!("/bin/{name}"), Meta::default())
            .expect("a fresh volume has room and no clashes");
    }
}
