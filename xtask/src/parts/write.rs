//! Writing the two modules of a cut.

use super::module::Module;
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, ImportSection, Instruction,
    MemorySection, Module as Output, StartSection, TableSection, TypeSection,
};
use wasmparser::{DataKind, ElementItems, ElementKind, FunctionBody, Operator};

/// The module name under which the second part imports from the first (`static/boot.js`).
const FROM: &str = "first";

/// Fewer bytes than this stay: a segment of their own would cost as much.
const SHORT: usize = 16;

type Result<T> = std::result::Result<T, String>;

/// `(first, later)`. `is_later` is per defined function, `waits` per data segment and byte; each of `texts` that stands in the data waits too.
pub(super) fn write(
    module: &Module<'_>,
    is_later: &[bool],
    waits: Vec<Vec<bool>>,
    texts: &[Vec<u8>],
) -> Result<(Vec<u8>, Vec<u8>)> {
    let plan = Plan::new(module, is_later)?;
    let data = data(module, waits, texts)?;
    Ok((
        plan.first(&data.0).map_err(|error| error.to_string())?,
        plan.later(&data.1).map_err(|error| error.to_string())?,
    ))
}

/// Bytes and the address they are for.
type Segments = Vec<(i32, Vec<u8>)>;

/// The module's data that is there at the start, and that which waits.
fn data(
    module: &Module<'_>,
    waits: Vec<Vec<bool>>,
    texts: &[Vec<u8>],
) -> Result<(Segments, Segments)> {
    let (mut first, mut later) = (Segments::new(), Segments::new());
    for (data, mut waits) in module.data.iter().zip(waits) {
        let DataKind::Active { offset_expr, .. } = &data.kind else {
            return Err("a passive data segment".to_owned());
        };
        let start = constant(offset_expr)?;
        for text in texts {
            if let Some(at) = find(data.data, text) {
                waits[at..at + text.len()].fill(true);
            }
        }
        let mut from = 0;
        let address = |at: usize| start + i32::try_from(at).expect("data of a 32-bit memory");
        let mut at = 0;
        for run in waits.chunk_by(|a, b| a == b) {
            let end = at + run.len();
            if run[0] && run.len() >= SHORT {
                first.push((address(from), data.data[from..at].to_vec()));
                later.push((address(at), data.data[at..end].to_vec()));
                from = end;
            }
            at = end;
        }
        first.push((address(from), data.data[from..].to_vec()));
    }
    first.retain(|(_, bytes)| !bytes.is_empty());
    Ok((first, later))
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let head = needle.get(..64)?;
    hay.windows(64)
        .enumerate()
        .filter(|(_, window)| *window == head)
        .map(|(at, _)| at)
        .find(|at| hay[*at..].starts_with(needle))
}

pub(super) fn constant(expr: &wasmparser::ConstExpr<'_>) -> Result<i32> {
    match expr.get_operators_reader().read() {
        Ok(Operator::I32Const { value }) => Ok(value),
        _ => Err("an address that is no plain number".to_owned()),
    }
}

struct Plan<'m, 'a> {
    module: &'m Module<'a>,
    is_later: &'m [bool],
    /// The table of functions.
    table: u32,
    /// Per function of the second part that the first one calls, its place in the table.
    slots: BTreeMap<u32, u32>,
    /// How many places the table has.
    size: u32,
    /// What stands in the table at the start: `(place, function)`.
    placed: Vec<(u32, u32)>,
    /// Functions of the first part that the second one calls.
    shared: BTreeSet<u32>,
}

impl<'m, 'a> Plan<'m, 'a> {
    fn new(module: &'m Module<'a>, is_later: &'m [bool]) -> Result<Plan<'m, 'a>> {
        let is_waiting = |function: u32| module.body_of(function).is_some_and(|at| is_later[at]);
        let table = module
            .tables
            .iter()
            .position(|table| table.ty.element_type.is_func_ref())
            .ok_or("no table of functions")?;
        let mut size =
            u32::try_from(module.tables[table].ty.initial).map_err(|_| "a table of 2^32 places")?;
        let table = u32::try_from(table).map_err(|_| "2^32 tables")?;
        let mut placed = Vec::new();
        for element in &module.elements {
            match (&element.kind, &element.items) {
                (
                    ElementKind::Active {
                        table_index,
                        offset_expr,
                    },
                    ElementItems::Functions(functions),
                ) if table_index.unwrap_or(0) == table => {
                    let start = u32::try_from(constant(offset_expr)?)
                        .map_err(|_| "a place below nought")?;
                    for (function, place) in functions.clone().into_iter().zip(start..) {
                        placed.push((place, function.map_err(|error| error.to_string())?));
                    }
                }
                (ElementKind::Declared, _) => {}
                _ => return Err("a kind of element segment that the cut does not know".to_owned()),
            }
        }
        let mut slots = BTreeMap::new();
        for (place, function) in &placed {
            if is_waiting(*function) {
                slots.insert(*function, *place);
            }
        }
        let mut shared = BTreeSet::new();
        for (at, callees) in module
            .calls()
            .map_err(|error| error.to_string())?
            .into_iter()
            .enumerate()
        {
            for callee in callees {
                match (is_later[at], is_waiting(callee)) {
                    (false, true) => {
                        slots.entry(callee).or_insert_with(|| {
                            size += 1;
                            placed.push((size - 1, callee));
                            size - 1
                        });
                    }
                    (true, false) => {
                        shared.insert(callee);
                    }
                    _ => {}
                }
            }
        }
        Ok(Plan {
            module,
            is_later,
            table,
            slots,
            size,
            placed,
            shared,
        })
    }

