//! Kubernetes' protobuf, read: typed clients (kubectl among them) send some objects so and expect to be understood.
//!
//! Only bodies of requests are read; answers are JSON, which every client takes that offers it. `numbers.txt` has the
//! number of each field of each type (`2.19` is field 19 of the struct embedded as field 2); what the fields hold says
//! [`api::schema`]. Models `runtime/serializer/protobuf`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use api::schema::{self, Shape, Type, Zero};
use api::{Map, Str, Value};
use sim::Time;

/// What stands before every object: `k8s` and a zero.
const MAGIC: [u8; 4] = [0x6b, 0x38, 0x73, 0];
/// How deep messages may nest.
const DEPTH: usize = 64;

/// Field numbers of each type, by their way into embedded structs.
static NUMBERS: LazyLock<BTreeMap<&'static str, Numbers>> = LazyLock::new(|| {
    include_str!("numbers.txt")
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let name = words.next()?;
            let fields = words.filter_map(|word| {
                let (field, way) = word.split_once('=')?;
                let way = way.split('.').filter_map(|n| n.parse().ok()).collect();
                Some((way, field))
            });
            Some((name, fields.collect()))
        })
        .collect()
});

type Numbers = BTreeMap<Vec<u64>, &'static str>;

/// Why bytes cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(&'static str);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// The object that an enveloped message holds.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, Unreadable> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or(Unreadable(
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    ))?;
    let (mut api_version, mut kind, mut raw) = ("", "", &rest[..0]);
    for field in Fields(rest) {
        match field? {
            (1, Wire::Bytes(meta)) => {
                for field in Fields(meta) {
                    match field? {
                        (1, Wire::Bytes(text)) => api_version = text_of(text)?,
                        (2, Wire::Bytes(text)) => kind = text_of(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let of = schema::of_kind(group, version, kind)
        .ok_or(Unreadable("the kind of the message is not known"))?;
    let mut object = message(of, raw, DEPTH)?;
    object.set("apiVersion", Str::new(api_version));
    object.set("kind", Str::new(kind));
    Ok(object)
}

fn message(of: Type, bytes: &[u8], depth: usize) -> Result<Value, Unreadable> {
    let mut object = Map::default();
    let Some(numbers) = NUMBERS.get(of.name()) else {
        return Ok(Value::from(object));
    };
    fill(of, numbers, &mut Vec::new(), bytes, depth, &mut object)?;
    // Messages carry zero values that JSON leaves out.
    for field in of.fields() {
        let is_left_out = field.zero == Zero::Omitted
            && object.get(field.name).is_some_and(|value| match value {
                Value::Str(text) => text.is_empty(),
                Value::Bool(flag) => !flag,
                Value::Int(number) => *number == 0,
                _ => false,
            });
        if is_left_out {
            object.remove(field.name);
        }
    }
    Ok(Value::from(object))
}

/// Reads the fields of a message, and of those embedded in it, into `object`. `way` leads to the message.
fn fill(
    of: Type,
    numbers: &Numbers,
    way: &mut Vec<u64>,
    bytes: &[u8],
    depth: usize,
    object: &mut Map,
) -> Result<(), Unreadable> {
    let depth = deeper(depth)?;
    for field in Fields(bytes) {
        let (number, wire) = field?;
        way.push(number);
        match numbers.get(way) {
            Some(name) => {
                let field = of.field(name).ok_or(Unreadable("a field has no type"))?;
                put(object, field.name, field.shape, wire, depth)?;
            }
            None => {
                let is_embedded = numbers
                    .range(way.clone()..)
                    .next()
                    .is_some_and(|(longer, _)| longer.starts_with(way));
                if let (true, Wire::Bytes(inner)) = (is_embedded, wire) {
                    fill(of, numbers, way, inner, depth, object)?;
                }
            }
        }
        way.pop();
    }
    Ok(())
}

fn put(
    object: &mut Map,
    name: &'static str,
    shape: Shape,
    wire: Wire<'_>,
    depth: usize,
) -> Result<(), Unreadable> {
    match shape {
        Shape::List(_) => {
            let mut items = match object.get(name) {
                Some(list) => list.items().to_vec(),
                None => Vec::new(),
            };
            add(&mut items, shape.inner(), wire, depth)?;
            object.insert(name, items);
        }
        Shape::Map(_) => {
            let mut map = object.get(name).cloned().unwrap_or_else(Value::empty_map);
            let (mut key, mut value) = (Str::EMPTY, None);
            for field in Fields(wire.bytes()?) {
                match field? {
                    (1, part) => key = Str::new(text_of(part.bytes()?)?),
                    (2, part) => value = single(shape.inner(), part, depth)?,
                    _ => {}
                }
            }
            // A value that is its type's zero may be left out of the message.
            let value = value.unwrap_or_else(|| match shape.inner() {
                Shape::Object(_) | Shape::Map(_) => Value::empty_map(),
                Shape::Int32 | Shape::Int64 => Value::from(0_i64),
                Shape::Bool => Value::from(false),
                _ => Value::from(""),
            });
            map.set(key, value);
            object.insert(name, map);
        }
        shape => {
            if let Some(value) = single(shape, wire, depth)? {
                object.insert(name, value);
            }
        }
    }
    Ok(())
}

/// One more item of a list, or several packed numbers.
fn add(
    items: &mut Vec<Value>,
    shape: Shape,
    wire: Wire<'_>,
    depth: usize,
) -> Result<(), Unreadable> {
    if let (Shape::Int32 | Shape::Int64, Wire::Bytes(mut packed)) = (shape, wire) {
        while !packed.is_empty() {
            let number = varint(&mut packed)?;
            items.push(Value::from(number as i64));
        }
        return Ok(());
    }
    if let Some(value) = single(shape, wire, depth)? {
        items.push(value);
    }
    Ok(())
}

/// One value; nothing for a time that is not set.
fn single(shape: Shape, wire: Wire<'_>, depth: usize) -> Result<Option<Value>, Unreadable> {
    let depth = deeper(depth)?;
    Ok(Some(match shape {
        Shape::Str => match wire {
            // A duration, which JSON has as text.
            Wire::Number(_) => return Err(Unreadable("a text is a number")),
            wire => Value::from(Str::new(text_of(wire.bytes()?)?)),
        },
        Shape::Bool => Value::from(wire.number()? != 0),
        Shape::Int32 | Shape::Int64 => Value::from(wire.number()? as i64),
        Shape::Float => Value::Float(f64::from_bits(wire.number()?)),
        Shape::Bytes => Value::from(api::base64::encode(wire.bytes()?)),
        Shape::Quantity => {
            let text = part(wire.bytes()?, 1)?.map_or(Ok(""), |wire| text_of(wire.bytes()?))?;
            Value::from(Str::new(text))
        }
        Shape::IntOrString => {
            let bytes = wire.bytes()?;
            let kind = part(bytes, 1)?.map_or(Ok(0), |wire| wire.number())?;
            if kind == 0 {
                let number = part(bytes, 2)?.map_or(Ok(0), |wire| wire.number())?;
                Value::from(number as i64)
            } else {
                let text = part(bytes, 3)?.map_or(Ok(""), |wire| text_of(wire.bytes()?))?;
                Value::from(Str::new(text))
            }
        }
        Shape::Time | Shape::MicroTime => {
            let bytes = wire.bytes()?;
            let number = |at| part(bytes, at)?.map_or(Ok(0), |wire| wire.number());
            let (secs, nanos) = (number(1)? as i64, number(2)?);
            let micros = u64::try_from(secs)
                .ok()
                .and_then(|secs| secs.checked_mul(1_000_000))
                .filter(|micros| *micros > 0);
            let Some(micros) = micros else {
                return Ok(None);
            };
            Value::from(if shape == Shape::Time {
                Time(micros).rfc3339()
            } else {
                Time(micros + nanos % 1_000_000_000 / 1_000).rfc3339_micros()
            })
        }
        // JSON in an envelope of one field.
        Shape::Any => {
            let raw = part(wire.bytes()?, 1)?.map_or(Ok(&[][..]), |wire| wire.bytes())?;
            if raw.is_empty() {
                return Ok(None);
            }
            Value::from_json(text_of(raw)?)
                .map_err(|_| Unreadable("an embedded object is no JSON"))?
        }
        Shape::Object(of) => message(of, wire.bytes()?, depth)?,
        // Lists within lists and maps have an envelope of one field.
        Shape::List(_) => {
            let mut items = Vec::new();
            for field in Fields(wire.bytes()?) {
                if let (1, inner) = field? {
                    add(&mut items, shape.inner(), inner, depth)?;
                }
            }
            Value::from(items)
        }
        Shape::Map(_) => return Err(Unreadable("a map stands where none can")),
    }))
}

/// The last field with a number.
fn part(bytes: &[u8], number: u64) -> Result<Option<Wire<'_>>, Unreadable> {
    let mut found = None;
    for field in Fields(bytes) {
        let (at, wire) = field?;
        if at == number {
            found = Some(wire);
        }
    }
    Ok(found)
}

fn deeper(depth: usize) -> Result<usize, Unreadable> {
    depth
        .checked_sub(1)
        .ok_or(Unreadable("the message nests too deeply"))
}

fn text_of(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|_| Unreadable("a text is not valid UTF-8"))
}

/// What a field's bytes are before anyone knows their type.
#[derive(Clone, Copy, Debug)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn bytes(self) -> Result<&'a [u8], Unreadable> {
        match self {
            Wire::Bytes(bytes) => Ok(bytes),
            Wire::Number(_) => Err(Unreadable("a number stands where bytes should")),
        }
    }

    fn number(self) -> Result<u64, Unreadable> {
        match self {
            Wire::Number(number) => Ok(number),
            Wire::Bytes(_) => Err(Unreadable("bytes stand where a number should")),
        }
    }
}

/// The fields of a message, in order.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Wire<'a>), Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self) -> Result<(u64, Wire<'a>), Unreadable> {
        let key = varint(&mut self.0)?;
        let wire = match key & 7 {
            0 => Wire::Number(varint(&mut self.0)?),
            1 => Wire::Number(u64::from_le_bytes(
                *self.take(8)?.first_chunk().expect("eight were taken"),
            )),
            2 => {
                let length = varint(&mut self.0)?;
                let length = usize::try_from(length).map_err(|_| Unreadable("unexpected EOF"))?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Number(u64::from(u32::from_le_bytes(
                *self.take(4)?.first_chunk().expect("four were taken"),
            ))),
            _ => return Err(Unreadable("illegal wireType")),
        };
        Ok((key >> 3, wire))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Unreadable("unexpected EOF"))?;
        self.0 = rest;
        Ok(taken)
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Unreadable> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(Unreadable("unexpected EOF"))?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Unreadable("integer overflow"))
}

#[cfg(test)]
mod tests;
