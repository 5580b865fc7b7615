//! `revoir serve`: the gateway as a process, in front of a backend or of what is built in.

use std::collections::HashSet;
use std::io::Write;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use revoir::tls::ServerTls;
use revoir_codes::catalog::Locale;
use revoir_gateway::config::{
    self, Config, LimitsConfig, Permissions, RouteConfig, Time, TlsConfig,
};
use revoir_gateway::{
    AccessLog, FileLimit, Format, Gateway, Json, ListenAddr, Listener, LocalService, Mode,
    Operations, OperatorRequest, Problem, ReloadLine, json_line,
};
use revoir_site::Lab;

use crate::answer::print;
use crate::args::ServeArgs;
use crate::commands::admin::{AdminListeners, cannot_listen};
use crate::commands::lab;
use crate::commands::lab::Front;
use crate::commands::logged;
use crate::commands::network::unavailable;
use crate::error_log::ErrorLog;
use crate::exit::{Exit, Failure};
use crate::output::{AccessLine, Screen};
use crate::signals::{Hangups, Signals};

/// The time that is left after a second signal.
const HURRY: Duration = Duration::from_millis(500);

/// So many clients a gateway without a limit is expected to have room for.
const MANY_CLIENTS: usize = 1000;

/// What `--lab` serves beside a backend.
const BESIDE: [&str; 2] = ["/lab", "/assets"];

pub(crate) fn run(
    args: ServeArgs,
    screen: &Screen,
    out: &mut dyn Write,
    err: &mut (dyn Write + Send),
) -> Result<Exit, Failure> {
    let config = configuration(&args)?;
    if args.check_config {
        return Ok(print(&config_text(&config, screen.json).into(), out, err));
    }
    let format: &dyn Format = match screen.json {
        true => &Json,
        false => &AccessLine(screen),
    };
    FileLimit::raise();
    let (errors, error_lines) = ErrorLog::channel(config.log, config.log_format);
    errors.listen();
    let told = errors.clone();
    let network = |log: AccessLog| async move { serve(&args, &config, log, &told).await };
    logged::run(network, (errors, error_lines), format, out, err)
}

/// The file, if there is one, and the command line, which goes before it. What cannot be used is found
/// here, for a check and for a start.
fn configuration(args: &ServeArgs) -> Result<Config, Failure> {
    let mut config = match &args.config {
        Some(path) => config::read(path)?,
        None => Config::default(),
    };
    if !args.listen.is_empty() {
        config.listen.clone_from(&args.listen);
    }
    if let (Some(cert), Some(key)) = (args.tls_cert.clone(), args.tls_key.clone()) {
        match &mut config.tls {
            Some(tls) => (tls.cert, tls.key) = (cert, key),
            None => config.tls = Some(TlsConfig::new(cert, key)),
        }
    }
    if let Some(time) = args.drain {
        config.drain.time = Time(time);
    }
    config.drain.restart |= args.restart;
    if let Some(upstream) = &args.upstream {
        config.routes = vec![RouteConfig::to(upstream.clone(), args.route_mode.into())];
    }
    if config.routes.is_empty() {
        config.routes.push(RouteConfig::default());
    }
    if args.lab {
        for path in BESIDE {
            config.routes.push(RouteConfig::built_in(path));
        }
    }
    let operation = &args.operation;
    if operation.admin.is_some() {
        config.admin.listen.clone_from(&operation.admin);
    }
    if !operation.admin_host.is_empty() {
        config.admin.hosts.clone_from(&operation.admin_host);
    }
    config.admin.metrics = operation.metrics.or(config.admin.metrics);
    config.log = operation.log.map_or(config.log, Into::into);
    config.log_format = operation.log_format.map_or(config.log_format, Into::into);
    config.access_log = operation.access_log.map_or(config.access_log, Into::into);
    config.check()?;
    Ok(config)
}

fn config_text(config: &Config, json: bool) -> String {
    // Every part of it is text, a number or a list of those.
    let proof = "a configuration can be written";
    match json {
        true => json_line(config),
        false => escaped(&toml::to_string(config).expect(proof)),
    }
}

/// TOML without characters that steer a terminal: it lets some stand in a text.
fn escaped(toml: &str) -> String {
    let escape = |c: char| match c.is_control() && !matches!(c, '\n' | '\t') {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    };
    toml.chars().map(escape).collect()
}

