//! Tools that change the tree of files.

mod copy;
mod make;
mod modes;
mod remove;

pub(super) use copy::{cp, ln, mv};
pub(super) use make::{dd, mkdir, mktemp, touch, truncate};
pub(crate) use modes::changed_mode;
pub(super) use modes::{chmod, chown};
pub(super) use remove::{rm, rmdir};

use super::{Context, Options};

/// Directories inside each other that a recursive tool follows.
const DEPTH_LIMIT: u32 = 64;

fn parsed(
    c: &mut Context<'_, '_>,
    flags: &str,
    valued: &str,
    long: &[(&str, char)],
) -> Result<Options, i32> {
    let o = Options::parse(c, flags, valued, long)?;
    if o.operands.is_empty() && !o.has('f') {
        let name = c.name().to_string();
        c.warn("missing operand");
        if !c.busybox() {
            c.err.extend_from_slice(
                format!("Try '{name} --help' for more information.\n").as_bytes(),
            );
        }
        return Err(1);
    }
    Ok(o)
}
