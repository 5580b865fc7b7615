//! The situations of `testdata/policy/decisions.json`. Only what happens is written here; what is
//! decided comes from the policy.

use std::collections::BTreeSet;

use revoir::{Cause, CloseCode};

use super::format::{
    DecisionJson, DelayJson, EndingJson, On, PolicyJson, RuleJson, Scenario, Start, Step,
};

use crate::support::random::SplitMix;

/// Sun, 06 Nov 1994 08:49:37 GMT: the example of RFC 9110 section 5.6.7.
const NOW: u64 = 784_111_777;

/// A row of endings, before it is decided.
struct Story {
    name: String,
    policy: PolicyJson,
    start: Start,
    endings: Vec<EndingJson>,
    /// Instead of numbers from the generator.
    random: Option<u32>,
}

fn story(name: impl Into<String>, endings: Vec<EndingJson>) -> Story {
    Story {
        name: name.into(),
        policy: PolicyJson::default(),
        start: Start::default(),
        endings,
        random: None,
    }
}

impl Story {
    fn with(mut self, change: impl FnOnce(&mut PolicyJson)) -> Self {
        change(&mut self.policy);
        self
    }

    fn starting(mut self, attempts: u32, last_delay_ms: u64) -> Self {
        self.start = Start {
            attempts,
            last_delay_ms,
        };
        self
    }

    fn drawing(mut self, random: u32) -> Self {
        self.random = Some(random);
        self
    }

    fn decide(self, random: &mut SplitMix) -> Scenario {
        let policy = self.policy.build();
        let mut history = self.start.build();
        let mut scenario = Scenario {
            name: self.name,
            policy: self.policy,
            start: self.start,
            now: NOW,
            steps: Vec::new(),
        };
        for ending in self.endings {
            let random = self.random.unwrap_or_else(|| random.next_u32());
            let built = ending.build();
            let decision = policy.decide(&built, &history, scenario.now(), random);
            history.record(&built, &decision);
            let decision = DecisionJson::of(&decision);
            scenario.steps.push(Step {
                ending,
                random,
                decision,
            });
        }
        scenario
    }
}

fn closed(code: u16) -> EndingJson {
    because(code, "")
}

fn because(code: u16, reason: &str) -> EndingJson {
    EndingJson {
        cause: "closed-by-peer".to_owned(),
        code,
        reason: reason.to_owned(),
        ..EndingJson::default()
    }
}

fn refused(status: u16, retry_after: Option<&str>) -> EndingJson {
    EndingJson {
        status: Some(status),
        retry_after: retry_after.map(str::to_owned),
        ..caused("handshake-rejected")
    }
}

fn caused(cause: &str) -> EndingJson {
    EndingJson {
        cause: cause.to_owned(),
        code: if cause == "tls-failed" { 1015 } else { 1006 },
        ..EndingJson::default()
    }
}

fn detailed(cause: &str, detail: &str) -> EndingJson {
    EndingJson {
        detail: Some(detail.to_owned()),
        ..caused(cause)
    }
}

fn open_for(open_ms: u64, ending: EndingJson) -> EndingJson {
    EndingJson { open_ms, ..ending }
}

fn times(count: usize, ending: &EndingJson) -> Vec<EndingJson> {
    vec![ending.clone(); count]
}

/// The whole file: a line for each step.
pub(super) fn text() -> String {
    let scenario = |mut scenario: Scenario| {
        let steps = super::lines(std::mem::take(&mut scenario.steps));
        let without = serde_json::to_string(&scenario).unwrap();
        let head = without.strip_suffix("]}").unwrap();
        format!("{head}\n{steps}\n]}}")
    };
    let scenarios: Vec<String> = all().into_iter().map(scenario).collect();
    format!("[\n{}\n]\n", scenarios.join(",\n"))
}

fn all() -> Vec<Scenario> {
    let mut random = SplitMix::new(1012);
    let stories = [
        codes(),
        causes(),
        statuses(),
        retry_after(),
        slots(),
        ladders(),
        bounds(),
        stability(),
        profiles(),
        rules(),
    ];
    let stories = stories.into_iter().flatten();
    stories.map(|story| story.decide(&mut random)).collect()
}

