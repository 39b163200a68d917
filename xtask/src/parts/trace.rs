//! The same module, keeping note of which of its functions ran: how to find out what the first load needs.

use super::module::Module;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, Function, Instruction, MemArg, MemArgTarget, MemorySection};
use wasmparser::FunctionBody;

/// `wasm` in which the function with body `n` writes a one to the byte `n` after the second number returned.
pub(crate) fn mark(wasm: &[u8]) -> Result<(Vec<u8>, u64), String> {
    let module = Module::read(wasm).map_err(|error| error.to_string())?;
    let base = module.memories.first().ok_or("no memory")?.initial * 0x1_0000;
    let mut marker = Marker {
        base,
        pages: (module.bodies.len() as u64).div_ceil(0x1_0000),
        at: 0,
    };
    let mut output = wasm_encoder::Module::new();
    marker
        .parse_core_module(&mut output, wasmparser::Parser::new(0), wasm)
        .map_err(|error| error.to_string())?;
    Ok((output.finish(), base))
}

struct Marker {
    base: u64,
    pages: u64,
    at: u64,
}

impl Reencode for Marker {
    type Error = std::convert::Infallible;

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: wasmparser::MemorySectionReader<'_>,
    ) -> Result<(), Error> {
        for memory in section {
            let mut ty = self.memory_type(memory?)?;
            ty.minimum += self.pages;
            memories.memory(ty);
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error> {
        let mut function: Function = self.new_function_with_parsed_locals(&body)?;
        function.instruction(&Instruction::I32Const(0));
        function.instruction(&Instruction::I32Const(1));
        function.instruction(&Instruction::I32Store8(MemArg {
            offset: self.base + self.at,
            align: 0,
            target: MemArgTarget::Memory(0),
            ordering: None,
        }));
        self.at += 1;
        for operator in body.get_operators_reader()? {
            function.instruction(&self.instruction(operator?)?);
        }
        code.function(&function);
        Ok(())
    }
}
