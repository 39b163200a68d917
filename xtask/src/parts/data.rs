//! Which data waits with the functions that wait: every byte that no function of the first part can reach.
//!
//! The linker says which code and which data name which piece of data (`--emit-relocs`: its symbols and relocations, see WebAssembly's
//! tool conventions, "Linking"). wasm-bindgen rewrites the functions afterwards but keeps their names, and leaves the data as it is; so the
//! relocations of the linked file, joined by name, hold for the module that is cut. Starts at [`waiting`].

use super::module::Module;
use super::write::constant;
use rustc_demangle::demangle;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use wasmparser::{
    DataKind, KnownCustom, Linking, Name, Parser, Payload, RelocationEntry, RelocationType,
    SymbolInfo,
};

type Result<T> = std::result::Result<T, String>;

/// Per data segment of `module` and byte of it, whether it waits. `linked` is the same program before wasm-bindgen.
pub(super) fn waiting(
    linked: &[u8],
    module: &Module<'_>,
    is_later: &[bool],
) -> Result<Vec<Vec<bool>>> {
    let linked = Linked::read(linked)?;
    if linked.segments.len() != module.data.len()
        || (linked.segments.iter().zip(&module.data))
            .any(|(segment, data)| segment.bytes != data.data)
    {
        return Err("the data is not that of the linked file".to_owned());
    }
    let mut waits: BTreeMap<&str, bool> = BTreeMap::new();
    for (at, is_later) in is_later.iter().enumerate() {
        if let Some(name) = module.names.get(&module.defined(at)) {
            *waits.entry(name).or_insert(true) &= is_later;
        }
    }
    let mut open: Vec<usize> = Vec::new();
    for (name, symbols) in &linked.named_by_functions {
        // A function that has another name now, or none, may be anywhere.
        if !waits.get(name.as_str()).copied().unwrap_or(false) {
            open.extend(symbols);
        }
    }
    let mut reached = BTreeSet::new();
    while let Some(symbol) = open.pop() {
        if reached.insert(symbol) {
            open.extend(linked.named_by_data(symbol));
        }
    }
    let mut bytes: Vec<Vec<bool>> = (linked.segments.iter())
        .map(|segment| vec![false; segment.bytes.len()])
        .collect();
    // Pieces may overlap: the linker keeps one of two texts of which one ends the other.
    let all: BTreeSet<usize> = linked.symbols.keys().copied().collect();
    for (symbols, is_later) in [(&all, true), (&reached, false)] {
        for piece in symbols
            .iter()
            .filter_map(|symbol| linked.symbols.get(symbol))
        {
            bytes[piece.segment][piece.bytes.clone()].fill(is_later);
        }
    }
    Ok(bytes)
}

/// What the linker tells of a program's data.
struct Linked<'a> {
    segments: Vec<Segment<'a>>,
    /// By their index among all symbols.
    symbols: BTreeMap<usize, Piece>,
    /// Per function, by its name: the symbols that its code names.
    named_by_functions: BTreeMap<String, Vec<usize>>,
    /// Per segment: where in it which symbol is named, by place.
    named_in_segments: Vec<Vec<(usize, usize)>>,
}

struct Segment<'a> {
    bytes: &'a [u8],
    /// Where its bytes stand in the file.
    place: Range<usize>,
}

/// A symbol's bytes.
struct Piece {
    segment: usize,
    bytes: Range<usize>,
}

