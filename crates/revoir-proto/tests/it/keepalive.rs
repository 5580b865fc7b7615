//! Pings on a schedule, signs of life, and the progress of writing.

use std::time::Duration;

use revoir_proto::{Cause, CloseCode, Event, Finish};

use crate::support::{BINARY, Endpoint, FIN, PING, PONG, TEXT, frame};

const SECOND: Duration = Duration::from_secs(1);

/// Runs until a ping is written, and returns its payload.
fn next_ping(endpoint: &mut Endpoint) -> Vec<u8> {
    for _ in 0..100 {
        let at = endpoint.connection.poll_timeout().unwrap();
        endpoint.now = at.max(endpoint.now);
        endpoint.connection.handle_timeout(endpoint.now);
        if let Some(frame) = endpoint.sent_frames().first() {
            assert_eq!(frame.first, FIN | PING);
            return frame.payload.clone();
        }
    }
    panic!("no ping");
}

role_grid! {
    fn a_ping_is_sent_after_twenty_seconds_give_or_take_a_tenth(role) {
        let mut endpoint = Endpoint::new(role);
        let mut waits = Vec::new();
        for _ in 0..50 {
            let before = endpoint.now;
            let payload = next_ping(&mut endpoint);
            waits.push(endpoint.now - before);
            endpoint.receive_frame(FIN | PONG, &payload);
        }
        assert!(waits.iter().all(|wait| (18 * SECOND..22 * SECOND).contains(wait)), "{waits:?}");
        waits.sort();
        waits.dedup();
        assert!(waits.len() > 40, "they vary");
    }

    fn a_ping_is_sent_when_nothing_was_sent_although_much_is_received(role) {
        let mut endpoint = Endpoint::new(role);
        for _ in 0..23 {
            endpoint.run_for(SECOND);
            endpoint.receive_frame(FIN | TEXT, b"tick");
        }
        assert_eq!(endpoint.sent_frames().len(), 1);
    }

    fn a_ping_is_sent_when_nothing_was_received_although_much_is_sent(role) {
        let mut endpoint = Endpoint::new(role);
        let mut pings = 0;
        for _ in 0..23 {
            endpoint.run_for(SECOND);
            endpoint.connection.send_text(endpoint.now, "tick").unwrap();
            pings += endpoint.sent_frames().iter().filter(|f| f.opcode() == PING).count();
        }
        assert_eq!(pings, 1);
    }

    fn no_ping_is_sent_while_both_directions_are_busy(role) {
        let mut endpoint = Endpoint::new(role);
        for _ in 0..100 {
            endpoint.run_for(SECOND);
            endpoint.receive_frame(FIN | TEXT, b"tick");
            endpoint.connection.send_text(endpoint.now, "tock").unwrap();
            assert!(endpoint.sent_frames().iter().all(|f| f.opcode() == TEXT));
        }
    }

    fn a_time_that_goes_back_counts_as_the_latest_one(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.pass(30 * SECOND);
        endpoint.receive_frame(FIN | TEXT, b"late");
        endpoint.now -= 20 * SECOND;
        endpoint.receive_frame(FIN | TEXT, b"later");
        endpoint.connection.send_text(endpoint.now, "answer").unwrap();
        endpoint.sent_frames();
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!((ending.open_for, ending.idle_for), (30 * SECOND, Duration::ZERO));
    }

    fn payload_read_into_an_unfinished_message_is_a_sign_of_life(role) {
        let mut endpoint = Endpoint::new(role);
        let message = frame(role.peer(), FIN | BINARY, &[0; 100]);
        endpoint.receive(&message[..50]);
        next_ping(&mut endpoint);
        endpoint.now += 19 * SECOND;
        assert_eq!(endpoint.read(&message[50..60], 64).0, []);
        endpoint.now += SECOND;
        endpoint.connection.handle_timeout(endpoint.now);
        assert!(endpoint.connection.closing().is_none());
    }

    fn a_peer_that_is_silent_after_a_ping_is_dead(role) {
        let mut endpoint = Endpoint::new(role);
        let opened_at = endpoint.now;
        next_ping(&mut endpoint);
        let events = endpoint.run_for(20 * SECOND);
        assert_eq!(events, []);
        let (code, _) = endpoint.sent_close();
        assert_eq!(code, Some(3008));
        // Who was silent for so long is not asked for one more answer.
        let over_at = endpoint.now + SECOND / 100;
        endpoint.run_for(SECOND / 100);
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::PongTimeout, Finish::Timeout));
        assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
        assert_eq!((ending.open_for, ending.unsent), (over_at - opened_at, 0));
        assert!(ending.idle_for >= 38 * SECOND);
        let sentence = "1006 Abnormal Closure: nothing was received after our ping, so we closed \
            with 3008 Timeout \"no sign of life\" and did not wait for a reply";
        assert_eq!(ending.to_string(), sentence);
    }

    fn an_answer_that_is_there_in_time_counts_after_silence_too(role) {
        let mut endpoint = Endpoint::new(role);
        next_ping(&mut endpoint);
        endpoint.run_for(20 * SECOND);
        endpoint.sent_close();
        endpoint.receive_close(3008, "");
        endpoint.run_for(SECOND / 100);
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::PongTimeout, Finish::Answered));
        assert!(ending.to_string().ends_with("the peer answered"), "{ending}");
    }

    fn a_close_frame_that_cannot_leave_does_not_hold_up_the_end_after_silence(role) {
        let mut endpoint = Endpoint::new(role);
        next_ping(&mut endpoint);
        endpoint.run_for(21 * SECOND);
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::PongTimeout, Finish::Timeout));
        assert!(ending.sent.is_none() && ending.unsent > 0);
        assert!(ending.to_string().ends_with("no Close frame was sent in time"), "{ending}");
    }

    fn any_byte_after_a_ping_is_a_sign_of_life(role) {
        let mut endpoint = Endpoint::new(role);
        next_ping(&mut endpoint);
        endpoint.run_for(SECOND * 39 / 2);
        let half_a_header = endpoint.peer_frame(FIN | TEXT, b"x")[..1].to_vec();
        endpoint.receive(&half_a_header);
        assert_eq!(endpoint.run_for(10 * SECOND), []);
        assert!(endpoint.connection.ending().is_none());
        assert!(endpoint.connection.is_writable());
    }

    fn silence_counts_from_the_written_ping_not_from_the_queued_one(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.run_for(23 * SECOND);
        assert!(endpoint.connection.queued_bytes() > 0);
        endpoint.pass(10 * SECOND);
        endpoint.connection.handle_timeout(endpoint.now);
        assert_eq!(endpoint.sent_frames().len(), 1);
        endpoint.run_for(SECOND * 39 / 2);
        assert!(endpoint.connection.is_writable());
        endpoint.run_to_close(SECOND);
        assert_eq!(endpoint.sent_close().0, Some(3008));
    }

    fn the_matching_pong_measures_the_round_trip(role) {
        let mut endpoint = Endpoint::new(role);
        let payload = next_ping(&mut endpoint);
        endpoint.pass(SECOND / 4);
        let events = endpoint.receive_frame(FIN | PONG, b"other");
        assert!(matches!(events[..], [Event::Pong { rtt: None, .. }]));
        endpoint.pass(SECOND / 4);
        let events = endpoint.receive_frame(FIN | PONG, &payload);
        assert!(matches!(events[..], [Event::Pong { rtt: Some(rtt), .. }] if rtt == SECOND / 2));
        assert_eq!(endpoint.connection.rtt(), Some(SECOND / 2));
    }

    fn a_pong_on_time_keeps_the_connection_open_for_ever(role) {
        let mut endpoint = Endpoint::new(role);
        for _ in 0..1_000 {
            let payload = next_ping(&mut endpoint);
            endpoint.pass(10 * SECOND);
            endpoint.receive_frame(FIN | PONG, &payload);
        }
        assert!(endpoint.connection.is_writable());
    }

    fn a_peer_that_takes_no_bytes_is_given_up(role) {
        let mut endpoint = Endpoint::with(role, |config| config.keepalive = None);
        endpoint.connection.send_binary(endpoint.now, &[0; 100]).unwrap();
        for _ in 0..3 {
            endpoint.run_for(19 * SECOND);
            endpoint.write_some(10);
        }
        let left = endpoint.connection.queued_bytes() as u64;
        let events = endpoint.run_for(20 * SECOND);
        assert!(matches!(events[..], [Event::Ended(_)]));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.unsent), (Cause::WriteTimeout, left));
        assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
    }

    fn writing_must_progress_while_reading_is_paused(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.pause_reading();
        endpoint.connection.send_text(endpoint.now, "stuck").unwrap();
        endpoint.run_for(20 * SECOND);
        assert_eq!(endpoint.ending().cause, Cause::WriteTimeout);
    }

    fn a_connection_without_messages_is_closed_with_1001_at_the_idle_limit(role) {
        let mut endpoint = Endpoint::with(role, |config| {
            config.idle_timeout = Some(30 * SECOND);
            config.keepalive = None;
        });
        endpoint.run_for(20 * SECOND);
        endpoint.receive_frame(FIN | TEXT, b"x");
        endpoint.run_for(20 * SECOND);
        endpoint.connection.send_text(endpoint.now, "y").unwrap();
        endpoint.write_all();
        endpoint.receive_frame(FIN | PING, b"does not count");
        endpoint.write_all();
        endpoint.run_for(SECOND * 59 / 2);
        endpoint.write_all();
        assert!(endpoint.connection.is_writable());
        endpoint.run_for(SECOND / 2);
        assert_eq!(endpoint.sent_close().0, Some(1001));
        endpoint.receive_close(1001, "");
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::IdleTimeout, Finish::Answered));
    }

    fn without_keepalive_an_idle_connection_has_no_deadline(role) {
        let mut endpoint = Endpoint::with(role, |config| config.keepalive = None);
        assert_eq!(endpoint.connection.poll_timeout(), None);
        endpoint.run_for(1_000_000 * SECOND);
        assert!(endpoint.connection.is_writable());
    }

    fn a_late_wake_up_does_only_what_is_due(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.handle_timeout(endpoint.now);
        assert_eq!(endpoint.write_all(), b"");
        endpoint.pass(1_000 * SECOND);
        endpoint.connection.handle_timeout(endpoint.now);
        endpoint.connection.handle_timeout(endpoint.now);
        assert_eq!(endpoint.sent_frames().len(), 1);
    }

    fn the_output_buffer_is_given_back_after_a_quiet_second(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.send_binary(endpoint.now, &[0; 1_000]).unwrap();
        endpoint.write_all();
        assert_eq!(endpoint.connection.poll_timeout(), Some(endpoint.now + SECOND));
        endpoint.run_for(SECOND);
        assert!(endpoint.connection.poll_timeout().unwrap() > endpoint.now + 10 * SECOND);
    }
}
