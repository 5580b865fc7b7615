//! Where a statement comes from, and how sure it is.

/// Where a statement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// How it is known.
    pub evidence: Evidence,
    /// The document, the project and file, or what was measured.
    pub place: &'static str,
    /// The day on which it was read, measured or reported, if that is on record.
    pub date: Option<&'static str>,
}

/// How a statement is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// A standard or a registry says so.
    Standard,
    /// The source code or the documentation of the product says so.
    Read,
    /// It was measured with real clients.
    Measured,
    /// Users report it.
    Reported,
    /// Nobody has checked it: general knowledge.
    Unverified,
}

impl Evidence {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Read => "read",
            Self::Measured => "measured",
            Self::Reported => "reported",
            Self::Unverified => "unverified",
        }
    }
}

/// The sources of one entry's statements, in the order of the statements.
#[derive(Debug)]
pub(crate) struct EntrySources {
    pub(crate) seen: &'static [Source],
    pub(crate) note: &'static [Source],
}
