//! What of another configuration takes effect only after a restart.

use crate::config::Config;

impl Config {
    /// The keys that are not as in `running`, and that a process which was started with that cannot
    /// take over while it runs.
    pub fn needs_restart(&self, running: &Self) -> Vec<&'static str> {
        let Self {
            listen,
            listen_permissions,
            access_log,
            log,
            log_format,
            tls,
            session,
            admin,
            // These are taken over.
            trusted_proxies: _,
            proxy_protocol: _,
            limits: _,
            drain: _,
            routes: _,
            dns: _,
        } = self;
        let keys = [
            ("listen", *listen == running.listen),
            (
                "listen-permissions",
                *listen_permissions == running.listen_permissions,
            ),
            ("access-log", *access_log == running.access_log),
            ("log", *log == running.log),
            ("log-format", *log_format == running.log_format),
            // Certificates are read again.
            ("tls", tls.is_some() == running.tls.is_some()),
            // Its keys are read again.
            ("session.store", session.store == running.session.store),
            ("admin.listen", admin.listen == running.admin.listen),
            ("admin.hosts", admin.hosts == running.admin.hosts),
            ("admin.metrics", admin.metrics == running.admin.metrics),
        ];
        let changed = keys.into_iter().filter(|(_, is_same)| !is_same);
        changed.map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn what_needs_a_restart_is_named() {
        let running = parse("").unwrap();
        let text = "listen = ['127.0.0.1:1']\nlog = 'debug'\n\
                    [admin]\nhosts = ['a']\n[drain]\ntime = '3s'\n[limits]\nsockets = 3";
        let needed = parse(text).unwrap().needs_restart(&running);
        assert_eq!(needed, ["listen", "log", "admin.hosts"]);
        let text = "access-log = 'none'\nlog-format = 'json'\n[tls]\ncert = 'a'\nkey = 'b'\n[session]\nstore = { disk = 'a' }\n\
                    [admin]\nlisten = '127.0.0.1:1'\nmetrics = '127.0.0.1:2'";
        let needed = parse(text).unwrap().needs_restart(&running);
        let expected = [
            "access-log",
            "log-format",
            "tls",
            "session.store",
            "admin.listen",
            "admin.metrics",
        ];
        assert_eq!(needed, expected);
        assert!(running.needs_restart(&running).is_empty());
    }
}
