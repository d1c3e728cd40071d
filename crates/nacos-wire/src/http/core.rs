//! What administrators ask about nodes and their connections.

use super::date::iso_date;
use crate::json::{self, Object};
use muster_model::Timestamp;
use serde::Serialize;
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

/// A node of the ensemble, as v1, v2 and v3 show it.
#[derive(Clone, Debug)]
pub struct Member {
    /// Where clients reach it: an address or a name.
    pub host: String,
    /// Its main port.
    pub port: u16,
    /// `UP`, `STARTING`, `SUSPICIOUS` or `DOWN`.
    pub state: &'static str,
    /// Its version; blank if it has not said.
    pub version: String,
    /// When this was true.
    pub refreshed: Timestamp,
    /// The Raft group that writes everything durable.
    pub raft: Arc<RaftGroup>,
    /// Where it takes connections of other nodes: the port alone is shown.
    pub raft_port: u16,
}

/// The Raft group, as each member shows it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RaftGroup {
    /// The address of the leader, `null` if none is known.
    pub leader: Option<String>,
    /// The addresses of all members.
    pub raft_group_member: Vec<String>,
    /// The term of the leader.
    pub term: u64,
}

impl Member {
    /// `host:port`; an IPv6 host is in brackets.
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Writes it: `{"ip":"10.0.0.1","port":8848,"state":"UP","extendInfo":{…},"address":"10.0.0.1:8848",…}`. The
    /// abilities are constants: those of a 2.x or 3.x server that speaks gRPC and Raft.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut member = Object::open(out);
        member.string("ip", &self.host).value("port", &self.port);
        member.string("state", self.state);
        self.write_details(member.key("extendInfo"));
        member.string("address", &self.address()).raw("failAccessCnt", b"0");
        member.raw(
            "abilities",
            br#"{"remoteAbility":{"supportRemoteConnection":true,"grpcReportEnabled":true},"configAbility":{"supportRemoteMetrics":false},"namingAbility":{"supportJraft":true}}"#,
        );
        member.raw("grpcReportEnabled", b"true");
        member.close();
    }

    /// The one Raft group of ours has the name of Nacos's that tools look for.
    fn write_details(&self, out: &mut Vec<u8>) {
        let mut details = Object::open(out);
        details.value("lastRefreshTime", &self.refreshed.0);
        let groups = BTreeMap::from([("naming_persistent_service_v2", &*self.raft)]);
        details.value("raftMetaData", &BTreeMap::from([("metaDataMap", groups)]));
        details.string("raftPort", &self.raft_port.to_string());
        details.raw("readyToUpgrade", b"true").raw("supportGrayModel", b"true");
        details.string("version", &self.version);
        details.close();
    }
}

/// A client's connection, as administrators see it.
#[derive(Clone, Debug)]
pub struct ClientConnection<'a> {
    /// `<ms>_<ip>_<port>`.
    pub id: &'a str,
    /// The address the client declares.
    pub client_ip: &'a str,
    /// Where it comes from.
    pub remote: SocketAddr,
    /// The port it came to.
    pub local_port: u16,
    /// Name and version of the client.
    pub version: &'a str,
    /// The application, "" if it named none.
    pub app_name: &'a str,
    /// What the client says it is for: `naming` or `config`.
    pub module: &'a str,
    /// The label by which tag releases of configs are chosen.
    pub tag: Option<&'a str>,
    /// Further labels, without their prefix `app_`.
    pub app_labels: BTreeMap<&'a str, &'a str>,
    /// When it was accepted.
    pub created: Timestamp,
    /// When it last was active.
    pub active: Timestamp,
}

impl ClientConnection<'_> {
    /// Writes it; v2 has `tenant` where v3 has `namespaceId`. Both are blank: a connection belongs to no namespace.
    pub fn write(&self, out: &mut Vec<u8>, is_v3: bool) {
        let labels = BTreeMap::from([("source", "sdk"), ("module", self.module)]);
        let mut connection = Object::open(out);
        let mut meta = Object::open(connection.key("metaInfo"));
        meta.string("connectionId", self.id).string("clientIp", self.client_ip);
        meta.string("remoteIp", &self.remote.ip().to_string()).value("remotePort", &self.remote.port());
        meta.value("localPort", &self.local_port).string("connectType", "GRPC");
        meta.string("version", self.version).string("appName", self.app_name);
        meta.value("labels", &labels).string("createTime", &iso_date(self.created));
        meta.value("lastActiveTime", &self.active.0);
        meta.string(if is_v3 { "namespaceId" } else { "tenant" }, "").raw("tlsProtected", b"false");
        meta.value("tag", &self.tag).value("appLabels", &self.app_labels);
        meta.raw("clusterSource", b"false").raw("sdkSource", b"true");
        meta.close();
        connection.raw("traced", b"false").raw("abilityTable", b"null").raw("connected", b"true");
        connection.value("labels", &labels).value("appLabels", &self.app_labels);
        connection.close();
    }
}

