//! A finished wasm module, read just so far that it can be cut.

use std::collections::BTreeMap;
use wasmparser::{
    BinaryReaderError, Data, Element, ElementItems, Export, ExternalKind, FunctionBody, Global,
    Import, KnownCustom, MemoryType, Name, Operator, Parser, Payload, Table, TypeRef,
    TypeSectionReader,
};

/// The parts of a module that the cut moves or renumbers.
pub(crate) struct Module<'a> {
    pub(crate) types: Option<TypeSectionReader<'a>>,
    pub(crate) imports: Vec<Import<'a>>,
    /// The type of every function, imported ones first.
    pub(crate) function_types: Vec<u32>,
    pub(crate) imported_functions: u32,
    pub(crate) tables: Vec<Table<'a>>,
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) globals: Vec<Global<'a>>,
    pub(crate) exports: Vec<Export<'a>>,
    pub(crate) start: Option<u32>,
    pub(crate) elements: Vec<Element<'a>>,
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    pub(crate) data: Vec<Data<'a>>,
    /// What the compiler called the functions, by index.
    pub(crate) names: BTreeMap<u32, String>,
}

impl<'a> Module<'a> {
    /// Reads `wasm`, which the wasm tools have just written: an error is theirs or ours.
    pub(crate) fn read(wasm: &'a [u8]) -> Result<Module<'a>, BinaryReaderError> {
        let mut module = Module {
            types: None,
            imports: Vec::new(),
            function_types: Vec::new(),
            imported_functions: 0,
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            exports: Vec::new(),
            start: None,
            elements: Vec::new(),
            bodies: Vec::new(),
            data: Vec::new(),
            names: BTreeMap::new(),
        };
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(types) => module.types = Some(types),
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(ty) = import.ty {
                            module.function_types.push(ty);
                            module.imported_functions += 1;
                        }
                        module.imports.push(import);
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        module.function_types.push(ty?);
                    }
                }
                Payload::TableSection(section) => {
                    module.tables = section.into_iter().collect::<Result<_, _>>()?
                }
                Payload::MemorySection(section) => {
                    module.memories = section.into_iter().collect::<Result<_, _>>()?
                }
                Payload::GlobalSection(section) => {
                    module.globals = section.into_iter().collect::<Result<_, _>>()?
                }
                Payload::ExportSection(section) => {
                    module.exports = section.into_iter().collect::<Result<_, _>>()?
                }
                Payload::StartSection { func, .. } => module.start = Some(func),
                Payload::ElementSection(section) => {
                    module.elements = section.into_iter().collect::<Result<_, _>>()?
                }
                Payload::CodeSectionEntry(body) => module.bodies.push(body),
                Payload::DataSection(section) => {
                    module.data = section.into_iter().collect::<Result<_, _>>()?
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        for name in names {
                            if let Name::Function(map) = name? {
                                for naming in map {
                                    let naming = naming?;
                                    module.names.insert(naming.index, naming.name.to_owned());
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }

    /// The index of the function with the body `at`.
    pub(crate) fn defined(&self, at: usize) -> u32 {
        self.imported_functions + u32::try_from(at).expect("a module has fewer than 2^32 functions")
    }

    /// The body of a function, if it is not imported.
    pub(crate) fn body_of(&self, function: u32) -> Option<usize> {
        function
            .checked_sub(self.imported_functions)
            .map(|at| at as usize)
    }

    /// Functions that must be in the first part: what JavaScript calls by name, and what code takes the address of outside the table.
    pub(crate) fn pinned(&self) -> Vec<u32> {
        let exported = self
            .exports
            .iter()
            .filter(|export| export.kind == ExternalKind::Func)
            .map(|export| export.index);
        exported.chain(self.start).collect()
    }

    /// Functions that stand in a table: anything may call them.
    pub(crate) fn in_table(&self) -> Vec<u32> {
        self.elements
            .iter()
            .filter_map(|element| match &element.items {
                ElementItems::Functions(functions) => Some(functions.clone().into_iter().flatten()),
                ElementItems::Expressions(..) => None,
            })
            .flatten()
            .collect()
    }

    /// Per body, the functions it names.
    pub(crate) fn calls(&self) -> Result<Vec<Vec<u32>>, BinaryReaderError> {
        self.bodies
            .iter()
            .map(|body| {
                let mut callees = Vec::new();
                for operator in body.get_operators_reader()? {
                    match operator? {
                        Operator::Call { function_index }
                        | Operator::RefFunc { function_index } => callees.push(function_index),
                        _ => {}
                    }
                }
                callees.sort_unstable();
                callees.dedup();
                Ok(callees)
            })
            .collect()
    }
}
