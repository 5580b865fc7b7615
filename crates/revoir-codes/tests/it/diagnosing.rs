use revoir_codes::catalog::Locale;
use revoir_codes::catalog::causes::{Witness, all_causes};
use revoir_codes::catalog::diagnosis::messages::messages;
use revoir_codes::catalog::diagnosis::settings::settings;
use revoir_codes::catalog::diagnosis::{
    Confidence, Contradiction, Evidence, ReadFrom, Sign, TcpEnd, diagnose,
};
use std::time::Duration;

#[test]
fn every_message_alone_stands_for_its_signs() {
    for message in messages() {
        let example = message.example.unwrap_or(message.pattern);
        let mut evidence = Evidence::new();
        evidence.texts.push(example.to_owned());
        let diagnosis = diagnose(&evidence);
        for sign in message.signs {
            // Before a connection opened, the end of TCP is an end of the handshake.
            let before = match sign {
                Sign::Fin => Sign::HandshakeEof,
                Sign::Rst => Sign::HandshakeReset,
                other => *other,
            };
            let is_there = |found: Sign| found == *sign || found == before;
            assert!(
                diagnosis.signs.iter().any(|seen| is_there(seen.sign)),
                "{example}: {sign:?}"
            );
        }
        if let Some(of) = message.intermediary {
            let names: Vec<_> = diagnosis.intermediaries.iter().map(|of| of.name).collect();
            assert!(names.contains(&of.name), "{example}: {names:?}");
        }
    }
}

#[test]
fn a_message_of_the_other_end_is_not_meant() {
    // Python's websockets says the same of the answer that a client got.
    let line = "Handshake failed due to invalid Upgrade header: null";
    let first = |end: Option<Witness>| {
        let mut evidence = Evidence::new();
        evidence.witness = end;
        evidence.texts.push(line.to_owned());
        diagnose(&evidence).ranked[0].cause.id
    };
    assert_eq!(first(Some(Witness::Server)), "proxy-not-upgrading");
    assert_eq!(first(Some(Witness::Client)), "accept-key");
    assert_eq!(first(Some(Witness::Browser)), first(Some(Witness::Client)));
}

#[test]
fn nothing_known_ranks_nothing() {
    let diagnosis = diagnose(&Evidence::new());
    assert!(diagnosis.ranked.is_empty() && diagnosis.signs.is_empty());
    assert_eq!(diagnosis.unknown.len(), 6);
}

#[test]
fn a_cause_that_is_hardly_possible_is_not_named() {
    let mut evidence = Evidence::new();
    evidence.opened = Some(false);
    evidence.idle = Some(Duration::from_secs(60));
    let diagnosis = diagnose(&evidence);
    assert_eq!(diagnosis.ranked[0].confidence, Confidence::Unlikely);
    assert!(diagnosis.likeliest().is_none());
    assert_eq!(
        diagnosis.contradictions,
        [Contradiction::NeverOpenedWithTimes]
    );
    let verdict = Locale::english().verdict(&diagnosis);
    assert!(
        verdict.starts_with("None of the known causes fits"),
        "{verdict}"
    );
}

#[test]
fn evidence_moves_the_verdict_and_what_contradicts_is_told() {
    let mut evidence = Evidence::new();
    evidence.opened = Some(true);
    evidence.idle = Some(Duration::from_secs(60));
    let before = diagnose(&evidence);
    assert_eq!(before.ranked[0].cause.id, "idle-proxy");
    assert_eq!(before.ranked[0].confidence, Confidence::Probable);

    evidence.observe_value(Sign::SurvivedIdle, "400 s");
    let after = diagnose(&evidence);
    let idle = after.ranked.iter().find(|of| of.cause.id == "idle-proxy");
    let idle = idle.unwrap();
    assert!(idle.weight < before.ranked[0].weight);
    let against: Vec<Sign> = idle
        .contradicting
        .iter()
        .map(|one| one.observed.sign)
        .collect();
    assert_eq!(against, [Sign::SurvivedIdle]);
}

#[test]
fn shares_add_up_to_a_hundred_at_most() {
    for code in [1000_u16, 1001, 1006, 1009, 1015, 4001] {
        let mut evidence = Evidence::new();
        evidence.code = Some(code.into());
        let total: u32 = diagnose(&evidence)
            .ranked
            .iter()
            .map(|of| u32::from(of.share))
            .sum();
        assert!(total <= 100, "{code}: {total}");
    }
}

#[test]
fn settings_are_those_of_the_products_that_the_evidence_points_at() {
    let products = |id: &str, pointed_at: &[&str]| -> Vec<&str> {
        let mut all = all_causes(Locale::english());
        let (cause, _) = all.find(|(facts, _)| facts.id == id).unwrap();
        let found = settings(cause, pointed_at);
        found.into_iter().map(|of| of.product).collect()
    };
    assert_eq!(products("idle-proxy", &["nginx"]), ["nginx"]);
    assert!(products("idle-proxy", &[]).len() > 5);
    // Its limit cannot be changed, and the settings of others would not help.
    assert!(products("idle-proxy", &["Heroku router"]).is_empty());
    // The library behind a proxy does not show.
    assert!(products("too-big", &["nginx"]).contains(&"ws"));
    assert!(products("refused", &[]).is_empty());
}

