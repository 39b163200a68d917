//! Which data waits with the functions that wait: every byte that no function of the first part can reach.
//!
//! The linker says which code and which data name which piece of data (`--emit-relocs`: its symbols and relocations, see WebAssembly's
//! tool conventions, "Linking"). wasm-bindgen rewrites the functions afterwards but keeps their names, and leaves the data as it is; so the
//! relocations of the linked file, joined by name, hold for the module that is cut. Each is checked against what stands at its place, so that
//! a file that means something else is an error and never a page with holes. Starts at [`waiting`].

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
    /// Its first byte's address.
    address: i64,
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
                        let DataKind::Active { offset_expr, .. } = &entry.kind else {
                            return Err("a passive data segment".to_owned());
                        };
                        let address = i64::from(constant(offset_expr)?);
                        let end = place(entry.range)?.end;
                        segments.push(Segment {
                            address,
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
        let symbols: BTreeMap<usize, Piece> = (symbols.into_iter())
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
        let check = |at: usize, entry: &RelocationEntry| {
            let Some(piece) = symbols.get(&(entry.index as usize)) else {
                return Ok(());
            };
            let start = segments[piece.segment].address + piece.bytes.start as i64;
            let is_right = written(&wasm[at..], entry.ty) == Some((start + entry.addend) as u32);
            is_right
                .then_some(())
                .ok_or_else(|| format!("a relocation that does not fit what stands at {at}"))
        };
        for entry in named(&relocations, "reloc.CODE")? {
            let (at, symbol) = (code + entry.offset as usize, entry.index as usize);
            check(at, entry)?;
            let body = bodies.partition_point(|body| body.end <= at);
            let name = u32::try_from(body)
                .ok()
                .and_then(|body| names.get(&(imported + body)))
                .cloned()
                .unwrap_or_default();
            named_by_functions.entry(name).or_default().push(symbol);
        }
        let mut named_in_segments = vec![Vec::new(); segments.len()];
        for entry in named(&relocations, "reloc.DATA")? {
            let (at, symbol) = (data + entry.offset as usize, entry.index as usize);
            check(at, entry)?;
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

/// Where in a section addresses of data are written. What writes them in another way than rustc does is an error: it would be missed.
fn named<'r>(
    relocations: &'r BTreeMap<&str, Vec<RelocationEntry>>,
    section: &str,
) -> Result<Vec<&'r RelocationEntry>> {
    let mut named = Vec::new();
    for entry in relocations.get(section).into_iter().flatten() {
        match entry.ty {
            RelocationType::MemoryAddrLeb
            | RelocationType::MemoryAddrSleb
            | RelocationType::MemoryAddrI32 => named.push(entry),
            RelocationType::FunctionIndexLeb
            | RelocationType::TableIndexSleb
            | RelocationType::TableIndexI32
            | RelocationType::TypeIndexLeb
            | RelocationType::GlobalIndexLeb
            | RelocationType::TableNumberLeb => {}
            other => return Err(format!("a kind of relocation that is not known: {other:?}")),
        }
    }
    Ok(named)
}

/// The address at the beginning of `bytes`.
fn written(bytes: &[u8], ty: RelocationType) -> Option<u32> {
    if ty == RelocationType::MemoryAddrI32 {
        return Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?));
    }
    // Padded to five bytes, whose last says the sign; an address is its lower 32 bits either way.
    let digits = bytes.get(..5)?.iter().enumerate();
    let sum = digits.fold(0_u64, |sum, (at, byte)| {
        sum | u64::from(byte & 0x7f) << (7 * at)
    });
    Some(sum as u32)
}

fn place(range: Range<u64>) -> Result<Range<usize>> {
    let at = |at: u64| usize::try_from(at).map_err(|_| "a file too long".to_owned());
    Ok(at(range.start)?..at(range.end)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        CodeSection, ConstExpr, CustomSection, DataSection, FunctionSection, LinkingSection,
        MemorySection, MemoryType, Module as Output, NameMap, NameSection, SymbolTable,
        TypeSection,
    };

    const ADDRESS: u32 = 1000;

    /// `f` names the first four bytes; `g` the next four, which name the four after them; two bytes belong to nobody.
    fn linked(addend: u8) -> Vec<u8> {
        let names = |address: u32| {
            let mut body = vec![0, 0x41];
            body.extend((0..5).map(|at| {
                let digit = (u64::from(address) >> (7 * at)) as u8 & 0x7f;
                digit | if at < 4 { 0x80 } else { 0 }
            }));
            body.extend([0x1a, 0x0b]);
            body
        };
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for address in [ADDRESS, ADDRESS + 4] {
            functions.function(0);
            code.raw(&names(address));
        }
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut bytes = b"AAAA....CCCC__".to_vec();
        bytes[4..8].copy_from_slice(&(ADDRESS + 8).to_le_bytes());
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(ADDRESS as i32), bytes);
        let mut map = NameMap::new();
        map.append(0, "f");
        map.append(1, "g");
        let mut all_names = NameSection::new();
        all_names.functions(&map);
        let mut symbols = SymbolTable::new();
        for (at, name) in ["A", "B", "C"].into_iter().enumerate() {
            let definition = wasm_encoder::DataSymbolDefinition {
                index: 0,
                offset: 4 * at as u32,
                size: 4,
            };
            symbols.data(0, name, Some(definition));
        }
        let mut linking = LinkingSection::new();
        linking.symbol_table(&symbols);
        // Section, count, and for each: kind, place in the section, symbol, addend.
        let code_relocations = [3, 2, 4, 4, 0, addend, 4, 14, 1, 0];
        let data_relocations = [4, 1, 5, 11, 2, 0];
        let mut output = Output::new();
        output
            .section(&types)
            .section(&functions)
            .section(&memories)
            .section(&code)
            .section(&data)
            .section(&all_names)
            .section(&linking)
            .section(&CustomSection {
                name: "reloc.CODE".into(),
                data: code_relocations[..].into(),
            })
            .section(&CustomSection {
                name: "reloc.DATA".into(),
                data: data_relocations[..].into(),
            });
        output.finish()
    }

    fn waits(is_later: [bool; 2]) -> String {
        let wasm = linked(0);
        let module = Module::read(&wasm).expect("a module");
        let bytes = waiting(&wasm, &module, &is_later).expect("linked data");
        let letters = bytes[0].iter().map(|waits| if *waits { 'w' } else { '-' });
        letters.collect()
    }

    #[test]
    fn data_waits_with_all_that_reach_it_also_through_other_data() {
        assert_eq!(waits([false, true]), "----wwwwwwww--");
        assert_eq!(waits([true, false]), "wwww----------");
        assert_eq!(waits([true, true]), "wwwwwwwwwwww--");
        assert_eq!(waits([false, false]), "--------------");
    }

    #[test]
    fn a_file_that_means_something_else_is_an_error() {
        let right = linked(0);
        let module = Module::read(&right).expect("a module");
        let wrong = waiting(&linked(1), &module, &[true, true]).expect_err("an addend too much");
        assert!(wrong.contains("does not fit"), "{wrong}");
        let mut other = right.clone();
        let at = other.windows(4).position(|w| w == b"AAAA").expect("data");
        other[at] = b'B';
        let other = waiting(&other, &module, &[true, true]).expect_err("other data");
        assert!(other.contains("not that of the linked file"), "{other}");
    }
}