fn codes() -> Vec<Story> {
    // Every registered code that a peer can give, also by a Close frame without one; and some of others.
    let told = |code: &CloseCode| code.may_be_received() || *code == CloseCode::NO_STATUS_RCVD;
    let registered = CloseCode::registered().filter(told).map(CloseCode::get);
    let others = [3001, 3500, 4000, 4001, 4401, 4999];
    let codes: BTreeSet<u16> = registered.chain(others).collect();
    let story_of = |code| story(format!("code {code}"), vec![closed(code)]);
    let mut stories: Vec<Story> = codes.into_iter().map(story_of).collect();
    for story in &mut stories {
        story.policy.refresh = true;
    }
    for code in [1008, 3000] {
        let name = format!("code {code} without a way to fresh credentials");
        stories.push(story(name, vec![closed(code)]));
    }
    for code in [1001, 1012] {
        let name = format!("code {code} as registered");
        let twice = story(name, times(2, &closed(code)));
        stories.push(twice.with(|policy| policy.registered = true));
    }
    stories
}

fn causes() -> Vec<Story> {
    // What a code or a status decides has stories of its own.
    let others = [Cause::ClosedByPeer, Cause::HandshakeRejected];
    let causes = Cause::ALL.iter().filter(|cause| !others.contains(cause));
    let story_of = |id: &str| story(format!("cause {id}"), vec![caused(id)]);
    let mut stories: Vec<Story> = causes.map(|cause| story_of(cause.id())).collect();
    let unknown = detailed("dns", "unknown-name");
    stories.push(story("a name that does not exist", vec![unknown]));
    let garbled = detailed("handshake-invalid", "garbled");
    stories.push(story("an answer that is no HTTP", times(4, &garbled)));
    stories
}

fn statuses() -> Vec<Story> {
    let statuses = [
        200, 302, 400, 401, 403, 404, 407, 408, 421, 425, 426, 429, 500, 501, 502, 503, 504, 505,
        511, 520,
    ];
    let with_hook = |status: u16| {
        let story = story(format!("status {status}"), times(2, &refused(status, None)));
        story.with(|policy| policy.refresh = true)
    };
    let mut stories: Vec<Story> = statuses.map(with_hook).into();
    stories.push(
        story("status 503 as registered", vec![refused(503, None)])
            .with(|policy| policy.registered = true),
    );
    stories
}

fn retry_after() -> Vec<Story> {
    let values = [
        (503, "120"),
        (503, "0"),
        (503, "3"),
        (503, "86400"),
        (503, "99999999999999999999"),
        (503, "Sun, 06 Nov 1994 08:50:07 GMT"),
        (503, "Sunday, 06-Nov-94 08:50:07 GMT"),
        (503, "Sun Nov  6 08:50:07 1994"),
        (503, "Sun, 06 Nov 1994 08:49:00 GMT"),
        (503, "-1"),
        (503, "1.5"),
        (503, "soon"),
        (429, "7"),
        (404, "7"),
        (502, "7"),
        (400, "7"),
    ];
    values
        .map(|(status, value)| {
            let name = format!("status {status}, Retry-After: {value}");
            story(name, vec![refused(status, Some(value))])
        })
        .into()
}

fn slots() -> Vec<Story> {
    let reasons = [
        (1012, "service restart [after=3217ms]"),
        (1012, " [after=3217ms spread=10000ms]"),
        (1001, "bye [after=0ms]"),
        (1013, "busy [after=3600000ms spread=3600000ms]"),
        (1012, "restart [after=3600001ms]"),
        (1012, "restart [after=03217ms]"),
        (1012, "restart [after=3217ms] "),
        (1012, "[after=3217ms]"),
        (1011, "error [after=3217ms]"),
        (4000, "bye [after=3217ms]"),
    ];
    let mut stories: Vec<Story> = reasons
        .map(|(code, reason)| story(format!("{code} {reason:?}"), vec![because(code, reason)]))
        .into();
    let slot = because(1012, "restart [after=3217ms]");
    let then = vec![slot, caused("refused"), caused("refused")];
    stories.push(story("a slot, then a server that is not there yet", then));
    stories
}

fn ladders() -> Vec<Story> {
    let eof = caused("eof");
    vec![
        story("1006, again and again", times(8, &eof)),
        story("1012, again and again", times(4, &closed(1012))),
        story("1013, again and again", times(7, &closed(1013))),
        story("3008, again and again", times(3, &closed(3008))),
        story("the smallest delay", vec![eof.clone()]).drawing(0),
        story("the largest delay", vec![eof.clone()]).drawing(u32::MAX),
        story("the smallest delay of attempt 1000000", vec![eof.clone()])
            .starting(999_999, 30_000)
            .drawing(0),
        story("the largest delay of attempt 1000000", vec![eof.clone()])
            .starting(999_999, 30_000)
            .drawing(u32::MAX),
        story("attempts that are past counting", times(2, &eof)).starting(u32::MAX, 30_000),
        story("at most three attempts", times(4, &eof))
            .with(|policy| policy.max_attempts = Some(3)),
        story("no attempt at all", vec![eof]).with(|policy| policy.max_attempts = Some(0)),
    ]
}

