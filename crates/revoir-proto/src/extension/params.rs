//! [`Extension`]: one element of a Sec-WebSocket-Extensions header, its parser and its writer.

use std::error::Error;
use std::fmt;

use crate::token_list::{is_tchar, is_token};

/// How many elements a Sec-WebSocket-Extensions header may have, and how many parameters all of
/// them together. Each costs an allocation or two.
const ELEMENTS_MAX: usize = 32;

/// One element of a Sec-WebSocket-Extensions header: a name and its parameters, in order
/// (RFC 6455 section 9.1). Names and values are tokens, so that writing them needs no quotes.
///
/// Duplicates are kept: whether a parameter may stand twice is for the extension to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    name: String,
    params: Vec<Param>,
}

/// A parameter of an [`Extension`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    name: String,
    value: Option<String>,
}

impl Extension {
    /// An extension without parameters.
    ///
    /// # Errors
    ///
    /// [`NotAToken`] if `name` is not a token.
    pub fn new(name: &str) -> Result<Self, NotAToken> {
        Ok(Self {
            name: checked(name)?,
            params: Vec::new(),
        })
    }

    /// The same extension with one more parameter.
    ///
    /// # Errors
    ///
    /// [`NotAToken`] if `name` or `value` is not a token.
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Result<Self, NotAToken> {
        self.params.push(Param {
            name: checked(name)?,
            value: value.map(checked).transpose()?,
        });
        Ok(self)
    }

    /// An extension whose name is a literal of this crate, known to be a token.
    #[cfg(feature = "deflate")]
    pub(crate) fn known(name: &'static str) -> Self {
        debug_assert!(is_token(name.as_bytes()));
        Self {
            name: name.to_owned(),
            params: Vec::new(),
        }
    }

    /// Adds a parameter whose name is a literal of this crate, with a number or without a value.
    #[cfg(feature = "deflate")]
    pub(crate) fn push_known(&mut self, name: &'static str, value: Option<u8>) {
        debug_assert!(is_token(name.as_bytes()));
        self.params.push(Param {
            name: name.to_owned(),
            value: value.map(|number| number.to_string()),
        });
    }

    /// The name, as written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The parameters, in order, duplicates included.
    #[must_use]
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// Reads all elements of all Sec-WebSocket-Extensions header lines of one message; several
    /// lines are one list (RFC 6455 section 11.3.2). Empty list elements are skipped
    /// (RFC 9110 section 5.6.1.2).
    ///
    /// # Errors
    ///
    /// [`MalformedExtensions`] at the first byte that does not fit the grammar, and at the 33rd
    /// element or parameter.
    pub fn parse_lines<'a>(
        lines: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<Self>, MalformedExtensions> {
        let mut extensions = Vec::new();
        let mut params = 0;
        for line in lines {
            let mut scanner = Scanner {
                line,
                at: 0,
                params,
            };
            while let Some(extension) = scanner.element()? {
                if extensions.len() == ELEMENTS_MAX {
                    return Err(scanner.expected("at most 32 extensions"));
                }
                extensions.push(extension);
            }
            params = scanner.params;
        }
        Ok(extensions)
    }

    /// The header value for a list of extensions.
    #[must_use]
    pub fn write_list(extensions: &[Self]) -> String {
        let mut value = String::new();
        for extension in extensions {
            if !value.is_empty() {
                value.push_str(", ");
            }
            value.push_str(&extension.to_string());
        }
        value
    }
}

impl Param {
    /// The name, as written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value without its quotes, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for Param { name, value } in &self.params {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// A name or value that is not a token (RFC 9110 section 5.6.2): the caller's mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAToken {
    /// The text that was given.
    pub got: String,
}

impl fmt::Display for NotAToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "got {:?}, expected a token", self.got)
    }
}

impl Error for NotAToken {}

/// A Sec-WebSocket-Extensions header that breaks the grammar of RFC 6455 section 9.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MalformedExtensions {
    /// Where in the header line the grammar is broken, in bytes.
    pub at: usize,
    /// What should have stood there.
    pub expected: &'static str,
}

impl fmt::Display for MalformedExtensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "malformed extension list at byte {}: expected {}",
            self.at, self.expected
        )
    }
}

impl Error for MalformedExtensions {}

fn checked(text: &str) -> Result<String, NotAToken> {
    if is_token(text.as_bytes()) {
        Ok(text.to_owned())
    } else {
        Err(NotAToken {
            got: text.to_owned(),
        })
    }
}

struct Scanner<'a> {
    line: &'a [u8],
    at: usize,
    /// How many parameters there were so far, on this line and the ones before it.
    params: usize,
}

