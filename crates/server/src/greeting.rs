//! What a start says to whoever started it: at most 15 lines, the log's included.

use crate::{settings::Settings, version};
use std::{
    fmt::Write as _,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::absolute,
};

/// Prints it, and logs the same for those who read logs.
pub(crate) fn print(settings: &Settings) {
    if let Err(error) = std::io::stdout().write_all(text(settings).as_bytes()) {
        tracing::debug!(%error, "standard output is closed");
    }
    let (listen, grpc) = (settings.listen, settings.grpc_listen());
    tracing::info!(version = version::LONG, %listen, %grpc, data_dir = %settings.data_dir.display(), "ready");
    if !listen.ip().is_loopback() {
        tracing::warn!(%listen, "client API open to other machines without access control");
    }
}

fn text(settings: &Settings) -> String {
    let listen = settings.listen;
    let here = reachable(listen);
    let path = &settings.context_path;
    let dir = absolute(&settings.data_dir).unwrap_or_else(|_| settings.data_dir.clone());
    let mut text = format!("muster {}\n\n", version::LONG);
    let mut line = |label: &str, value: &str| {
        writeln!(text, "  {label:<9}{value}").expect("writing to a String does not fail");
    };
    line("HTTP", &format!("http://{listen}{path}"));
    line("gRPC", &format!("{} (Nacos clients find it by themselves)", settings.grpc_listen()));
    if settings.console_port != 0 {
        line("console", &format!("http://{}/", SocketAddr::new(here.ip(), settings.console_port)));
    }
    if settings.eureka_port != 0 {
        line("Eureka", &format!("http://{}/eureka", SocketAddr::new(here.ip(), settings.eureka_port)));
    }
    line("page", &format!("http://{here}/"));
    line("data", &dir.display().to_string());
    if listen.ip().is_loopback() {
        line("open to", "this machine only");
    } else {
        line("open to", "everyone who reaches that address, without a password: they may read and");
        line("", "change every service and config (--open-client-api)");
    }
    line(
        "try",
        &format!(
            "curl -d 'dataId=hello&group=DEFAULT_GROUP&content=world' http://{here}{path}/v1/cs/configs"
        ),
    );
    line("", &format!("curl 'http://{here}{path}/v1/cs/configs?dataId=hello&group=DEFAULT_GROUP'"));
    text.push('\n');
    text
}

/// An address that a client on this machine can use: "any" is no address to connect to.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(_) | IpAddr::V6(_) => listen.ip(),
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaves_room_for_the_log_in_fifteen_lines() {
        let open = Settings { listen: "0.0.0.0:8848".parse().unwrap(), ..Settings::default() };
        for settings in [Settings::default(), open] {
            assert!(text(&settings).lines().count() <= 12, "{}", text(&settings));
        }
    }

    #[test]
    fn what_to_try_can_be_reached() {
        let open = Settings {
            listen: "[::]:1".parse().unwrap(),
            context_path: String::new(),
            ..Settings::default()
        };
        assert!(text(&open).contains("curl 'http://[::1]:1/v1/cs/configs?"), "{}", text(&open));
    }
}
