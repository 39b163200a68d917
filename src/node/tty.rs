//! The line discipline of a terminal in a container: what is typed is echoed and edited until a line is complete, and what is
//! written gets carriage returns.
//!
//! Models the parts of Linux' `n_tty` that people notice in `kubectl exec -it`: echo, backspace, Ctrl-U, Ctrl-W, Ctrl-C, Ctrl-D.

/// A terminal's state: the line that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tty {
    line: Vec<u8>,
}

/// What Ctrl-C sends.
pub(crate) const CTRL_C: u8 = 0x03;

/// What typing brought about, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// To be shown.
    Echo(Vec<u8>),
    /// A complete line for who reads.
    Line(Vec<u8>),
    Interrupt,
    End,
}

/// No line is longer; more is not taken.
const LONGEST: usize = 4096;

impl Tty {
    pub(crate) fn type_in(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut out = Vec::new();
        let mut echo = Vec::new();
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => {
                    echo.extend(b"\r\n");
                    self.line.push(b'\n');
                    out.push(Typed::Echo(std::mem::take(&mut echo)));
                    out.push(Typed::Line(std::mem::take(&mut self.line)));
                }
                0x7f | 0x08 if self.erase() => echo.extend(b"\x08 \x08"),
                0x7f | 0x08 => {}
                // Ctrl-U and Ctrl-W: the line, the last word.
                0x15 => {
                    while self.erase() {
                        echo.extend(b"\x08 \x08");
                    }
                }
                0x17 => {
                    let is_blank = |line: &Vec<u8>| line.last().is_some_and(|b| *b == b' ');
                    while is_blank(&self.line) && self.erase() {
                        echo.extend(b"\x08 \x08");
                    }
                    while !is_blank(&self.line) && self.erase() {
                        echo.extend(b"\x08 \x08");
                    }
                }
                &CTRL_C => {
                    self.line.clear();
                    echo.extend(b"^C\r\n");
                    out.push(Typed::Echo(std::mem::take(&mut echo)));
                    out.push(Typed::Interrupt);
                }
                0x04 if self.line.is_empty() => out.push(Typed::End),
                0x04 => out.push(Typed::Line(std::mem::take(&mut self.line))),
                byte if self.line.len() < LONGEST => {
                    self.line.push(*byte);
                    match byte {
                        b'\t' | b' '.. => echo.push(*byte),
                        control => echo.extend([b'^', control + 0x40]),
                    }
                }
                _ => {}
            }
        }
        if !echo.is_empty() {
            out.push(Typed::Echo(echo));
        }
        out
    }

    /// Takes back the last character, of however many bytes; false if there is none.
    fn erase(&mut self) -> bool {
        let had = !self.line.is_empty();
        while self.line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
        had
    }
}

/// Output as a terminal shows it: each newline begins at the left.
pub(crate) fn shown(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    for byte in bytes {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_before_it_is_read() {
        let mut tty = Tty::default();
        assert_eq!(
            tty.type_in(b"lx\x7fs -l"),
            [Typed::Echo(b"lx\x08 \x08s -l".to_vec())]
        );
        assert_eq!(
            tty.type_in(b"\x17\r"),
            [
                Typed::Echo(b"\x08 \x08\x08 \x08\r\n".to_vec()),
                Typed::Line(b"ls \n".to_vec())
            ]
        );
        assert_eq!(
            tty.type_in("日\x7f\x15\x7f\x03".as_bytes()),
            [
                Typed::Echo("日\x08 \x08^C\r\n".as_bytes().to_vec()),
                Typed::Interrupt
            ]
        );
        assert_eq!(tty.type_in(b"\x04"), [Typed::End]);
        assert_eq!(shown(b"a\nb"), b"a\r\nb");
    }
}
