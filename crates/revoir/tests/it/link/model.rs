//! Every message of a link has exactly one fate, whatever happens, and everybody says the same of it.

use std::io::ErrorKind;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config as Cases;
use revoir::reconnect::{LinkEvent, NotSent, Receipt, Unsent, WhileDown};
use revoir::{Client, Config, Link, Reason, SendCode};
use tokio::time::{sleep, timeout};

use super::{Dial, Harbour, link_with, text};
use crate::support::frames::{Frame, Sort};
use crate::support::peer::Peer;
use crate::support::wire::Stream;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Another task sends, and gives up after a while if it must wait so long.
    Send {
        length: usize,
        patience: u64,
    },
    /// The application sends if it need not wait.
    TrySend {
        length: usize,
    },
    /// The application takes events.
    TakeEvents(usize),
    /// The server reads frames.
    Read(usize),
    /// The server sends messages, which the application has to take.
    Chatter(usize),
    /// The server's TCP is reset.
    Reset,
    /// It is half dead: it cannot be written to any more.
    BreakWrites,
    /// The server closes with 1012.
    Restart,
    /// The next attempt is refused.
    Refuse,
    Sleep(u64),
}

#[derive(Clone, Copy, Debug)]
enum Last {
    Close,
    Drop,
    /// The server closes with 1000.
    Done,
}

fn step() -> impl Strategy<Value = Step> {
    let sending = (0..300_usize, prop_oneof![1..50_u64, Just(1_000_000)]);
    prop_oneof![
        8 => sending.prop_map(|(length, patience)| Step::Send { length, patience }),
        2 => (0..300_usize).prop_map(|length| Step::TrySend { length }),
        4 => (1..20_usize).prop_map(Step::TakeEvents),
        4 => (1..10_usize).prop_map(Step::Read),
        1 => (1..60_usize).prop_map(Step::Chatter),
        1 => Just(Step::Reset),
        1 => Just(Step::BreakWrites),
        1 => Just(Step::Restart),
        1 => Just(Step::Refuse),
        4 => prop_oneof![1..100_u64, Just(30_000)].prop_map(Step::Sleep),
    ]
}

fn while_down() -> impl Strategy<Value = WhileDown> {
    let keep = WhileDown::Keep {
        messages: 5,
        bytes: 1_000,
    };
    prop_oneof![Just(WhileDown::Wait), Just(WhileDown::Fail), Just(keep)]
}

/// What became of one call of `send`.
#[derive(Debug)]
enum Answer {
    Accepted(Receipt),
    NotSent(NotSent),
    /// The future was dropped.
    Cancelled,
}

type Answers = Arc<Mutex<Vec<(String, Answer)>>>;

struct Play {
    link: Option<Link>,
    harbour: Harbour,
    peer: Option<Peer>,
    greets: bool,
    count: usize,
    answers: Answers,
    /// What servers have read, in order.
    seen: Vec<String>,
    in_doubt: Vec<Range<u64>>,
    returned: Vec<Unsent>,
}

impl Play {
    fn new(while_down: WhileDown, greets: bool, capacity: usize, queue: usize) -> Self {
        let (builder, harbour) = link_with("ws://a.example/", capacity);
        let mut config = Config::client();
        config.limits.queue = queue;
        let mut builder = builder
            .with_client(Client::new().with_config(config))
            .with_while_down(while_down);
        if greets {
            builder = builder.with_on_open(|mut socket| async move {
                socket.send_text("hello").await?;
                Ok(socket)
            });
        }
        Self {
            link: Some(builder.start().unwrap()),
            harbour,
            peer: None,
            greets,
            count: 0,
            answers: Answers::default(),
            seen: Vec::new(),
            in_doubt: Vec::new(),
            returned: Vec::new(),
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Send { length, patience } => self.send(length, patience),
            Step::TrySend { length } => self.try_send(length),
            Step::TakeEvents(count) => self.take_events(count).await,
            Step::Read(count) => self.read(count).await,
            Step::Chatter(count) => self.chatter(count).await,
            Step::Reset => {
                self.lose(|peer| peer.stream.end().fail(ErrorKind::ConnectionReset))
                    .await
            }
            Step::BreakWrites => {
                if let Some(peer) = &self.peer {
                    peer.stream.end().break_writes(ErrorKind::BrokenPipe);
                }
            }
            Step::Restart => self.close(1012).await,
            Step::Refuse => self.harbour.then([Dial::Refused]),
            Step::Sleep(millis) => sleep(Duration::from_millis(millis)).await,
        }
        // Everybody does what can be done.
        sleep(Duration::from_millis(1)).await;
        self.accept().await;
    }

