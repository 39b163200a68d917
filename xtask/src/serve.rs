//! `cargo xtask serve`: the page at a local address, from a small file server that knows the types a browser insists on.

use crate::page::{self, POLICY};
use crate::report::Failure;
use crate::run::{self, find, shown};
use crate::tools::{self, root};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) fn command(args: &[&str]) -> Result<(), Failure> {
    let mut port = 8080;
    let (mut open, mut dev) = (true, false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--no-open" => open = false,
            "--dev" => dev = true,
            "--port" => {
                port = args
                    .next()
                    .and_then(|word| word.parse().ok())
                    .ok_or_else(|| {
                        Failure::new("--port").why("it wants a number from 0 to 65535")
                    })?
            }
            other => {
                return Err(Failure::new(format!("unknown option `{other}`"))
                    .hint("cargo xtask serve [--port P] [--no-open] [--dev]"));
            }
        }
    }
    let tools = tools::setup()?;
    if dev {
        let mut trunk = tools.command("trunk");
        trunk.current_dir(root()).args([
            "serve",
            "--offline",
            "--skip-version-check",
            "--port",
            &port.to_string(),
            "--dist",
        ]);
        // Not into dist/: an unoptimised build must not pass for a release.
        trunk.arg(page::serve_folder().with_file_name("page-dev"));
        trunk.env_remove("NO_COLOR");
        return shown(if open {
            trunk.arg("--open")
        } else {
            &mut trunk
        });
    }
    // Taken before the build: a port in use is told at once.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        Failure::new(format!("listen on 127.0.0.1:{port}"))
            .why(error.to_string())
            .hint("take another with --port P (0 takes any)")
    })?;
    let folder = page::serve_folder();
    page::build(&tools, &folder)?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    let address = format!("http://127.0.0.1:{port}/");
    println!("\nThe page is at {address} (Ctrl+C ends it)");
    if open {
        show(&address);
    }
    for stream in listener.incoming().flatten() {
        let folder = folder.clone();
        std::thread::spawn(move || {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = answer(&stream, &folder);
        });
    }
    Ok(())
}

/// Opens a browser if there is one; its absence is no error.
fn show(address: &str) {
    let is_there = |name: &&&str| find(name).is_some();
    let has_screen = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some())
        || find("wslview").is_some();
    match ["wslview", "xdg-open", "open"].iter().find(is_there) {
        Some(opener) if has_screen => drop(start_quietly(opener, address)),
        _ => println!("(no browser was found to open it in)"),
    }
}

fn start_quietly(opener: &str, address: &str) -> std::io::Result<std::process::Child> {
    use std::process::Stdio;
    run::command(opener)
        .arg(address)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// One request, one response, then the connection is closed.
fn answer(mut stream: &TcpStream, folder: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let mut words = request.split(' ');
    let (method, address) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (status, kind, body) = match file(folder, address) {
        _ if method != "GET" && method != "HEAD" => (
            "405 Method Not Allowed",
            "text/plain",
            b"only GET\n".to_vec(),
        ),
        Some(path) => match std::fs::read(&path) {
            Ok(bytes) => ("200 OK", media_type(&path), bytes),
            Err(_) => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
        },
        None => ("404 Not Found", "text/plain", b"not found\n".to_vec()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\ncache-control: no-cache\r\ncontent-security-policy: {POLICY}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The file an address names, if it lies in the folder. Our files have plain names: nothing is percent-decoded.
fn file(folder: &Path, address: &str) -> Option<PathBuf> {
    let path = address.split(['?', '#']).next()?.strip_prefix('/')?;
    let is_plain = !path.starts_with('/')
        && path
            .split('/')
            .all(|part| !part.starts_with('.') && !part.contains('\\'));
    let path = if path.is_empty() || path.ends_with('/') {
        format!("{path}index.html")
    } else {
        path.to_owned()
    };
    is_plain.then(|| folder.join(path))
}

fn media_type(path: &Path) -> &'static str {
    match path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
    {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "md" | "txt" | "yaml" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_never_leave_the_folder() {
        let at = |address| file(Path::new("dist"), address).map(|path| path.display().to_string());
        assert_eq!(at("/"), Some("dist/index.html".into()));
        assert_eq!(at("/a/b.js?v=1"), Some("dist/a/b.js".into()));
        assert_eq!(at("/../Cargo.toml"), None);
        assert_eq!(at("/a/../../x"), None);
        assert_eq!(at("//etc/passwd"), None);
    }
}