    fn is_waiting(&self, function: u32) -> bool {
        self.module
            .body_of(function)
            .is_some_and(|at| self.is_later[at])
    }

    fn first(&self, data: &Segments) -> std::result::Result<Vec<u8>, Error> {
        let module = self.module;
        let mut numbers = vec![None; module.function_types.len()];
        let mut next = 0;
        for (function, number) in (0..).zip(numbers.iter_mut()) {
            if !self.is_waiting(function) {
                *number = Some(next);
                next += 1;
            }
        }
        let mut encoder = Encoder {
            plan: self,
            numbers: &numbers,
        };
        let mut output = Output::new();
        output.section(&self.types(&mut encoder)?);
        let mut imports = ImportSection::new();
        for import in &module.imports {
            imports.import(import.module, import.name, encoder.entity_type(import.ty)?);
        }
        output.section(&imports);
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for (at, body) in module
            .bodies
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.is_later[*at])
        {
            functions.function(module.function_types[module.defined(at) as usize]);
            code.function(&encoder.body(body)?);
        }
        output.section(&functions);
        let mut tables = TableSection::new();
        for (at, table) in (0..).zip(&module.tables) {
            let mut ty = encoder.table_type(table.ty)?;
            if at == self.table {
                ty = self.grown(ty);
            }
            tables.table(ty);
        }
        output.section(&tables);
        let mut memories = MemorySection::new();
        for memory in &module.memories {
            memories.memory(encoder.memory_type(*memory)?);
        }
        output.section(&memories);
        let mut globals = GlobalSection::new();
        for global in &module.globals {
            globals.global(
                encoder.global_type(global.ty)?,
                &encoder.const_expr(global.init_expr.clone())?,
            );
        }
        output.section(&globals);
        let mut exports = ExportSection::new();
        for export in &module.exports {
            exports.export(
                export.name,
                encoder.export_kind(export.kind)?,
                encoder.external_index(export.kind, export.index)?,
            );
        }
        for (kind, index, name) in self.handed_over() {
            let index = match kind {
                ExportKind::Func => encoder.function_index(index)?,
                _ => index,
            };
            exports.export(&name, kind, index);
        }
        output.section(&exports);
        if let Some(start) = module.start {
            output.section(&StartSection {
                function_index: encoder.function_index(start)?,
            });
        }
        output.section(&self.elements(false, &numbers));
        output.section(&code);
        output.section(&segments(data));
        Ok(output.finish())
    }

    fn later(&self, data: &Segments) -> std::result::Result<Vec<u8>, Error> {
        let module = self.module;
        let mut numbers = vec![None; module.function_types.len()];
        let mut next = 0;
        for function in &self.shared {
            numbers[*function as usize] = Some(next);
            next += 1;
        }
        for (function, number) in (0..).zip(numbers.iter_mut()) {
            if self.is_waiting(function) {
                *number = Some(next);
                next += 1;
            }
        }
        let mut encoder = Encoder {
            plan: self,
            numbers: &numbers,
        };
        let mut output = Output::new();
        output.section(&self.types(&mut encoder)?);
        let mut imports = ImportSection::new();
        for (kind, index, name) in self.handed_over() {
            let at = index as usize;
            let entity = match kind {
                ExportKind::Func => EntityType::Function(module.function_types[at]),
                ExportKind::Table => {
                    let ty = encoder.table_type(module.tables[at].ty)?;
                    EntityType::Table(if index == self.table {
                        self.grown(ty)
                    } else {
                        ty
                    })
                }
                ExportKind::Memory => EntityType::Memory(encoder.memory_type(module.memories[at])?),
                _ => EntityType::Global(encoder.global_type(module.globals[at].ty)?),
            };
            imports.import(FROM, &name, entity);
        }
        output.section(&imports);
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for (at, body) in module
            .bodies
            .iter()
            .enumerate()
            .filter(|(at, _)| self.is_later[*at])
        {
            functions.function(module.function_types[module.defined(at) as usize]);
            code.function(&encoder.body(body)?);
        }
        output.section(&functions);
        output.section(&self.elements(true, &numbers));
        output.section(&code);
        output.section(&segments(data));
        Ok(output.finish())
    }

    fn types(&self, encoder: &mut Encoder<'_, 'm, 'a>) -> std::result::Result<TypeSection, Error> {
        let mut types = TypeSection::new();
        if let Some(section) = &self.module.types {
            encoder.parse_type_section(&mut types, section.clone())?;
        }
        Ok(types)
    }

    /// The table with room for what the first part calls in the second.
    fn grown(&self, mut ty: wasm_encoder::TableType) -> wasm_encoder::TableType {
        let size = u64::from(self.size);
        ty.minimum = size;
        ty.maximum = ty.maximum.map(|maximum| maximum.max(size));
        ty
    }

    /// What the first part exports for the second: names are short, and no identifier of Rust.
    fn handed_over(&self) -> Vec<(ExportKind, u32, String)> {
        let module = self.module;
        let all = |kind: ExportKind, count: usize, letter: char| {
            (0..u32::try_from(count).unwrap_or(u32::MAX))
                .map(move |index| (kind, index, format!("{letter}{index}")))
        };
        let functions = self
            .shared
            .iter()
            .zip(0..)
            .map(|(function, at)| (ExportKind::Func, *function, short(at)));
        functions
            .chain(all(ExportKind::Table, module.tables.len(), '-'))
            .chain(all(ExportKind::Memory, module.memories.len(), '+'))
            .chain(all(ExportKind::Global, module.globals.len(), '='))
            .collect()
    }

    /// The places of the table that this part fills.
    fn elements(&self, is_later: bool, numbers: &[Option<u32>]) -> ElementSection {
        let mut section = ElementSection::new();
        let mut run: Vec<u32> = Vec::new();
        let mut start = 0;
        let mut close = |start: u32, run: &mut Vec<u32>| {
            if !run.is_empty() {
                let table = (self.table != 0).then_some(self.table);
                let offset = ConstExpr::i32_const(
                    i32::try_from(start).expect("a table of fewer than 2^31 places"),
                );
                section.active(table, &offset, Elements::Functions(run.as_slice().into()));
                run.clear();
            }
        };
        for (place, function) in &self.placed {
            let number =
                numbers[*function as usize].filter(|_| self.is_waiting(*function) == is_later);
            if number.is_none() || *place != start + u32::try_from(run.len()).unwrap_or(u32::MAX) {
                close(start, &mut run);
                start = *place;
            }
            run.extend(number);
        }
        close(start, &mut run);
        section
    }
}

