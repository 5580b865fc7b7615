//! What happens to a session as a line for a person.

use std::time::Duration;

use revoir::session::{
    Attached, BackendChanged, Event, Fate, GapReason, GoAway, SessionEnding, Verdict,
};

use crate::printable;

/// One line, without its end. Of a message or a connection, which have lines of their own, it is empty.
pub(crate) fn session_line(event: &Event) -> String {
    let line = match event {
        Event::Attached(attached) => self::attached(attached),
        Event::Gap { count, reason, .. } => gap(*count, *reason),
        Event::Returned {
            key, message, fate, ..
        } => {
            let message = printable::message(message);
            return format!("{} ({key}): {message}", self::fate(*fate));
        }
        Event::SentAgain { from, to, .. } => format!("{from} is sent again, as {to}"),
        Event::BackendChanged(change) => backend_changed(*change),
        Event::GoAway(goaway) => going_away(goaway),
        Event::Volatile(true) => {
            "the server's store is away: a session ends with its server now".to_owned()
        }
        Event::Volatile(false) => "the server's store is back, and has the session".to_owned(),
        Event::Ended(ending) => over(ending),
        _ => String::new(),
    };
    printable::one_line(&line, usize::MAX)
}

fn attached(attached: &Attached) -> String {
    let Attached {
        verdict,
        session,
        generation,
        ..
    } = attached;
    let mut line = match verdict {
        Verdict::Resumed => format!("session resumed: connection {generation} of {session}"),
        Verdict::New => format!("session new: {session}"),
        told => format!("session {}: another one begins, {session}", told.id()),
    };
    let (least, most) = match attached.bound {
        true => ("at least ", "at most "),
        false => ("", ""),
    };
    if let Some(received) = attached.received {
        line += &format!("; of our messages, {least}the first {received} were taken");
    }
    if let Some(lost) = attached.lost.filter(|lost| *lost > 0) {
        let messages = printable::counted(lost, "message");
        line += &format!("; {most}{messages} of the server will not come");
    }
    if *verdict != Verdict::Resumed {
        line += &format!("; kept for {} without a connection", time(attached.ttl));
    }
    if let Some(name) = &attached.protocol {
        line += &format!("; subprotocol {name}");
    }
    line
}

fn gap(count: u64, reason: GapReason) -> String {
    let most = match reason.is_exact() {
        true => "",
        false => "at most ",
    };
    let why = match reason {
        GapReason::Dropped => "the peer kept only the newest",
        GapReason::OwnerLost => "the server that had them was lost",
        GapReason::InDoubt => "they may have been taken by a server that was lost",
        GapReason::Quarantined => "two connections failed at it",
        other => other.id(),
    };
    let messages = printable::counted(count, "message");
    format!("gap: {most}{messages} of the peer will not come ({why})")
}

fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::NotTaken => "not sent",
        Fate::InDoubt => "in doubt, nobody knows whether it was taken",
        Fate::Quarantined => "left out, two connections failed at it",
        other => other.id(),
    }
}

fn backend_changed(change: BackendChanged) -> String {
    let BackendChanged {
        written,
        received,
        maybe_lost,
    } = change;
    format!(
        "another backend from here on: {written} written to the one before, {received} received; \
         the last {maybe_lost} written may not have been read"
    )
}

fn going_away(goaway: &GoAway) -> String {
    let kept = match goaway.resumable {
        true => "the session will be there",
        false => "the session ends with the server",
    };
    let mut line = format!(
        "the {} is about to close: {} {}; {kept}; come back in {}",
        goaway.origin.id(),
        goaway.code.code(),
        goaway.reason,
        time(goaway.after)
    );
    if !goaway.spread.is_zero() {
        line += &format!(" and up to {} more", time(goaway.spread));
    }
    line
}

fn over(ending: &SessionEnding) -> String {
    match ending {
        // Ending and decision were told.
        SessionEnding::GaveUp { .. } => "session over: not coming back".to_owned(),
        SessionEnding::NotSpoken => format!("{ending}: try it without --session"),
        other => other.to_string().trim_end().to_owned(),
    }
}

fn time(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use revoir::SendCode;
    use revoir::session::Origin;

    use super::*;

    #[test]
    fn what_is_missing_or_comes_back_is_told_with_its_bounds() {
        assert_eq!(
            gap(1, GapReason::Dropped),
            "gap: 1 message of the peer will not come (the peer kept only the newest)"
        );
        assert_eq!(
            gap(3, GapReason::OwnerLost),
            "gap: at most 3 messages of the peer will not come (the server that had them was lost)"
        );
        let change = BackendChanged {
            written: 7,
            received: 5,
            maybe_lost: 2,
        };
        assert_eq!(
            session_line(&Event::BackendChanged(change)),
            "another backend from here on: 7 written to the one before, 5 received; \
             the last 2 written may not have been read"
        );
    }

    #[test]
    fn a_goaway_says_when_to_come_back_and_whether_that_helps() {
        let goaway = GoAway {
            origin: Origin::Gateway,
            code: SendCode::SERVICE_RESTART,
            resumable: false,
            after: Duration::from_millis(1500),
            spread: Duration::from_secs(2),
            reason: "a\nb".to_owned(),
        };
        assert_eq!(
            session_line(&Event::GoAway(goaway)),
            "the gateway is about to close: 1012 Service Restart a\\nb; the session ends with the server; \
             come back in 1.5 s and up to 2.0 s more"
        );
    }
}
