//! Amounts of resources: `500m`, `1.5Gi`, `12e6`.
//!
//! A [`Quantity`] is an exact integer of billionths with the family of suffixes in which it was written; no floating
//! point anywhere. Reading, capping and canonical writing follow `apimachinery/pkg/api/resource` at v1.36: an amount
//! finer than a billionth is rounded up, one beyond 2^63-1 is capped. Entry points: [`Quantity::parse`], `Display`.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use crate::Value;

/// An exact amount. Compares by amount alone: `1024Mi` equals `1Gi`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// The family of suffixes that writing uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `m`, `k`, `M`, …
    #[default]
    Decimal,
    /// `Ki`, `Mi`, …
    Binary,
    /// `e3`, `e6`, …
    Exponent,
}

/// Why a text is no quantity, in Kubernetes' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    Format,
    Suffix,
}

const NANO: i128 = 1_000_000_000;
const MAX: i128 = i64::MAX as i128 * NANO;
/// More digits than any amount below the cap can have with nine decimals.
const DIGITS: usize = 30;

const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

impl Quantity {
    pub const ZERO: Quantity = Quantity {
        nanos: 0,
        format: Format::Decimal,
    };

    /// A whole number, written in `format`.
    pub const fn new(value: i64, format: Format) -> Quantity {
        Quantity {
            nanos: value as i128 * NANO,
            format,
        }
    }

    pub const fn from_millis(millis: i64) -> Quantity {
        Quantity {
            nanos: millis as i128 * 1_000_000,
            format: Format::Decimal,
        }
    }

    pub const fn from_bytes(bytes: i64) -> Quantity {
        Quantity::new(bytes, Format::Binary)
    }

    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        let (is_negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            Some(_) => (false, text),
            None => return Err(QuantityError::Format),
        };
        let (whole, rest) = digits(unsigned);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
        let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
        let exponent_digits = letters.strip_prefix(['-', '+']).unwrap_or(letters);
        if !exponent_digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(QuantityError::Format);
        }
        let (format, power) = suffix_power(suffix).ok_or(QuantityError::Suffix)?;
        let amount = match power {
            Power::Two(power) => scale(whole, fraction, 0, 1 << power),
            Power::Ten(power) => scale(whole, fraction, power, 1),
        };
        let is_below_one = format == Format::Binary && amount > 0 && amount < NANO;
        Ok(Quantity {
            nanos: if is_negative { -amount } else { amount },
            format: if is_below_one {
                Format::Decimal
            } else {
                format
            },
        })
    }

    /// What a field of an object holds: text or a plain number; zero for anything that is no quantity.
    pub fn of(value: &Value) -> Quantity {
        match value {
            Value::Str(text) => Quantity::parse(text).unwrap_or_default(),
            Value::Int(n) => Quantity::new(*n, Format::Decimal),
            Value::Float(_) => Quantity::parse(&value.to_json()).unwrap_or_default(),
            _ => Quantity::ZERO,
        }
    }

    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether this is no whole number.
    pub fn has_fraction(self) -> bool {
        self.nanos % NANO != 0
    }

    /// The amount in whole units, rounded away from zero.
    pub fn value(self) -> i64 {
        self.scaled(NANO)
    }

    /// The amount in thousandths, rounded away from zero.
    pub fn millis(self) -> i64 {
        self.scaled(NANO / 1000)
    }

    pub fn format(self) -> Format {
        self.format
    }

    pub fn with_format(mut self, format: Format) -> Quantity {
        self.format = format;
        self
    }

    /// This amount times a whole number.
    pub fn times(mut self, factor: i64) -> Quantity {
        self.nanos = cap(self.nanos.saturating_mul(i128::from(factor)));
        self
    }

    fn scaled(self, unit: i128) -> i64 {
        let rounded = divide_up(self.nanos.abs(), unit).min(i128::from(i64::MAX)) as i64;
        if self.is_negative() {
            -rounded
        } else {
            rounded
        }
    }
}

impl fmt::Display for Quantity {
    /// The canonical form: no fraction, the largest suffix that leaves a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.pad("0");
        }
        let sign = if self.nanos < 0 { "-" } else { "" };
        let amount = self.nanos.abs();
        let text = match self.format {
            Format::Binary if amount >= 1024 * NANO => {
                let (mantissa, at) = shorten(divide_up(amount, NANO), 1024, BINARY.len() - 1);
                format!("{sign}{mantissa}{}", BINARY[at])
            }
            Format::Exponent => {
                let (mantissa, at) = shorten(amount, 1000, usize::MAX);
                match at as i64 * 3 - 9 {
                    0 => format!("{sign}{mantissa}"),
                    power => format!("{sign}{mantissa}e{power}"),
                }
            }
            Format::Binary | Format::Decimal => {
                let (mantissa, at) = shorten(amount, 1000, DECIMAL.len() - 1);
                format!("{sign}{mantissa}{}", DECIMAL[at])
            }
        };
        f.pad(&text)
    }
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            QuantityError::Format => {
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            QuantityError::Suffix => "unable to parse quantity's suffix",
        })
    }
}

impl std::error::Error for QuantityError {}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Add for Quantity {
    type Output = Quantity;
    /// Zero takes the other's format, as in Go.
    fn add(self, other: Quantity) -> Quantity {
        let format = if self.is_zero() {
            other.format
        } else {
            self.format
        };
        Quantity {
            nanos: cap(self.nanos + other.nanos),
            format,
        }
    }
}

