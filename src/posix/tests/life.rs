//! How a system lives: time, clones, limits, signals, files shared between containers, the terminal.

use posix::*;
use std::collections::BTreeMap;

struct Machine {
    system: System,
    disk: Disk,
    host: QuietHost,
    out: String,
    ended: BTreeMap<Pid, i32>,
    signals: Vec<(Pid, Signal)>,
}

fn busybox() -> std::sync::Arc<Tree> {
    standard_root(&ImageFiles {
        flavour: Flavour::Busybox,
        os_release: "",
        programs: &["server"],
        has_tools: true,
    })
    .freeze()
}

fn env() -> Env {
    Env::from([("PATH".into(), "/bin:/usr/bin".into())])
}

fn spawn(argv: &[&str]) -> Spawn {
    Spawn {
        argv: argv.iter().map(|a| a.to_string()).collect(),
        env: env(),
        cwd: "/".into(),
        user: User::root(),
        channel: Channel(0),
        tty: false,
        stdin: false,
    }
}

impl Machine {
    fn new() -> Machine {
        let mut disk = Disk::default();
        disk.insert(VolumeId(1), Volume::over(busybox()));
        Machine {
            system: System::new(Mounts::new(VolumeId(1)), Flavour::Busybox),
            disk,
            host: QuietHost::default(),
            out: String::new(),
            ended: BTreeMap::new(),
            signals: Vec::new(),
        }
    }

    fn start(argv: &[&str]) -> Machine {
        let mut machine = Machine::new();
        machine.system.spawn(spawn(argv), &machine.host);
        machine
    }

    fn drain(&mut self) {
        for output in self.system.take_output() {
            self.out.push_str(&String::from_utf8_lossy(&output.bytes));
        }
        for event in self.system.take_events() {
            match event {
                Event::Ended { pid, ending } => {
                    self.ended.insert(pid, ending.status());
                }
                Event::Signal { pid, signal } => self.signals.push((pid, signal)),
                _ => {}
            }
        }
    }

    /// Runs until nothing is left to do before a moment so many seconds from now.
    fn advance(&mut self, seconds: i64) {
        let until = self.host.now + seconds * 1_000_000;
        for _ in 0..200_000 {
            let poll = self.system.step(&mut self.disk, &mut self.host, 10_000);
            self.drain();
            match poll {
                Poll::Busy => self.host.now += 1_000,
                Poll::Until(t) if t <= until => self.host.now = self.host.now.max(t),
                _ => break,
            }
            if self.host.now >= until {
                break;
            }
        }
        self.host.now = self.host.now.max(until);
    }
}

#[test]
fn a_loop_of_an_hour_prints_a_line_a_second() {
    let mut m = Machine::start(&["sh", "-c", "while true; do date; sleep 1; done"]);
    m.advance(3_600);
    assert_eq!(m.out.lines().count(), 3_600);
    assert!(
        m.out
            .starts_with("Wed Apr  1 00:00:00 UTC 2026\nWed Apr  1 00:00:01 UTC 2026\n")
    );
    assert!(m.system.processes().len() <= 2);
}

#[test]
fn a_clone_in_the_middle_goes_on_identically() {
    let script = "i=0; while [ $i -lt 50 ]; do echo \"$i $(date +%s) $RANDOM\" | tee -a /tmp/log | sed 's/^/> /'; \
                  i=$((i+1)); sleep 1.5 & wait; done; head -c 4 /dev/urandom | od -An -tx1; wc -l /tmp/log";
    let mut original = Machine::start(&["sh", "-c", script]);
    for steps in [1, 7, 100, 333, 1_000] {
        for _ in 0..5 {
            if let Poll::Until(t) =
                original
                    .system
                    .step(&mut original.disk, &mut original.host, steps)
            {
                original.host.now = t;
            }
        }
        let mut copy = Machine {
            system: original.system.clone(),
            disk: original.disk.clone(),
            host: original.host.clone(),
            out: original.out.clone(),
            ended: original.ended.clone(),
            signals: Vec::new(),
        };
        let mut same = Machine {
            system: original.system.clone(),
            disk: original.disk.clone(),
            host: original.host.clone(),
            out: original.out.clone(),
            ended: original.ended.clone(),
            signals: Vec::new(),
        };
        copy.advance(200);
        same.advance(200);
        assert_eq!(copy.out, same.out);
        assert_eq!(copy.ended.get(&1), Some(&0));
        assert_eq!(format!("{:?}", copy.disk), format!("{:?}", same.disk));
    }
}