async fn serve(
    args: &ServeArgs,
    config: &Config,
    log: AccessLog,
    errors: &ErrorLog,
) -> Result<Exit, Failure> {
    let lab = start_lab(config).await?;
    let operations = Arc::new(Operations::new(log, config.access_log));
    let all = with_lab(config, lab.as_ref());
    let gateway = Gateway::from_config(&all, &built_in(args, lab.as_ref()), operations.clone())?;
    let tls = config.tls.as_ref().map(TlsConfig::server).transpose()?;
    let tls = tls.map(ServerTls::from_config);
    let mut listeners = Vec::new();
    for address in &config.listen {
        listeners.push(listen(address, config.listen_permissions).await?);
    }
    let mut signals = Signals::new().map_err(|error| unavailable("signals", &error))?;
    let mut hangups = Hangups::new().map_err(|error| unavailable("signals", &error))?;
    let admin = AdminListeners::bind(&config.admin).await?;
    announce(config, &listeners, errors);
    if let Some(lab) = &lab {
        lab.attach(Arc::new(Front::new(&gateway)));
    }
    let hosts = config.admin.hosts.clone();
    let mut asked_for = admin.serve(hosts, &gateway, operations, errors);
    tell_of_files(config, errors);
    let serving = gateway.serve(listeners, tls.clone());
    let reloading = Reloading {
        args,
        running: config,
        lab: lab.as_ref(),
        tls: tls.as_ref(),
    };
    let stopping = async {
        let mut current = config.clone();
        let restart = loop {
            tokio::select! {
                () = signals.next() => break None,
                () = hangups.next() => {
                    // What came of it is said.
                    let _ = reloading.reload(&gateway, &mut current, errors);
                }
                // The sender lives as long as the admin interface.
                Some(asked) = asked_for.next() => match asked {
                    OperatorRequest::Drain(how) => break how.restart,
                    OperatorRequest::Reload(asked) => {
                        asked.answer(reloading.reload(&gateway, &mut current, errors));
                    }
                },
            }
        };
        let restart = restart.unwrap_or(current.drain.restart);
        drain(&current, restart, &gateway, &mut signals, errors).await
    };
    // The listener stays to the end: who comes meanwhile is told when to come again.
    tokio::select! {
        () = serving => Ok(Exit::Done),
        exit = stopping => Ok(exit),
    }
}

/// The lab, where what is built in has a route.
async fn start_lab(config: &Config) -> Result<Option<Lab>, Failure> {
    if !config.routes.iter().any(RouteConfig::is_built_in) {
        return Ok(None);
    }
    let lab = lab::start().await;
    let lab = lab.map_err(|error| unavailable("the backend of the lab", &error))?;
    Ok(Some(lab))
}

/// What is built in.
fn built_in(args: &ServeArgs, lab: Option<&Lab>) -> LocalService {
    match lab {
        Some(lab) => {
            let site = revoir_site::router(lab, args.base_url.as_deref());
            LocalService::with_tracker(site, lab.tracker().clone())
        }
        None => LocalService::new(Router::new()),
    }
}

/// The configuration, and beside what is built in the route to the backend of the lab.
fn with_lab(config: &Config, lab: Option<&Lab>) -> Config {
    let mut config = config.clone();
    if let Some(lab) = lab {
        let built_in = config.routes.iter().filter(|route| route.is_built_in());
        let hosts: HashSet<_> = built_in.map(|route| route.host.clone()).collect();
        config
            .routes
            .extend(hosts.into_iter().map(|host| RouteConfig {
                host,
                path: "/lab/live".to_owned(),
                ..RouteConfig::to(lab::target(lab), Mode::Auto)
            }));
    }
    config
}

async fn listen(address: &ListenAddr, permissions: Permissions) -> Result<Listener, Failure> {
    let listener = Listener::bind(address, permissions.0).await;
    listener.map_err(|error| cannot_listen("--listen", address, &error))
}

