//! [`Secrets`]: what must not be printed, wherever it comes back from.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use percent_encoding::percent_decode_str;

/// Anything shorter, in bytes, is no secret, and would blot out text at random.
const SHORTEST: usize = 4;

/// Texts that let somebody in, in lower case. Servers repeat them in answers and redirects, so they
/// are taken out of everything that is printed.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

/// Nothing of it.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// Hides `text` from now on, also in another case and with its percent-encoding undone.
    pub(crate) fn add(&mut self, text: &str) {
        let spaced = text.replace('+', " ");
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
        for form in [Cow::from(text), decoded(text), decoded(&spaced)] {
            let form = form.trim().to_ascii_lowercase();
            // Errors quote what they got, with escapes.
            for form in [form.escape_debug().to_string(), form] {
                if form.len() >= SHORTEST && !self.0.contains(&form) {
                    self.0.push(form);
                }
            }
        }
    }

    /// Hides the value of a header field, and what is in it: credentials behind a scheme
    /// (`Bearer …`), user and password of `Basic`, cookies.
    pub(crate) fn add_header(&mut self, name: &str, value: &str) {
        self.add(value);
        if name.eq_ignore_ascii_case("cookie") {
            for cookie in value.split(';') {
                self.add_cookie(cookie);
            }
        }
        if let Some((scheme, credentials)) = value.trim().split_once(' ') {
            self.add(credentials);
            if scheme.eq_ignore_ascii_case("basic") {
                self.add_basic(credentials.trim());
            }
        }
    }

    /// Hides user and password (RFC 7617 section 2).
    fn add_basic(&mut self, credentials: &str) {
        let decoded = STANDARD.decode(credentials);
        let Ok(decoded) = decoded.or_else(|_| STANDARD_NO_PAD.decode(credentials)) else {
            return;
        };
        let decoded = String::from_utf8_lossy(&decoded);
        self.add(&decoded);
        if let Some((user, password)) = decoded.split_once(':') {
            self.add(user);
            self.add(password);
        }
    }

    /// Hides a cookie, `name=value`.
    pub(crate) fn add_cookie(&mut self, cookie: &str) {
        self.add(cookie);
        if let Some((_, value)) = cookie.split_once('=') {
            self.add(value);
            self.add(value.trim().trim_matches('"'));
        }
    }

    /// Hides the query of a resource, and each of its values.
    pub(crate) fn add_query(&mut self, resource: &str) {
        let Some((_, query)) = resource.split_once('?') else {
            return;
        };
        self.add(query);
        for pair in query.split('&') {
            self.add(pair.split_once('=').map_or(pair, |(_, value)| value));
        }
    }

    /// `text` with `…` in place of every secret.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.hide_up_to(text, text.len())
    }

    /// The same for a text that was cut: the beginning of a secret may stand at its end.
    pub(crate) fn hide_in_cut(&self, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let rests = lower.char_indices().map(|(at, _)| at);
        let is_begun = |at: &usize| self.0.iter().any(|all| all.starts_with(&lower[*at..]));
        let end = rests.into_iter().find(is_begun).unwrap_or(text.len());
        self.hide_up_to(text, end)
    }

    /// All that stands behind `end` is hidden too. Secrets overlap, so all are looked for before any
    /// is taken out.
    fn hide_up_to(&self, text: &str, end: usize) -> String {
        // Only ASCII changes, so places in the one are places in the other.
        let lower = text.to_ascii_lowercase();
        let mut is_hidden = vec![false; text.len()];
        is_hidden[end..].fill(true);
        for secret in &self.0 {
            let mut from = 0;
            while let Some(found) = lower[from..].find(secret.as_str()) {
                let at = from + found;
                is_hidden[at..at + secret.len()].fill(true);
                from = at + text[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        let mut shown = String::with_capacity(text.len());
        let mut was_hidden = false;
        for (at, c) in text.char_indices() {
            match (is_hidden[at], was_hidden) {
                (false, _) => shown.push(c),
                (true, false) => shown.push('…'),
                (true, true) => {}
            }
            was_hidden = is_hidden[at];
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_somebody_in_is_hidden_wherever_it_stands() {
        let mut secrets = Secrets::default();
        secrets.add_header("Authorization", "Bearer abc.def");
        secrets.add_cookie("session=s3cret");
        secrets.add_query("/chat?token=t0ken&v=1");
        assert_eq!(
            secrets
                .hide("Authorization: Bearer abc.def; abc.def; s3cret; ?token=t0ken&v=1 t0ken v=1"),
            "Authorization: …; …; …; ?… … v=1"
        );
        assert_eq!(format!("{secrets:?}"), "Secrets(6)");
    }

    #[test]
    fn a_query_is_hidden_in_the_forms_a_server_gives_it() {
        let mut secrets = Secrets::default();
        secrets.add_query("/?token=p%40ss+w%2Ford%22&bare%2Dword");
        assert_eq!(secrets.hide("got p@ss w/ord\"."), "got ….");
        assert_eq!(secrets.hide("got p@ss+w/ord\"."), "got ….");
        assert_eq!(secrets.hide(r#"got "p@ss w/ord\"","#), r#"got "…","#);
        assert_eq!(secrets.hide("P%40SS+W%2fORD%22"), "…");
        assert_eq!(secrets.hide("a bare-word"), "a …");
    }

    #[test]
    fn credentials_are_hidden_decoded_and_one_by_one() {
        let mut secrets = Secrets::default();
        // alice:hunter22
        secrets.add_header("authorization", "basic YWxpY2U6aHVudGVyMjI=");
        secrets.add_header("Cookie", "a=first1; b=\"second2\"; c=%C3%A9t%C3%A9");
        let text = "Alice may not use HUNTER22, first1, second2 or été; YWxpY2U6aHVudGVyMjI=";
        assert_eq!(secrets.hide(text), "… may not use …, …, … or …; …");
    }

    #[test]
    fn secrets_that_overlap_leave_nothing() {
        let mut secrets = Secrets::default();
        secrets.add("abcdef");
        secrets.add("defghi");
        secrets.add("xyxy");
        assert_eq!(secrets.hide("-abcdefghi-xyxyxy-"), "-…-…-");
    }

    #[test]
    fn the_beginning_of_a_secret_is_hidden_at_a_cut() {
        let mut secrets = Secrets::default();
        secrets.add("hunter22");
        assert_eq!(secrets.hide_in_cut("it is hunt"), "it is …");
        assert_eq!(secrets.hide_in_cut("it is Hunter22"), "it is …");
        assert_eq!(secrets.hide("it is hunt"), "it is hunt");
    }

    #[test]
    fn short_values_do_not_destroy_text() {
        let mut secrets = Secrets::default();
        secrets.add_query("/?v=1&w=abc");
        secrets.add_header("DNT", "1");
        assert_eq!(secrets.hide("1 abc"), "1 abc");
    }
}
