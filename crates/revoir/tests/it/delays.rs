//! The delays of every class, over 100,000 seeded draws. `cargo xtask proof delays` prints the table.

use std::time::{Duration, SystemTime};

use revoir::reconnect::{DelayClass, History};
use revoir::{Cause, Ending, Policy};

use crate::support::endings::{closed, refused, with_cause};
use crate::support::random::SplitMix;

const DRAWS: u32 = 100_000;

/// From here on, every class is at its limit.
const AT_THE_LIMIT: u32 = 20;

const ATTEMPTS: [u32; 8] = [1, 2, 3, 5, AT_THE_LIMIT, 1_018, 1_000_000, u32::MAX];

struct Case {
    name: &'static str,
    policy: Policy,
    ending: Ending,
}

fn case(name: &'static str, policy: Policy, ending: Ending) -> Case {
    Case {
        name,
        policy,
        ending,
    }
}

fn cases() -> [Case; 7] {
    let policy = Policy::new;
    [
        case("fast", policy(), with_cause(Cause::PongTimeout)),
        case("normal", policy(), with_cause(Cause::Eof)),
        case("restart", policy(), closed(1012, "")),
        case(
            "restart, as registered",
            Policy::registered(),
            closed(1012, ""),
        ),
        case("slow", policy(), closed(1013, "")),
        case(
            "advised: Retry-After 10",
            policy(),
            refused(503, Some("10")),
        ),
        case(
            "advised: after=0ms spread=2000ms",
            policy(),
            closed(1012, " [after=0ms spread=2000ms]"),
        ),
    ]
}

/// In milliseconds.
struct Statistics {
    min: f64,
    max: f64,
    mean: f64,
    deviation: f64,
}

impl Statistics {
    fn of(case: &Case, attempt: u32, random: &mut SplitMix) -> Self {
        let history = History::after(attempt - 1, Duration::ZERO);
        let delays: Vec<f64> = (0..DRAWS)
            .map(|_| delay(case, &history, random.next_u32()))
            .collect();
        let count = f64::from(DRAWS);
        let mean = delays.iter().sum::<f64>() / count;
        let squares = delays.iter().map(|delay| (delay - mean).powi(2));
        Self {
            min: delays.iter().copied().fold(f64::INFINITY, f64::min),
            max: delays.iter().copied().fold(0.0, f64::max),
            mean,
            deviation: (squares.sum::<f64>() / count).sqrt(),
        }
    }

    fn variation(&self) -> f64 {
        self.deviation / self.mean
    }
}

fn delay(case: &Case, history: &History, random: u32) -> f64 {
    let now = SystemTime::UNIX_EPOCH;
    let decision = case.policy.decide(&case.ending, history, now, random);
    decision.delay.unwrap().as_secs_f64() * 1e3
}

#[test]
fn delays_fill_their_range_evenly_and_still_vary_at_the_limit() {
    println!("{DRAWS} draws each, in ms; CV: standard deviation / mean");
    println!(
        "{:34} {:>10} {:>7} {:>7} {:>9} {:>9} {:>6}",
        "class", "attempt", "min", "max", "mean", "deviation", "CV"
    );
    let mut random = SplitMix::new(1006);
    for case in cases() {
        for attempt in ATTEMPTS {
            let history = History::after(attempt - 1, Duration::ZERO);
            let lowest = delay(&case, &history, 0);
            let highest = delay(&case, &history, u32::MAX);
            let found = Statistics::of(&case, attempt, &mut random);
            println!(
                "{:34} {attempt:>10} {:>7.0} {:>7.0} {:>9.1} {:>9.1} {:>6.3}",
                case.name,
                found.min,
                found.max,
                found.mean,
                found.deviation,
                found.variation()
            );
            let name = format!("{} at attempt {attempt}", case.name);
            assert!(lowest >= 250.0, "{name}: {lowest} ms");
            assert!(found.min >= lowest && found.max <= highest, "{name}");
            // An even distribution: the mean in the middle, the deviation 1/sqrt(12) of the width.
            // The bounds are five standard errors of 100,000 draws.
            let width = highest - lowest;
            let off = (found.mean - lowest.midpoint(highest)) / width;
            assert!(off.abs() < 0.0046, "{name}: the mean is off by {off}");
            let spread = found.deviation / width;
            assert!((0.285..0.292).contains(&spread), "{name}: {spread}");
            if attempt >= AT_THE_LIMIT && !case.name.starts_with("advised") {
                assert!(found.variation() >= 0.4, "{name}");
            }
        }
    }
}

#[test]
fn no_range_of_a_million_attempts_begins_below_250_ms_or_overflows() {
    for class in DelayClass::ALL.iter().copied() {
        let mut limit = 0;
        for attempt in 2..=1_000_000 {
            let range = class.range(attempt);
            assert!(range.min_ms >= 250 && range.min_ms < range.max_ms);
            assert!(range.max_ms >= limit, "{class:?} shrinks at {attempt}");
            limit = range.max_ms;
        }
        assert_eq!(limit, class.cap_ms());
    }
}
