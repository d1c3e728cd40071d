//! The settings of a node's part in a cluster: where peers reach it, how it comes in, what proves who it is.

use super::{Settings, table::Setting, values};
use muster_node::mirroring::Settings as Mirroring;
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How far below the clients' port that of peers is, by convention (Nacos: the Raft port is the main port - 1000).
const PORT_BELOW: u16 = 1_000;
/// The clients' port where a list names none.
const CLIENT_PORT: u16 = 8_848;

/// A text that is never shown or logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text, for the one place that uses it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "(set)" })
    }
}

/// All of it. Empty: a node that stands alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClusterSettings {
    /// `host:port`; nothing: not open.
    pub(crate) listen: String,
    /// Nothing: as `listen`.
    pub(crate) address: String,
    /// All nodes of a static list, `host:port` of their peers' listeners, sorted.
    pub(crate) peers: Vec<String>,
    pub(crate) init: bool,
    /// Addresses of nodes that let this one in.
    pub(crate) join: Vec<String>,
    pub(crate) join_token: Secret,
    pub(crate) join_token_file: PathBuf,
    pub(crate) secret: Secret,
    pub(crate) secret_file: PathBuf,
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) voters_max: usize,
    pub(crate) peer_silence: Duration,
    pub(crate) join_wait: Duration,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            listen: String::new(),
            address: String::new(),
            peers: Vec::new(),
            init: false,
            join: Vec::new(),
            join_token: Secret::default(),
            join_token_file: PathBuf::new(),
            secret: Secret::default(),
            secret_file: PathBuf::new(),
            ca: PathBuf::new(),
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            voters_max: muster_node::VOTERS_MAX,
            peer_silence: Mirroring::default().peer_silence,
            join_wait: Mirroring::default().join_wait,
        }
    }
}

impl ClusterSettings {
    /// Whether the settings ask for a cluster.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.init || !self.join.is_empty() || !self.peers.is_empty() || !self.listen.is_empty()
    }

    /// Where peers reach this node.
    pub(crate) fn advertised(&self) -> &str {
        if self.address.is_empty() { &self.listen } else { &self.address }
    }

    /// Whether operators made certificates.
    pub(crate) fn has_certificates(&self) -> bool {
        self.paths().iter().all(|(_, path)| !path.as_os_str().is_empty())
    }

    /// Whether there is a secret that all nodes share.
    pub(crate) fn has_secret(&self) -> bool {
        !self.secret.is_empty() || !self.secret_file.as_os_str().is_empty()
    }

    fn paths(&self) -> [(&'static str, &Path); 3] {
        [("cluster_ca", &self.ca), ("cluster_certificate", &self.certificate), ("cluster_key", &self.key)]
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let ways = [(self.init, "--cluster-init"), (!self.join.is_empty(), "--join")];
        let ways = ways.into_iter().chain([(!self.peers.is_empty(), "cluster_peers")]);
        let ways: Vec<_> = ways.filter(|(is, _)| *is).map(|(_, way)| way).collect();
        if ways.len() > 1 {
            problems
                .push(format!("{}: a node comes into its cluster in one way, choose one", ways.join(", ")));
        }
        let given = self.paths().iter().filter(|(_, path)| !path.as_os_str().is_empty()).count();
        if given != 0 && given != 3 {
            problems.push("cluster_ca, cluster_certificate, cluster_key: give all three, or none".to_owned());
        }
        if given == 3 && self.has_secret() {
            problems.push(
                "cluster_secret, cluster_ca: nodes prove who they are in one way, choose one".to_owned(),
            );
        }
        if !self.peers.is_empty() && !self.has_secret() && given == 0 {
            problems.push(
                "cluster_peers: the nodes of a list prove who they are by one secret that all share, or by certificates \
                 of yours. Run `(umask 077; head -c 32 /dev/urandom | base64 > cluster.secret)` once, copy that file to every \
                 node and add --set cluster_secret_file=cluster.secret; or set cluster_ca, cluster_certificate and \
                 cluster_key"
                    .to_owned(),
            );
        }
        problems.extend(self.address_problems());
        problems
    }

    fn address_problems(&self) -> Option<String> {
        if !self.is_asked_for() {
            return None;
        }
        if self.listen.is_empty() {
            return Some(
                "cluster_listen: this node needs an address for its peers, such as 10.0.0.1:7848".to_owned(),
            );
        }
        let own = self.advertised();
        if own.starts_with("0.0.0.0:") || own.starts_with("[::]:") {
            return Some(format!(
                "cluster_address: peers can't connect to {own}: set the address by which they reach this node"
            ));
        }
        let is_listed = self.peers.is_empty() || self.peers.iter().any(|peer| peer == own);
        (!is_listed).then(|| {
            format!(
                "cluster_peers: {own}, this node's own address, is not among {}: set cluster_address (or \
                 cluster_listen) to the one of them that is this node",
                self.peers.join(", ")
            )
        })
    }
}