/// How busy a node is.
#[derive(Clone, Debug)]
pub struct NodeLoad {
    /// Where clients reach it.
    pub address: String,
    /// Clients with a gRPC connection.
    pub clients: u64,
    /// All connections.
    pub connections: u64,
    /// Load average of its machine.
    pub load: f64,
    /// Share of its processors in use.
    pub cpu: f64,
}

/// How busy the nodes are.
#[derive(Clone, Debug)]
pub struct NodeLoads {
    /// Those that have said.
    pub nodes: Vec<NodeLoad>,
    /// How many nodes there are.
    pub member_count: usize,
}

impl NodeLoads {
    /// Writes the loads of all nodes as v2 has them: texts in a `metric` a node.
    pub fn write_v2(&self, out: &mut Vec<u8>) {
        let mut all = Object::open(out);
        json::array(all.key("detail"), &self.nodes, |out, node| {
            let (clients, connections) = (node.clients.to_string(), node.connections.to_string());
            let (load, cpu) = (node.load.to_string(), node.cpu.to_string());
            let metric: BTreeMap<&str, &str> =
                [("sdkConCount", &*clients), ("conCount", &connections), ("load", &load), ("cpu", &cpu)]
                    .into();
            let mut detail = Object::open(out);
            detail.string("address", &node.address).value("metric", &metric);
            detail.close();
        });
        self.write_sums(&mut all);
        all.value("threshold", &(self.mean() as f64 * 1.1));
        all.close();
    }

    /// As v3 has them: counts are numbers, figures texts.
    pub fn write_v3(&self, out: &mut Vec<u8>) {
        let mut all = Object::open(out);
        json::array(all.key("detail"), &self.nodes, |out, node| {
            let mut detail = Object::open(out);
            detail.string("address", &node.address).value("sdkConCount", &node.clients);
            detail.value("conCount", &node.connections);
            detail.string("load", &node.load.to_string()).string("cpu", &node.cpu.to_string());
            detail.close();
        });
        self.write_sums(&mut all);
        all.string("threshold", &(self.mean() as f64 * 1.1).to_string());
        all.close();
    }

    fn counts(&self) -> impl Iterator<Item = u64> {
        self.nodes.iter().map(|node| node.clients)
    }

    /// A whole number, as in the original.
    fn mean(&self) -> u64 {
        self.counts().sum::<u64>().checked_div(self.nodes.len() as u64).unwrap_or_default()
    }

    fn write_sums(&self, all: &mut Object<'_>) {
        all.value("memberCount", &self.member_count).value("metricsCount", &self.nodes.len());
        all.value("completed", &(self.nodes.len() == self.member_count));
        all.value("max", &self.counts().max().unwrap_or_default());
        all.value("min", &self.counts().min().unwrap_or_default());
        all.value("avg", &self.mean()).value("total", &self.counts().sum::<u64>());
    }
}

/// The last ids that were given out, by what they are for, as a map (v1).
pub fn write_id_map(out: &mut Vec<u8>, resources: &[&str], current: u64, worker: u64) {
    let ids: BTreeMap<_, _> = resources.iter().map(|name| (*name, IdInfo::new(current, worker))).collect();
    json::value(out, &ids);
}

/// The same as a list of `{"resource":…,"info":{"currentId":…,"workerId":…}}` (v2, v3).
pub fn write_id_list(out: &mut Vec<u8>, resources: &[&str], current: u64, worker: u64) {
    json::array(out, resources, |out, resource| {
        let mut id = Object::open(out);
        id.string("resource", resource).value("info", &IdInfo::new(current, worker));
        id.close();
    });
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IdInfo {
    current_id: u64,
    worker_id: u64,
}

impl IdInfo {
    fn new(current_id: u64, worker_id: u64) -> Self {
        Self { current_id, worker_id }
    }
}