/// `~` and a number in few letters.
fn short(mut at: usize) -> String {
    let mut name = "~".to_owned();
    loop {
        name.push(char::from(b"0123456789abcdefghijklmnopqrstuvwxyz"[at % 36]));
        at /= 36;
        if at == 0 {
            return name;
        }
    }
}

fn segments(data: &Segments) -> DataSection {
    let mut section = DataSection::new();
    for (address, bytes) in data {
        section.active(0, &ConstExpr::i32_const(*address), bytes.iter().copied());
    }
    section
}

/// Renumbers functions, and makes calls into the second part go through the table.
struct Encoder<'p, 'm, 'a> {
    plan: &'p Plan<'m, 'a>,
    numbers: &'p [Option<u32>],
}

impl Reencode for Encoder<'_, '_, '_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> std::result::Result<u32, Error> {
        Ok(self.numbers[function as usize]
            .expect("what is called by number is in this part or imported"))
    }
}

impl Encoder<'_, '_, '_> {
    fn body(&mut self, body: &FunctionBody<'_>) -> std::result::Result<Function, Error> {
        let mut function = self.new_function_with_parsed_locals(body)?;
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index }
                    if self.numbers[function_index as usize].is_none() =>
                {
                    let slot = self.plan.slots[&function_index];
                    function.instruction(&Instruction::I32Const(slot.cast_signed()));
                    function.instruction(&Instruction::CallIndirect {
                        type_index: self.plan.module.function_types[function_index as usize],
                        table_index: self.plan.table,
                    });
                }
                operator => {
                    function.instruction(&self.instruction(operator)?);
                }
            }
        }
        Ok(function)
    }
}
