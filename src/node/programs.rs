//! Programs of images that are not tools of a shell: servers that just run, interpreters for the few lines that the
//! documentation gives them.

use posix::{External, Files};

use crate::catalogue::Image;
use crate::inside::done;
use crate::packages;

const INTERPRETERS: &[&str] = &[
    "perl", "python", "python3", "python2", "node", "ruby", "java", "php", "npm", "go",
];

/// Runs a program of an image by its words.
pub(crate) fn run(image: &Image, words: &[&str], files: &mut Files<'_>) -> External {
    let name = words
        .first()
        .map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    let arguments = words.get(1..).unwrap_or_default();
    if matches!(name, "apt-get" | "apt" | "apk" | "yum" | "dnf") {
        return packages::run(name, arguments, files);
    }
    if arguments
        .iter()
        .any(|a| matches!(*a, "--version" | "-v" | "-V" | "--help"))
    {
        return done(format!("{name} (simulated)\n"), 0);
    }
    let own = image
        .entrypoint
        .iter()
        .chain(image.cmd.first())
        .chain(image.programs);
    let is_own = own
        .into_iter()
        .any(|word| word.rsplit('/').next() == Some(name));
    if name == "perl"
        && let Some(digits) = digits_of_pi(arguments)
    {
        return done(pi(digits) + "\n", 0);
    }
    if INTERPRETERS.contains(&name) {
        // A line given on the command line ends; a server or a script file runs on.
        let serves = arguments
            .iter()
            .any(|a| a.contains("http.server") || a.contains("SimpleHTTPServer"));
        let is_line = arguments
            .iter()
            .any(|a| matches!(*a, "-c" | "-e" | "-wle" | "-le" | "-ne"));
        return if is_line && !serves || arguments.is_empty() {
            done("", 0)
        } else {
            External::Running {
                catches_signals: false,
            }
        };
    }
    if is_own || image.is_generic {
        return External::Running {
            catches_signals: false,
        };
    }
    External::NotFound
}

/// The argument of `print bpi(N)`.
fn digits_of_pi(arguments: &[&str]) -> Option<usize> {
    let line = arguments.iter().find(|a| a.contains("bpi("))?;
    let (_, rest) = line.split_once("bpi(")?;
    rest.split(')')
        .next()?
        .trim()
        .parse()
        .ok()
        .filter(|n| (1..=10_000).contains(n))
}

/// The first digits of pi, rounded at the end; a spigot (Rabinowitz and Wagon 1995) with a few digits to spare.
fn pi(digits: usize) -> String {
    let wanted = digits + 10;
    let len = wanted * 10 / 3 + 1;
    let mut cells = vec![2_u64; len];
    let mut out: Vec<u8> = Vec::with_capacity(wanted);
    let (mut nines, mut held) = (0_usize, 0_u8);
    let mut is_first = true;
    for _ in 0..wanted {
        let mut carry = 0;
        for at in (1..len).rev() {
            let value = 10 * cells[at] + carry * (at as u64 + 1);
            let base = 2 * at as u64 + 1;
            cells[at] = value % base;
            carry = value / base;
        }
        let value = 10 * cells[0] + carry;
        cells[0] = value % 10;
        match (value / 10) as u8 {
            9 => nines += 1,
            10 => {
                out.push(held + 1);
                out.extend(std::iter::repeat_n(0, nines));
                (held, nines) = (0, 0);
            }
            digit => {
                if !is_first {
                    out.push(held);
                }
                is_first = false;
                out.extend(std::iter::repeat_n(9, nines));
                (held, nines) = (digit, 0);
            }
        }
    }
    out.push(held);
    // Round to the wanted number of digits.
    let mut kept: Vec<u8> = out[..digits].to_vec();
    let mut up = out.get(digits).is_some_and(|next| *next >= 5);
    for digit in kept.iter_mut().rev() {
        if !up {
            break;
        }
        up = *digit == 9;
        *digit = if up { 0 } else { *digit + 1 };
    }
    let text: String = kept.iter().map(|digit| char::from(b'0' + digit)).collect();
    if digits == 1 {
        text
    } else {
        format!("{}.{}", &text[..1], &text[1..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pi_is_pi() {
        assert_eq!(pi(1), "3");
        assert_eq!(pi(5), "3.1416");
        assert_eq!(
            pi(50),
            "3.1415926535897932384626433832795028841971693993751"
        );
        // The thousandth digit is followed by a 9.
        assert!(pi(1000).ends_with("216420199"));
    }
}