impl<'a> Linked<'a> {
    fn read(wasm: &'a [u8]) -> Result<Linked<'a>> {
        let wrong = |error: wasmparser::BinaryReaderError| error.to_string();
        let mut segments = Vec::new();
        let mut symbols = BTreeMap::new();
        // Bodies of functions by their place in the file, and names of functions by index.
        let (mut bodies, mut imported, mut names) = (Vec::new(), 0, BTreeMap::new());
        let (mut code, mut data) = (0, 0);
        let mut relocations: BTreeMap<&str, Vec<RelocationEntry>> = BTreeMap::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(wrong)? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        imported += u32::from(matches!(
                            import.map_err(wrong)?.ty,
                            wasmparser::TypeRef::Func(_)
                        ));
                    }
                }
                Payload::CodeSectionStart {
                    unchecked_range, ..
                } => code = unchecked_range.start,
                Payload::CodeSectionEntry(body) => bodies.push(place(body.range())?),
                Payload::DataSection(section) => {
                    data = section.range().start;
                    for entry in section {
                        let entry = entry.map_err(wrong)?;
                        if let DataKind::Active { offset_expr, .. } = &entry.kind {
                            constant(offset_expr)?;
                        }
                        let end = place(entry.range)?.end;
                        segments.push(Segment {
                            bytes: entry.data,
                            place: end - entry.data.len()..end,
                        });
                    }
                }
                Payload::CustomSection(section) => match section.as_known() {
                    KnownCustom::Linking(linking) => {
                        for part in linking {
                            if let Linking::SymbolTable(table) = part.map_err(wrong)? {
                                for (at, symbol) in table.into_iter().enumerate() {
                                    if let SymbolInfo::Data {
                                        symbol: Some(piece),
                                        ..
                                    } = symbol.map_err(wrong)?
                                    {
                                        symbols.insert(at, piece);
                                    }
                                }
                            }
                        }
                    }
                    KnownCustom::Reloc(entries) => {
                        let entries: std::result::Result<Vec<RelocationEntry>, _> =
                            entries.entries().into_iter().collect();
                        relocations.insert(section.name(), entries.map_err(wrong)?);
                    }
                    KnownCustom::Name(sections) => {
                        for section in sections {
                            if let Name::Function(map) = section.map_err(wrong)? {
                                for naming in map {
                                    let naming = naming.map_err(wrong)?;
                                    names.insert(naming.index, demangle(naming.name).to_string());
                                }
                            }
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        if symbols.is_empty() || relocations.len() < 2 {
            return Err("the linked file tells nothing of its data (--emit-relocs)".to_owned());
        }
        let symbols = (symbols.into_iter())
            .filter_map(|(at, symbol)| {
                let segment = symbol.index as usize;
                let start = symbol.offset as usize;
                let bytes = start..start + symbol.size as usize;
                // What is nought at the start has a symbol, but no bytes.
                let is_there = segments
                    .get(segment)
                    .is_some_and(|segment: &Segment<'_>| bytes.end <= segment.bytes.len());
                is_there.then_some((at, Piece { segment, bytes }))
            })
            .collect();
        let mut named_by_functions: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let (code, data) = (place(code..code)?.start, place(data..data)?.start);
        for (entry, symbol) in named(&relocations, "reloc.CODE") {
            let at = code + entry;
            let body = bodies.partition_point(|body| body.end <= at);
            let name = u32::try_from(body)
                .ok()
                .and_then(|body| names.get(&(imported + body)))
                .cloned()
                .unwrap_or_default();
            named_by_functions.entry(name).or_default().push(symbol);
        }
        let mut named_in_segments = vec![Vec::new(); segments.len()];
        for (entry, symbol) in named(&relocations, "reloc.DATA") {
            let at = data + entry;
            let segment = segments
                .iter()
                .position(|segment| segment.place.contains(&at))
                .ok_or("a relocation outside the data")?;
            named_in_segments[segment].push((at - segments[segment].place.start, symbol));
        }
        for places in &mut named_in_segments {
            places.sort_unstable();
        }
        Ok(Linked {
            segments,
            symbols,
            named_by_functions,
            named_in_segments,
        })
    }

    /// The symbols that stand in a symbol's bytes.
    fn named_by_data(&self, symbol: usize) -> impl Iterator<Item = usize> {
        let named = self.symbols.get(&symbol).map_or(&[][..], |piece| {
            let places = &self.named_in_segments[piece.segment];
            let from = places.partition_point(|(at, _)| *at < piece.bytes.start);
            let to = places.partition_point(|(at, _)| *at < piece.bytes.end);
            &places[from..to]
        });
        named.iter().map(|(_, symbol)| *symbol)
    }
}

/// Where in a section addresses of data are written, and the symbols they are of.
fn named(relocations: &BTreeMap<&str, Vec<RelocationEntry>>, section: &str) -> Vec<(usize, usize)> {
    (relocations.get(section).into_iter().flatten())
        .filter(|entry| {
            matches!(
                entry.ty,
                RelocationType::MemoryAddrLeb
                    | RelocationType::MemoryAddrSleb
                    | RelocationType::MemoryAddrI32
                    | RelocationType::MemoryAddrRelSleb
                    | RelocationType::MemoryAddrLocrelI32
            )
        })
        .map(|entry| (entry.offset as usize, entry.index as usize))
        .collect()
}

fn place(range: Range<u64>) -> Result<Range<usize>> {
    let at = |at: u64| usize::try_from(at).map_err(|_| "a file too long".to_owned());
    Ok(at(range.start)?..at(range.end)?)
}
