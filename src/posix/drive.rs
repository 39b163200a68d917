//! Runs scripts to their end with time that jumps: for tests, benchmarks and one-shot commands.

use crate::files::{Disk, Mounts, User, Volume, VolumeId};
use crate::host::Host;
use crate::image::{ImageFiles, standard_root};
use crate::shell::Env;
use crate::system::{Channel, Event, Flavour, Poll, Spawn, Stream, System};

/// A host with a clock and a generator and nothing else.
#[derive(Clone, Debug)]
pub struct QuietHost {
    pub now: i64,
    pub random: u64,
}

impl Default for QuietHost {
    fn default() -> Self {
        QuietHost {
            // 2026-04-01 00:00:00 UTC, so that dates in tests are readable.
            now: 1_775_001_600_000_000,
            random: 1,
        }
    }
}

impl Host for QuietHost {
    fn now(&self) -> i64 {
        self.now
    }

    fn random(&mut self) -> u64 {
        // Sebastiano Vigna's SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What came of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    pub stdout: String,
    pub stderr: String,
    /// The exit status; `None` if it had not ended after the given time.
    pub status: Option<i32>,
    /// Virtual time it took, in microseconds.
    pub micros: i64,
}

/// Runs a script with bash and GNU tools over the given volume's files (mounted at `/work`), for at most one day of
/// virtual time.
pub fn run_script(script: &str, files: Volume) -> Finished {
    run_script_as("bash", Flavour::Gnu, script, files)
}

/// The same with a shell and family of tools of choice.
pub fn run_script_as(shell: &str, flavour: Flavour, script: &str, files: Volume) -> Finished {
    let mut host = QuietHost::default();
    let mut disk = Disk::default();
    let image = ImageFiles {
        flavour,
        os_release: "NAME=test\n",
        programs: &["bash", "jq"],
        has_tools: true,
    };
    disk.insert(VolumeId(1), standard_root(&image));
    disk.insert(VolumeId(2), files);
    let mut mounts = Mounts::new(VolumeId(1));
    mounts
        .mount(&mut disk, "/work", VolumeId(2), "", false)
        .expect("a fresh root has room for a mount point");
    let mut system = System::new(mounts, flavour);
    // An ordinary process, not the first of a container.
    system.set_next_pid(100);
    let argv = [shell, "-c", script].map(String::from).to_vec();
    let env = Env::from([
        ("HOME".into(), "/root".into()),
        ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
    ]);
    let pid = system.spawn(
        Spawn {
            argv,
            env,
            cwd: "/work".into(),
            user: User::root(),
            channel: Channel(0),
            tty: false,
            stdin: false,
        },
        &host,
    );
    let start = host.now;
    let day = 86_400_000_000;
    let mut finished = Finished::default();
    let mut busy = 0;
    loop {
        let poll = system.step(&mut disk, &mut host, 10_000);
        for output in system.take_output() {
            let text = String::from_utf8_lossy(&output.bytes);
            match output.stream {
                Stream::Stdout => finished.stdout.push_str(&text),
                Stream::Stderr => finished.stderr.push_str(&text),
            }
        }
        for event in system.take_events() {
            if let Event::Ended { pid: ended, ending } = event
                && ended == pid
            {
                finished.status = Some(ending.status());
            }
        }
        finished.micros = host.now - start;
        match poll {
            Poll::Busy if busy < 2_000 => {
                busy += 1;
                // What runs takes time, so that a busy loop sees the clock move.
                host.now += 1_000;
            }
            Poll::Until(t) if t - start <= day => host.now = t.max(host.now),
            _ => return finished,
        }
        if finished.status.is_some() {
            return finished;
        }
    }
}
