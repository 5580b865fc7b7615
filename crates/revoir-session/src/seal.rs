//! [`Keys`]: tokens are sealed, so that only a server with the key can make or read one.
//!
//! `version (1) | session (16) | salt (24) | sealed generation (8), epoch (8), principal (32) | tag (16)`.
//! For each token a key of its own comes out of HKDF-SHA-256 with the salt; with it ChaCha20-Poly1305 seals
//! once, with a nonce of zeros, and version, session and salt as associated data. So many nodes can
//! draw salts without knowing each other: 24 random bytes do not meet.

use std::fmt;

use bytes::Bytes;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};

use crate::claims::{Claims, Epoch, Principal};
use crate::key::SessionId;
use crate::wire::Token;

/// The bytes of a key.
pub const KEY_BYTES: usize = 32;

/// The random bytes that one token needs.
pub const SALT_BYTES: usize = 24;

const VERSION: u8 = 1;
const HEAD: usize = 1 + 16 + SALT_BYTES;
const BODY: usize = 8 + 8 + 32;
const INFO: &[u8] = b"revoir.v1 session token";

/// The keys of a server: the first seals, the others open what was sealed before they were replaced.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    keys: Vec<[u8; KEY_BYTES]>,
}

impl Keys {
    /// One key seals and opens.
    #[must_use]
    pub fn new(key: [u8; KEY_BYTES]) -> Self {
        Self { keys: vec![key] }
    }

    /// While keys rotate: the new one seals, both open.
    #[must_use]
    pub fn rotating(new: [u8; KEY_BYTES], old: [u8; KEY_BYTES]) -> Self {
        Self {
            keys: vec![new, old],
        }
    }

    /// Makes a token. `salt` is random, and never used twice.
    #[must_use]
    pub fn seal(&self, claims: &Claims, salt: [u8; SALT_BYTES]) -> Token {
        let mut token = vec![VERSION];
        token.extend_from_slice(&claims.session.0);
        token.extend_from_slice(&salt);
        let mut body = Vec::with_capacity(BODY + 16);
        body.extend_from_slice(&claims.generation.to_be_bytes());
        body.extend_from_slice(&claims.epoch.0);
        body.extend_from_slice(&claims.principal.0);
        if let Some(cipher) = cipher(&self.keys[0], &salt) {
            // It fails for texts of 256 GiB only.
            let _ = cipher.seal_in_place_append_tag(nonce(), Aad::from(&token), &mut body);
        }
        token.extend_from_slice(&body);
        Token::sealed(Bytes::from(token))
    }

    /// What a token says; `None` if none of the keys made it.
    #[must_use]
    pub fn open(&self, token: &Token) -> Option<Claims> {
        let bytes = token.as_bytes();
        let (head, sealed) = bytes.split_at_checked(HEAD)?;
        if head[0] != VERSION || sealed.len() != BODY + CHACHA20_POLY1305.tag_len() {
            return None;
        }
        let salt = head[17..].try_into().ok()?;
        let open = |key| {
            let mut sealed = sealed.to_vec();
            let cipher = cipher(key, salt)?;
            let body = cipher.open_in_place(nonce(), Aad::from(head), &mut sealed);
            body.ok().map(|body| body.to_vec())
        };
        let body = self.keys.iter().find_map(open)?;
        Some(Claims {
            session: SessionId(head[1..17].try_into().ok()?),
            generation: u64::from_be_bytes(body[..8].try_into().ok()?),
            epoch: Epoch(body[8..16].try_into().ok()?),
            principal: Principal(body[16..].try_into().ok()?),
        })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} secret)", self.keys.len())
    }
}

/// The cipher of one token. The lengths are those of the algorithms, so there always is one.
fn cipher(key: &[u8; KEY_BYTES], salt: &[u8; SALT_BYTES]) -> Option<LessSafeKey> {
    let prk = Salt::new(HKDF_SHA256, salt).extract(key);
    let okm = prk.expand(&[INFO], &CHACHA20_POLY1305).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(okm)))
}

/// Each key seals once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIMS: Claims = Claims {
        session: SessionId([7; 16]),
        generation: 3,
        epoch: Epoch([9; 8]),
        principal: Principal([5; 32]),
    };

    #[test]
    fn a_token_says_what_it_was_made_of() {
        let keys = Keys::new([1; 32]);
        let token = keys.seal(&CLAIMS, [2; 24]);
        assert_eq!(keys.open(&token), Some(CLAIMS));
        assert_eq!(token.as_bytes().len(), 105);
        assert_eq!(token.prefix(), [&[1], &[7; 16][..]].concat());
    }

    #[test]
    fn a_token_of_which_any_bit_was_changed_is_forged() {
        let keys = Keys::new([1; 32]);
        let token = keys.seal(&CLAIMS, [2; 24]);
        for bit in 0..token.as_bytes().len() * 8 {
            let mut bytes = token.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let forged = Token::new(bytes.into()).unwrap();
            assert_eq!(keys.open(&forged), None, "bit {bit}");
        }
        for length in 1..token.as_bytes().len() {
            let short = Token::new(Bytes::copy_from_slice(&token.as_bytes()[..length])).unwrap();
            assert_eq!(keys.open(&short), None, "{length} bytes");
        }
    }

    #[test]
    fn while_keys_rotate_both_open_and_the_new_one_seals() {
        let (old, new) = (Keys::new([1; 32]), Keys::new([2; 32]));
        let both = Keys::rotating([2; 32], [1; 32]);
        assert_eq!(both.open(&old.seal(&CLAIMS, [3; 24])), Some(CLAIMS));
        let token = both.seal(&CLAIMS, [4; 24]);
        assert_eq!(new.open(&token), Some(CLAIMS));
        assert_eq!(old.open(&token), None);
    }

    #[test]
    fn secrets_are_not_shown() {
        let keys = Keys::new([0xab; 32]);
        let token = keys.seal(&CLAIMS, [2; 24]);
        assert_eq!(
            format!("{keys:?} {token:?}"),
            "Keys(1 secret) Token(secret)"
        );
    }
}
