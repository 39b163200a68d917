//! Bodies of answers: whole ones, and those that grow while a watch or a log is read.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use api::{Arrival, Frame, WatchKind};
use hyper::body::{Body, Bytes, SizeHint};

use crate::engine::Asked;

pub(crate) enum Answer {
    Whole(Option<Bytes>),
    Stream(Box<Stream>),
}

/// What comes from the cluster, bit by bit.
pub(crate) struct Stream {
    pub(crate) first: Option<Bytes>,
    pub(crate) asked: Asked,
    pub(crate) has_ended: bool,
}

impl Answer {
    pub(crate) fn of(bytes: Vec<u8>) -> Answer {
        Answer::Whole((!bytes.is_empty()).then(|| bytes.into()))
    }

    /// What follows on a request whose first arrival was not the whole answer.
    pub(crate) fn stream(asked: Asked, first: Option<Bytes>) -> Answer {
        Answer::Stream(Box::new(Stream {
            first,
            asked,
            has_ended: false,
        }))
    }
}

impl Stream {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        if self.has_ended {
            return Poll::Ready(None);
        }
        loop {
            let Some(arrival) = std::task::ready!(self.asked.answers.poll_recv(cx)) else {
                self.has_ended = true;
                return Poll::Ready(None);
            };
            match text_of(arrival) {
                Piece::More(bytes) => return Poll::Ready(Some(bytes)),
                Piece::Nothing => {}
                Piece::Last(bytes) => {
                    self.has_ended = true;
                    return Poll::Ready(bytes);
                }
            }
        }
    }
}

/// What an arrival adds to a body.
pub(crate) enum Piece {
    More(Bytes),
    Nothing,
    Last(Option<Bytes>),
}

pub(crate) fn text_of(arrival: Arrival) -> Piece {
    match arrival {
        // The end of a watch's time is no event: the connection just ends.
        Arrival::Watch(event)
            if event.kind == WatchKind::Error && event.object.int("code") == Some(504) =>
        {
            Piece::Last(None)
        }
        Arrival::Watch(event) => {
            let line = apiserver::http::encode_event(&event).into();
            if event.kind == WatchKind::Error {
                Piece::Last(Some(line))
            } else {
                Piece::More(line)
            }
        }
        Arrival::Frame(Frame::Data { text, .. }) => {
            Piece::More(Bytes::copy_from_slice(text.as_bytes()))
        }
        Arrival::Frame(Frame::Bytes { bytes, .. }) => Piece::More(Bytes::copy_from_slice(&bytes)),
        Arrival::Frame(Frame::End { .. }) => Piece::Last(None),
        Arrival::Frame(Frame::Opened | Frame::Response(_)) | Arrival::Response(_) => Piece::Nothing,
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        let bytes = match self.get_mut() {
            Answer::Whole(bytes) => bytes.take(),
            Answer::Stream(stream) => std::task::ready!(stream.poll(cx)),
        };
        Poll::Ready(bytes.map(|bytes| Ok(hyper::body::Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Answer::Whole(bytes) => bytes.is_none(),
            Answer::Stream(stream) => stream.has_ended && stream.first.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Answer::Stream(_) => SizeHint::default(),
        }
    }
}