impl Scanner<'_> {
    /// The next element of the list, `None` at the end of the line.
    fn element(&mut self) -> Result<Option<Extension>, MalformedExtensions> {
        while self.skip_whitespace() == Some(b',') {
            self.at += 1;
        }
        if self.at == self.line.len() {
            return Ok(None);
        }
        let name = self.token()?;
        let mut params = Vec::new();
        loop {
            match self.skip_whitespace() {
                Some(b';') => {
                    self.at += 1;
                    self.params += 1;
                    if self.params > ELEMENTS_MAX {
                        return Err(self.expected("at most 32 parameters"));
                    }
                    params.push(self.param()?);
                }
                None | Some(b',') => return Ok(Some(Extension { name, params })),
                Some(_) => return Err(self.expected("a comma or a semicolon")),
            }
        }
    }

    fn param(&mut self) -> Result<Param, MalformedExtensions> {
        self.skip_whitespace();
        let name = self.token()?;
        if self.skip_whitespace() != Some(b'=') {
            return Ok(Param { name, value: None });
        }
        self.at += 1;
        let value = if self.skip_whitespace() == Some(b'"') {
            self.quoted_string()?
        } else {
            self.token()?
        };
        let value = Some(value);
        Ok(Param { name, value })
    }

    fn token(&mut self) -> Result<String, MalformedExtensions> {
        let mut token = String::new();
        while let Some(byte) = self.peek().filter(|byte| is_tchar(*byte)) {
            token.push(char::from(byte));
            self.at += 1;
        }
        if token.is_empty() {
            return Err(self.expected("a token"));
        }
        Ok(token)
    }

    /// RFC 6455 section 9.1: the content of a quoted string, once unescaped, must be a token.
    fn quoted_string(&mut self) -> Result<String, MalformedExtensions> {
        let mut content = String::new();
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') if !content.is_empty() => {
                    self.at += 1;
                    return Ok(content);
                }
                Some(b'\\') => self.at += 1,
                _ => {}
            }
            let Some(byte) = self.peek().filter(|byte| is_tchar(*byte)) else {
                return Err(self.expected("a token within quotes"));
            };
            content.push(char::from(byte));
            self.at += 1;
        }
    }

    /// Skips spaces and tabs and returns the byte that follows.
    fn skip_whitespace(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        self.peek()
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn expected(&self, expected: &'static str) -> MalformedExtensions {
        MalformedExtensions {
            at: self.at,
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str) -> Result<String, MalformedExtensions> {
        Extension::parse_lines([line.as_bytes()]).map(|list| Extension::write_list(&list))
    }

    #[test]
    fn examples_of_rfc_6455_section_9_1_are_read() {
        assert_eq!(written("foo"), Ok("foo".to_owned()));
        assert_eq!(written("bar; baz=2"), Ok("bar; baz=2".to_owned()));
        let lines: [&[u8]; 2] = [b"foo", b"bar; baz=2"];
        let list = Extension::parse_lines(lines).unwrap();
        assert_eq!(Extension::write_list(&list), "foo, bar; baz=2");
    }

    #[test]
    fn quotes_spaces_and_empty_elements_do_not_change_the_meaning() {
        assert_eq!(
            written(" ,\t, a ;b = \"1\\0\" ;c,,d ,"),
            Ok("a; b=10; c, d".to_owned())
        );
        assert_eq!(written(""), Ok(String::new()));
    }

    #[test]
    fn broken_grammar_is_refused_where_it_breaks() {
        for (line, at) in [
            ("a b", 2),
            ("a;", 2),
            ("a; b=", 5),
            ("a; b=\"\"", 6),
            ("a; b=\"1 0\"", 7),
            ("a; b=\"1", 7),
            ("a; b=\"1\\", 8),
            ("a; b=\"1\"0", 8),
            ("=a", 0),
            ("a; =1", 3),
            ("é", 0),
            ("a\0", 1),
        ] {
            assert_eq!(written(line).map_err(|error| error.at), Err(at), "{line:?}");
        }
    }

    #[test]
    fn too_many_elements_or_parameters_are_refused() {
        let elements = |count: usize| written(&"a,".repeat(count)).map(|_| ());
        assert_eq!(elements(32), Ok(()));
        assert_eq!(elements(33).map_err(|error| error.at), Err(65));
        let params = |count: usize| written(&format!("a{}", "; b".repeat(count))).map(|_| ());
        assert_eq!(params(32), Ok(()));
        assert_eq!(params(33).map_err(|error| error.at), Err(98));
        // Several lines are one list.
        let line = "a; b, a; b, ".repeat(8);
        let lines = |count| Extension::parse_lines(std::iter::repeat_n(line.as_bytes(), count));
        assert!(lines(2).is_ok());
        assert!(lines(3).is_err());
    }

    #[test]
    fn only_tokens_can_be_built() {
        assert!(Extension::new("a b").is_err());
        assert!(Extension::new("").is_err());
        let foo = Extension::new("foo").unwrap();
        assert!(foo.clone().with_param("x", Some("1\r\n")).is_err());
        assert_eq!(
            foo.with_param("x", Some("1")).unwrap().to_string(),
            "foo; x=1"
        );
    }
}
