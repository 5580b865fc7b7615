//! [`Ended`]: how a connection of a capture ended, in the engine's words and on a line for people.

use std::time::Duration;

use revoir_codes::CloseCode;
use revoir_codes::catalog::causes::Witness;
use revoir_codes::catalog::diagnosis::{Evidence, Sign, TcpEnd};

use crate::diagnose::capture::flow::{Flow, Half};
use crate::diagnose::capture::talk::{Side, Talk, WebSocket};
use crate::diagnose::evidence::tell_of_a_rule;
use crate::diagnose::log::short;
use crate::diagnose::{Outcome, Step, StepId};

/// Who says the same so often and hears nothing talks to nobody.
const UNHEARD: usize = 3;

/// A ping that is answered is answered within this time.
const PONG: Duration = Duration::from_secs(5);

/// What became of a connection.
pub(super) struct Ended {
    pub(super) at: Duration,
    /// Whether it was, or was to become, a WebSocket that can be read.
    pub(super) is_websocket: bool,
    pub(super) is_over: bool,
    /// Whether it ended as it should.
    pub(super) is_well: bool,
    pub(super) evidence: Evidence,
    pub(super) step: Step,
}

/// How TCP ended, and who began it.
#[derive(Clone, Copy)]
struct Cut {
    at: Duration,
    tcp: TcpEnd,
    by_client: bool,
}

impl Ended {
    /// `None` for a connection that says nothing of a WebSocket.
    pub(super) fn of(flow: &Flow) -> Option<Self> {
        let talk = Talk::of(flow)?;
        let cut = Cut::of(flow);
        let mut evidence = Evidence::new();
        evidence.tcp = cut.map(|cut| cut.tcp);
        evidence.witness = cut.map(|cut| witness(cut.by_client));
        let mut ended = Self {
            at: cut.map_or(flow.last, |cut| cut.at),
            is_websocket: false,
            is_over: cut.is_some(),
            is_well: false,
            evidence,
            step: step(String::new()),
        };
        let said = match &talk {
            Talk::WebSocket(socket) => ended.websocket(socket, cut, flow),
            Talk::Tls { plain_answer } => ended.tls(*plain_answer, cut, flow),
            Talk::TlsAnswer => {
                ended.never_opened(Sign::TlsAnswerToPlain);
                "a handshake without TLS was answered with TLS".to_owned()
            }
            Talk::Nothing => ended.unreached(flow)?,
        };
        let gaps = if flow.has_gaps() {
            "; packets are missing in the capture"
        } else {
            ""
        };
        let text = format!("{} to {}: {said}{gaps}", flow.client, flow.server);
        ended.step = Step {
            outcome: match (ended.is_over, ended.is_well) {
                (false, _) => Outcome::Noted,
                (true, true) => Outcome::Passed,
                (true, false) => Outcome::Failed,
            },
            took: ended.at.saturating_sub(flow.first),
            ..step(text)
        };
        Some(ended)
    }

    fn never_opened(&mut self, sign: Sign) {
        self.evidence.opened = Some(false);
        self.evidence.observe(sign);
        self.is_over = true;
    }

    /// Nothing but SYNs, and what answered them.
    fn unreached(&mut self, flow: &Flow) -> Option<String> {
        if !flow.begins {
            return None;
        }
        self.evidence.tcp = None;
        self.evidence.witness = Some(Witness::Client);
        if flow.down.rst.is_some() && flow.down.fin.is_none() && !flow.answered {
            self.never_opened(Sign::Refused);
            return Some("the port refused the connection".to_owned());
        }
        if flow.down.spoke.is_none() {
            self.never_opened(Sign::ConnectTimeout);
            return Some("no answer to the SYN".to_owned());
        }
        None
    }

    /// What TCP shows of it.
    fn tls(&mut self, plain_answer: bool, cut: Option<Cut>, flow: &Flow) -> String {
        if plain_answer {
            self.never_opened(Sign::PlainAnswerToTls);
            return "TLS was answered with something else".to_owned();
        }
        let Some(cut) = cut else {
            return "TLS, still open at the end of the capture".to_owned();
        };
        if flow.down.bytes.is_empty() {
            self.never_opened(Sign::TlsCut);
            return format!("{} instead of an answer to TLS", cut.name());
        }
        let spoken = |half: &Half| half.at(half.bytes.len().wrapping_sub(1));
        let last = spoken(&flow.up).max(spoken(&flow.down));
        let idle = last.map(|last| cut.at.saturating_sub(last));
        self.evidence.idle = idle;
        let silent = idle.map(|idle| format!(", the last {} of them silent", short(idle)));
        format!(
            "TLS for {}{}, then {}",
            short(cut.at.saturating_sub(flow.first)),
            silent.unwrap_or_default(),
            cut.name()
        )
    }

    fn websocket(&mut self, socket: &WebSocket, cut: Option<Cut>, flow: &Flow) -> String {
        self.is_websocket = true;
        let path = &socket.path;
        let Some(answer) = &socket.answer else {
            if let Some(cut) = cut {
                self.evidence.opened = Some(false);
                return format!("{path}, {} instead of an answer", cut.name());
            }
            self.never_opened(Sign::HandshakeTimeout);
            let waited = flow.last.saturating_sub(flow.first);
            return format!("{path}, no answer in {}", short(waited));
        };
        self.evidence.headers.clone_from(&answer.headers);
        if !socket.is_open() {
            self.is_over = true;
            self.evidence.opened = Some(false);
            self.evidence.status = Some(answer.status);
            self.evidence.tcp = None;
            self.evidence.witness = Some(Witness::Client);
            if !answer.body.trim().is_empty() {
                self.evidence.texts.push(answer.body.clone());
            }
            return format!("{path}, refused with {}", answer.status);
        }
        if answer.accepts_other_key {
            self.never_opened(Sign::AcceptWrong);
            return format!(
                "{path}, a 101 whose Sec-WebSocket-Accept does not fit the key, which clients refuse"
            );
        }
        self.evidence.opened = Some(true);
        self.open(socket, answer.at, cut)
    }

