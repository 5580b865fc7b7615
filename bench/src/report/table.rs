//! The table, in Markdown.

use std::fmt::{self, Write};

use crate::case::{Case, Kind, Role};
use crate::report::{Environment, Measured, Tool};
use crate::stacks::{BARE, FLOOR, OURS, STACKS, Stack};

/// The whole document.
///
/// # Errors
///
/// Writing to a string does not fail.
pub fn markdown(
    environment: &Environment,
    tool: &Tool,
    cases: &[Case],
    measured: &[Measured],
) -> Result<String, fmt::Error> {
    let mut out = String::new();
    head(&mut out, environment, tool)?;
    for role in [Role::Server, Role::Client] {
        let plain = |case: &&Case| matches!(case.kind, Kind::Binary | Kind::Text);
        let cases: Vec<Case> = cases.iter().filter(plain).copied().collect();
        let title = format!("Instructions per message, {role}");
        instructions(&mut out, &title, &of_role(&cases, role), measured)?;
    }
    let other = |case: &&Case| matches!(case.kind, Kind::TextAsStr | Kind::MixedText);
    let others: Vec<Case> = cases.iter().filter(other).copied().collect();
    let title = "Instructions per message, server, other texts";
    instructions(&mut out, title, &others, measured)?;
    writeln!(out, "\n## Allocations per message, and their bytes\n")?;
    allocations(&mut out, cases, measured)?;
    writeln!(out, "\n## Raw numbers\n")?;
    raw(&mut out, measured)?;
    Ok(out)
}

fn of_role(cases: &[Case], role: Role) -> Vec<Case> {
    cases
        .iter()
        .filter(|case| case.role == role)
        .copied()
        .collect()
}

fn head(out: &mut String, environment: &Environment, tool: &Tool) -> fmt::Result {
    let Environment {
        date,
        processor,
        kernel,
        rustc,
        libc,
        commit,
        packages,
    } = environment;
    writeln!(out, "# Instructions per message, {date}\n")?;
    writeln!(
        out,
        "Written by `bench/run`; what the words mean is in `bench/README.md`.\n"
    )?;
    writeln!(out, "- {processor}; {kernel}; revoir at {commit}")?;
    writeln!(out, "- {rustc}; {}; {libc}", tool.version())?;
    writeln!(out, "- {}", packages.join(", "))?;
    writeln!(out, "\n```sh\n{}\n```", Tool::shown())
}

fn columns(out: &mut String, first: &str, last: &str) -> fmt::Result {
    write!(out, "| {first} |")?;
    for stack in STACKS {
        write!(out, " {} |", stack.name)?;
    }
    writeln!(out, "{last}")?;
    let extra = last.matches('|').count();
    writeln!(out, "|---|{}", "--:|".repeat(STACKS.len() + extra))
}

fn find<'a>(measured: &'a [Measured], stack: &Stack, case: &Case) -> Option<&'a Measured> {
    measured
        .iter()
        .find(|one| one.stack.name == stack.name && one.case == *case)
}

fn instructions(
    out: &mut String,
    title: &str,
    cases: &[Case],
    measured: &[Measured],
) -> fmt::Result {
    if cases.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {title}\n")?;
    columns(out, "kind, arrival, bytes", " best peer : ours | wanted |")?;
    for case in cases {
        let Case {
            kind,
            arrival,
            size,
            ..
        } = case;
        write!(out, "| {kind} {arrival} {size} |")?;
        let (mut ours, mut best) = (None, f64::INFINITY);
        for stack in STACKS {
            let Some(one) = find(measured, &stack, case) else {
                write!(out, " |")?;
                continue;
            };
            let figure = one.per_message(|counts| counts.instructions);
            match stack.name {
                BARE | FLOOR => {}
                OURS => ours = Some(figure),
                _ => best = best.min(figure),
            }
            write!(out, " {figure:.0} |")?;
        }
        let ratio = ours.map_or(f64::NAN, |ours| best / ours);
        let wanted = if *size <= 1024 { 1.3 } else { 1.0 };
        let verdict = if ratio >= wanted { "reached" } else { "missed" };
        writeln!(out, " {ratio:.2} | {wanted:.1} {verdict} |")?;
    }
    Ok(())
}

fn allocations(out: &mut String, cases: &[Case], measured: &[Measured]) -> fmt::Result {
    columns(out, "role, kind, arrival, bytes", "")?;
    for case in cases.iter().filter(|case| case.kind == Kind::Binary) {
        write!(out, "| {case} |")?;
        for stack in STACKS {
            if let Some(one) = find(measured, &stack, case) {
                let calls = one.per_message(|counts| counts.allocations);
                let bytes = one.per_message(|counts| counts.bytes);
                write!(out, " {calls:.2} ({bytes:.0}) |")?;
            } else {
                write!(out, " |")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn raw(out: &mut String, measured: &[Measured]) -> fmt::Result {
    writeln!(
        out,
        "N messages and 2 N messages; instructions, allocations, bytes allocated.\n"
    )?;
    writeln!(out, "```text")?;
    for Measured {
        stack,
        case,
        short,
        long,
    } in measured
    {
        write!(out, "{} {case} {}", stack.name, case.messages())?;
        for counts in [short, long] {
            write!(
                out,
                "  {} {} {}",
                counts.instructions, counts.allocations, counts.bytes
            )?;
        }
        writeln!(out)?;
    }
    writeln!(out, "```")
}
