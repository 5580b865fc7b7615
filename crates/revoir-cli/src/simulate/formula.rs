//! [`Formula`]: the documented delays of other clients.

use std::time::Duration;

use fastrand::Rng;
use revoir::Ending;

use crate::simulate::comeback::Comeback;

/// The delays of one client library, with its defaults.
#[derive(Debug)]
pub(crate) struct Formula {
    /// What `--policy` calls it.
    pub(crate) id: &'static str,
    /// The formula in words.
    pub(crate) rule: &'static str,
    /// Where it was read.
    pub(crate) source: &'static str,
    /// The wait in seconds before attempt `n`, counted from 1. `own` is a number between 0 and 1
    /// that a client draws once.
    delay: fn(n: u32, own: f64, random: &mut Rng) -> Option<f64>,
}

/// What one client of a [`Formula`] remembers.
#[derive(Debug)]
pub(crate) struct Tries {
    attempts: u32,
    own: f64,
}

impl Comeback for &Formula {
    type Memory = Tries;

    fn connected(&self, random: &mut Rng) -> Tries {
        Tries {
            attempts: 0,
            own: random.f64(),
        }
    }

    /// None of them reads the code or `Retry-After` in the cases that are simulated.
    fn wait(&self, tries: &mut Tries, _ending: &Ending, random: &mut Rng) -> Option<Duration> {
        tries.attempts = tries.attempts.saturating_add(1);
        (self.delay)(tries.attempts, tries.own, random).map(Duration::from_secs_f64)
    }
}

/// `start * factor^(n - 1)`, at most `cap`.
fn growing(start: f64, factor: f64, cap: f64, n: u32) -> f64 {
    // The exponent is far beyond any cap by then.
    let exponent = i32::try_from(n.saturating_sub(1).min(1_000)).unwrap_or(1_000);
    (start * factor.powi(exponent)).min(cap)
}

fn between(low: f64, high: f64, random: &mut Rng) -> f64 {
    low + (high - low) * random.f64()
}

/// The entry of `list` for attempt `n`, or `after` behind its end.
fn listed(list: &[f64], after: Option<f64>, n: u32) -> Option<f64> {
    let index = usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
    list.get(index).copied().or(after)
}