    fn next_text(&mut self, length: usize) -> String {
        let number = self.count;
        self.count += 1;
        format!("{number} {}", "x".repeat(length))
    }

    fn send(&mut self, length: usize, patience: u64) {
        let payload = self.next_text(length);
        let sender = self.link.as_ref().unwrap().sender();
        let answers = Arc::clone(&self.answers);
        tokio::spawn(async move {
            let sending = timeout(Duration::from_millis(patience), sender.send(text(&payload)));
            let answer = match sending.await {
                Ok(Ok(receipt)) => Answer::Accepted(receipt),
                Ok(Err(not_sent)) => Answer::NotSent(not_sent),
                Err(_) => Answer::Cancelled,
            };
            answers.lock().unwrap().push((payload, answer));
        });
    }

    fn try_send(&mut self, length: usize) {
        let payload = self.next_text(length);
        let answer = match self.link.as_ref().unwrap().try_send(text(&payload)) {
            Ok(receipt) => Answer::Accepted(receipt),
            Err(not_sent) => Answer::NotSent(not_sent),
        };
        self.answers.lock().unwrap().push((payload, answer));
    }

    async fn take_events(&mut self, count: usize) {
        for _ in 0..count {
            let receiving = self.link.as_mut().unwrap().recv();
            let Ok(event) = timeout(Duration::from_millis(1), receiving).await else {
                return;
            };
            match event {
                Some(event) => self.note(event),
                None => return,
            }
        }
    }

    fn note(&mut self, event: LinkEvent) {
        let (in_doubt, unsent) = match event {
            LinkEvent::Down {
                in_doubt, unsent, ..
            }
            | LinkEvent::GaveUp {
                in_doubt, unsent, ..
            } => (in_doubt, unsent),
            LinkEvent::Closed(end) => (end.in_doubt, end.unsent),
            _ => return,
        };
        self.in_doubt.push(in_doubt);
        self.returned.extend(unsent);
    }

    /// Takes the next connection, if the link wants one.
    async fn accept(&mut self) {
        while self.peer.is_none()
            && let Ok((_, stream)) = self.harbour.arrivals.try_recv()
        {
            if stream.is_alone() {
                // The link did not wait so long.
                continue;
            }
            let mut peer = Peer::new(Stream::Memory(stream), crate::support::Side::Client);
            peer.answer().await;
            if self.greets {
                let greeting = peer.next().await.unwrap();
                assert_eq!(greeting.payload, b"hello");
            }
            self.peer = Some(peer);
        }
    }

    /// Reads one frame, if there is one. Returns whether it was a message.
    async fn read_one(&mut self) -> bool {
        let Some(peer) = &mut self.peer else {
            return false;
        };
        match timeout(Duration::from_millis(1), peer.next()).await {
            Ok(Some(frame)) if frame.sort == Sort::Text => {
                self.seen.push(String::from_utf8(frame.payload).unwrap());
                true
            }
            Ok(Some(frame)) => frame.sort != Sort::Close,
            Ok(None) | Err(_) => false,
        }
    }

    async fn read(&mut self, count: usize) {
        for _ in 0..count {
            if !self.read_one().await {
                return;
            }
        }
    }

    async fn chatter(&mut self, count: usize) {
        if let Some(peer) = &mut self.peer {
            for _ in 0..count {
                let bytes = peer.bytes(&Frame::text("chatter"));
                // The other end may be full, or gone.
                let _ = timeout(Duration::from_millis(1), peer.try_write(&bytes)).await;
            }
        }
    }