#[test]
fn runaway_scripts_stay_bounded() {
    let scripts = [
        "while true; do :; done",
        "while :; do echo flood; done",
        "f() { f; }; f",
        "f() { f | f & }; f",
        "x=x; while :; do x=$x$x; done",
        "while :; do sleep 100 & done",
        "yes",
        "yes > /tmp/full",
        "cat /dev/zero > /tmp/zero",
        "eval \"$(yes '(' | head -2000)\"",
        "trap 'kill -USR1 $$' USR1; kill -USR1 $$; while :; do :; done",
        "a=a; a=$((a)); echo $a; while read x; do :; done < /dev/zero",
        "awk 'BEGIN { while (1) x = x \"x\" }'",
        "sed ':a;s/^/x/;ba' /etc/passwd",
        "seq 1 999999999 | sort | wc -l",
        "printf '%1000000000d' 1 | wc -c",
        "find / -exec cat {} + | wc -l > /dev/null",
        "echo {1..100000000} | wc -w",
    ];
    for script in scripts {
        let mut m = Machine::start(&["bash", "-c", script]);
        m.system.flavour = Flavour::Gnu;
        m.disk
            .volume_mut(VolumeId(1))
            .expect("the root is there")
            .program("/bin/bash", "bash")
            .expect("it fits");
        for _ in 0..300 {
            let poll = m.system.step(&mut m.disk, &mut m.host, 2_000);
            m.system.take_output();
            m.host.now += 10_000;
            if poll == Poll::Done {
                break;
            }
        }
        assert!(m.system.processes().len() <= 512, "{script}");
        let used = m.disk.volume(VolumeId(1)).map_or(0, |v| v.used_bytes());
        assert!(used <= 64 << 20, "{script}: {used} bytes");
    }
}

#[test]
fn output_that_is_not_taken_stops_the_writer() {
    let mut m = Machine::start(&["sh", "-c", "yes | head -c 10000000"]);
    for _ in 0..1_000 {
        m.system.step(&mut m.disk, &mut m.host, 10_000);
    }
    let held: usize = m.system.take_output().iter().map(|o| o.bytes.len()).sum();
    assert!((1 << 20..3 << 20).contains(&held), "{held}");
}

#[test]
fn the_first_process_survives_term_unless_it_traps_it() {
    let mut m = Machine::start(&["sleep", "3600"]);
    m.advance(1);
    m.system.signal(1, Signal::TERM);
    m.advance(1);
    assert!(m.system.is_alive(1));
    m.system.signal(1, Signal::KILL);
    m.advance(1);
    assert_eq!(m.ended.get(&1), Some(&137));

    let mut m = Machine::start(&[
        "sh",
        "-c",
        "trap 'echo stopping; exit 0' TERM; sleep 3600 & wait",
    ]);
    m.advance(1);
    m.system.signal(1, Signal::TERM);
    m.advance(1);
    assert_eq!((m.out.as_str(), m.ended.get(&1)), ("stopping\n", Some(&0)));
    assert!(m.system.processes().is_empty(), "its children end with it");
}

#[test]
fn exec_sessions_share_the_container() {
    let mut m = Machine::start(&["sh", "-c", "echo hello > /tmp/f; sleep 3600"]);
    m.advance(1);
    let mut exec = spawn(&["cat", "/tmp/f", "-"]);
    exec.channel = Channel(7);
    exec.stdin = true;
    let pid = m.system.spawn(exec, &m.host);
    m.system.feed(Channel(7), b"typed\n");
    m.advance(1);
    assert_eq!(m.out, "hello\ntyped\n");
    m.system.close_input(Channel(7));
    m.advance(1);
    assert_eq!(m.ended.get(&pid), Some(&0));
    let missing = m.system.spawn(spawn(&["nosuch"]), &m.host);
    m.advance(1);
    assert_eq!(m.ended.get(&missing), Some(&127));
    assert_eq!(
        m.system
            .can_start("nosuch", &env(), "/", &User::root(), &mut m.disk),
        Err(StartError::NotInPath)
    );
}

#[test]
fn a_shell_on_standard_input_runs_lines_as_they_come() {
    let mut m = Machine::new();
    let mut shell = spawn(&["sh"]);
    shell.stdin = true;
    let pid = m.system.spawn(shell, &m.host);
    m.system.feed(Channel(0), b"x=5\necho $x\nif true; ");
    m.advance(1);
    assert_eq!(m.out, "5\n");
    m.system.feed(
        Channel(0),
        b"then echo yes\nfi\nread y\nthis line is read\necho \"[$y]\"; exit 4\n",
    );
    m.advance(1);
    assert_eq!(m.out, "5\nyes\n[this line is read]\n");
    assert_eq!(m.ended.get(&pid), Some(&4));
}