impl Settings {
    /// Where peers are listened for if only the way into a cluster was said: 1000 below the clients' port.
    pub(super) fn default_cluster_listen(&mut self) {
        let way_is_said = self.cluster.init || !self.cluster.join.is_empty();
        if self.cluster.listen.is_empty() && way_is_said && self.listen.port() > PORT_BELOW {
            let mut address = self.listen;
            address.set_port(self.listen.port() - PORT_BELOW);
            self.cluster.listen = address.to_string();
        }
    }

    pub(super) fn cluster_problems(&self) -> Vec<String> {
        self.cluster.problems()
    }

    /// What the environment of an original server says of its cluster.
    pub(super) fn nacos_servers(&mut self, servers: &str, own_ip: Option<&str>) -> Result<(), String> {
        let written: Vec<_> =
            servers.split([' ', ',', '\n']).map(str::trim).filter(|one| !one.is_empty()).collect();
        if written.len() < 2 || !self.cluster.peers.is_empty() {
            return Ok(());
        }
        self.cluster.peers = sorted(written.into_iter().map(nacos_member).collect::<Result<_, _>>()?);
        if let (Some(ip), true) = (own_ip, self.cluster.listen.is_empty()) {
            self.cluster.listen = nacos_member(&format!("{ip}:{}", self.listen.port()))?;
        }
        Ok(())
    }
}

/// The peers' address of a line of Nacos's `cluster.conf`: `IP[:PORT][?raft_port=PORT]`.
fn nacos_member(text: &str) -> Result<String, String> {
    let wrong = || format!("expected IP:PORT such as 10.0.0.1:8848, found {text:?}");
    let (place, options) = text.split_once('?').unwrap_or((text, ""));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => {
            (host, port.parse().map_err(|_| wrong())?)
        }
        Some(_) => return Err(wrong()),
        None => (place, CLIENT_PORT),
    };
    let raft = options.split('&').find_map(|option| option.strip_prefix("raft_port="));
    let port = match raft {
        Some(port) => port.parse().map_err(|_| wrong())?,
        None => port.checked_sub(PORT_BELOW).filter(|port| *port > 0).ok_or_else(wrong)?,
    };
    Ok(format!("{host}:{port}"))
}

/// Addresses, or the path of a file as Nacos's `cluster.conf`.
fn peers(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    if !text.contains('/') && !text.ends_with(".conf") {
        return Ok(sorted(addresses(text)?));
    }
    let file = std::fs::read_to_string(text).map_err(|error| format!("read {text}: {error}"))?;
    let lines = file.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    let members: Result<Vec<_>, _> = lines.filter(|line| !line.is_empty()).map(nacos_member).collect();
    let members = members.map_err(|problem| format!("{text}: {problem}"))?;
    if members.is_empty() { Err(format!("{text} lists no node")) } else { Ok(sorted(members)) }
}

fn sorted(mut addresses: Vec<String>) -> Vec<String> {
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn addresses(text: &str) -> Result<Vec<String>, String> {
    text.split([',', ' ']).map(str::trim).filter(|one| !one.is_empty()).map(address).collect()
}

/// `host:port`; the host need not resolve here and now.
fn address(text: &str) -> Result<String, String> {
    let wrong = || format!("expected ADDRESS:PORT such as 10.0.0.1:7848, found {text:?}");
    let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
    let has_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    let has_host = !host.is_empty() && (!host.contains(':') || host.starts_with('[') && host.ends_with(']'));
    if has_port && has_host { Ok(text.trim().to_owned()) } else { Err(wrong()) }
}

fn address_or_none(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Ok(String::new()) } else { address(text) }
}

