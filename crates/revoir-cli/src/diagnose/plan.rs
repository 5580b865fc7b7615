//! [`LookPlan`]: what to look at, as which client, and how far to go.

use std::time::Duration;

use revoir::Client;
use revoir::client::{ConnectError, Target};
use revoir::handshake::InvalidRequest;
use revoir_codes::catalog::causes::CauseFacts;
use revoir_proto::handshake::ClientRequest;

use crate::args::LiveArgs;
use crate::diagnose::browser_page::BrowserPage;
use crate::diagnose::{Secrets, Trust};

/// What to look at, as which client, and how far to go.
#[derive(Debug)]
pub(crate) struct LookPlan {
    pub(super) target: Target,
    pub(super) request: ClientRequest,
    /// The same request without its Origin, if it has one.
    pub(super) without_origin: Option<ClientRequest>,
    pub(super) trust: Trust,
    pub(super) proxy: Option<Proxy>,
    pub(super) page: Option<BrowserPage>,
    pub(super) offers_subprotocols: bool,
    pub(super) sizes: bool,
    pub(super) hold: Option<Duration>,
    /// How long one step may take.
    pub(super) limit: Duration,
    pub(crate) secrets: Secrets,
}

/// A URL without its query.
#[derive(Debug)]
pub(crate) struct Place {
    scheme: &'static str,
    host: String,
    port: u16,
    path: String,
}

impl Place {
    /// The command that proves or refutes a cause, to be pasted into a shell. Without a place, words in capitals stand
    /// for it.
    pub(crate) fn command(place: Option<&Self>, cause: &CauseFacts) -> String {
        let Some(place) = place else {
            return cause.command_for(None);
        };
        // Whatever a shell might take for more than a host or a path stays out of the command.
        let plain_host = |c: char| c.is_ascii_alphanumeric() || "._-:%".contains(c);
        let host = match place.host.as_str() {
            host if !host.chars().all(plain_host) => "HOST".to_owned(),
            host if host.contains(':') => format!("[{host}]"),
            host => host.to_owned(),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._~%-".contains(c);
        let path = match place.path.chars().all(plain) {
            true => place.path.as_str(),
            false => "/PATH",
        };
        cause.command_for(Some((place.scheme, &host, place.port, path)))
    }
}

/// Who opens the way to the server in place of TCP.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) client: Client,
    /// Its host and port.
    pub(super) address: String,
    /// Whether the environment names it, and not the command line.
    pub(super) by_environment: bool,
}

impl LookPlan {
    /// What the command line asks for; an error is a mistake in it, or in what the environment says of
    /// proxies. `client` knows the proxies.
    pub(crate) fn new(
        url: &str,
        args: &LiveArgs,
        trust: Trust,
        client: Client,
    ) -> Result<Self, ConnectError> {
        let target = Target::parse(url)?;
        let proxy = client.proxy_to(target.clone())?.map(|address| Proxy {
            client,
            address,
            by_environment: args.proxy.is_none(),
        });
        let page = args
            .browser
            .then(|| BrowserPage::new(args.origin.as_deref(), &target));
        let own = || page.as_ref().map(BrowserPage::origin);
        let origin = args.origin.as_deref().or_else(own);
        let plain = plain_request(&target, args)?;
        let (request, without_origin) = match origin {
            Some(origin) => (plain.clone().with_origin(origin)?, Some(plain)),
            None => (plain, None),
        };
        Ok(Self {
            secrets: secrets(&target, args),
            offers_subprotocols: !args.subprotocol.is_empty(),
            sizes: args.probe_sizes,
            hold: args.hold,
            limit: args.step_timeout,
            target,
            request,
            without_origin,
            trust,
            proxy,
            page,
        })
    }

    /// What is looked at, without its query.
    pub(crate) fn place(&self) -> Place {
        let Target {
            host,
            port,
            secure,
            resource,
            ..
        } = &self.target;
        let path = resource.split('?').next().unwrap_or("/");
        Place {
            scheme: if *secure { "wss" } else { "ws" },
            host: host.clone(),
            port: *port,
            path: path.to_owned(),
        }
    }

    /// A request without anything that lets somebody in: neither fields nor query.
    pub(super) fn bare_request(&self) -> Option<ClientRequest> {
        let Target { host, port, .. } = &self.target;
        let path = self.target.resource.split('?').next().unwrap_or("/");
        ClientRequest::new(host, *port, false, path).ok()
    }
}

fn plain_request(target: &Target, args: &LiveArgs) -> Result<ClientRequest, InvalidRequest> {
    let Target {
        host,
        port,
        secure,
        resource,
        ..
    } = target;
    let mut request = ClientRequest::new(host, *port, *secure, resource)?;
    let names_itself = |(name, _): &(String, String)| name.eq_ignore_ascii_case("user-agent");
    if !args.header.iter().any(names_itself) {
        let agent = concat!("revoir-diagnose/", env!("CARGO_PKG_VERSION"));
        request = request.with_header("User-Agent", agent)?;
    }
    for name in &args.subprotocol {
        request = request.with_subprotocol(name)?;
    }
    for (name, value) in &args.header {
        request = request.with_header(name, value)?;
    }
    if !args.cookie.is_empty() {
        // RFC 6265 section 5.4: one field with all cookies.
        request = request.with_header("Cookie", args.cookie.join("; "))?;
    }
    Ok(request)
}

/// What the command line says that must not be printed.
fn secrets(target: &Target, args: &LiveArgs) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add_query(&target.resource);
    for (name, value) in &args.header {
        secrets.add_header(name, value);
    }
    for cookie in &args.cookie {
        secrets.add_cookie(cookie);
    }
    secrets
}

#[cfg(test)]
mod tests {
    use revoir_codes::catalog::Locale;
    use revoir_codes::catalog::causes::all_causes;

    use super::Place;

    /// What is pasted into a shell has of the address only what a shell takes as it stands.
    #[test]
    fn a_command_has_no_host_that_a_shell_would_take_for_more() {
        let place = |host: &str| Place {
            scheme: "wss",
            host: host.to_owned(),
            port: 443,
            path: "/".to_owned(),
        };
        let commands = |host: &str| {
            let place = place(host);
            let all = all_causes(Locale::english());
            let all = all.map(|(cause, _)| Place::command(Some(&place), cause));
            all.collect::<String>()
        };
        assert!(commands("a.example").contains("a.example"));
        assert!(commands("::1").contains("[::1]"));
        for host in ["a;id", "a$(id)", "a`id`", "a&id", "a'b"] {
            let commands = commands(host);
            assert!(
                commands.contains("HOST") && !commands.contains(host),
                "{host}"
            );
        }
    }
}
