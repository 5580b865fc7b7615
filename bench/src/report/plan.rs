//! Which cases the table has.

use crate::case::{Arrival, Case, Kind, Role, SIZES};

/// Every case, in the order of the table. Arrival, role and size are combined with binary and
/// plain text; the other kinds of text only with a server and many messages.
#[must_use]
pub fn plan() -> Vec<Case> {
    let mut cases = Vec::new();
    for role in [Role::Server, Role::Client] {
        for arrival in [Arrival::Many, Arrival::One, Arrival::Pieces] {
            for kind in [Kind::Binary, Kind::Text] {
                cases.extend(SIZES.map(|size| Case {
                    role,
                    kind,
                    arrival,
                    size,
                }));
            }
        }
    }
    for kind in [Kind::TextAsStr, Kind::MixedText] {
        let (role, arrival) = (Role::Server, Arrival::Many);
        cases.extend(SIZES.map(|size| Case {
            role,
            kind,
            arrival,
            size,
        }));
    }
    cases
}
