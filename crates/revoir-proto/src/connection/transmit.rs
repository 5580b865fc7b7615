//! Bytes out.

use std::io::IoSlice;
use std::time::Duration;

use crate::connection::Connection;
use crate::connection::step::Incident;
use crate::ending::InputEnd;
use crate::random::Random;
use crate::state::State;

impl<R: Random> Connection<R> {
    /// Lends memory to the output queue, which takes it (and leaves an empty `buffer`) if it has
    /// none. A driver of many connections can so have all of them use the same memory: it lends it
    /// before it works on one of them, and [asks it back](Self::return_buffer) afterwards.
    #[inline]
    pub fn lend_buffer(&mut self, buffer: &mut Vec<u8>) {
        debug_assert!(buffer.is_empty(), "memory, not content");
        self.parts.output.borrow_buffer(buffer);
    }

    /// Asks lent memory back. The queue gives all its memory if nothing waits in it, and otherwise
    /// keeps what it needs: `buffer` becomes the larger of the two, and stays empty.
    #[inline]
    pub fn return_buffer(&mut self, buffer: &mut Vec<u8>) {
        self.parts.output.return_buffer(buffer);
    }

    /// Fills `slices` with what is to be written next, for one vectored write, and returns how
    /// many it used: none when there is nothing to write.
    ///
    /// Afterwards the driver calls [`transmitted`](Self::transmitted).
    pub fn poll_transmit<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        match self.parts.input_end.as_deref() {
            // A broken transport takes nothing.
            Some(InputEnd::Lost { .. }) => 0,
            Some(InputEnd::Eof) | None => self.parts.output.fill(slices),
        }
    }

    /// Takes note that the first `count` bytes of what [`poll_transmit`](Self::poll_transmit)
    /// handed out were written.
    #[inline]
    pub fn transmitted(&mut self, now: Duration, count: usize) {
        if count == 0 || self.parts.state == State::Closed || self.is_lost() {
            return;
        }
        let now = self.own_time(now);
        self.parts.output.advance(now, count);
        let written = self.parts.output.written();
        if self.parts.liveness.note_written(now, written) {
            self.renew_life();
        }
        if self.parts.state == State::Open {
            self.push_waiting_pong(now);
        } else if self.parts.output.queued() == 0 {
            // Our Close frame is the last one, so an empty queue means that it has left.
            self.step(now, Incident::CloseWritten);
        }
    }
}
