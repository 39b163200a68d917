//! What sleeping containers cost: `cost memory 20000` prints bytes each, `cost hour 10` runs a printing loop for so
//! many virtual hours (time it from outside).

use posix::*;

fn container(n: u64, disk: &mut Disk, base: &std::sync::Arc<Tree>, host: &QuietHost) -> System {
    disk.insert(VolumeId(n), Volume::over(base.clone()));
    let mut system = System::new(Mounts::new(VolumeId(n)), Flavour::Busybox);
    let env = Env::from([
        ("PATH".into(), "/bin".into()),
        ("HOSTNAME".into(), "pod".into()),
    ]);
    let script = std::env::var("SCRIPT").unwrap_or("while true; do date; sleep 1; done".into());
    let argv = vec!["sh".into(), "-c".into(), script];
    let spawn = Spawn {
        argv,
        env,
        cwd: "/".into(),
        user: User::root(),
        channel: Channel(0),
        tty: false,
        stdin: false,
    };
    system.spawn(spawn, host);
    system
}

/// Resident pages of this process, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let count: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut host = QuietHost::default();
    let mut disk = Disk::default();
    let base = standard_root(&ImageFiles {
        flavour: Flavour::Busybox,
        os_release: "",
        programs: &[],
        has_tools: true,
    })
    .freeze();
    if what == "memory" {
        let before = resident();
        let mut all = Vec::with_capacity(count as usize);
        for n in 0..count {
            let mut system = container(n, &mut disk, &base, &host);
            system.step(&mut disk, &mut host, 10_000);
            system.take_output();
            all.push(system);
        }
        println!("{} bytes each", (resident() - before) / count);
        println!(
            "{} of {} sleep",
            all.iter().filter(|s| !s.processes().is_empty()).count(),
            count
        );
        return;
    }
    let mut system = container(0, &mut disk, &base, &host);
    let end = host.now + count as i64 * 3_600_000_000;
    let mut bytes = 0;
    while host.now < end {
        let poll = system.step(&mut disk, &mut host, 10_000);
        bytes += system
            .take_output()
            .iter()
            .map(|o| o.bytes.len())
            .sum::<usize>();
        match poll {
            Poll::Until(t) => host.now = t,
            _ => break,
        }
    }
    println!("{bytes} bytes of output");
}