fn hidden(secret: &Secret) -> String {
    if secret.is_empty() { String::new() } else { "(set)".to_owned() }
}

macro_rules! setting {
    ($key:literal, $field:ident, $about:literal, $parse:expr, $show:expr) => {
        Setting {
            key: $key,
            about: $about,
            nacos: &[],
            set: |settings, text| {
                settings.cluster.$field = $parse(text)?;
                Ok(())
            },
            show: |settings| $show(&settings.cluster.$field),
        }
    };
}

fn path(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(text.trim()))
}

fn show_path(path: &Path) -> String {
    path.display().to_string()
}

fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret(text.trim().to_owned()))
}

fn joined(addresses: &[String]) -> String {
    addresses.join(",")
}

fn bounded(text: &str, min: Duration) -> Result<Duration, String> {
    match values::duration(text)? {
        time if (min..=Duration::from_secs(60)).contains(&time) => Ok(time),
        _ => Err(format!("expected a duration from {} to 1m, found {text:?}", values::show_duration(min))),
    }
}

/// All of them.
pub(super) fn table() -> Vec<Setting> {
    let mut all = ways();
    all.extend(proofs());
    all
}

fn ways() -> Vec<Setting> {
    vec![
        setting!(
            "cluster_listen",
            listen,
            "address and port for the other nodes; nothing for none, or with --cluster-init and --join: that of clients, 1000 below their port",
            address_or_none,
            String::clone
        ),
        setting!(
            "cluster_address",
            address,
            "address and port by which the other nodes reach this one; nothing for cluster_listen",
            address_or_none,
            String::clone
        ),
        setting!(
            "cluster_peers",
            peers,
            "all nodes that begin a cluster together, this one among them: their cluster addresses, separated by commas; or the path of a cluster.conf as Nacos has it",
            peers,
            |peers: &Vec<String>| joined(peers)
        ),
        setting!(
            "cluster_init",
            init,
            "begin a cluster with this node; without effect when it is in one",
            values::boolean,
            bool::to_string
        ),
        setting!(
            "cluster_join",
            join,
            "cluster addresses of nodes whose cluster this one joins; without effect when it is in one",
            addresses,
            |join: &Vec<String>| joined(join)
        ),
        setting!(
            "cluster_voters_max",
            voters_max,
            "caught-up nodes vote by themselves up to this many",
            |text| values::number(text, 1, 9).map(|number| number as usize),
            usize::to_string
        ),
        setting!(
            "cluster_peer_silence",
            peer_silence,
            "a node that is not heard for so long loses what its clients registered to the others: 1 s to 1 m",
            |text| bounded(text, Duration::from_secs(1)),
            |time: &Duration| values::show_duration(*time)
        ),
        setting!(
            "cluster_join_wait",
            join_wait,
            "how long a starting node waits for a leader and for what the others have: 10 ms to 1 m",
            |text| bounded(text, Duration::from_millis(10)),
            |time: &Duration| values::show_duration(*time)
        ),
    ]
}

fn proofs() -> Vec<Setting> {
    vec![
        setting!("join_token", join_token, "the token to join with; better in a file", secret, hidden),
        setting!(
            "join_token_file",
            join_token_file,
            "file with the token to join with",
            path,
            |path: &PathBuf| show_path(path)
        ),
        setting!(
            "cluster_secret",
            secret,
            "secret that all nodes share, 32 bytes or more; better in a file",
            secret,
            hidden
        ),
        setting!(
            "cluster_secret_file",
            secret_file,
            "file with the secret that all nodes share",
            path,
            |path: &PathBuf| show_path(path)
        ),
        setting!(
            "cluster_ca",
            ca,
            "PEM file with what signs the certificates of nodes, where operators make them",
            path,
            |path: &PathBuf| show_path(path)
        ),
        setting!(
            "cluster_certificate",
            certificate,
            "PEM file with this node's certificate, for servers and for clients; renew it with the same key",
            path,
            |path: &PathBuf| show_path(path)
        ),
        setting!("cluster_key", key, "PEM file with this node's key", path, |path: &PathBuf| show_path(path)),
    ]
}

#[cfg(test)]
mod tests;
