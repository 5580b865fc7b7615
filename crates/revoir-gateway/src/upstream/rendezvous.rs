//! Weighted rendezvous hashing: an upstream for a key, without a table. Pure, and the same in every
//! version and on every machine: other programs may compute it too.
//!
//! With 64-bit FNV-1a as `fnv` and the finalizer of MurmurHash3 as `mix`, a key has at an upstream
//! the hash `h = mix(fnv(key) ^ mix(fnv(upstream)))`, the number `u = ((h >> 11) + 0.5) / 2^53`, and
//! the rank `-ln(u) / weight`. The least rank has it. So an upstream with twice the weight has twice
//! the keys, and whoever joins or leaves moves no key but its own.

/// A key that always leads to the same upstream, as its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Affinity(u64);

impl Affinity {
    pub(super) fn of(key: &[u8]) -> Self {
        Self(fnv(key))
    }

    /// The rank of the upstream `name`; the least one is first. Ranks are numbers above 0, and
    /// their bits are in the same order as they.
    pub(super) fn rank(self, name: &str, weight: u32) -> u64 {
        let hash = mix(self.0 ^ mix(fnv(name.as_bytes())));
        // 53 bits are exact in this type, and a half more keeps 0 and 1 out.
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let point = ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (-point.ln() / f64::from(weight)).to_bits()
    }
}

/// FNV-1a of 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    let next = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, next)
}

/// The finalizer of MurmurHash3.
const fn mix(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first<'a>(key: &str, upstreams: &[(&'a str, u32)]) -> &'a str {
        let affinity = Affinity::of(key.as_bytes());
        let ranked = upstreams.iter();
        let first = ranked.min_by_key(|(name, weight)| affinity.rank(name, *weight));
        first.unwrap().0
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // From the page of Fowler, Noll and Vo.
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(mix(1), 0xb456_bcfc_34c2_cb2c);
    }

    #[test]
    fn keys_lead_where_they_always_led() {
        // Computed by a program of another language from the words above.
        let names = ["10.0.0.1:9000", "10.0.0.2:9000", "10.0.0.3:9000"];
        for (key, even, weighted) in [
            ("alice", 2, 2),
            ("bob", 1, 2),
            ("carol", 2, 2),
            ("192.0.2.1", 0, 2),
            ("2001:db8::", 1, 1),
            ("room-1", 1, 1),
            ("room-2", 2, 2),
            ("", 2, 2),
        ] {
            let led = |weights: [u32; 3]| {
                let upstreams: Vec<_> = names.into_iter().zip(weights).collect();
                first(key, &upstreams)
            };
            assert_eq!(led([1, 1, 1]), names[even], "{key}");
            assert_eq!(led([1, 1, 3]), names[weighted], "{key}");
        }
    }

    #[test]
    fn weights_are_shares() {
        let upstreams = [("a:1", 1), ("b:1", 1), ("c:1", 3)];
        let keys = (0..60_000).map(|key| key.to_string());
        let mut counts = [0_u32; 3];
        for key in keys {
            let led = first(&key, &upstreams);
            counts[usize::from(led.as_bytes()[0] - b'a')] += 1;
        }
        // The same keys on every run: these are not chances.
        for (count, share) in counts.into_iter().zip([12_000, 12_000, 36_000]) {
            assert!(count.abs_diff(share) < share / 50, "{counts:?}");
        }
    }

    proptest! {
        #[test]
        fn one_that_joins_or_leaves_moves_its_own_keys_only(
            weights in proptest::collection::vec(1_u32..10, 2..12),
            keys in proptest::collection::vec("[a-z0-9]{0,12}", 1..50),
            leaving in any::<proptest::sample::Index>(),
        ) {
            let names: Vec<_> = (0..weights.len()).map(|n| format!("10.0.0.{n}:80")).collect();
            let all: Vec<_> = names.iter().map(String::as_str).zip(weights).collect();
            let gone = leaving.index(all.len());
            let rest: Vec<_> = all.iter().copied().filter(|one| *one != all[gone]).collect();
            for key in &keys {
                let (with, without) = (first(key, &all), first(key, &rest));
                prop_assert!(with == without || with == all[gone].0);
            }
        }

        #[test]
        fn more_weight_takes_keys_and_gives_none(
            keys in proptest::collection::vec("[a-z0-9]{0,12}", 1..50),
            more in 2_u32..10,
        ) {
            let before = [("a:1", 1), ("b:1", 1), ("c:1", 1)];
            let after = [("a:1", 1), ("b:1", more), ("c:1", 1)];
            for key in &keys {
                let (old, new) = (first(key, &before), first(key, &after));
                prop_assert!(old == new || new == "b:1");
            }
        }
    }
}
