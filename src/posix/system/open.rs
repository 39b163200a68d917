//! Open files: descriptors of processes point here, pipes and channels end here.

use super::{Channel, Kernel, Output, Stream, System};
use crate::files::{Body, Device, Errno, Ino, VolumeId};
use std::collections::VecDeque;
use std::sync::Arc;

/// Index of an open file.
pub(crate) type OpenId = u32;

/// What Linux's pipes hold.
const PIPE_BYTES: usize = 65_536;

/// Output the host has not taken yet; beyond it writers wait.
const OUTPUT_BYTES: usize = 1 << 20;

/// An open file, shared by the descriptors that were duplicated from it.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) target: Target,
    refs: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Closed,
    Input(Channel),
    Output(Channel, Stream),
    Device(Device),
    File {
        volume: VolumeId,
        ino: Ino,
        at: u64,
        read: bool,
        write: bool,
        append: bool,
    },
    PipeRead(u32),
    PipeWrite(u32),
    Text {
        bytes: Arc<[u8]>,
        at: usize,
    },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe {
    data: VecDeque<u8>,
    reader: bool,
    writer: bool,
}

/// What a session or container gets on standard input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub(crate) channel: Channel,
    pub(crate) data: VecDeque<u8>,
    pub(crate) closed: bool,
    pub(crate) tty: bool,
}

pub(crate) enum Read {
    Data(Vec<u8>),
    End,
    Wait,
    Failed(Errno),
}

pub(crate) enum Write {
    /// So many bytes were taken; fewer than given means: wait.
    Took(usize),
    /// Nobody reads any more.
    Broken,
    Failed(Errno),
}

impl System {
    pub(crate) fn open(&mut self, target: Target) -> OpenId {
        let open = Open { target, refs: 1 };
        match self.opens.iter().position(|o| o.refs == 0) {
            Some(free) => {
                self.opens[free] = open;
                free as OpenId
            }
            None => {
                self.opens.push(open);
                (self.opens.len() - 1) as OpenId
            }
        }
    }

    /// A pipe: its read end and its write end.
    pub(crate) fn pipe(&mut self) -> (OpenId, OpenId) {
        let pipe = Pipe {
            reader: true,
            writer: true,
            ..Pipe::default()
        };
        let id = match self.pipes.iter().position(|p| !p.reader && !p.writer) {
            Some(free) => {
                self.pipes[free] = pipe;
                free
            }
            None => {
                self.pipes.push(pipe);
                self.pipes.len() - 1
            }
        } as u32;
        (
            self.open(Target::PipeRead(id)),
            self.open(Target::PipeWrite(id)),
        )
    }

    pub(crate) fn share(&mut self, id: OpenId) {
        self.opens[id as usize].refs += 1;
    }

    pub(crate) fn target(&self, id: OpenId) -> &Target {
        &self.opens[id as usize].target
    }

    /// Whether a read would give something (data, end or an error) now.
    pub(crate) fn can_read(&self, id: OpenId) -> bool {
        match &self.opens[id as usize].target {
            Target::PipeRead(pipe) => {
                let pipe = &self.pipes[*pipe as usize];
                !pipe.data.is_empty() || !pipe.writer
            }
            Target::Input(channel) => self
                .inputs
                .iter()
                .find(|i| i.channel == *channel)
                .is_none_or(|i| i.closed || !i.data.is_empty()),
            _ => true,
        }
    }

    /// Whether a write would take something (or fail) now.
    pub(crate) fn can_write(&self, id: OpenId) -> bool {
        match &self.opens[id as usize].target {
            Target::PipeWrite(pipe) => {
                let pipe = &self.pipes[*pipe as usize];
                pipe.data.len() < PIPE_BYTES || !pipe.reader
            }
            Target::Output(..) => self.output_bytes < OUTPUT_BYTES,
            _ => true,
        }
    }

    pub(crate) fn is_tty(&self, id: OpenId) -> bool {
        let channel = match &self.opens[id as usize].target {
            Target::Input(channel) | Target::Output(channel, _) => *channel,
            _ => return false,
        };
        self.inputs.iter().any(|i| i.channel == channel && i.tty)
    }

    fn emit(&mut self, channel: Channel, stream: Stream, bytes: &[u8]) {
        self.output_bytes += bytes.len();
        if let Some(last) = self.output.last_mut()
            && last.channel == channel
            && last.stream == stream
        {
            last.bytes.extend_from_slice(bytes);
            return;
        }
        self.output.push(Output {
            channel,
            stream,
            bytes: bytes.to_vec(),
        });
    }
}

