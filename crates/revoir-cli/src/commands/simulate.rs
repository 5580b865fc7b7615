//! `revoir simulate`: reconnect storms before they happen.

use std::fs;
use std::io::Write;
use std::time::Duration;

use revoir::{Policy, SendCode};
use unicode_width::UnicodeWidthStr;

use crate::answer::Answer;
use crate::args::{LossArg, OverloadArg, SimulateArgs};
use crate::exit::Failure;
use crate::output::json;
use crate::output::{Page, Screen, StormLine};
use crate::simulate::{FORMULAS, Formula, Loss, Ours, Overload, Storm, StormOutcome, chart};

/// One row: who comes back how.
enum Contender {
    Ours(&'static str, &'static str, Policy),
    Theirs(&'static Formula),
}

pub(crate) fn run(
    args: &SimulateArgs,
    screen: &Screen,
    err: &mut dyn Write,
) -> Result<Answer, Failure> {
    let contenders = chosen(&args.policy)?;
    let storm = args.storm();
    let mut rows = Vec::new();
    for (index, contender) in contenders.iter().enumerate() {
        if screen.is_terminal {
            // Large storms take a while; the line is written over by the next.
            let (id, count) = (contender.id(), contenders.len());
            let _ = write!(err, "\r\x1b[K{}/{count} {id}", index + 1);
            let _ = err.flush();
        }
        rows.push((contender, contender.run(&storm)));
    }
    if screen.is_terminal {
        let _ = write!(err, "\r\x1b[K");
    }
    let mut notes = String::new();
    if let Some(path) = &args.svg {
        let named: Vec<_> = rows.iter().map(|(who, what)| (who.id(), what)).collect();
        let svg = chart(&storm.title(), storm.capacity, &named);
        fs::write(path, svg).map_err(|error| Failure::Impossible {
            problem: format!("cannot write {}: {error}", path.display()),
            hint: "use a file in an existing folder".to_owned(),
        })?;
        notes = format!("wrote {}\n", path.display());
    }
    let text = match screen.json {
        true => rows
            .iter()
            .map(|(who, what)| json::line(&who.line(what)))
            .collect(),
        false => page(&storm, &rows, screen),
    };
    Ok(Answer { text, notes })
}

fn all() -> impl Iterator<Item = Contender> {
    let ours = [
        Contender::Ours(
            "default",
            "the time the server asks for; without one, 1-5 s after 1012, otherwise 0.25-5 s, increasing to 30 s",
            Policy::new(),
        ),
        Contender::Ours(
            "registered",
            "like default, but 5-30 s after 1012, as in its registration",
            Policy::registered(),
        ),
    ];
    ours.into_iter()
        .chain(FORMULAS.iter().map(Contender::Theirs))
}

/// The policies with these names, in their order; all for none.
fn chosen(names: &[String]) -> Result<Vec<Contender>, Failure> {
    if names.is_empty() {
        return Ok(all().collect());
    }
    let find = |name: &String| {
        all().find(|who| who.id() == name).ok_or_else(|| {
            let known: Vec<_> = all().map(|who| who.id()).collect();
            let known = known.join(", ");
            let problem = format!("there is no policy {name:?}; choose one of {known}");
            Failure::usage("simulate", &problem)
        })
    };
    names.iter().map(find).collect()
}

impl Contender {
    fn id(&self) -> &'static str {
        match self {
            Self::Ours(id, ..) => id,
            Self::Theirs(formula) => formula.id,
        }
    }

    fn rule(&self) -> &'static str {
        match self {
            Self::Ours(_, rule, _) => rule,
            Self::Theirs(formula) => formula.rule,
        }
    }

    fn source(&self) -> &'static str {
        match self {
            Self::Ours(..) => "revoir::Policy",
            Self::Theirs(formula) => formula.source,
        }
    }

    fn run(&self, storm: &Storm) -> StormOutcome {
        match self {
            Self::Ours(_, _, policy) => storm.run(&Ours(policy.clone())),
            Self::Theirs(formula) => storm.run(formula),
        }
    }

    fn line<'a>(&'a self, outcome: &StormOutcome) -> StormLine<'a> {
        StormLine::new(self.id(), self.rule(), self.source(), outcome)
    }
}

