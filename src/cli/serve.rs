//! `kubenkyo serve`: options in, the path of a kubeconfig out.

#![expect(
    clippy::disallowed_types,
    reason = "clients reckon with the clock on the wall"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use ::serve::{ClusterOptions, Options};

use super::args::{Args, CLUSTER_SWITCHES};

const VALUED: [&str; 8] = [
    "port",
    "address",
    "nodes",
    "windows",
    "seed",
    "speed",
    "start",
    "kubeconfig",
];

pub(super) fn run(words: &[&str]) -> ExitCode {
    let outcome = options(words).and_then(|options| {
        ::serve::run(options, |path| {
            println!("KUBECONFIG={}", path.display());
        })
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("kubenkyo serve: {why}");
            ExitCode::from(2)
        }
    }
}

fn options(words: &[&str]) -> Result<Options, String> {
    let args = Args::parse(words, &VALUED, CLUSTER_SWITCHES)?;
    if let Some(file) = args.file {
        return Err(format!("takes no file, {file:?} is one"));
    }
    let port = u16::try_from(args.number("port", 6443)?)
        .map_err(|_| "--port is at most 65535".to_owned())?;
    let speed: f64 = args.text("speed").map_or(Ok(1.0), |text| {
        text.parse()
            .ok()
            .filter(|speed| (0.001..=1_000_000.0).contains(speed))
            .ok_or_else(|| {
                format!("--speed wants a number between 0.001 and 1000000, not {text:?}")
            })
    })?;
    let address: IpAddr = args
        .text("address")
        .map_or(Ok(Ipv4Addr::LOCALHOST.into()), |text| {
            text.parse()
                .map_err(|_| format!("--address wants an IP address, not {text:?}"))
        })?;
    let start = match args.text("start") {
        Some(text) => sim::Time::parse_rfc3339(text).ok_or_else(|| {
            format!("--start wants a time such as 2026-01-01T00:00:00Z, not {text:?}")
        })?,
        None => now(),
    };
    Ok(Options {
        cluster: ClusterOptions {
            start,
            ..args.cluster()?
        },
        address,
        port,
        speed,
        kubeconfig: args.text("kubeconfig").map(Into::into),
        field_texts: super::texts::read(),
    })
}

/// Clients reckon ages with their own clock, so the cluster starts with it.
fn now() -> sim::Time {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    sim::Time(
        u64::try_from(since.as_micros())
            .unwrap_or_default()
            .saturating_sub(12_000_000),
    )
}
