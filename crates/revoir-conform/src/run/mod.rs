//! Plays cases side by side, and again what fails.

mod returns;

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::case::{Case, Opening, Role};
use crate::judge::{Judgement, Verdict, has_an_end_to_tell, judge};
use crate::outcome::Outcome;
use crate::play::Player;
use crate::subject::Subject;
use crate::suite::SLOW;
use returns::Returns;

/// How cases are played.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How many connections are open at a time.
    pub side_by_side: usize,
    /// How often a case is played at least. What fails is played three times, but for the slow and
    /// those in bulk.
    pub runs: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            side_by_side: 16,
            runs: 1,
        }
    }
}

/// How often what fails is played.
const AGAIN: usize = 3;

/// In bulk, so many connections are open at a time: beside other cases, of which each has one.
const ABREAST: usize = 8;

/// In bulk, so many connections that hang say enough.
const ENOUGH_HUNG: usize = 4;

/// After the end, a second word of it is still waited for.
const AFTERWARDS: Duration = Duration::from_millis(30);

/// Plays the cases that are for the implementation's role. `progress` is told of each as it ends,
/// with how many are over and how many there are.
pub async fn play(
    subject: &Arc<dyn Subject>,
    cases: &[Case],
    options: Options,
    mut progress: impl FnMut(&Outcome, usize, usize),
) -> Vec<Outcome> {
    let role = subject.role();
    let is_tls = subject.tls().is_some();
    let fits = |case: &&Case| case.roles.contains(&role) && (is_tls || !case.needs_tls);
    let fitting: Vec<Arc<Case>> = cases.iter().filter(fits).cloned().map(Arc::new).collect();
    let total = fitting.len();
    let mut waiting: VecDeque<(usize, Arc<Case>)> = fitting.iter().cloned().enumerate().collect();
    // What takes long begins first: what is in bulk goes on beside all others.
    waiting
        .make_contiguous()
        .sort_by_key(|(index, case)| (case.bulk.is_none(), Reverse(case.within), *index));
    let mut outcomes: Vec<Option<Outcome>> = vec![None; total];
    let mut running = JoinSet::new();
    let mut over = 0;
    loop {
        while running.len() < options.side_by_side.max(1) {
            let Some((index, case)) = waiting.pop_front() else {
                break;
            };
            let subject = subject.clone();
            running.spawn(async move { (index, several(&subject, &case, options).await) });
        }
        let Some(done) = running.join_next().await else {
            break;
        };
        // A case that panics is a fault of the suite, and shall be seen as one.
        let (index, outcome) = match done {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        over += 1;
        progress(&outcome, over, total);
        outcomes[index] = Some(outcome);
    }
    // A process that died took others with it: alone, it shows whose fault that was.
    let alone = Options {
        side_by_side: 1,
        ..options
    };
    for (outcome, case) in outcomes.iter_mut().zip(&fitting) {
        if outcome.as_ref().is_some_and(Outcome::saw_a_death) {
            *outcome = Some(several(subject, case, alone).await);
        }
    }
    outcomes.into_iter().flatten().collect()
}

/// Opens one connection as the cases do, and says why that fails: at an address where nobody speaks WebSocket, every case would.
/// The connection is not judged, and none is made if every case has an opening of its own.
///
/// # Errors
///
/// What the server did instead, as text.
pub async fn probe(subject: &dyn Subject, cases: &[Case]) -> Result<(), String> {
    let is_usual = |case: &&Case| {
        case.opening == Opening::Usual
            && case.roles.contains(&subject.role())
            && !case.needs_tls
            && !case.needs_deflate
    };
    let Some(case) = cases.iter().find(is_usual) else {
        return Ok(());
    };
    let mut player = Player::new(subject, case, "/probe");
    let is_open = player.meet().await.is_ok() && player.open().await.is_ok();
    let seen = player.seen;
    let why = seen.failed.or(seen.trouble).or(seen.hung);
    match is_open {
        true => Ok(()),
        false => Err(why.unwrap_or_else(|| "the connection ended before an answer".to_owned())),
    }
}

/// Plays one case as often as it takes.
async fn several(subject: &Arc<dyn Subject>, case: &Case, options: Options) -> Outcome {
    let runs = options.runs;
    let mut outcome = once(subject, case, 1, options).await;
    let mut verdicts = vec![outcome.verdict];
    let wanted = match outcome.verdict.is_failure() && case.group != SLOW && case.bulk.is_none() {
        true => runs.max(AGAIN),
        false => runs,
    };
    for run in 2..=wanted {
        outcome = once(subject, case, run, options).await;
        verdicts.push(outcome.verdict);
    }
    if verdicts.iter().any(|verdict| *verdict != verdicts[0]) {
        outcome.verdict = Verdict::Flaky;
    }
    if verdicts.len() > 1 {
        outcome.runs = verdicts;
    }
    outcome
}

async fn once(subject: &Arc<dyn Subject>, case: &Case, run: usize, options: Options) -> Outcome {
    match case.bulk {
        Some((low, high)) => bulk(subject, case, run, low..=high, options.side_by_side).await,
        None => single(&**subject, case, &format!("/{}/{run}", case.id), AFTERWARDS).await,
    }
}

/// One connection. One that never comes is asked for again: whoever was told where to connect may have lost it. The
/// other path keeps apart what is told of the first, should it come late.
async fn single(subject: &dyn Subject, case: &Case, at: &str, afterwards: Duration) -> Outcome {
    let (outcome, begun) = attempt(subject, case, at, afterwards).await;
    if begun {
        return outcome;
    }
    let (mut outcome, begun) = attempt(subject, case, &format!("{at}/2"), afterwards).await;
    if !begun {
        let asked = |problem: &mut String| problem.push_str(", asked 2 times");
        outcome.problems.iter_mut().for_each(asked);
    }
    outcome
}

/// One connection, and whether the peer began with it.
async fn attempt(
    subject: &dyn Subject,
    case: &Case,
    at: &str,
    afterwards: Duration,
) -> (Outcome, bool) {
    let role = subject.role();
    let deaths = subject.deaths();
    if let Some(told) = subject.told() {
        told.forget(at);
    }
    let mut player = Player::new(subject, case, at);
    let heard = subject.told();
    let is_met = player.meet().await.is_ok();
    let playing = async {
        let begin = player.play().await;
        let ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut told = Vec::new();
        if let Some(heard) = &heard {
            if has_an_end_to_tell(role, &player.seen) && player.seen.hung.is_none() {
                heard.wait(at, "closed", case.within).await;
            }
            tokio::time::sleep(afterwards).await;
            told = heard.of(at, begin);
        }
        (ms, told)
    };
    let returns = Returns::default();
    let (ms, told) = tokio::select! {
        played = playing => played,
        never = returns.play(subject, case, at), if is_met => match never {},
    };
    subject.part(at);
    player.note_returns(returns.count());
    let mut judged = judge(
        case,
        role,
        &player.seen,
        heard.is_some().then_some(&told[..]),
    );
    if subject.deaths() != deaths {
        judged = Judgement {
            verdict: Verdict::Crashed,
            problems: vec!["its process died".to_owned()],
            doubts: Vec::new(),
        };
    }
    let begun = player.seen.connected || player.seen.hung.is_none() || !told.is_empty();
    let outcome = Outcome {
        case: case.id.clone(),
        role,
        verdict: judged.verdict,
        problems: judged.problems,
        doubts: judged.doubts,
        ms,
        runs: Vec::new(),
        wire: std::mem::take(&mut player.entries),
        told,
    };
    (outcome, begun)
}

/// One connection for each number, a few at a time; the outcome is that of the worst.
async fn bulk(
    subject: &Arc<dyn Subject>,
    case: &Case,
    run: usize,
    mut numbers: RangeInclusive<u16>,
    side_by_side: usize,
) -> Outcome {
    let begin = Instant::now();
    let mut played = Vec::new();
    let mut running = JoinSet::new();
    let mut hung = 0;
    let mut goes_on = true;
    loop {
        while goes_on && running.len() < side_by_side.clamp(1, ABREAST) {
            let Some(number) = numbers.next() else {
                break;
            };
            // The lines were parsed with another number, so this one fits too.
            let Ok(one) = case.with_number(number) else {
                continue;
            };
            let (subject, at) = (subject.clone(), format!("/{}/{run}/{number}", case.id));
            running.spawn(async move {
                let outcome = single(&*subject, &one, &at, Duration::ZERO).await;
                (number, outcome)
            });
        }
        let Some(done) = running.join_next().await else {
            break;
        };
        let (number, outcome) =
            done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        hung += usize::from(outcome.verdict == Verdict::Hangs);
        goes_on &= hung < ENOUGH_HUNG
            && !matches!(outcome.verdict, Verdict::Unsupported | Verdict::NotObserved);
        played.push((number, outcome));
    }
    played.sort_by_key(|(number, _)| *number);
    let is_cut_short = hung >= ENOUGH_HUNG && numbers.next().is_some();
    let mut outcome = together(case, subject.role(), played, is_cut_short);
    outcome.ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    outcome
}

/// The outcome of a case in bulk, from those of its numbers, the lowest first.
fn together(case: &Case, role: Role, played: Vec<(u16, Outcome)>, is_cut_short: bool) -> Outcome {
    let (mut problems, mut doubts) = (Ranges::default(), Ranges::default());
    let mut worst: Option<Outcome> = None;
    let last = played.last().map(|(number, _)| *number);
    for (number, outcome) in played {
        for problem in &outcome.problems {
            problems.add(number, problem);
        }
        for doubt in &outcome.doubts {
            doubts.add(number, doubt);
        }
        let is_worse = |worst: &Outcome| rank(outcome.verdict) > rank(worst.verdict);
        if worst.as_ref().is_none_or(is_worse) {
            worst = Some(outcome);
        }
    }
    if let Some(last) = last.filter(|_| is_cut_short) {
        problems.add(last, "the numbers above were not played: too many hang");
    }
    let mut outcome = worst.unwrap_or_else(|| Outcome {
        case: case.id.clone(),
        role,
        verdict: Verdict::Unsupported,
        problems: Vec::new(),
        doubts: Vec::new(),
        ms: 0,
        runs: Vec::new(),
        wire: Vec::new(),
        told: Vec::new(),
    });
    outcome.problems = problems.lines();
    outcome.doubts = doubts.lines();
    outcome
}

fn rank(verdict: Verdict) -> Option<usize> {
    Verdict::ALL.iter().position(|other| *other == verdict)
}

/// What was said of which numbers: `1016-2999: …`.
#[derive(Debug, Default)]
struct Ranges {
    said: Vec<(String, Vec<(u16, u16)>)>,
}

impl Ranges {
    fn add(&mut self, number: u16, said: &str) {
        // What differs only in the number is the same.
        let said = said.replace(&number.to_string(), "N");
        let index = self
            .said
            .iter()
            .position(|(known, _)| *known == said)
            .unwrap_or_else(|| {
                self.said.push((said, Vec::new()));
                self.said.len() - 1
            });
        match self.said[index].1.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            Some((_, last)) if *last == number => {}
            _ => self.said[index].1.push((number, number)),
        }
    }

    fn lines(&self) -> Vec<String> {
        let line = |(said, ranges): &(String, Vec<(u16, u16)>)| {
            let ranges = ranges.iter().map(|(low, high)| match low == high {
                true => low.to_string(),
                false => format!("{low}-{high}"),
            });
            format!("{}: {said}", ranges.collect::<Vec<_>>().join(", "))
        };
        self.said.iter().map(line).collect()
    }
}
