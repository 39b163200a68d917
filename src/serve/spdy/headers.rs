//! SPDY's compressed header blocks: one deflate stream for each direction of a connection, with a preset dictionary.

use std::sync::LazyLock;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// No block of headers is larger; a bomb ends the connection.
const LARGEST: usize = 64 << 10;

/// The dictionary of SPDY/3 (draft 3, section 2.6.10.1): words with their length before them, then some text.
const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow \
    authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 \
    content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since \
    last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer \
    transfer-encoding upgrade user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public \
    set-cookie keep-alive origin";
const TEXT: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
    203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found\
    500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 \
    Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,\
    text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

static DICTIONARY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    for word in WORDS.split(' ') {
        let word = word.replace('_', " ");
        bytes.extend((word.len() as u32).to_be_bytes());
        bytes.extend(word.as_bytes());
    }
    bytes.extend(TEXT.as_bytes());
    bytes
});

/// Reads the blocks of one direction.
pub(super) struct Reader(Decompress);

impl Reader {
    pub(super) fn new() -> Reader {
        Reader(Decompress::new(true))
    }

    /// Names (in lower case) and values; `None` if the block is broken.
    pub(super) fn read(&mut self, block: &[u8]) -> Option<Vec<(String, String)>> {
        let plain = self.inflate(block)?;
        let mut rest = &plain[..];
        let count = number(&mut rest)?;
        let mut headers = Vec::new();
        for _ in 0..count.min(256) {
            let name = text(&mut rest)?.to_ascii_lowercase();
            headers.push((name, text(&mut rest)?));
        }
        Some(headers)
    }

    fn inflate(&mut self, block: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(1024);
        let mut rest = block;
        loop {
            let before = self.0.total_in();
            let outcome = self.0.decompress_vec(rest, &mut out, FlushDecompress::Sync);
            rest = rest.get((self.0.total_in() - before) as usize..)?;
            match outcome {
                Err(why) => {
                    why.needs_dictionary()?;
                    self.0.set_dictionary(&DICTIONARY).ok()?;
                }
                Ok(Status::StreamEnd) => return Some(out),
                Ok(_) if rest.is_empty() && out.len() < out.capacity() => return Some(out),
                Ok(_) if out.capacity() >= LARGEST => return None,
                Ok(_) => out.reserve(out.capacity()),
            }
        }
    }
}

/// Writes the blocks of one direction.
pub(super) struct Writer(Compress);

impl Writer {
    pub(super) fn new() -> Option<Writer> {
        let mut compress = Compress::new(Compression::fast(), true);
        compress.set_dictionary(&DICTIONARY).ok()?;
        Some(Writer(compress))
    }

    pub(super) fn write(&mut self, headers: &[(&str, &str)]) -> Option<Vec<u8>> {
        let mut plain = (headers.len() as u32).to_be_bytes().to_vec();
        for word in headers.iter().flat_map(|(name, value)| [name, value]) {
            plain.extend((word.len() as u32).to_be_bytes());
            plain.extend(word.as_bytes());
        }
        let mut out = Vec::with_capacity(plain.len() + 128);
        self.0
            .compress_vec(&plain, &mut out, FlushCompress::Sync)
            .ok()?;
        Some(out)
    }
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = number(bytes)? as usize;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_survive_the_way_and_the_dictionary_is_the_standards() {
        assert_eq!(DICTIONARY.len(), 1423);
        let mut check = Decompress::new(true);
        let mut writer = Writer::new().expect("the dictionary fits");
        let mut reader = Reader::new();
        for _ in 0..3 {
            let block = writer
                .write(&[("streamtype", "stdin"), ("port", "80")])
                .expect("it is short");
            let headers = reader.read(&block).expect("it is whole");
            assert_eq!(headers[0], ("streamtype".into(), "stdin".into()));
            assert_eq!(headers.len(), 2);
        }
        let block = Writer::new().and_then(|mut w| w.write(&[])).expect("short");
        let why = check
            .decompress_vec(&block, &mut Vec::with_capacity(64), FlushDecompress::Sync)
            .expect_err("it wants the dictionary");
        // The checksum that every SPDY/3 stream carries.
        assert_eq!(why.needs_dictionary(), Some(0xe3c6_a7c2));
        assert_eq!(Reader::new().read(b"nonsense"), None);
    }
}
