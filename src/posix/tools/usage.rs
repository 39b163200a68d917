//! Numbers as tools read and show them.

/// `10`, `2k`, `3M`: a count with an optional binary suffix.
pub(crate) fn number_with_suffix(text: &str) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let factor: u64 = match &text[end..] {
        "" | "c" => 1,
        "b" => 512,
        "k" | "K" | "KiB" => 1 << 10,
        "kB" | "KB" => 1_000,
        "M" | "m" | "MiB" => 1 << 20,
        "MB" => 1_000_000,
        "G" | "g" | "GiB" => 1 << 30,
        "GB" => 1_000_000_000,
        "T" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// `1.5K`, `12M`: as `ls -h`, `du -h` and `df -h` round (up).
pub(crate) fn human(bytes: u64) -> String {
    if bytes < 1024 {
        return bytes.to_string();
    }
    let units = ["K", "M", "G", "T", "P"];
    let mut scale = 1024u64;
    for (i, unit) in units.iter().enumerate() {
        let tenths = (bytes * 10).div_ceil(scale);
        if tenths < 100 {
            return format!("{}.{}{unit}", tenths / 10, tenths % 10);
        }
        let whole = bytes.div_ceil(scale);
        if whole < 1024 || i + 1 == units.len() {
            return format!("{whole}{unit}");
        }
        scale <<= 10;
    }
    bytes.to_string()
}