fn bounds() -> Vec<Story> {
    let turns = |codes: &[u16]| codes.iter().copied().map(closed).collect();
    vec![
        story("4001, until it stops", times(4, &closed(4001))),
        story("1011, until it stops", times(4, &closed(1011))),
        story("1002, until it stops", times(2, &closed(1002))),
        story("401, until it stops", times(2, &refused(401, None)))
            .with(|policy| policy.refresh = true),
        story(
            "two codes that take turns",
            turns(&[4001, 4002, 4001, 4002, 4001, 4002, 4001]),
        ),
        story(
            "ever new codes run out as well",
            (4000..4016).map(closed).collect(),
        ),
    ]
}

fn stability() -> Vec<Story> {
    let after = |open_ms| vec![open_for(open_ms, closed(1012))];
    vec![
        story("open for 9.999 s is not stable", after(9_999)).starting(5, 2_000),
        story("open for 10 s is stable", after(10_000)).starting(5, 2_000),
        story("open for less than the last delay", after(19_999)).starting(5, 20_000),
        story("open for as long as the last delay", after(20_000)).starting(5, 20_000),
        story(
            "a stable connection gives bounded attempts back",
            [0, 0, 0, 60_000, 0, 0, 0]
                .map(|open_ms| open_for(open_ms, closed(4001)))
                .into(),
        ),
        story(
            "accepted and closed at once, for ever",
            times(6, &open_for(3, closed(1001))),
        ),
    ]
}

fn profiles() -> Vec<Story> {
    let codes = [
        ("centrifugo", &[3000, 3500, 4000, 4500][..]),
        ("discord", &[4000, 4003, 4004, 4007, 4014]),
        ("graphql-ws", &[4400, 4401, 4403, 4500]),
        ("http", &[4401, 4404, 4503, 4600]),
        ("liveblocks", &[4001, 4101, 4201, 4999]),
        ("pusher", &[4001, 4100, 4200, 4300]),
    ];
    let mut stories = Vec::new();
    for (profile, codes) in codes {
        for code in codes {
            let name = format!("{code} in the profile {profile}");
            let story = story(name, vec![closed(*code)]);
            stories.push(story.with(|policy| {
                policy.profile = Some(profile.to_owned());
                policy.refresh = true;
            }));
        }
    }
    stories
}

fn rules() -> Vec<Story> {
    let rule = |name: &str, on, delay| RuleJson {
        name: name.to_owned(),
        on,
        delay,
        at_most: None,
        refresh: false,
        resume: true,
    };
    let class = |id: &str| Some(DelayJson::Class(id.to_owned()));
    let mut done = rule("done", On::Codes(1000, 1000), class("slow"));
    (done.at_most, done.resume) = (Some(2), false);
    let mut token = rule("token", On::Codes(4100, 4199), class("fast"));
    (token.refresh, token.at_most) = (true, Some(2));
    let rules = vec![
        rule("superseded", On::Codes(4001, 4001), None),
        rule("app", On::Codes(4000, 4099), class("normal")),
        rule(
            "cold",
            On::Statuses(404, 404),
            Some(DelayJson::RangeMs(30_000, 60_000)),
        ),
        rule(
            "no-route",
            On::Cause("unreachable".to_owned()),
            Some(DelayJson::RangeMs(0, 900)),
        ),
        done,
        token,
    ];
    let endings = [
        ("a rule that stops", times(1, &closed(4001))),
        ("a rule for a range", times(1, &closed(4002))),
        (
            "a rule with a range of its own",
            times(2, &refused(404, None)),
        ),
        (
            "a rule whose range begins below 250 ms",
            times(1, &caused("unreachable")),
        ),
        ("a rule that is bounded", times(3, &closed(1000))),
        ("a rule that refreshes twice", times(3, &closed(4100))),
        ("a code without a rule", times(1, &closed(1012))),
    ];
    let with_rules = |(name, endings)| {
        story(name, endings).with(|policy| {
            policy.rules.clone_from(&rules);
            policy.refresh = true;
        })
    };
    endings.map(with_rules).into()
}