impl Neg for Quantity {
    type Output = Quantity;
    fn neg(mut self) -> Quantity {
        self.nanos = -self.nanos;
        self
    }
}

impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        self + -other
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Quantity) {
        *self = *self - other;
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(iter: I) -> Quantity {
        iter.fold(Quantity::ZERO, Add::add)
    }
}

impl From<Quantity> for Value {
    fn from(quantity: Quantity) -> Value {
        Value::from(quantity.to_string())
    }
}

enum Power {
    Two(u32),
    Ten(i64),
}

fn suffix_power(suffix: &str) -> Option<(Format, Power)> {
    if let Some(at) = DECIMAL.iter().position(|s| *s == suffix) {
        return Some((Format::Decimal, Power::Ten(at as i64 * 3 - 9)));
    }
    if let Some(at) = BINARY.iter().position(|s| *s == suffix) {
        return Some((Format::Binary, Power::Two(at as u32 * 10)));
    }
    let power = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((Format::Exponent, Power::Ten(power)))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// `whole.fraction × 10^power × factor` in billionths, rounded up and capped.
fn scale(whole: &str, fraction: &str, power: i64, factor: i128) -> i128 {
    let whole = whole.trim_start_matches('0');
    if whole.len() > DIGITS && power >= -18 {
        return MAX;
    }
    let mut mantissa: i128 = 0;
    let mut power = power.saturating_add(9);
    let mut is_rest_zero = true;
    for (at, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
        let is_fraction = at >= whole.len();
        if mantissa < 10i128.pow(DIGITS as u32 - 12) {
            mantissa = mantissa * 10 + i128::from(digit - b'0');
            power -= i64::from(is_fraction);
        } else {
            is_rest_zero &= digit == b'0';
            power += i64::from(!is_fraction);
        }
    }
    if mantissa == 0 {
        return 0;
    }
    let mantissa = mantissa.saturating_mul(factor);
    let amount = if power >= 0 {
        let scaled = u32::try_from(power)
            .ok()
            .and_then(|power| 10i128.checked_pow(power))
            .and_then(|unit| mantissa.checked_mul(unit));
        scaled.unwrap_or(MAX)
    } else {
        let unit = u32::try_from(-power)
            .ok()
            .and_then(|power| 10i128.checked_pow(power));
        unit.map_or(1, |unit| divide_up(mantissa, unit))
    };
    cap(amount + i128::from(!is_rest_zero && power < 0))
}

fn divide_up(amount: i128, unit: i128) -> i128 {
    amount / unit + i128::from(amount % unit != 0)
}

fn cap(nanos: i128) -> i128 {
    nanos.clamp(-MAX, MAX)
}

/// Divides by `base` as long as nothing is lost, at most `limit` times.
fn shorten(mut amount: i128, base: i128, limit: usize) -> (i128, usize) {
    let mut at = 0;
    while at < limit && amount % base == 0 {
        amount /= base;
        at += 1;
    }
    (amount, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_in_canonical_form() {
        for (text, canonical) in [
            ("0", "0"),
            ("0Ki", "0"),
            ("00.500", "500m"),
            ("0.5", "500m"),
            (".5", "500m"),
            ("5.", "5"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("1000k", "1M"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Mi", "512Ki"),
            ("1023", "1023"),
            ("0.001Ki", "1024m"),
            ("0.5Ki", "512"),
            ("1.3Ki", "1332"),
            ("100e3", "100e3"),
            ("12E6", "12e6"),
            ("1E", "1E"),
            ("1e-3", "1e-3"),
            ("12e-1", "1200e-3"),
            ("1234567890", "1234567890"),
            ("128974848", "128974848"),
            ("0.1n", "1n"),
            ("1.00000000001", "1000000001n"),
            ("-1.5", "-1500m"),
            ("+7", "7"),
            ("123456789012345678901234567890", "9223372036854775807"),
            ("100E", "9223372036854775807"),
            ("8Ei", "9223372036854775807"),
            ("4Ei", "4Ei"),
        ] {
            let written = Quantity::parse(text).map(|q| q.to_string());
            assert_eq!(written.as_deref(), Ok(canonical), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused_in_kubernetes_words() {
        for text in ["", "x", "1x", "1.2.3", "1 Gi", "1-", "--1", "1Gi ", "é"] {
            let refused = Quantity::parse(text);
            let expected = if text == "1-" || text == "--1" {
                QuantityError::Suffix
            } else {
                QuantityError::Format
            };
            assert_eq!(refused, Err(expected), "{text}");
        }
        for text in ["1i", "1gi", "1K", "1mi", "1e", "1Mk", "1MB"] {
            let expected = if text == "1MB" || text == "1gi" {
                QuantityError::Format
            } else {
                QuantityError::Suffix
            };
            assert_eq!(Quantity::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn amounts_add_and_round_up() {
        let cpu = |text| Quantity::parse(text).expect("a quantity");
        assert_eq!((cpu("250m") + cpu("1")).to_string(), "1250m");
        assert_eq!((cpu("1Gi") - cpu("1Mi")).to_string(), "1023Mi");
        assert_eq!((Quantity::ZERO + cpu("2Ki")).to_string(), "2Ki");
        assert_eq!(cpu("1500m").value(), 2);
        assert_eq!(cpu("-1500m").value(), -2);
        assert_eq!(cpu("1u").millis(), 1);
        assert!(cpu("1024Mi") == cpu("1Gi") && cpu("1M") < cpu("1Mi"));
        assert_eq!(cpu("300m").times(4).to_string(), "1200m");
    }
}