impl SimulateArgs {
    fn storm(&self) -> Storm {
        let half_capacity = f64::from(self.clients) * 2.0 / f64::from(self.capacity);
        let loss = match self.ending {
            LossArg::Slots => Loss::Slots {
                ready_in: self.ready_in,
                window: self
                    .return_over
                    .unwrap_or_else(|| Duration::from_secs_f64(half_capacity)),
            },
            LossArg::Restart => Loss::Closed(SendCode::SERVICE_RESTART),
            LossArg::GoingAway => Loss::Closed(SendCode::GOING_AWAY),
            LossArg::Cut => Loss::Cut,
        };
        Storm {
            clients: self.clients,
            capacity: self.capacity,
            down: self.down,
            closing: Duration::from_millis(200),
            loss,
            overload: match self.overload {
                OverloadArg::Refuse => Overload::Refuse,
                OverloadArg::RetryAfter => Overload::Slots,
            },
            until: self.until,
            seed: self.seed,
        }
    }
}

impl Storm {
    fn title(&self) -> String {
        let how = match self.loss {
            Loss::Slots { ready_in, window } => {
                let (from, until) = (ready_in.as_secs_f64(), (ready_in + window).as_secs_f64());
                format!("by 1012 with slots from {from} s to {until:.1} s")
            }
            Loss::Closed(code) => format!("by {} without a slot", code.code().get()),
            Loss::Cut => "without a Close frame (1006)".to_owned(),
        };
        format!(
            "{} clients lose their server {how}; it is away {} s and takes {} per second",
            self.clients,
            self.down.as_secs_f64(),
            self.capacity
        )
    }
}

const HEADS: [&str; 9] = [
    "policy",
    "attempts",
    "per client",
    "fullest 100 ms",
    "fullest 1 s",
    "50 % back",
    "99 % back",
    "all back",
    "gave up",
];

fn page(storm: &Storm, rows: &[(&Contender, StormOutcome)], screen: &Screen) -> String {
    let cells: Vec<_> = rows
        .iter()
        .map(|(who, what)| cells(who.id(), what))
        .collect();
    let width = |column: usize| {
        let cells = cells.iter().map(|row| row[column].width());
        cells.fold(HEADS[column].width(), usize::max)
    };
    let widths: [usize; 9] = std::array::from_fn(width);
    let mut page = Page::new(screen);
    page.paragraph(0, &screen.strong(&storm.title()));
    page.gap();
    page.line(&screen.faint(&aligned(&HEADS.map(str::to_owned), widths)));
    for row in &cells {
        page.line(&aligned(row, widths));
    }
    page.heading("How each of them waits");
    for (who, _) in rows {
        let lead = format!("{:width$}  ", who.id(), width = widths[0]);
        page.entry(2, &lead, &lead, who.rule());
    }
    page.finish()
}

fn cells(id: &str, outcome: &StormOutcome) -> [String; 9] {
    let out = outcome.clients - outcome.back - outcome.gave_up;
    let never = || match out {
        0 => "never".to_owned(),
        // They would still come, after the end of the simulation.
        _ => "later".to_owned(),
    };
    let time =
        |at: Option<Duration>| at.map_or_else(never, |at| format!("{:.1} s", at.as_secs_f64()));
    [
        id.to_owned(),
        outcome.attempts.to_string(),
        format!("{:.2}", outcome.attempts_per_client()),
        outcome.fullest_slot().to_string(),
        outcome.fullest_second().to_string(),
        time(outcome.half),
        time(outcome.nearly),
        time(outcome.all),
        outcome.gave_up.to_string(),
    ]
}

/// The first column to the left, numbers to the right.
fn aligned(cells: &[String; 9], widths: [usize; 9]) -> String {
    let mut line = String::from("  ");
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let padding = " ".repeat(width - cell.width());
        match column {
            0 => line.extend([cell, padding.as_str()]),
            _ => line.extend(["  ", &padding, cell]),
        }
    }
    line
}
