//! The prepared input, and the check of what came out. Independent of every stack.

use anyhow::{Context, Result, ensure};

use crate::case::{Case, Kind, Role};

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// The payload of the message with this number.
#[must_use]
pub fn payload(case: &Case, number: usize) -> Vec<u8> {
    let number = number % case.distinct();
    if case.kind == Kind::MixedText {
        return mixed_text(case.size, number);
    }
    let binary = case.kind == Kind::Binary;
    let byte = |at: usize| {
        let mixed = (at * 131 + number * 17) % 251;
        if binary {
            mixed as u8
        } else {
            b' ' + (mixed % 95) as u8
        }
    };
    (0..case.size).map(byte).collect()
}

/// Exactly `size` bytes; what is left over behind the last character is filled with spaces.
fn mixed_text(size: usize, number: usize) -> Vec<u8> {
    let characters = [
        "a", "é", "Z", "0", "5", "重", " ", "-", "q", "ß", "k", "7", "€",
    ];
    let mut text = String::new();
    for at in number.. {
        let next = characters[at % characters.len()];
        if text.len() + next.len() > size {
            break;
        }
        text.push_str(next);
    }
    let mut bytes = text.into_bytes();
    bytes.resize(size, b' ');
    bytes
}

/// The input of one repetition: every distinct message as one frame.
#[must_use]
pub fn input(case: &Case) -> Vec<u8> {
    let mut frames = Vec::new();
    for number in 0..case.distinct() {
        let key = (case.role == Role::Server).then(|| {
            let mixed = (number as u32 + 1).wrapping_mul(0x9E37_79B9);
            mixed.to_be_bytes()
        });
        push_frame(&mut frames, opcode(case), key, &payload(case, number));
    }
    frames
}

/// Checks that `output` is the echo of the first `count` messages: one frame each, masked as the
/// role demands.
///
/// # Errors
///
/// For the first frame that is not what it has to be.
pub fn check_echo(case: &Case, output: &[u8], count: usize) -> Result<()> {
    let mut rest = output;
    for number in 0..count {
        let frame = take_frame(&mut rest).with_context(|| format!("message {number} is cut"))?;
        ensure!(
            frame.first == FIN | opcode(case),
            "message {number}: wrong kind"
        );
        ensure!(
            frame.masked == (case.role == Role::Client),
            "message {number}: wrong masking"
        );
        ensure!(
            frame.payload == payload(case, number),
            "message {number}: wrong payload"
        );
    }
    ensure!(rest.is_empty(), "{} bytes too many", rest.len());
    Ok(())
}

struct Taken {
    first: u8,
    masked: bool,
    payload: Vec<u8>,
}

fn take_frame(rest: &mut &[u8]) -> Option<Taken> {
    let [first, second] = take(rest)?;
    let length = match second & !MASKED {
        126 => u64::from(u16::from_be_bytes(take(rest)?)),
        127 => u64::from_be_bytes(take(rest)?),
        short => u64::from(short),
    };
    let masked = second & MASKED != 0;
    let key: [u8; 4] = if masked { take(rest)? } else { [0; 4] };
    let (payload, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    let payload = payload
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect();
    Some(Taken {
        first,
        masked,
        payload,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

fn push_frame(out: &mut Vec<u8>, opcode: u8, key: Option<[u8; 4]>, payload: &[u8]) {
    let mask = if key.is_some() { MASKED } else { 0 };
    out.push(FIN | opcode);
    match payload.len() {
        0..=125 => out.push(mask | payload.len() as u8),
        126..=0xFFFF => {
            out.push(mask | 126);
            out.extend((payload.len() as u16).to_be_bytes());
        }
        _ => {
            out.push(mask | 127);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    match key {
        None => out.extend(payload),
        Some(key) => {
            out.extend(key);
            out.extend(
                payload
                    .iter()
                    .zip(key.iter().cycle())
                    .map(|(byte, key)| byte ^ key),
            );
        }
    }
}

fn opcode(case: &Case) -> u8 {
    match case.kind {
        Kind::Text | Kind::TextAsStr | Kind::MixedText => 1,
        Kind::Binary => 2,
    }
}
