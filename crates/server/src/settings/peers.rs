//! The settings of Eureka peers: who they are, and how they see us.

use super::{Settings, table::Setting, values};
use muster_eureka::{Ourselves, PeerSettings, PeerUrl};

/// All of them.
pub(super) fn table() -> Vec<Setting> {
    vec![
        Setting {
            key: "eureka_peers",
            about: "Eureka servers to replicate with, as http://[USER:PASSWORD@]HOST:PORT/eureka/, separated by commas",
            nacos: &[],
            set: |settings, text| {
                settings.eureka_peers = urls(text)?;
                Ok(())
            },
            show: |settings| shown(&settings.eureka_peers),
        },
        Setting {
            key: "eureka_peer_app",
            about: "application under which this server registers itself, so that its peers show it as available: theirs, such as EUREKA-SERVER; nothing for none",
            nacos: &[],
            set: |settings, text| {
                settings.eureka_peer_app = text.trim().to_owned();
                Ok(())
            },
            show: |settings| settings.eureka_peer_app.clone(),
        },
        Setting {
            key: "eureka_peer_host",
            about: "host by which the peers' settings name this server; nothing for that of listen",
            nacos: &[],
            set: |settings, text| {
                settings.eureka_peer_host = text.trim().to_owned();
                Ok(())
            },
            show: |settings| settings.eureka_peer_host.clone(),
        },
        Setting {
            key: "eureka_peer_queue_max",
            about: "changes and heartbeats that may wait for one peer; beyond it the oldest is dropped and the registries are compared",
            nacos: &[],
            set: |settings, text| {
                settings.eureka_peer_queue_max = values::number(text, 250, 1 << 24)? as usize;
                Ok(())
            },
            show: |settings| settings.eureka_peer_queue_max.to_string(),
        },
    ]
}

fn urls(text: &str) -> Result<Vec<PeerUrl>, String> {
    let written = text.split(',').map(str::trim).filter(|url| !url.is_empty());
    written.map(|url| PeerUrl::parse(url).map_err(|error| error.to_string())).collect()
}

/// Without passwords.
fn shown(urls: &[PeerUrl]) -> String {
    urls.iter().map(PeerUrl::to_string).collect::<Vec<_>>().join(",")
}

impl Settings {
    /// What goes to the Eureka peers.
    pub(crate) fn eureka_peers(&self) -> PeerSettings {
        let port = if self.eureka_port == 0 { self.listen.port() } else { self.eureka_port };
        let host = match self.eureka_peer_host.as_str() {
            "" => self.listen.ip().to_string(),
            named => named.to_owned(),
        };
        let app = self.eureka_peer_app.clone();
        PeerSettings {
            peers: self.eureka_peers.clone(),
            ourselves: (!app.is_empty()).then_some(Ourselves { app, host, port }),
            own_address: self.listen.ip(),
            queue_max: self.eureka_peer_queue_max,
        }
    }

    /// Peers that would tell us what we told them.
    pub(super) fn peer_problems(&self) -> Vec<String> {
        let own = self.listeners();
        let is_own = |peer: &&PeerUrl| own.iter().any(|at| at.address.to_string() == peer.authority());
        let problem = |peer: &PeerUrl| format!("eureka_peers: {peer} is this server itself");
        self.eureka_peers.iter().filter(is_own).map(problem).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_urls_and_their_passwords_stay_hidden() {
        let mut settings = Settings::default();
        let setting = table().into_iter().find(|setting| setting.key == "eureka_peers").unwrap();
        (setting.set)(&mut settings, "http://a:8761/eureka/, http://u:secret@b/").unwrap();
        assert_eq!((setting.show)(&settings), "http://a:8761/eureka/,http://b:80/eureka/");
        assert!((setting.set)(&mut settings, "https://a:8761/eureka/").unwrap_err().contains("without TLS"));
        (setting.set)(&mut settings, "").unwrap();
        assert!(settings.eureka_peers.is_empty());
    }

    #[test]
    fn a_server_is_no_peer_of_itself() {
        let peer = |url: &str| Settings { eureka_peers: urls(url).unwrap(), ..Settings::default() };
        assert_eq!(peer("http://127.0.0.1:8848/eureka/").peer_problems().len(), 1);
        assert!(peer("http://127.0.0.1:8849/eureka/").peer_problems().is_empty());
    }

    #[test]
    fn we_are_an_instance_only_under_a_name() {
        let mut settings = Settings { eureka_port: 8761, ..Settings::default() };
        assert_eq!(settings.eureka_peers().ourselves, None);
        settings.eureka_peer_app = "EUREKA-SERVER".into();
        let ourselves = settings.eureka_peers().ourselves.unwrap();
        assert_eq!((ourselves.host.as_str(), ourselves.port), ("127.0.0.1", 8761));
    }
}