#[test]
fn volumes_are_shared_and_read_only_mounts_refuse() {
    let mut disk = Disk::default();
    for id in [1, 2] {
        disk.insert(VolumeId(id), Volume::over(busybox()));
    }
    disk.insert(VolumeId(10), Volume::new().limit(1_000));
    let mut config = Volume::new();
    config
        .write("..v1/color", "red", Meta::default())
        .and_then(|_| config.symlink("..data", "..v1", Meta::default()))
        .and_then(|_| config.symlink("color", "..data/color", Meta::default()))
        .expect("it fits");
    disk.insert(VolumeId(11), config);
    let mut run = |root: u64, script: &str| {
        let mut mounts = Mounts::new(VolumeId(root));
        mounts
            .mount(&mut disk, "/data", VolumeId(10), "", false)
            .and_then(|()| mounts.mount(&mut disk, "/etc/config", VolumeId(11), "", true))
            .and_then(|()| {
                mounts.mount(
                    &mut disk,
                    "/etc/color.txt",
                    VolumeId(11),
                    "..v1/color",
                    true,
                )
            })
            .expect("the mount points can be made");
        let mut system = System::new(mounts, Flavour::Busybox);
        let mut host = QuietHost::default();
        system.spawn(spawn(&["sh", "-c", script]), &host);
        system.step(&mut disk, &mut host, 100_000);
        let out: Vec<u8> = system
            .take_output()
            .into_iter()
            .flat_map(|o| o.bytes)
            .collect();
        String::from_utf8(out).expect("the output is text")
    };
    assert_eq!(
        run(1, "echo from one > /data/f; ls /data /etc/config"),
        "/data:\nf\n\n/etc/config:\ncolor\n"
    );
    assert_eq!(
        run(
            2,
            "cat /data/f /etc/config/color /etc/color.txt; echo; echo x > /etc/config/y; rm /etc/config/color; touch /data/ok && ls /data"
        ),
        "from one\nredred\nsh: can't create /etc/config/y: Read-only file system\n\
         rm: can't remove '/etc/config/color': Read-only file system\nf\nok\n"
    );
    assert_eq!(
        run(2, "seq 1000 > /data/big; echo $?"),
        "seq: write error: No space left on device\n1\n"
    );
}

#[test]
fn users_without_rights_are_refused() {
    let mut m = Machine::new();
    let mut shell = spawn(&[
        "sh",
        "-c",
        "id -u; echo x > /etc/x; cat /root/f; echo ok > /tmp/mine; ls -l /tmp | tail -1 | cut -c1-10",
    ]);
    shell.user = User {
        uid: 1000,
        gid: 1000,
        groups: vec![2000],
    };
    m.system.spawn(shell, &m.host);
    m.advance(1);
    assert_eq!(
        m.out,
        "1000\nsh: can't create /etc/x: Permission denied\ncat: can't open '/root/f': Permission denied\n-rw-r--r--\n"
    );
}

/// A host with a program that runs on, one that needs input, and one that asks the network.
struct World(QuietHost);

impl Host for World {
    fn now(&self) -> i64 {
        self.0.now
    }

    fn random(&mut self) -> u64 {
        self.0.random()
    }

    fn external(&mut self, call: &Call, files: &mut Files<'_>) -> External {
        match (&*call.argv[0], &call.stdin) {
            ("server", _) => External::Running {
                catches_signals: true,
            },
            ("apply", None) => External::NeedInput,
            ("apply", Some(text)) => External::Done(Done {
                stdout: format!("{} bytes in {}\n", text.len(), call.cwd).into_bytes(),
                status: !files.exists("/tmp") as i32,
                ..Done::default()
            }),
            _ => External::NotFound,
        }
    }

    fn request(&mut self, _: Pid, request: &Request) -> Option<Reply> {
        match request {
            Request::Lookup { .. } => None,
            Request::Http(http) => Some(Reply::Http {
                peer: "10.0.0.1".into(),
                status: 200,
                reason: "OK".into(),
                headers: vec![("Server".into(), "test".into())],
                body: format!("{} {}\n", http.method, http.url).into_bytes(),
            }),
            _ => Some(Reply::Failed(NetError::Refused {
                peer: "10.0.0.2".into(),
            })),
        }
    }
}

