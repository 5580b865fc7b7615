//! The words of a step or a check: bare words, `"quoted bytes"`, `#hex`.

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Bare(String),
    Bytes(Vec<u8>),
}

impl Word {
    pub(crate) fn bare(&self) -> Option<&str> {
        match self {
            Self::Bare(word) => Some(word),
            Self::Bytes(_) => None,
        }
    }
}

/// Splits a line. In quotes: `\r`, `\n`, `\t`, `\"`, `\\`, `\xNN` (a byte), `\u{NNNN}`.
pub(crate) fn split(line: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    while let Some(&char) = chars.peek() {
        match char {
            ' ' | '\n' => {
                chars.next();
            }
            '"' => {
                chars.next();
                words.push(Word::Bytes(quoted(&mut chars)?));
            }
            _ => {
                let mut word = String::new();
                while let Some(char) = chars.next_if(|char| !matches!(char, ' ' | '\n' | '"')) {
                    word.push(char);
                }
                words.push(match word.strip_prefix('#') {
                    Some(digits) => Word::Bytes(hex(digits)?),
                    None => Word::Bare(word),
                });
            }
        }
    }
    Ok(words)
}

fn quoted(chars: &mut impl Iterator<Item = char>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4];
    while let Some(char) = chars.next() {
        let escaped = match char {
            '"' => return Ok(bytes),
            '\\' => chars.next().ok_or("a backslash at the end")?,
            char => {
                bytes.extend_from_slice(char.encode_utf8(&mut buffer).as_bytes());
                continue;
            }
        };
        match escaped {
            'r' => bytes.push(b'\r'),
            'n' => bytes.push(b'\n'),
            't' => bytes.push(b'\t'),
            '0' => bytes.push(0),
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                bytes.extend(hex(&digits)?);
            }
            'u' => {
                let digits: String = chars
                    .by_ref()
                    .skip(1)
                    .take_while(|char| *char != '}')
                    .collect();
                let code = u32::from_str_radix(&digits, 16).map_err(|error| error.to_string())?;
                let char = char::from_u32(code).ok_or_else(|| format!("no character: {digits}"))?;
                bytes.extend_from_slice(char.encode_utf8(&mut buffer).as_bytes());
            }
            other => bytes.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(digits: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("not hexadecimal: {digits}");
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return Err(wrong());
    }
    let pairs = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    pairs.collect::<Result<_, _>>().map_err(|_| wrong())
}

/// What is left of a line's words.
#[derive(Debug)]
pub(crate) struct Rest<'a> {
    words: &'a [Word],
}

impl<'a> Rest<'a> {
    pub(crate) const fn new(words: &'a [Word]) -> Self {
        Self { words }
    }

    /// The next word, if it is bare.
    pub(crate) fn bare(&mut self) -> Option<&'a str> {
        let word = self.words.first()?.bare()?;
        self.words = &self.words[1..];
        Some(word)
    }

    /// The next word, if it is quoted or hexadecimal.
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        match self.words.first()? {
            Word::Bytes(bytes) => {
                self.words = &self.words[1..];
                Some(bytes)
            }
            Word::Bare(_) => None,
        }
    }

    /// The next word as a number, if it is one.
    pub(crate) fn number<T: std::str::FromStr>(&mut self) -> Option<T> {
        let number = self.words.first()?.bare()?.parse().ok()?;
        self.words = &self.words[1..];
        Some(number)
    }

    /// The next word as text; an error says what was missing.
    pub(crate) fn text(&mut self, what: &str) -> Result<String, String> {
        let bytes = self.bytes().ok_or_else(|| format!("{what} is missing"))?;
        String::from_utf8(bytes.to_vec()).map_err(|_| format!("{what} is not UTF-8"))
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), String> {
        match self.words {
            [] => Ok(()),
            words => Err(format!("too many words: {words:?}")),
        }
    }
}
