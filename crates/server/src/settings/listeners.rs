//! Which addresses are opened, and what each shows.

use super::Settings;
use muster_transport::Surfaces;
use std::{collections::BTreeMap, net::SocketAddr};

/// One address that is listened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenerAt {
    pub(crate) address: SocketAddr,
    /// What is found there; everything else is 404.
    pub(crate) surfaces: Surfaces,
    /// The setting it comes from.
    pub(crate) setting: &'static str,
}

impl Settings {
    /// The address Nacos clients use for gRPC: the same host, 1000 ports above.
    pub(crate) fn grpc_listen(&self) -> SocketAddr {
        SocketAddr::new(self.listen.ip(), self.listen.port() + 1000)
    }

    /// All addresses, the main one first. Each is one more address of the one router.
    pub(crate) fn listeners(&self) -> Vec<ListenerAt> {
        let main = |address| ListenerAt { address, surfaces: self.listen_surfaces, setting: "listen" };
        let mut listeners = vec![main(self.listen), main(self.grpc_listen())];
        // Ports of their own: 0 opens none.
        for (port, surfaces, setting) in [
            (self.console_port, self.console_surfaces, "console_port"),
            (self.eureka_port, self.eureka_surfaces, "eureka_port"),
        ] {
            if port != 0 {
                let address = SocketAddr::new(self.listen.ip(), port);
                listeners.push(ListenerAt { address, surfaces, setting });
            }
        }
        listeners
    }

    /// Ports that two settings ask for.
    pub(super) fn port_problems(&self) -> Vec<String> {
        let mut taken = BTreeMap::new();
        let twice = self.listeners().into_iter().filter_map(|listener| {
            let port = listener.address.port();
            let other = taken.insert(port, listener.setting)?;
            Some(format!("{}: port {port} is opened for {other} already", listener.setting))
        });
        twice.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_of_its_own_is_one_more_address() {
        let settings = Settings {
            listen: "[::1]:20".parse().unwrap(),
            console_port: 8080,
            eureka_port: 8761,
            ..Settings::default()
        };
        let opened: Vec<_> =
            settings.listeners().iter().map(|l| (l.address.to_string(), l.surfaces.to_string())).collect();
        let expected =
            [("[::1]:20", "all"), ("[::1]:1020", "all"), ("[::1]:8080", "console"), ("[::1]:8761", "all")];
        assert_eq!(opened, expected.map(|(address, surfaces)| (address.to_owned(), surfaces.to_owned())));
        assert!(settings.port_problems().is_empty());
    }

    #[test]
    fn a_port_is_opened_once() {
        for port in [8848, 9848] {
            let settings = Settings { console_port: port, ..Settings::default() };
            let expected = format!("console_port: port {port} is opened for listen already");
            assert_eq!(settings.port_problems(), [expected]);
        }
    }
}