    /// Ends the connection and reads what is in the pipe: all that was written.
    async fn lose(&mut self, how: impl FnOnce(&Peer)) {
        if let Some(peer) = &self.peer {
            how(peer);
            while self.read_one().await {}
            self.peer = None;
        }
    }

    async fn close(&mut self, code: u16) {
        if let Some(peer) = &mut self.peer {
            let bytes = peer.bytes(&Frame::close(code, ""));
            // The other end may be full, or gone.
            let _ = timeout(Duration::from_millis(1), peer.try_write(&bytes)).await;
            // What comes before the answer.
            while self.read_one().await {}
            self.lose(|peer| peer.stream.end().fail(ErrorKind::ConnectionReset))
                .await;
        }
    }

    /// Brings the link to its end, and checks everybody's word against the others'.
    async fn finish(mut self, last: Last) {
        let mut told = true;
        let link = self.link.take().unwrap();
        match last {
            Last::Close => {
                link.sender().close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
                self.link = Some(link);
            }
            Last::Drop => {
                told = false;
                drop(link);
            }
            Last::Done => {
                self.link = Some(link);
                self.accept().await;
                self.close(1000).await;
            }
        }
        sleep(Duration::from_millis(1)).await;
        while self.read_one().await {}
        self.lose(|peer| peer.stream.end().fail(ErrorKind::ConnectionReset))
            .await;
        if let Some(mut link) = self.link.take() {
            // If the server was not there to say 1000, we do.
            link.sender().close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
            while let Some(event) = link.recv().await {
                self.note(event);
            }
        }
        sleep(Duration::from_secs(2_000)).await;
        self.check(told).await;
    }

    async fn check(self, told: bool) {
        let answers = std::mem::take(&mut *self.answers.lock().unwrap());
        assert_eq!(answers.len(), self.count, "somebody still waits");
        let mut order = Vec::new();
        for (payload, answer) in answers {
            let seen = self.seen.iter().filter(|seen| **seen == payload).count();
            let mut receipt = match answer {
                Answer::Accepted(receipt) => receipt,
                Answer::NotSent(not_sent) => {
                    assert_eq!((seen, not_sent.into_message()), (0, text(&payload)));
                    continue;
                }
                Answer::Cancelled => {
                    assert_eq!(seen, 0, "{payload}");
                    continue;
                }
            };
            let number = receipt.number();
            let fate = timeout(Duration::from_secs(1), receipt.written());
            let is_written = fate.await.expect("a fate").is_ok();
            assert_eq!(
                usize::from(is_written),
                seen,
                "{payload} {:?}",
                self.in_doubt
            );
            if is_written {
                order.push((number, payload.clone()));
            }
            if told {
                let doubts = self.in_doubt.iter().filter(|it| it.contains(&number));
                assert_eq!(doubts.count(), seen, "{payload}");
                let returned: Vec<_> = self
                    .returned
                    .iter()
                    .filter(|it| it.number == number)
                    .map(|it| &it.message)
                    .collect();
                assert_eq!(
                    returned,
                    Vec::from_iter((!is_written).then_some(&text(&payload)))
                );
            }
        }
        order.sort();
        let order: Vec<String> = order.into_iter().map(|(_, payload)| payload).collect();
        assert_eq!(self.seen, order);
    }
}

fn play(
    while_down: WhileDown,
    greets: bool,
    capacity: usize,
    queue: usize,
    steps: &[Step],
    last: Last,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut play = Play::new(while_down, greets, capacity, queue);
        for step in steps {
            play.step(*step).await;
        }
        play.finish(last).await;
    });
}

proptest! {
    #![proptest_config(Cases { failure_persistence: None, ..Cases::with_cases(200) })]

    #[test]
    fn each_message_has_one_fate(
        while_down in while_down(),
        greets: bool,
        capacity in 50..2_000_usize,
        queue in 50..2_000_usize,
        steps in prop::collection::vec(step(), 1..120),
        last in prop_oneof![Just(Last::Close), Just(Last::Drop), Just(Last::Done)],
    ) {
        play(while_down, greets, capacity, queue, &steps, last);
    }
}
