//! Connections that are cut anywhere: nothing is lost, doubled or out of order.

use revoir::session::Session;
use revoir_proto::frame::Opcode;

use crate::rules::Mode;
use crate::tests::sessions::line::How;
use crate::tests::sessions::{Stage, stage, text, verdict};
use crate::tests::support::{Raw, soon};

const MESSAGES: u32 = 300;

/// Connections that are to be cut, one after the other.
const FAULTS: usize = 12;

/// Where connections are cut: small steps of a generator that everybody can compute again.
fn faults(seed: u64) -> Vec<(usize, How)> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize
    };
    let all = [How::Fin, How::Rst, How::HalfOpen];
    (0..FAULTS)
        .map(|_| (next() % 4000, all[next() % 3]))
        .collect()
}

/// A connection takes the next fault as it begins: once two have, the first of them was cut.
fn were_cut(stage: &Stage, seed: u64) {
    let left = stage.network.faults();
    assert!(left + 1 < FAULTS, "seed {seed}: nothing was cut");
}

/// What a message is: short and long, with its number in front.
fn numbered(number: u32) -> String {
    format!("{number} {}", "x".repeat(number as usize % 50))
}

/// Says as many messages as it hears.
async fn echo(mut backend: Raw) {
    loop {
        match backend.frame().await {
            Some((Opcode::Text, payload)) => backend.send(Opcode::Text, &payload).await,
            Some((Opcode::Close, _)) | None => return,
            Some(other) => panic!("{other:?}"),
        }
    }
}

/// Only speaks.
async fn speak(mut backend: Raw) {
    for number in 0..MESSAGES {
        backend.text(&numbered(number)).await;
    }
    while backend.more().await {}
}

async fn hear(client: &mut Session) {
    for number in 0..MESSAGES {
        assert_eq!(text(client).await, numbered(number));
    }
}

#[tokio::test]
async fn a_conversation_survives_every_cut_of_the_client() {
    for seed in 0..4 {
        let stage = stage(Mode::Auto).await;
        let (mut client, backend) = stage.begin().await;
        // A session of which its client has never heard is nobody's.
        assert_eq!(verdict(&mut client).await, "new");
        let echoing = tokio::spawn(echo(backend));
        let faults = faults(seed);
        stage.network.set_faults(faults);
        stage.network.cut(How::Rst);
        let (mut reader, mut writer) = client.split();
        let sending = async {
            for number in 0..MESSAGES {
                writer.send(numbered(number)).await.unwrap();
            }
        };
        let receiving = async {
            for number in 0..MESSAGES {
                let message = soon(reader.recv()).await.unwrap();
                assert_eq!(message.as_text().unwrap(), numbered(number));
            }
        };
        tokio::join!(sending, receiving);
        were_cut(&stage, seed);
        echoing.abort();
    }
}

#[tokio::test]
async fn a_backend_that_only_speaks_is_heard_whole() {
    for seed in 10..14 {
        let stage = stage(Mode::Auto).await;
        let (mut client, backend) = stage.begin().await;
        assert_eq!(verdict(&mut client).await, "new");
        stage.network.set_faults(faults(seed));
        stage.network.cut(How::HalfOpen);
        let speaking = tokio::spawn(speak(backend));
        hear(&mut client).await;
        were_cut(&stage, seed);
        speaking.abort();
    }
}