#[test]
fn a_server_that_closes_what_is_idle_is_told_from_an_application_that_closes() {
    for code in [1000_u16, 1001, 1011, 4408] {
        let mut evidence = Evidence::new();
        evidence.opened = Some(true);
        evidence.code = Some(code.into());
        evidence.clean = Some(true);
        evidence.idle = Some(Duration::from_secs(3));
        evidence.texts.push("Idle for 3 s".to_owned());
        evidence.observe_value(Sign::IdleDiedPingedLived, "3 s");
        let diagnosis = diagnose(&evidence);
        assert_eq!(diagnosis.ranked[0].cause.id, "idle-proxy", "{code}");
    }
}

#[test]
fn an_unknown_line_is_called_so_with_the_nearest_ones() {
    let mut evidence = Evidence::new();
    let line = "the flux capacitor found no valid HTTP response from the wormhole";
    evidence.texts.push(line.to_owned());
    let diagnosis = diagnose(&evidence);
    assert_eq!(diagnosis.unrecognised[0].line, line);
    assert!(diagnosis.unrecognised[0].nearest[0].contains("valid HTTP response"));
    assert!(diagnosis.likeliest().is_none() && diagnosis.none_known > 0);
}

#[test]
fn the_code_in_a_pasted_text_counts_as_one_that_was_told() {
    let ranked = |text: &str| {
        let mut evidence = Evidence::new();
        evidence.texts.push(text.to_owned());
        diagnose(&evidence).ranked[0].cause.id
    };
    let text =
        "closed, status: 1009, reason: text message size [70000] exceeds maximum size [65536]";
    assert_eq!(ranked(text), "too-big");
    let text = "WSServerHandshakeError: 502, message='Invalid response status'";
    assert_eq!(ranked(text), "http-5xx");
    assert_eq!(
        ranked("client did not respond with a pong in time"),
        "heartbeat-timeout"
    );
}

#[test]
fn words_of_last_resort_count_only_where_nothing_else_is_known() {
    let ranked = |text: &str| {
        let mut evidence = Evidence::new();
        evidence.texts.push(text.to_owned());
        diagnose(&evidence)
    };
    let vague = ranked("WebSocket disconnected!");
    assert_eq!(vague.signs[0].sign, Sign::SaidEnded);
    assert!(vague.likeliest().unwrap().share < 60);
    let told = ranked("WebSocket disconnected: client did not respond with a pong in time");
    assert!(told.signs.iter().all(|of| of.sign != Sign::SaidEnded));
    assert_eq!(told.ranked[0].cause.id, "heartbeat-timeout");
    let loose = ranked("the laptop's lid was closed");
    assert_eq!(loose.signs[0].sign, Sign::Slept);
}

#[test]
fn a_code_of_a_close_frame_says_that_it_had_opened() {
    let ranked = |text: &str| {
        let mut evidence = Evidence::new();
        evidence.texts.push(text.to_owned());
        diagnose(&evidence).ranked[0].cause.id
    };
    assert_eq!(ranked("4401: Unauthorized"), "policy-close");
    assert_eq!(ranked("fin=1 opcode=8 data=b'\\x03\\xf1'"), "too-big");
    // A client that refuses the answer gives the handshake a code of its own.
    let text =
        "onClose code 1002 reason Invalid status code received: 404 Status line: HTTP/1.1 404";
    assert_eq!(ranked(text), "http-404-path");
}

#[test]
fn what_only_says_how_far_it_came_names_no_cause() {
    let mut evidence = Evidence::new();
    evidence.opened = Some(false);
    assert!(diagnose(&evidence).likeliest().is_none());
}

#[test]
fn an_early_end_counts_once_and_as_much_as_its_best_witness() {
    for (tcp, late, early, text) in [
        (
            TcpEnd::Rst,
            Sign::Rst,
            Sign::HandshakeReset,
            "connection reset while reading the response header",
        ),
        (
            TcpEnd::Fin,
            Sign::Fin,
            Sign::HandshakeEof,
            "server closed the connection before the handshake was complete",
        ),
    ] {
        for opened in [false, true] {
            let mut evidence = Evidence::new();
            evidence.opened = Some(opened);
            evidence.tcp = Some(tcp);
            let seen = |evidence: &Evidence| {
                let signs = diagnose(evidence).signs.into_iter();
                let ends = signs.filter(|seen| [late, early].contains(&seen.sign));
                ends.map(|seen| (seen.sign, seen.basis)).collect::<Vec<_>>()
            };
            let expected = if opened { late } else { early };
            assert_eq!(seen(&evidence), [(expected, ReadFrom::Seen)]);
            if opened {
                continue;
            }
            // A text that a rule reads says it with less weight, and adds nothing to what was seen.
            evidence.tcp = None;
            evidence.texts.push(text.to_owned());
            assert_eq!(seen(&evidence), [(early, ReadFrom::Ruled)], "{text}");
            evidence.tcp = Some(tcp);
            assert_eq!(seen(&evidence), [(early, ReadFrom::Seen)], "{text}");
        }
    }
}