#[test]
fn programs_and_networks_of_the_host_are_waited_for() {
    let mut disk = Disk::default();
    disk.insert(VolumeId(1), Volume::over(busybox()));
    let mut host = World(QuietHost::default());
    let mut system = System::new(Mounts::new(VolumeId(1)), Flavour::Gnu);
    system.set_next_pid(10);
    let script = "printf abc | apply; apply <<EOF\nhere\nEOF\nwget -qO- http://web/x; nc -vz db 5432; nslookup web; \
                  server | cat; echo \"status $?\"";
    system.spawn(spawn(&["sh", "-c", script]), &host);
    let text = |system: &mut System| -> String {
        let bytes: Vec<u8> = system
            .take_output()
            .into_iter()
            .flat_map(|o| o.bytes)
            .collect();
        String::from_utf8(bytes).expect("the output is text")
    };
    assert_eq!(system.step(&mut disk, &mut host, 100_000), Poll::Waiting);
    assert_eq!(
        text(&mut system),
        "3 bytes in /\n5 bytes in /\nGET http://web/x\n\
         nc: connect to db (10.0.0.2) port 5432 (tcp) failed: Connection refused\n"
    );
    let asker = system.processes().last().expect("nslookup waits").pid;
    let record = Record {
        name: "web.default.svc.cluster.local".into(),
        kind: RecordKind::Address,
        value: "10.96.0.10".into(),
    };
    system.reply(
        asker,
        Reply::Records {
            server: "10.96.0.2".into(),
            name: record.name.clone(),
            records: vec![record],
        },
    );
    assert_eq!(system.step(&mut disk, &mut host, 100_000), Poll::Waiting);
    assert!(
        text(&mut system).contains("Name:\tweb.default.svc.cluster.local\nAddress: 10.96.0.10\n")
    );
    let server = system
        .processes()
        .iter()
        .find(|p| &*p.argv[0] == "server")
        .expect("the server runs")
        .pid;
    system.deliver(server, Stream::Stdout, b"listening\n");
    system.step(&mut disk, &mut host, 1_000);
    assert_eq!(text(&mut system), "listening\n");
    system.signal(server, Signal::TERM);
    assert!(system.take_events().contains(&Event::Signal {
        pid: server,
        signal: Signal::TERM
    }));
    system.finish(server, 0);
    assert_eq!(system.step(&mut disk, &mut host, 1_000), Poll::Done);
    assert_eq!(text(&mut system), "status 0\n");
}

#[test]
fn the_terminal_gathers_lines_and_keeps_its_state() {
    let mut disk = Disk::default();
    let root = standard_root(&ImageFiles {
        flavour: Flavour::Gnu,
        os_release: "",
        programs: &[],
        has_tools: true,
    });
    disk.insert(VolumeId(1), root);
    let mut host = QuietHost::default();
    let mut terminal = Terminal::new(
        Mounts::new(VolumeId(1)),
        Flavour::Gnu,
        env(),
        "/root",
        false,
        &mut host,
    );
    let mut say = |t: &mut Terminal, host: &mut QuietHost, line: &str| -> String {
        match t.line(line) {
            LineResult::Incomplete => return "...".into(),
            LineResult::Refused => return "refused".into(),
            LineResult::Running => {}
        }
        for _ in 0..100 {
            match t.settle(&mut disk, host, 10_000) {
                Poll::Until(at) if t.is_busy() => host.now = at,
                _ if !t.is_busy() => break,
                _ => {}
            }
        }
        let bytes: Vec<u8> = t
            .system
            .take_output()
            .into_iter()
            .flat_map(|o| o.bytes)
            .collect();
        String::from_utf8(bytes).expect("the output is text")
    };
    let t = &mut terminal;
    assert_eq!(
        say(t, &mut host, "x=1; cd /tmp; alias k='echo kubectl'"),
        ""
    );
    assert_eq!(say(t, &mut host, "cat <<EOF"), "...");
    assert_eq!(say(t, &mut host, "value $x"), "...");
    assert_eq!(say(t, &mut host, "EOF"), "value 1\n");
    assert_eq!(say(t, &mut host, "for i in 1 2; do"), "...");
    assert_eq!(say(t, &mut host, "k $i; done"), "kubectl 1\nkubectl 2\n");
    assert_eq!(say(t, &mut host, "echo 'open"), "...");
    assert_eq!(say(t, &mut host, "quote' \\"), "...");
    assert_eq!(say(t, &mut host, "more"), "open\nquote more\n");
    assert_eq!(
        say(t, &mut host, "nosuch"),
        "bash: nosuch: command not found\n"
    );
    assert_eq!((t.status(), t.cwd().as_str()), (127, "/tmp"));
    assert_eq!(
        say(t, &mut host, "echo a; fi; echo b"),
        "bash: syntax error near unexpected token `fi'\nbash: `echo a; fi; echo b'\n"
    );
    assert_eq!(t.variable("x").as_deref(), Some("1"));
    assert_eq!(t.line("sleep 100"), LineResult::Running);
    terminal.settle(&mut disk, &mut host, 10_000);
    assert!(terminal.is_busy());
    terminal.interrupt();
    terminal.settle(&mut disk, &mut host, 10_000);
    assert_eq!((terminal.is_busy(), terminal.status()), (false, 130));
}
