//! Licence expressions of SPDX, as packages declare them.

/// `MIT OR (Apache-2.0 AND ISC)`. `/` is how `OR` was written once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// One licence, with its exception if it has one.
    Licence(String),
    AllOf(Vec<Self>),
    AnyOf(Vec<Self>),
}

impl Expression {
    /// `None` if the text is no expression.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let spaced = text
            .replace('/', " OR ")
            .replace('(', " ( ")
            .replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut rest = &words[..];
        let whole = any_of(&mut rest)?;
        rest.is_empty().then_some(whole)
    }

    /// Whether the allowed licences are enough.
    pub(super) fn is_met(&self, allowed: &[&str]) -> bool {
        match self {
            Self::Licence(name) => allowed.contains(&name.as_str()),
            Self::AllOf(parts) => parts.iter().all(|part| part.is_met(allowed)),
            Self::AnyOf(parts) => parts.iter().any(|part| part.is_met(allowed)),
        }
    }
}

fn any_of(rest: &mut &[&str]) -> Option<Expression> {
    let mut parts = vec![all_of(rest)?];
    while take(rest, "OR") {
        parts.push(all_of(rest)?);
    }
    Some(Expression::AnyOf(parts))
}

fn all_of(rest: &mut &[&str]) -> Option<Expression> {
    let mut parts = vec![one(rest)?];
    while take(rest, "AND") {
        parts.push(one(rest)?);
    }
    Some(Expression::AllOf(parts))
}

fn one(rest: &mut &[&str]) -> Option<Expression> {
    if take(rest, "(") {
        let inner = any_of(rest)?;
        return take(rest, ")").then_some(inner);
    }
    let mut licence = name(rest)?.to_owned();
    if take(rest, "WITH") {
        licence = format!("{licence} WITH {}", name(rest)?);
    }
    Some(Expression::Licence(licence))
}

/// Takes the word if it is the next one.
fn take(rest: &mut &[&str], word: &str) -> bool {
    let is_next = rest.first() == Some(&word);
    if is_next {
        *rest = &rest[1..];
    }
    is_next
}

fn name<'a>(rest: &mut &[&'a str]) -> Option<&'a str> {
    let (first, others) = rest.split_first()?;
    if ["AND", "OR", "WITH", "(", ")"].contains(first) {
        return None;
    }
    *rest = others;
    Some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_met(text: &str) -> bool {
        let expression = Expression::parse(text).expect(text);
        expression.is_met(&["MIT", "Apache-2.0 WITH LLVM-exception", "ISC"])
    }

    #[test]
    fn one_of_several_is_enough_and_all_of_several_are_needed() {
        for text in [
            "MIT",
            "Zlib OR MIT",
            "Unlicense/MIT",
            "MIT AND ISC",
            "(GPL-3.0-only OR MIT) AND ISC",
            "GPL-3.0-only AND Zlib OR MIT",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(is_met(text), "{text}");
        }
        for text in [
            "Zlib",
            "MIT AND Zlib",
            "(MIT OR ISC) AND GPL-3.0-only",
            "Apache-2.0",
            "MIT WITH Classpath-exception-2.0",
        ] {
            assert!(!is_met(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_none() {
        for text in ["", "MIT OR", "(MIT", "MIT)", "MIT ISC", "AND", "MIT WITH"] {
            assert_eq!(Expression::parse(text), None, "{text}");
        }
    }
}
