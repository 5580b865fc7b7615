//! [`Secrets`]: what must not be printed, wherever it comes back from.

/// Anything shorter is no secret, and would blot out text at random.
const SHORTEST: usize = 4;

/// Texts that let somebody in. Servers repeat them in answers and redirects, so they are taken out
/// of everything that is printed.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

/// Nothing of it.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// Hides `text` from now on.
    pub(crate) fn add(&mut self, text: &str) {
        if text.chars().count() >= SHORTEST {
            self.0.push(text.to_owned());
            // What contains another secret has to go first.
            self.0.sort_by_key(|text| std::cmp::Reverse(text.len()));
        }
    }

    /// Hides the value of a header field, and what follows the scheme in it (`Bearer …`).
    pub(crate) fn add_header(&mut self, value: &str) {
        self.add(value);
        if let Some((_, credentials)) = value.split_once(' ') {
            self.add(credentials.trim());
        }
    }

    /// Hides a cookie, `name=value`.
    pub(crate) fn add_cookie(&mut self, cookie: &str) {
        self.add(cookie);
        if let Some((_, value)) = cookie.split_once('=') {
            self.add(value);
        }
    }

    /// Hides the query of a resource, and each of its values.
    pub(crate) fn add_query(&mut self, resource: &str) {
        let Some((_, query)) = resource.split_once('?') else {
            return;
        };
        self.add(query);
        for pair in query.split('&') {
            if let Some((_, value)) = pair.split_once('=') {
                self.add(value);
            }
        }
    }

    /// `text` with `…` in place of every secret.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.0 {
            if shown.contains(secret) {
                shown = shown.replace(secret, "…");
            }
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
        secrets.add_header("Bearer abc.def");
        secrets.add_cookie("session=s3cret");
        secrets.add_query("/chat?token=t0ken&v=1");
        assert_eq!(
            secrets
                .hide("Authorization: Bearer abc.def; abc.def; s3cret; ?token=t0ken&v=1 t0ken v=1"),
            "Authorization: …; …; …; ?… … v=1"
        );
        assert_eq!(format!("{secrets:?}"), "Secrets(6)");
    }
}
