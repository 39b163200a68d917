//! One scripted run, boiled down to a number that must be the same natively and in wasm.
//!
//! It is no test by itself: `cargo xtask test seeds` asks the command line and the built page for the same seeds and compares.

use playground::{Command, Options, Playground};

/// What the user does, by the second of virtual time.
const SCRIPT: &[(u64, &str)] = &[
    (
        10,
        "kubectl create deployment web --image=nginx:1.14.2 --replicas=3",
    ),
    (30, "kubectl scale deployment/web --replicas=5"),
    (50, "kubectl set image deployment/web nginx=nginx:1.16.1"),
    (90, "kubectl delete pod --selector=app=web --wait=false"),
    (120, "kubectl get pods --output=wide"),
];
const END_SECS: u64 = 150;

/// The digest of everything that this script shows under `seed`, as sixteen hexadecimal digits.
pub fn trace_hash(seed: u64) -> String {
    let mut playground = Playground::new(Options {
        seed,
        ..Options::default()
    });
    let mut digest = Digest::default();
    for (secs, line) in SCRIPT {
        pass(&mut playground, *secs, &mut digest);
        playground.command(Command::Terminal {
            terminal: 0,
            line: (*line).to_owned(),
        });
    }
    pass(&mut playground, END_SECS, &mut digest);
    format!("{:016x}", digest.0)
}

/// In slices, as a page does, so that the budget's edges are part of what is compared.
fn pass(playground: &mut Playground, secs: u64, digest: &mut Digest) {
    while !playground.advance(secs * 1_000_000, 100).reached {
        take(playground, digest);
    }
    take(playground, digest);
}

fn take(playground: &mut Playground, digest: &mut Digest) {
    for update in playground.updates() {
        digest.take(&serde_json::to_vec(&update).expect("an update is plain data with text keys"));
    }
}

/// FNV-1a over bytes: no word size, no order of a hash map.
struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
