use revoir_codes::catalog::diagnosis::{TcpEnd, diagnose};

use super::*;
use crate::diagnose::Outcome;

/// Real endings, by `tcpdump`, `dumpcap` and Python's websockets; testdata/captures/README.md of this crate says how.
macro_rules! capture {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/captures/", $name))
    };
}

fn read_one(bytes: &[u8]) -> (Evidence, Step) {
    assert!(is_capture(bytes));
    let mut captured = read(bytes);
    assert_eq!(captured.steps.len(), 1, "{:?}", captured.steps);
    (captured.evidence, captured.steps.remove(0))
}

fn first(evidence: &Evidence) -> &'static str {
    diagnose(evidence).ranked[0].cause.id
}

#[test]
fn a_fin_without_a_close_frame_is_one_of_the_server() {
    let (evidence, step) = read_one(capture!("fin.pcap"));
    assert_eq!(evidence.opened, Some(true));
    assert_eq!(evidence.tcp, Some(TcpEnd::Fin));
    assert_eq!(evidence.code.map(|code| code.get()), Some(1006));
    let idle = evidence.idle.unwrap();
    assert!((2.0..3.0).contains(&idle.as_secs_f64()), "{idle:?}");
    assert!(
        step.text
            .contains("a FIN from the server without a Close frame"),
        "{}",
        step.text
    );
    assert_eq!(step.outcome, Outcome::Failed);
}

#[test]
fn a_reset_is_one() {
    let (evidence, step) = read_one(capture!("rst.pcap"));
    assert_eq!(evidence.tcp, Some(TcpEnd::Rst));
    assert!(
        step.text.contains("a reset from the server"),
        "{}",
        step.text
    );
}

#[test]
fn close_frames_are_read_with_their_reasons() {
    let (evidence, step) = read_one(capture!("close-1000.pcap"));
    assert_eq!(evidence.code.map(|code| code.get()), Some(1000));
    assert_eq!((evidence.clean, evidence.tcp), (Some(true), None));
    assert_eq!(evidence.texts, ["done"]);
    assert_eq!(step.outcome, Outcome::Passed);
    let (evidence, step) = read_one(capture!("close-1011.pcap"));
    assert_eq!(evidence.code.map(|code| code.get()), Some(1011));
    assert_eq!(first(&evidence), "handler-failed");
    assert_eq!(step.outcome, Outcome::Failed);
}

#[test]
fn who_is_not_heard_any_more_is_silent() {
    let (evidence, step) = read_one(capture!("silence.pcap"));
    assert_eq!(evidence.tcp, Some(TcpEnd::Silence));
    assert!(
        step.text.contains("no packet from the server any more"),
        "{}",
        step.text
    );
}

#[test]
fn an_answer_to_another_key_opens_nothing() {
    let whole: &[u8] = capture!("close-1000.pcap");
    let name = b"Sec-WebSocket-Accept: ";
    let place = whole.windows(name.len()).position(|of| of == name).unwrap();
    let mut other = whole.to_vec();
    other[place + name.len()] ^= 1;
    let (evidence, step) = read_one(&other);
    assert_eq!(evidence.opened, Some(false));
    assert_eq!(first(&evidence), "accept-key");
    assert!(step.text.contains("does not fit the key"), "{}", step.text);
}

#[test]
fn a_refusal_says_what_its_answer_says() {
    let (evidence, step) = read_one(capture!("refused-404.pcapng"));
    assert_eq!((evidence.opened, evidence.status), (Some(false), Some(404)));
    assert!(step.text.contains("refused with 404"), "{}", step.text);
}

#[test]
fn under_tls_only_what_tcp_shows_is_known() {
    let (evidence, step) = read_one(capture!("tls-fin.pcapng"));
    assert_eq!((evidence.opened, evidence.code), (None, None));
    assert_eq!(evidence.tcp, Some(TcpEnd::Fin));
    assert!(step.text.contains("TLS for"), "{}", step.text);
}

/// A capture can have any times.
#[test]
fn a_ping_at_the_end_of_time_is_no_fault_of_a_pong() {
    let asks = talk::Side {
        pings: vec![Duration::MAX],
        ..talk::Side::default()
    };
    let answers = talk::Side::default();
    assert!(!ending::unanswered(&asks, &answers, Duration::ZERO));
}

/// The lines of a capture, without times.
fn lines(bytes: &[u8]) -> Vec<String> {
    read(bytes)
        .steps
        .into_iter()
        .map(|step| step.text)
        .collect()
}

#[test]
fn a_file_in_which_nothing_is_found_says_why() {
    let whole: &[u8] = capture!("close-1000.pcap");
    let mut other_link = whole.to_vec();
    other_link[20] = 0x7f;
    let [line] = &lines(&other_link)[..] else {
        panic!("one line");
    };
    assert!(
        line.contains("of a kind of link that is not read"),
        "{line}"
    );
    let [line] = &lines(&whole[..24])[..] else {
        panic!("one line");
    };
    assert!(line.contains("0 packets, and no TCP"), "{line}");
    let [told, cut] = &lines(&whole[..whole.len() - 3])[..] else {
        panic!("two lines");
    };
    assert!(told.contains("Close 1000"), "{told}");
    assert!(cut.contains("the file ends inside a packet"), "{cut}");
}

/// The same packets, in another order, twice, and with the tail cut off.
#[test]
fn disorder_repetition_and_a_cut_file_change_nothing() {
    let whole: &[u8] = capture!("close-1000.pcap");
    let (header, mut rest) = whole.split_at(24);
    let mut packets = Vec::new();
    while let Some(length) = rest.get(8..12).and_then(<[u8]>::first_chunk) {
        let (packet, tail) = rest.split_at(16 + u32::from_le_bytes(*length) as usize);
        packets.push(packet);
        rest = tail;
    }
    // The SYN stays first: it says who is the client.
    let mut disordered = vec![packets[0], packets[1]];
    disordered.extend(packets[2..].chunks(2).flat_map(|two| two.iter().rev()));
    disordered.extend(&packets[2..]);
    let file = |packets: &[&[u8]]| [header, &packets.concat()].concat();
    let (evidence, _) = read_one(&file(&disordered));
    assert_eq!(evidence.code.map(|code| code.get()), Some(1000));
    assert_eq!(evidence.texts, ["done"]);
    for cut in (0..whole.len()).step_by(5) {
        read(&whole[..cut]);
    }
}

#[test]
fn noise_is_read_without_harm() {
    let mut random = fastrand::Rng::with_seed(7);
    let whole: &[u8] = capture!("refused-404.pcapng");
    for _ in 0..400 {
        let mut bytes = whole.to_vec();
        for _ in 0..8 {
            let place = random.usize(4..bytes.len());
            bytes[place] = random.u8(..);
        }
        read(&bytes);
    }
}
