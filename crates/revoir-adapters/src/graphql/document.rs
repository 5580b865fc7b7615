//! Whether a GraphQL request is a subscription.

use apollo_parser::Parser;
use apollo_parser::cst::{Definition, OperationDefinition};

/// Documents are read up to this length.
const TOKEN_LIMIT: usize = 20_000;

/// Selections may lie so deep in each other.
const DEPTH_LIMIT: usize = 200;

/// Whether `document` has an operation that `name` selects, and that is a subscription. A document
/// that cannot be read has none.
pub(super) fn is_subscription(document: &str, name: Option<&str>) -> bool {
    let parsed = Parser::new(document)
        .token_limit(TOKEN_LIMIT)
        .recursion_limit(DEPTH_LIMIT)
        .parse();
    if parsed.errors().next().is_some() {
        return false;
    }
    let operations = parsed.document().definitions().filter_map(|definition| {
        match definition {
            Definition::OperationDefinition(operation) => Some(operation),
            // Fragments. Anything else is no part of a request.
            _ => None,
        }
    });
    let mut selected = operations.filter(|operation| {
        let is_named = |name: &str| operation.name().is_some_and(|own| own.text() == name);
        name.is_none_or(is_named)
    });
    match (selected.next(), selected.next()) {
        (Some(operation), None) => is_of_subscription(&operation),
        // None, or too many: the server will refuse it.
        _ => false,
    }
}

fn is_of_subscription(operation: &OperationDefinition) -> bool {
    operation
        .operation_type()
        .is_some_and(|kind| kind.subscription_token().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_its_operation_is() {
        for (document, name, expected) in [
            ("subscription { news }", None, true),
            (
                "subscription News($n: Int) { news(n: $n) { text } }",
                None,
                true,
            ),
            ("# subscription\n{ news }", None, false),
            ("query { subscription }", None, false),
            ("mutation { say(text: \"subscription {\") }", None, false),
            ("query A { a } subscription B { b }", Some("B"), true),
            ("query A { a } subscription B { b }", Some("A"), false),
            ("query A { a } subscription B { b }", Some("C"), false),
            ("query A { a } subscription B { b }", None, false),
            ("subscription B { b } query A { a }", None, false),
            (
                "fragment F on News { text } subscription { news { ...F } }",
                None,
                true,
            ),
            ("subscription { news", None, false),
            ("", None, false),
        ] {
            assert_eq!(
                is_subscription(document, name),
                expected,
                "{document} {name:?}"
            );
        }
    }

    #[test]
    fn a_document_that_is_too_deep_or_long_is_not_read() {
        let deep = format!("subscription {}{}", "{a".repeat(300), "}".repeat(300));
        assert!(!is_subscription(&deep, None));
        let long = format!("subscription {{ {} }}", "a ".repeat(30_000));
        assert!(!is_subscription(&long, None));
    }
}