/// Read in the sources of the versions that are named.
pub(crate) const FORMULAS: &[Formula] = &[
    Formula {
        id: "naive",
        rule: "1 s, always",
        source: "the usual setTimeout(connect, 1000)",
        delay: |_, _, _| Some(1.0),
    },
    Formula {
        id: "reconnecting-websocket",
        rule: "min * 1.3^(n-1), at most 10 s; min is 1-5 s, drawn once per page",
        source: "pladaria/reconnecting-websocket 4.4, reconnecting-websocket.ts",
        delay: |n, own, _| Some(growing(1.0 + 4.0 * own, 1.3, 10.0, n)),
    },
    Formula {
        id: "partysocket",
        rule: "3 s * 1.3^(n-1), at most 10 s",
        source: "cloudflare/partykit, packages/partysocket/src/ws.ts",
        delay: |n, _, _| Some(growing(3.0, 1.3, 10.0, n)),
    },
    Formula {
        id: "socket.io",
        rule: "1 s * 2^(n-1), plus or minus 50 %, at most 5 s",
        source: "socket.io-client 4.8, contrib/backo2.ts",
        delay: |n, _, random| {
            let base = growing(1.0, 2.0, 1e6, n);
            Some((base * between(0.5, 1.5, random)).min(5.0))
        },
    },
    Formula {
        id: "signalr",
        rule: "0, 2, 10, 30 s, then it gives up",
        source: "dotnet/aspnetcore, DefaultReconnectPolicy.ts",
        delay: |n, _, _| listed(&[0.0, 2.0, 10.0, 30.0], None, n),
    },
    Formula {
        id: "phoenix",
        rule: "10, 50, 100, 150, 200, 250, 500 ms, 1 s, 2 s, then 5 s",
        source: "phoenixframework/phoenix, assets/js/phoenix/socket.js",
        delay: |n, _, _| {
            let list = [0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 2.0];
            listed(&list, Some(5.0), n)
        },
    },
    Formula {
        id: "centrifuge-js",
        rule: "0.5 s + a random part of 0.5 s * 2^n, at most 20 s",
        source: "centrifugal/centrifuge-js 5, src/utils.ts",
        delay: |n, _, random| {
            let part = between(0.0, growing(1.0, 2.0, 20.0, n), random);
            Some((0.5 + part).min(20.0))
        },
    },
    Formula {
        id: "graphql-ws",
        rule: "2^(n-1) s + 0.3-3 s, five times, then it gives up",
        source: "enisdenjo/graphql-ws 6, src/client.ts",
        delay: |n, _, random| {
            (n <= 5).then(|| growing(1.0, 2.0, 64.0, n) + between(0.3, 3.0, random))
        },
    },
    Formula {
        id: "nats",
        rule: "2 s + 0-1 s (TLS), 60 times, then it gives up",
        source: "nats-io/nats.go, nats.go",
        delay: |n, _, random| (n <= 60).then(|| 2.0 + between(0.0, 1.0, random)),
    },
    Formula {
        id: "python-websockets",
        rule: "at once, then 0-5 s, then 3.1 s * 1.618^k, at most 90 s",
        source: "python-websockets, src/websockets/asyncio/client.py",
        delay: |n, _, random| {
            Some(match n {
                1 => 0.0,
                2 => between(0.0, 5.0, random),
                _ => growing(3.1, 1.618, 90.0, n - 2),
            })
        },
    },
    Formula {
        id: "recws",
        rule: "at once, then 2 s to 2 s * 1.5^n, at most 30 s",
        source: "recws-org/recws, recws.go",
        delay: |n, _, random| {
            Some(match n {
                1 => 0.0,
                _ => between(2.0, growing(3.0, 1.5, 30.0, n - 1), random).min(30.0),
            })
        },
    },
    Formula {
        id: "ezsockets",
        rule: "5 s, always",
        source: "gbaranski/ezsockets, src/client.rs",
        delay: |_, _, _| Some(5.0),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(id: &str, count: u32) -> Vec<Option<f64>> {
        let formula = FORMULAS.iter().find(|formula| formula.id == id).unwrap();
        let mut random = Rng::with_seed(1);
        (1..=count)
            .map(|n| (formula.delay)(n, 0.5, &mut random))
            .collect()
    }

    #[test]
    fn lists_and_constants_are_as_documented() {
        assert_eq!(
            delays("signalr", 5),
            [Some(0.0), Some(2.0), Some(10.0), Some(30.0), None]
        );
        assert_eq!(delays("ezsockets", 2), [Some(5.0), Some(5.0)]);
        assert_eq!(delays("phoenix", 10).last(), Some(&Some(5.0)));
        assert_eq!(delays("nats", 61).last(), Some(&None));
    }

    #[test]
    fn growth_stops_at_its_cap_and_never_overflows() {
        for formula in FORMULAS {
            let mut random = Rng::with_seed(2);
            for n in [1, 2, 3, 10, 100, 1_000_000, u32::MAX] {
                for own in [0.0, 1.0] {
                    if let Some(delay) = (formula.delay)(n, own, &mut random) {
                        assert!((0.0..=90.0).contains(&delay), "{} {n} {delay}", formula.id);
                    }
                }
            }
        }
    }

    #[test]
    fn a_client_draws_its_own_number_once() {
        let formula = &FORMULAS[1];
        let mut random = Rng::with_seed(3);
        let mut tries = formula.connected(&mut random);
        let ending = Ending::never_opened(revoir::Cause::Refused, revoir::ending::Detail::None);
        let first = formula.wait(&mut tries, &ending, &mut random).unwrap();
        let second = formula.wait(&mut tries, &ending, &mut random).unwrap();
        assert!((second.as_secs_f64() / first.as_secs_f64() - 1.3).abs() < 1e-6);
    }
}