impl Kernel<'_> {
    pub(crate) fn close(&mut self, id: OpenId) {
        let open = &mut self.sys.opens[id as usize];
        open.refs = open.refs.saturating_sub(1);
        if open.refs > 0 {
            return;
        }
        match std::mem::replace(&mut open.target, Target::Closed) {
            Target::PipeRead(pipe) => {
                let pipe = &mut self.sys.pipes[pipe as usize];
                pipe.reader = false;
                pipe.data = VecDeque::new();
            }
            Target::PipeWrite(pipe) => self.sys.pipes[pipe as usize].writer = false,
            Target::File { volume, ino, .. } => {
                if let Some(volume) = self.disk.volume_mut(volume) {
                    volume.release(ino);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn read(&mut self, id: OpenId, max: usize) -> Read {
        let host = &mut *self.host;
        match &mut self.sys.opens[id as usize].target {
            Target::Closed => Read::Failed(Errno::BadDescriptor),
            Target::Output(channel, _) => {
                // Reading a terminal's output side reads its input.
                let channel = *channel;
                self.read_input(channel, max)
            }
            Target::Input(channel) => {
                let channel = *channel;
                self.read_input(channel, max)
            }
            Target::Device(Device::Zero | Device::Full) => Read::Data(vec![0; max.min(4096)]),
            Target::Device(Device::Random) => {
                let mut bytes = Vec::new();
                while bytes.len() < max.min(4096) {
                    bytes.extend_from_slice(&host.random().to_le_bytes());
                }
                bytes.truncate(max);
                Read::Data(bytes)
            }
            Target::Device(_) => Read::End,
            Target::File {
                volume,
                ino,
                at,
                read,
                ..
            } => {
                if !*read {
                    return Read::Failed(Errno::BadDescriptor);
                }
                let Some(node) = self.disk.volume(*volume).and_then(|v| v.node(*ino)) else {
                    return Read::End;
                };
                match &node.body {
                    Body::File(bytes) => {
                        let from = (*at as usize).min(bytes.len());
                        let to = (from + max).min(bytes.len());
                        if from == to {
                            return Read::End;
                        }
                        *at = to as u64;
                        Read::Data(bytes[from..to].to_vec())
                    }
                    Body::Directory(_) => Read::Failed(Errno::IsDirectory),
                    _ => Read::End,
                }
            }
            Target::PipeRead(pipe) => {
                let pipe = &mut self.sys.pipes[*pipe as usize];
                if pipe.data.is_empty() {
                    return if pipe.writer { Read::Wait } else { Read::End };
                }
                let n = max.min(pipe.data.len());
                let data = pipe.data.drain(..n).collect();
                if pipe.data.is_empty() {
                    pipe.data = VecDeque::new();
                }
                Read::Data(data)
            }
            Target::PipeWrite(_) => Read::Failed(Errno::BadDescriptor),
            Target::Text { bytes, at } => {
                let to = (*at + max).min(bytes.len());
                if to == *at {
                    return Read::End;
                }
                let data = bytes[*at..to].to_vec();
                *at = to;
                Read::Data(data)
            }
        }
    }

    fn read_input(&mut self, channel: Channel, max: usize) -> Read {
        let Some(input) = self.sys.inputs.iter_mut().find(|i| i.channel == channel) else {
            return Read::End;
        };
        if input.data.is_empty() {
            return if input.closed { Read::End } else { Read::Wait };
        }
        let n = max.min(input.data.len());
        Read::Data(input.data.drain(..n).collect())
    }

    /// Puts bytes back in front, so that a command reader takes only the lines it used.
    pub(crate) fn unread(&mut self, id: OpenId, bytes: &[u8]) {
        match &mut self.sys.opens[id as usize].target {
            Target::File { at, .. } => *at -= (bytes.len() as u64).min(*at),
            Target::Text { at, .. } => *at -= bytes.len().min(*at),
            Target::PipeRead(pipe) => {
                let pipe = &mut self.sys.pipes[*pipe as usize];
                bytes.iter().rev().for_each(|b| pipe.data.push_front(*b));
            }
            Target::Input(channel) => {
                let channel = *channel;
                if let Some(input) = self.sys.inputs.iter_mut().find(|i| i.channel == channel) {
                    bytes.iter().rev().for_each(|b| input.data.push_front(*b));
                }
            }
            _ => {}
        }
    }

    pub(crate) fn write(&mut self, id: OpenId, bytes: &[u8]) -> Write {
        let now = self.now;
        match &mut self.sys.opens[id as usize].target {
            Target::Output(channel, stream) => {
                let (channel, stream) = (*channel, *stream);
                if self.sys.output_bytes >= OUTPUT_BYTES {
                    return Write::Took(0);
                }
                self.sys.emit(channel, stream, bytes);
                Write::Took(bytes.len())
            }
            Target::Input(channel) => {
                // Writing to a terminal's input side writes to the terminal.
                let channel = *channel;
                self.sys.emit(channel, Stream::Stdout, bytes);
                Write::Took(bytes.len())
            }
            Target::Device(Device::Full) => Write::Failed(Errno::NoSpace),
            Target::Device(_) => Write::Took(bytes.len()),
            Target::File {
                volume,
                ino,
                at,
                write,
                append,
                ..
            } => {
                if !*write {
                    return Write::Failed(Errno::BadDescriptor);
                }
                let Some(volume) = self.disk.volume_mut(*volume) else {
                    return Write::Failed(Errno::NoEntry);
                };
                if *append {
                    *at = volume.node(*ino).map_or(0, |n| n.size());
                }
                match volume.write_at(*ino, *at, bytes, now) {
                    Ok(()) => {
                        *at += bytes.len() as u64;
                        Write::Took(bytes.len())
                    }
                    Err(errno) => Write::Failed(errno),
                }
            }
            Target::PipeWrite(pipe) => {
                let pipe = &mut self.sys.pipes[*pipe as usize];
                if !pipe.reader {
                    return Write::Broken;
                }
                let n = bytes.len().min(PIPE_BYTES.saturating_sub(pipe.data.len()));
                pipe.data.extend(&bytes[..n]);
                Write::Took(n)
            }
            _ => Write::Failed(Errno::BadDescriptor),
        }
    }
}