    /// What happened after the 101.
    fn open(&mut self, socket: &WebSocket, opened: Duration, cut: Option<Cut>) -> String {
        let [client, server] = &socket.sides;
        for side in [client, server] {
            if let Some(rule) = &side.broken {
                tell_of_a_rule(rule, &mut self.evidence);
            }
        }
        let first_close = first_close(client, server);
        let closed_at = first_close.map(|(at, ..)| at);
        let cut_at = cut.map(|cut| cut.at);
        let Some(end) = closed_at.or(cut_at) else {
            return format!("{}, still open at the end of the capture", socket.path);
        };
        self.is_over = true;
        self.at = end;
        let last = client.last.max(server.last).unwrap_or(opened).min(end);
        let (age, idle) = (end.saturating_sub(opened), end.saturating_sub(last));
        self.evidence.age = Some(age);
        self.evidence.idle = Some(idle);
        if unanswered(client, server, end) || unanswered(server, client, end) {
            self.evidence.observe(Sign::PingUnanswered);
        }
        let both = client.close.is_some() && server.close.is_some();
        let how = if let Some((at, code, reason, by_client)) = first_close {
            self.evidence.code = Some(code);
            self.evidence.clean = Some(both);
            self.evidence.witness = Some(witness(by_client));
            if both {
                self.evidence.tcp = None;
            } else if let Some(cut) = cut {
                self.evidence.closing = Some(cut.at.saturating_sub(at));
            }
            if !reason.is_empty() {
                self.evidence.texts.push(reason.to_owned());
            }
            self.is_well = both && matches!(code.get(), 1000 | 1001 | 1005);
            closed(code, reason, by_client, both)
        } else {
            self.evidence.code = Some(CloseCode::ABNORMAL_CLOSURE);
            self.evidence.clean = Some(false);
            let name = cut.map_or_else(|| "the end".to_owned(), Cut::name);
            format!("{name} without a Close frame")
        };
        let rule = client.broken.as_ref().or(server.broken.as_ref());
        let rule = rule.map(|rule| format!("; {rule}")).unwrap_or_default();
        format!(
            "{}, open for {}, the last {} of them silent, then {how}{rule}",
            socket.path,
            short(age),
            short(idle)
        )
    }
}

/// The Close frame that began the closing: when, its code and reason, and whether it is the client's.
fn first_close<'a>(
    client: &'a Side,
    server: &'a Side,
) -> Option<(Duration, CloseCode, &'a str, bool)> {
    let of = |side: &'a Side, by_client| {
        let (at, frame) = side.close.as_ref()?;
        Some((*at, frame.code(), frame.reason().as_str(), by_client))
    };
    let both = of(client, true).into_iter().chain(of(server, false));
    both.min_by_key(|(at, ..)| *at)
}

fn closed(code: CloseCode, reason: &str, by_client: bool, both: bool) -> String {
    let by = if by_client { "client" } else { "server" };
    let reason = match reason {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    let answer = if both { "" } else { ", which was not answered" };
    // 1005 stands in no frame: it is what an empty one is called.
    let code = match code {
        CloseCode::NO_STATUS_RCVD => "without a code (1005)".to_owned(),
        code => code.get().to_string(),
    };
    format!("Close {code}{reason} from the {by}{answer}")
}

/// Whether a side asked with a ping and got no answer, although there was time for one.
pub(super) fn unanswered(asks: &Side, answers: &Side, end: Duration) -> bool {
    let answered = answers.pong.unwrap_or_default();
    let open = |ping: &Duration| *ping > answered && end.saturating_sub(*ping) >= PONG;
    asks.pings.iter().any(open)
}

impl Cut {
    fn of(flow: &Flow) -> Option<Self> {
        let side = |half: &Half, by_client| {
            let fin = half.fin.map(|at| (at, TcpEnd::Fin));
            let rst = half.rst.map(|at| (at, TcpEnd::Rst));
            let (at, tcp) = fin.into_iter().chain(rst).min_by_key(|(at, _)| *at)?;
            Some(Self { at, tcp, by_client })
        };
        let up = side(&flow.up, true);
        let down = side(&flow.down, false);
        let cut = up.into_iter().chain(down).min_by_key(|cut| cut.at);
        // Who is not heard any more was cut off before it gave up.
        let silence = |half: &Half, by_client| {
            let at = half.repeats_since.filter(|_| half.repeated >= UNHEARD)?;
            Some(Self {
                at,
                tcp: TcpEnd::Silence,
                by_client,
            })
        };
        let unheard = silence(&flow.up, false).or_else(|| silence(&flow.down, true));
        match (cut, unheard) {
            (Some(cut), Some(unheard)) if cut.at < unheard.at => Some(cut),
            (cut, unheard) => unheard.or(cut),
        }
    }

    fn name(self) -> String {
        let by = if self.by_client { "client" } else { "server" };
        match self.tcp {
            TcpEnd::Fin => format!("a FIN from the {by}"),
            TcpEnd::Rst => format!("a reset from the {by}"),
            TcpEnd::Silence => format!("no packet from the {by} any more"),
        }
    }
}

/// Who learns of an ending that one side began: the other.
const fn witness(by_client: bool) -> Witness {
    match by_client {
        true => Witness::Server,
        false => Witness::Client,
    }
}

pub(super) fn step(text: String) -> Step {
    Step {
        id: StepId::Capture,
        outcome: Outcome::Noted,
        text,
        took: Duration::ZERO,
    }
}
