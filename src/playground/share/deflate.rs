//! Deflate (RFC 1951) that knows beforehand what manifests and kubectl lines look like: a dictionary stands in front of every text, so
//! that a short run fits a short link.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use super::Refusal;

/// Part of the format: a link is read with the dictionary it was written with.
pub(super) const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");

/// The slowest level: a link is made once.
const LEVEL: i32 = 9;

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    // Negative window bits: no header and no trailer.
    let flags = create_comp_flags_from_zip_params(LEVEL, -15, 0);
    let mut compressor = CompressorOxide::new(flags);
    // The dictionary goes in first and its output away. Flushed, what follows begins at a byte of its own.
    compress_to_output(&mut compressor, DICTIONARY, TDEFLFlush::Sync, |_| true);
    let mut out = Vec::with_capacity(bytes.len() / 3);
    compress_to_output(&mut compressor, bytes, TDEFLFlush::Finish, |part| {
        out.extend_from_slice(part);
        true
    });
    out
}

/// Exactly `length` bytes, or a refusal; never more memory than that.
pub(super) fn inflate(bytes: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::with_capacity(DICTIONARY.len() + length);
    out.extend_from_slice(DICTIONARY);
    out.resize(DICTIONARY.len() + length, 0);
    let mut inflater = DecompressorOxide::new();
    let (status, read, written) = decompress(
        &mut inflater,
        bytes,
        &mut out,
        DICTIONARY.len(),
        inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
    );
    match status {
        TINFLStatus::Done if written == length && read == bytes.len() => {
            Ok(out.split_off(DICTIONARY.len()))
        }
        TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => Err(Refusal::CutOff),
        _ => Err(Refusal::Damaged),
    }
}
