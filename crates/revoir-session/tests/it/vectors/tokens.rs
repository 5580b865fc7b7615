//! Tokens, and what they were sealed from.

use revoir_session::{Claims, Keys};
use serde_json::{Value, json};

use super::script::{EPOCH, OWNER, SESSION, hex};

pub(crate) fn all() -> Vec<Value> {
    let cases = [(0x42, 1, 0x24), (0, 7, 0), (0xff, (1 << 53) - 1, 0x80)];
    let seal = |(key, generation, salt)| {
        let claims = Claims {
            session: SESSION,
            generation,
            epoch: EPOCH,
            principal: OWNER,
        };
        let token = Keys::new([key; 32]).seal(&claims, [salt; 24]);
        json!({
            "key": hex(&[key; 32]),
            "salt": hex(&[salt; 24]),
            "session": SESSION.to_string(),
            "generation": generation,
            "epoch": hex(&EPOCH.0),
            "principal": hex(&OWNER.0),
            "token": hex(token.as_bytes()),
        })
    };
    cases.map(seal).into()
}