/// Says where it listens.
fn announce(config: &Config, listeners: &[Listener], errors: &ErrorLog) {
    let routes = || config.routes.iter();
    let targets = routes().flat_map(|route| &route.upstreams);
    let targets = targets.map(|one| one.url.to_string());
    let backups = routes().flat_map(|route| &route.backups);
    let backups = backups.map(|one| format!("{} (backup)", one.url));
    let mut all: Vec<String> = Vec::new();
    for target in targets.chain(backups) {
        // Several routes may lead there.
        if !all.contains(&target) {
            all.push(target);
        }
    }
    let scheme = config.tls.as_ref().map_or("http", |_| "https");
    let addresses = listeners
        .iter()
        .filter_map(|listener| listener.address().ok());
    let addresses: Vec<_> = addresses
        .map(|address| match address {
            ListenAddr::Tcp(address) if all.is_empty() => format!("{scheme}://{address}/"),
            address => address.to_string(),
        })
        .collect();
    let addresses = addresses.join(" and ");
    errors.note(match &*all {
        [] => format!("the reference is at {addresses}"),
        all => format!("listening on {addresses}, in front of {}", all.join(", ")),
    });
}

/// Says for how many clients the files are enough that this process may have open, if those are fewer
/// than it is told to take.
fn tell_of_files(config: &Config, errors: &ErrorLog) {
    let Some(files) = FileLimit::now() else {
        return;
    };
    let LimitsConfig {
        connections,
        sockets,
        ..
    } = &config.limits;
    let wanted = match connections.0.min(sockets.0) {
        usize::MAX => MANY_CLIENTS,
        wanted => wanted,
    };
    let has_upstreams = !config.routes.iter().all(RouteConfig::is_built_in);
    let clients = files.clients(has_upstreams);
    if clients < wanted {
        let limit = files.limit;
        errors.note(format!(
            "this process may have {limit} files open, which is enough for {clients} clients: raise its \
             limit (ulimit -n, LimitNOFILE=)"
        ));
    }
}

/// What it takes to read the configuration again.
struct Reloading<'a> {
    args: &'a ServeArgs,
    /// What the process was started with.
    running: &'a Config,
    lab: Option<&'a Lab>,
    tls: Option<&'a ServerTls>,
}

impl Reloading<'_> {
    /// Reads the configuration and the certificates again, and says what came of it. Where something is
    /// wrong, `current` stays as it is.
    fn reload(
        &self,
        gateway: &Arc<Gateway>,
        current: &mut Config,
        errors: &ErrorLog,
    ) -> Result<ReloadLine, Problem> {
        match self.take_over(gateway) {
            Ok((config, done)) => {
                *current = config;
                errors.note(done.to_string());
                Ok(done)
            }
            Err(failure) => {
                let said = failure.message(false, Locale::english());
                errors.problem(format!("{said}the configuration stays as it was"));
                let (error, hint) = failure.parts();
                let error = format!("{error}\nthe configuration stays as it was");
                Err(Problem { error, hint })
            }
        }
    }

    fn take_over(&self, gateway: &Arc<Gateway>) -> Result<(Config, ReloadLine), Failure> {
        let config = configuration(self.args)?;
        let service = built_in(self.args, self.lab);
        // What may fail comes before what changes something.
        let routes = with_lab(&config, self.lab).routes(&service)?;
        if let (Some(files), Some(tls)) = (&config.tls, self.tls) {
            tls.replace(files.server()?);
        }
        let done = gateway.reload(routes, config.settings(), config.drain.time.0);
        let mut needs_restart = config.needs_restart(self.running);
        if self.lab.is_none() && config.routes.iter().any(RouteConfig::is_built_in) {
            needs_restart.push("a route without upstreams");
        }
        let line = ReloadLine {
            kept: done.kept,
            changed: done.changed,
            begun: done.begun,
            moved: done.moved,
            drained: done.drained,
            needs_restart: needs_restart.into_iter().map(str::to_owned).collect(),
        };
        Ok((config, line))
    }
}

/// Ends all connections, and says how that went.
async fn drain(
    config: &Config,
    restart: bool,
    gateway: &Gateway,
    signals: &mut Signals,
    errors: &ErrorLog,
) -> Exit {
    let mut draining = pin!(gateway.drain(config.drain.plan(restart)));
    let report = tokio::select! {
        report = &mut draining => report,
        // A second one shortens the plan.
        () = signals.next() => {
            gateway.hurry(HURRY);
            draining.await
        }
    };
    errors.note(report.to_string());
    match report.is_complete() {
        true => Exit::Done,
        false => Exit::Failure,
    }
}
