//! The arguments of the command that writes the reference as files.

use std::path::PathBuf;

use clap::ValueHint;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  revoir site --out public
  revoir site --out public --base-url https://example.org/close-codes/ --precompress

The pages use relative links: publish them anywhere, or open index.html directly.")]
pub(crate) struct SiteArgs {
    /// Output folder: new, empty, or written by this command before
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// URL where the pages will be published; adds a sitemap, previews and absolute canonical links
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = base_url)]
    pub(crate) base_url: Option<String>,
    /// Also write each text compressed, as .br and .gz, for hosts that send those
    #[arg(long)]
    pub(crate) precompress: bool,
}

/// An address to put paths behind: `http` or `https`, and a slash at its end.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let plain = |rest: &str| {
        let unfit = |c: char| c.is_whitespace() || c.is_control() || "?#\"<>".contains(c);
        !rest.is_empty() && !rest.starts_with('/') && !rest.contains(unfit)
    };
    if !host.is_some_and(plain) {
        return Err("expected a URL such as https://example.org/, without ? or #".to_owned());
    }
    let slash = if text.ends_with('/') { "" } else { "/" };
    Ok(format!("{text}{slash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_ends_with_a_slash() {
        assert_eq!(
            base_url("https://example.org/a").as_deref(),
            Ok("https://example.org/a/")
        );
        assert_eq!(
            base_url("http://localhost:80/").as_deref(),
            Ok("http://localhost:80/")
        );
        for wrong in [
            "example.org",
            "https://",
            "https:///x",
            "https://a b/",
            "ftp://a",
            "https://a/?q",
        ] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }
}
